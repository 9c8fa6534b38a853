#include "benchmark_cases.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <regex>

#include "commands.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/resources.hpp"
#include "uplift/io/coordinates.hpp"
#include "uplift/io/run_input.hpp"
#include "uplift/model/replicate.hpp"

namespace uplift::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* small_water = "water-tip3p-small";
constexpr double most_atoms = 2e8;

fs::path inputs_folder() { return resource("inputs/benchmark.yaml").parent_path(); }

bool is_file(const std::string& system) {
  return system.ends_with(".yaml") || system.ends_with(".yml") || system.find('/') != std::string::npos;
}

/// N of "water-N": "24k" is 24,000.
std::optional<double> water_atoms(const std::string& system) {
  static const std::regex pattern(R"(water-([0-9]+(?:\.[0-9]+)?)([kM]?))");
  std::smatch match;
  if (!std::regex_match(system, match, pattern)) return {};
  const double unit = match[2] == "k" ? 1e3 : match[2] == "M" ? 1e6 : 1;
  return std::strtod(match[1].str().c_str(), nullptr) * unit;
}

/// Files of a shipped system as overrides of benchmark.yaml, whose paths are relative to it.
std::vector<std::string> files_of(const fs::path& inputs, const std::string& name) {
  std::vector<std::string> overrides;
  for (const auto& [key, file] : {std::pair{"topology", "system.prmtop"}, std::pair{"coordinates", "system.inpcrd"}}) {
    const std::string path = name + "/" + file;
    overrides.push_back(std::string("system.") + key + "=" + path + (fs::exists(inputs / path) ? "" : ".gz"));
  }
  return overrides;
}

BenchmarkCase shipped(const std::string& system, const std::vector<std::string>& overrides) {
  const fs::path inputs = inputs_folder();
  const std::optional<double> wanted = water_atoms(system);
  if (!wanted && (system.find('.') != std::string::npos || !fs::is_directory(inputs / system)))
    throw InputError("benchmark: there is no system " + system + "; give a YAML input, or one of: " + benchmark_names());
  std::vector<std::string> all = files_of(inputs, wanted ? small_water : system);
  all.insert(all.end(), overrides.begin(), overrides.end());
  BenchmarkCase one;
  one.input = load_run_input((inputs / "benchmark.yaml").string(), all);
  if (!wanted) return one;
  if (!(*wanted >= 1 && *wanted <= most_atoms))
    throw InputError("benchmark: " + system + ": water comes in boxes of 1 to 200M atoms");
  const Coordinates small = read_coordinates(one.input.system.coordinates);
  const std::array<int, 3> n = copies_for(small.box.value(), static_cast<int>(small.x.size()), *wanted);
  // Read again, so that the resolved input tells the copies.
  all.push_back("system.copies=[" + std::to_string(n[0]) + ", " + std::to_string(n[1]) + ", " + std::to_string(n[2]) + "]");
  one.input = load_run_input((inputs / "benchmark.yaml").string(), all);
  return one;
}

}  // namespace

BenchmarkCase benchmark_case(const std::string& system, const std::vector<std::string>& overrides) {
  BenchmarkCase one;
  if (is_file(system))
    one.input = load_run_input(system, overrides);
  else
    one = shipped(system, overrides);
  one.name = system;
  one.forces = one.input.forces;
  one.dynamics = one.input.dynamics;
  bool found = one.input.stages.empty();
  for (const StageSettings& stage : one.input.stages) {
    if (stage.minimize) continue;
    one.forces = stage.forces;
    one.dynamics = stage.dynamics;
    one.restraints = stage.restraints;
    one.bias = stage.bias;
    one.stage = stage.name;
    found = true;
  }
  if (!found)
    throw InputError(system + ": all stages are minimisations; a benchmark needs one of dynamics, or no stages at all");
  return one;
}

std::vector<std::string> builtin_benchmarks() {
  return {"alanine-dipeptide-tip3p", "sdf1-tip3p", "water-24k", "water-100k", "water-1M"};
}

std::string benchmark_names() {
  std::string all;
  for (const std::string& name : builtin_benchmarks()) all += (all.empty() ? "" : ", ") + name;
  return all + " (water-N: about N atoms)";
}

}  // namespace uplift::app

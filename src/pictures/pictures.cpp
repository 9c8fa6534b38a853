// What is drawn: files of a run as JSON, long series thinned.
#include "uplift/pictures/pictures.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "pictures/ensemble_json.hpp"
#include "pictures/run_python.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/checkpoint.hpp"
#include "uplift/io/h5.hpp"
#include "uplift/io/replicas.hpp"

namespace uplift {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t most_points = 2000;  // of a curve
constexpr int boost_bins = 60;

json surface_json(const std::string& stem) {
  const h5::File file = h5::File::read(stem + ".h5");
  json axes = json::array();
  for (int k = 0; file.contains("collective_variables/" + std::to_string(k)); ++k) {
    const h5::Group axis = file.open_group("collective_variables/" + std::to_string(k));
    axes.push_back({{"name", axis.text("name")},
                    {"definition", axis.text("definition")},
                    {"unit", axis.text("unit")},
                    {"edges", axis.dataset("edges").read<double>()},
                    {"centers", axis.dataset("centers").read<double>()}});
  }
  if (axes.empty()) throw InputError(stem + ".h5: is no free-energy surface");
  json warnings = json::array();
  std::string line;
  for (std::istringstream all(file.text("warnings")); std::getline(all, line);) warnings.push_back(line);
  return {{"stem", stem},
          {"axes", axes},
          {"pmf", file.dataset("pmf").read<double>()},
          {"error", file.dataset("error").read<double>()},
          {"probability", file.dataset("probability").read<double>()},
          {"method", file.text("method")},
          {"order", file.number("order")},
          {"temperature", file.number("temperature")},
          {"kt", constants::boltzmann * file.number("temperature")},
          {"frames", file.number("frames")},
          {"effective", file.number("effective_sample_size")},
          {"warnings", warnings}};
}

json parsed(const fs::path& path) {
  std::ifstream in(path);
  return json::parse(in, nullptr, false);
}

/// Means over equal stretches.
std::vector<double> thinned(const std::vector<double>& values) {
  const std::size_t stretch = (values.size() + most_points - 1) / most_points;
  if (stretch <= 1) return values;
  std::vector<double> means;
  for (std::size_t first = 0; first < values.size(); first += stretch) {
    const std::size_t last = std::min(values.size(), first + stretch);
    double sum = 0;
    for (std::size_t i = first; i < last; ++i) sum += values[i];
    means.push_back(sum / static_cast<double>(last - first));
  }
  return means;
}

/// How the boost of one stage is distributed, zeros and all: that of the last stage whose boost does not change while it runs.
void add_boost(const std::vector<double>& boost, const std::vector<std::int64_t>& steps, json& report) {
  json stage;
  for (const json& s : report["stages"]) {
    const json bias = s.value("bias", json());
    if (bias.is_object() && (stage.is_null() || !bias.value("updating", false))) stage = s;
  }
  if (boost.empty() || stage.is_null()) return;
  std::vector<double> own;
  for (std::size_t i = 0; i < boost.size(); ++i)
    if (steps[i] > stage.value("first_step", std::int64_t{0}) && steps[i] <= stage.value("last_step", std::int64_t{0}))
      own.push_back(boost[i]);
  if (own.size() < 2) return;
  const auto [least, most] = std::minmax_element(own.begin(), own.end());
  const double width = (*most - *least) / boost_bins;
  if (!(width > 0)) return;
  std::vector<double> edges;
  std::vector<int> counts(boost_bins, 0);
  for (int k = 0; k <= boost_bins; ++k) edges.push_back(*least + k * width);
  double sum = 0, squares = 0;
  for (double b : own) {
    ++counts[static_cast<std::size_t>(std::clamp(static_cast<int>((b - *least) / width), 0, boost_bins - 1))];
    sum += b;
  }
  const double mean = sum / static_cast<double>(own.size());
  for (double b : own) squares += (b - mean) * (b - mean);
  report["boost"] = {{"stage", stage.value("name", "")},
                     {"rows", own.size()},
                     {"mean", mean},
                     {"deviation", std::sqrt(squares / static_cast<double>(own.size() - 1))},
                     {"zero", std::count(own.begin(), own.end(), 0.0)},
                     {"edges", edges},
                     {"counts", counts}};
}

void add_energies(const fs::path& path, json& report) {
  report["energies"] = json::object();
  report["boost"] = nullptr;
  if (!fs::exists(path)) return;
  const h5::File file = h5::File::read(path.string());
  std::uint64_t rows = file.dataset("step").rows();
  std::vector<std::pair<std::string, std::string>> columns;
  for (const char* name : {"time", "potential", "total", "temperature", "pressure", "volume", "conserved_quantity"})
    if (file.contains(name)) columns.emplace_back(name, name);
  for (const char* name : {"boost_dihedral", "boost_total"})
    if (file.contains(std::string("bias/") + name)) columns.emplace_back(std::string("bias/") + name, name);
  for (const auto& [path_in_file, name] : columns) rows = std::min(rows, file.dataset(path_in_file).rows());
  if (rows == 0) return;
  std::vector<double> boost;
  for (const auto& [path_in_file, name] : columns) {
    const std::vector<double> values = file.dataset(path_in_file).read<double>(0, rows);
    if (name.starts_with("boost_")) {
      boost.resize(values.size(), 0.0);
      for (std::size_t i = 0; i < values.size(); ++i) boost[i] += values[i];
    }
    report["energies"][name] = thinned(values);
  }
  add_boost(boost, file.dataset("step").read<std::int64_t>(0, rows), report);
}

/// Title, version and input from whichever file has them.
void add_provenance(const fs::path& directory, json& report) {
  for (const char* name : {"energies.h5", "trajectory.h5md"}) {
    if (!fs::exists(directory / name)) continue;
    const h5::File file = h5::File::read((directory / name).string());
    for (const char* key : {"title", "version", "input"})
      if (file.contains(std::string("parameters/") + key))
        report[key] = file.dataset(std::string("parameters/") + key).read_text().at(0);
    return;
  }
}

void add_hardware(const fs::path& path, json& report) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line) && report["hardware"] == "";)
    if (const std::size_t at = line.find("backend: "); at != std::string::npos) report["hardware"] = line.substr(at + 9);
}

void add_warnings(const fs::path& path, json& report) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);)
    if (const std::size_t at = line.find("warning: "); at != std::string::npos)
      report["warnings"].push_back(line.substr(at + 9));
}

/// The step of the newest checkpoint: how far a run that was stopped has come. None where there is no good one.
json step_reached(const fs::path& directory) {
  try {
    return read_checkpoint((directory / "checkpoint.upc").string()).state.step;
  } catch (const InputError&) {
    return nullptr;
  }
}

json report_json(const fs::path& directory) {
  json report = {{"task", "report"},
                 {"directory", directory.filename().string()},
                 {"path", (directory / "report.html").string()},
                 {"title", ""},
                 {"version", ""},
                 {"input", ""},
                 {"hardware", ""},
                 {"warnings", json::array()},
                 {"stages", json::array()},
                 {"performance", json::array()},
                 {"surfaces", json::array()}};
  // Of several replicas: what they have in common is taken from the first.
  const std::vector<ReplicaEntry> replicas = read_replicas(directory.string());
  const fs::path first = replicas.empty() ? directory : directory / replicas.front().directory;
  add_provenance(first, report);
  add_hardware(first / "run.log", report);
  add_warnings(directory / "run.log", report);
  add_replicas(directory, report);
  if (const json stages = parsed(first / "stages.json"); stages.is_object())
    report["stages"] = stages.value("stages", json::array());
  report["reached"] = step_reached(first);
  double begin = 0;  // [ps]
  for (json& s : report["stages"]) {
    s["begin"] = begin;
    begin += (s.value("last_step", 0.0) - s.value("first_step", 0.0)) * s.value("timestep", 0.0);
  }
  if (const json performance = parsed(directory / "performance.json"); performance.is_object())
    report["performance"] = performance.value("stages", json::array());
  add_energies(directory / "energies.h5", report);
  std::vector<fs::path> surfaces;
  for (const auto& entry : fs::directory_iterator(directory))
    if (entry.path().extension() == ".h5" && entry.path().filename() != "energies.h5" &&
        entry.path().filename() != "exchange.h5")
      surfaces.push_back(entry.path());
  std::sort(surfaces.begin(), surfaces.end());
  for (fs::path& path : surfaces) {
    const h5::File file = h5::File::read(path.string());
    if (file.contains("pmf") && file.contains("collective_variables/0"))
      report["surfaces"].push_back(surface_json(path.replace_extension("").string()));
  }
  return report;
}

}  // namespace

std::string draw_free_energy(const std::string& stem) {
  try {
    json task = surface_json(stem);
    task["task"] = "surface";
    return run_python(task);
  } catch (const std::exception& e) {
    return e.what();
  }
}

std::string write_report(const std::string& directory) {
  try {
    return run_python(report_json(fs::weakly_canonical(directory)));
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace uplift

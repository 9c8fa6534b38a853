#include "pictures/ensemble_json.hpp"

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "uplift/io/h5.hpp"
#include "uplift/io/replicas.hpp"

namespace uplift {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int bins = 80;
constexpr std::size_t most_points = 1500;                    // of a curve
constexpr std::size_t most_walkers = 6, legible_rows = 300;  // one curve alone is legible where it goes up and down more often

/// Potential energies of the last stage.
std::vector<double> potentials(const fs::path& directory) {
  const fs::path path = directory / "energies.h5";
  if (!fs::exists(path)) return {};
  const h5::File file = h5::File::read(path.string());
  std::vector<double> all = file.dataset("potential").read<double>();
  std::ifstream in(directory / "stages.json");
  const json stages = json::parse(in, nullptr, false);
  if (!stages.is_object() || !stages.contains("stages") || stages["stages"].empty()) return all;
  const auto first = stages["stages"].back().value("first_step", std::int64_t{0});
  const auto steps = file.dataset("step").read<std::int64_t>();
  const auto begin = static_cast<std::size_t>(std::upper_bound(steps.begin(), steps.end(), first) - steps.begin());
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(begin, all.size())));
  return all;
}

json exchanges(const fs::path& path) {
  json all = json::array();
  if (!fs::exists(path)) return all;
  const h5::File file = h5::File::read(path.string());
  if (!file.contains("stages")) return all;
  for (const std::string& name : file.open_group("stages").names()) {
    const h5::Group g = file.open_group("stages/" + name);
    if (!g.contains("walker")) continue;
    const auto temperatures = g.dataset("temperature").read<double>(), time = g.dataset("time").read<double>();
    const auto accepted = g.dataset("accepted").read<std::int32_t>(), walker = g.dataset("walker").read<std::int32_t>();
    const std::size_t n = temperatures.size(), rows = std::min({time.size(), accepted.size() / (n - 1), walker.size() / n});
    json pairs = json::array(), walkers = json::array(), times = json::array();
    for (std::size_t k = 0; k + 1 < n; ++k) {
      std::int64_t tried = 0, taken = 0;
      for (std::size_t r = 0; r < rows; ++r) {
        tried += accepted[r * (n - 1) + k] >= 0;
        taken += accepted[r * (n - 1) + k] == 1;
      }
      pairs.push_back({{"low", temperatures[k]}, {"high", temperatures[k + 1]}, {"tried", tried}, {"accepted", taken}});
    }
    const std::size_t stride = std::max<std::size_t>(1, rows / most_points);
    for (std::size_t r = 0; r < rows; r += stride) times.push_back(time[r]);
    for (std::size_t w = 0; w < std::min(n, rows > legible_rows ? 1 : most_walkers); ++w) {
      json where = json::array();
      for (std::size_t r = 0; r < rows; r += stride) {
        const auto row = walker.begin() + static_cast<std::ptrdiff_t>(r * n);
        where.push_back(std::find(row, row + static_cast<std::ptrdiff_t>(n), static_cast<std::int32_t>(w)) - row + 1);
      }
      walkers.push_back(where);
    }
    all.push_back({{"stage", name}, {"attempts", rows}, {"pairs", pairs}, {"time", times}, {"walkers", walkers}});
  }
  return all;
}

}  // namespace

void add_replicas(const fs::path& directory, json& report) {
  report["replicas"] = json::array();
  report["exchanges"] = json::array();
  const std::vector<ReplicaEntry> entries = read_replicas(directory.string());
  if (entries.empty()) return;
  std::ifstream in(directory / "performance.json");
  const json performance = json::parse(in, nullptr, false);
  report["speed_of_all"] = performance.is_object() ? performance.value("ns_per_day", 0.0) : 0.0;
  std::vector<std::vector<double>> energies;
  double least = 0, most = 0;
  bool any = false;
  for (const ReplicaEntry& e : entries) {
    energies.push_back(potentials(directory / e.directory));
    for (double u : energies.back()) {
      least = any ? std::min(least, u) : u;
      most = any ? std::max(most, u) : u;
      any = true;
    }
  }
  const double width = (most - least) / bins;
  json edges = json::array();
  for (int b = 0; width > 0 && b <= bins; ++b) edges.push_back(least + b * width);
  report["replica_edges"] = edges;
  for (std::size_t k = 0; k < entries.size(); ++k) {
    std::vector<int> counts(width > 0 ? bins : 0, 0);
    double sum = 0;
    for (double u : energies[k]) {
      sum += u;
      if (width > 0) ++counts[static_cast<std::size_t>(std::clamp(static_cast<int>((u - least) / width), 0, bins - 1))];
    }
    std::ifstream stages_in(directory / entries[k].directory / "stages.json");
    const json stages = json::parse(stages_in, nullptr, false);
    json temperature;
    if (stages.is_object() && stages.contains("stages") && !stages["stages"].empty())
      temperature = stages["stages"].back().value("temperature", 0.0);
    report["replicas"].push_back({{"directory", entries[k].directory},
                                  {"seed", std::to_string(entries[k].seed)},
                                  {"temperature", temperature},
                                  {"rows", energies[k].size()},
                                  {"mean", energies[k].empty() ? json() : json(sum / static_cast<double>(energies[k].size()))},
                                  {"counts", counts}});
  }
  report["exchanges"] = exchanges(directory / "exchange.h5");
}

}  // namespace uplift

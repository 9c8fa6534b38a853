#include "uplift/io/replicas.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "uplift/core/error.hpp"

namespace uplift {

namespace fs = std::filesystem;

std::string replica_name(int replica) { return fmt::format("replica-{:03}", replica + 1); }

void write_replicas(const std::string& directory, const std::vector<ReplicaEntry>& replicas) {
  nlohmann::json all = nlohmann::json::array();
  for (const ReplicaEntry& r : replicas) all.push_back({{"directory", r.directory}, {"seed", r.seed}});
  const fs::path path = fs::path(directory) / "replicas.json", fresh = fs::path(directory) / "replicas.json.tmp";
  std::ofstream(fresh) << nlohmann::json{{"version", 1}, {"replicas", all}}.dump(1) << '\n';
  std::error_code error;
  fs::rename(fresh, path, error);
  if (error)
    throw SimulationError(path.string() + ": cannot be written (" + error.message() + "); check free space and permissions");
}

std::vector<ReplicaEntry> read_replicas(const std::string& directory) {
  const fs::path path = fs::path(directory) / "replicas.json";
  std::ifstream in(path);
  if (!in) return {};
  std::vector<ReplicaEntry> replicas;
  try {
    const nlohmann::json all = nlohmann::json::parse(in);
    for (const auto& r : all.at("replicas")) {
      replicas.push_back({r.at("directory"), r.at("seed")});
      const fs::path name(replicas.back().directory);
      if (name.empty() || name != name.filename() || name == "..")
        throw std::runtime_error("'" + name.string() + "' is no name in it");
    }
  } catch (const std::exception& e) {
    throw InputError(path.string() + ": is damaged (" + e.what() +
                     "); name the replicas themselves, or run again with --resume");
  }
  return replicas;
}

std::vector<std::string> expand_replicas(const std::vector<std::string>& runs) {
  std::vector<std::string> all;
  for (const std::string& run : runs) {
    const std::vector<ReplicaEntry> replicas = fs::is_directory(run) ? read_replicas(run) : std::vector<ReplicaEntry>{};
    for (const ReplicaEntry& r : replicas) all.push_back((fs::path(run) / r.directory).string());
    if (replicas.empty()) all.push_back(run);
  }
  return all;
}

}  // namespace uplift

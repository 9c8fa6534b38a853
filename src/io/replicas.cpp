#include "uplift/io/replicas.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {

namespace fs = std::filesystem;

std::string replica_name(int replica) { return fmt::format("replica-{:03}", replica + 1); }

void write_replicas(const std::string& directory, const std::vector<ReplicaEntry>& replicas) {
  nlohmann::json all = nlohmann::json::array();
  for (const ReplicaEntry& r : replicas) all.push_back({{"directory", r.directory}, {"seed", r.seed}});
  const fs::path path = fs::path(directory) / "replicas.json";
  // Jobs of an array begin at the same time, on several machines perhaps: each writes to a file of its own, and puts it in
  // place.
  std::string fresh = path.string() + ".XXXXXX";
  const int file = ::mkstemp(fresh.data());
  const std::string text = nlohmann::json{{"version", 1}, {"replicas", all}}.dump(1) + '\n';
  bool good = file >= 0 && ::fchmod(file, 0644) == 0 && ::write(file, text.data(), text.size()) == std::ssize(text) &&
              ::fsync(file) == 0;
  good = (file < 0 || ::close(file) == 0) && good && ::rename(fresh.c_str(), path.c_str()) == 0;
  if (good) return;
  const int why = errno;
  if (file >= 0) ::unlink(fresh.c_str());
  fail_to_write(path.string(), why);
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
    throw InputError(path.string() + ": is damaged (" + e.what() + "); remove it, and uplift run --resume writes it anew");
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

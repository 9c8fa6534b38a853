#pragma once
// The output directory of a run with several replicas: replica-001/, replica-002/ ... each the directory of a whole run, and
// replicas.json, which says that they belong together.
#include <cstdint>
#include <string>
#include <vector>

namespace uplift {

struct ReplicaEntry {
  std::string directory;   ///< "replica-001", in the output directory
  std::uint64_t seed = 0;  ///< that dynamics.seed of the input became
};

std::string replica_name(int replica);  ///< from 0: "replica-001"
void write_replicas(const std::string& directory, const std::vector<ReplicaEntry>& replicas);
/// Empty when the directory is not one of several replicas. Throws InputError when replicas.json is damaged.
std::vector<ReplicaEntry> read_replicas(const std::string& directory);
/// Directories of replicas take the place of the directory of them all; other names stay.
std::vector<std::string> expand_replicas(const std::vector<std::string>& runs);

}  // namespace uplift

#pragma once
// How many threads make sense for this process.
#include <filesystem>
#include <string>

namespace uplift {

/// CPUs that this process may use: those of its affinity mask, and no more than the quota of its control group allows
/// (containers are given time, not CPUs: more threads than that only stop each other). At least 1.
int usable_processors();

/// The quota of the control groups in `groups` (as /proc/self/cgroup) below `root` (as /sys/fs/cgroup), of version 1 or 2, in
/// CPUs, rounded up; the least of a group and those above it. 0: no limit.
int quota_of_groups(const std::string& groups, const std::filesystem::path& root);

/// What the environment says that a process should use at most: the least of SLURM_CPUS_PER_TASK and OMP_NUM_THREADS.
struct WantedThreads {
  int threads = 0;   ///< 0: it says nothing
  std::string from;  ///< name of the variable
};
WantedThreads wanted_threads();

}  // namespace uplift

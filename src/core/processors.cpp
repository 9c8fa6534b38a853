#include "uplift/core/processors.hpp"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

namespace uplift {
namespace {

namespace fs = std::filesystem;

/// CPUs of one group, 0 where it has no limit.
int quota_of(const fs::path& group) {
  double quota = 0, period = 0;
  if (std::ifstream two(group / "cpu.max"); two) {  // "max 100000": the quota is no number
    two >> quota >> period;
    if (!two) return 0;
  } else {
    std::ifstream(group / "cpu.cfs_quota_us") >> quota;  // -1: none
    std::ifstream(group / "cpu.cfs_period_us") >> period;
  }
  return quota > 0 && period > 0 ? std::max(1, static_cast<int>(std::ceil(quota / period))) : 0;
}

}  // namespace

int quota_of_groups(const std::string& groups, const fs::path& root) {
  int least = 0;
  std::istringstream lines(groups);
  for (std::string line; std::getline(lines, line);) {  // "0::/a/b", "4:cpu,cpuacct:/a/b"
    const std::size_t first = line.find(':'), second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && ("," + controllers + ",").find(",cpu,") == std::string::npos) continue;
    const fs::path top = controllers.empty() ? root : root / controllers;
    // Within a container the path is often that of the host, and only the top is there.
    for (fs::path part = fs::path(line.substr(second + 1)).relative_path();; part = part.parent_path()) {
      if (const int quota = quota_of(top / part); quota > 0) least = least > 0 ? std::min(least, quota) : quota;
      if (part.empty()) break;
    }
  }
  return least;
}

int usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int allowed = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  std::ifstream in("/proc/self/cgroup");
  const std::string groups{std::istreambuf_iterator<char>(in), {}};
  const int quota = quota_of_groups(groups, "/sys/fs/cgroup");
  return std::max(1, quota > 0 ? std::min(allowed, quota) : allowed);
}

WantedThreads wanted_threads() {
  WantedThreads least;
  for (const char* name : {"SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS"}) {
    const char* value = std::getenv(name);
    const int threads = value ? std::atoi(value) : 0;  // of "4,2" the outer level
    if (threads > 0 && (least.threads == 0 || threads < least.threads)) least = {threads, name};
  }
  return least;
}

}  // namespace uplift

// Threads that a process may use: quotas of control groups, and what the environment says.
#include "uplift/core/processors.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace uplift {
namespace {

namespace fs = std::filesystem;

class ControlGroups : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(root); }
  void TearDown() override { fs::remove_all(root); }
  void put(const std::string& file, const std::string& text) {
    fs::create_directories((root / file).parent_path());
    std::ofstream(root / file) << text;
  }
  const fs::path root = fs::temp_directory_path() / ("uplift-groups-" + std::to_string(::getpid()));
};

TEST_F(ControlGroups, OfVersionTwoTheLeastOfAllAboveCounts) {
  put("job/step/cpu.max", "max 100000\n");
  put("job/cpu.max", "250000 100000\n");
  EXPECT_EQ(quota_of_groups("0::/job/step\n", root), 3) << "2.5 CPUs keep three threads busy";
  put("cpu.max", "100000 100000\n");
  EXPECT_EQ(quota_of_groups("0::/job/step\n", root), 1);
}

TEST_F(ControlGroups, OfVersionOneTheCpuControllerCounts) {
  put("cpu,cpuacct/docker/a/cpu.cfs_quota_us", "400000\n");
  put("cpu,cpuacct/docker/a/cpu.cfs_period_us", "100000\n");
  put("cpuset/docker/a/cpu.cfs_quota_us", "100000\n");
  put("cpuset/docker/a/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota_of_groups("5:cpuset:/docker/a\n4:cpu,cpuacct:/docker/a\n", root), 4);
}

TEST_F(ControlGroups, WithoutALimitThereIsNone) {
  put("cpu/cpu.cfs_quota_us", "-1\n");
  put("cpu/cpu.cfs_period_us", "100000\n");
  for (const char* groups : {"1:cpu:/\n", "0::/not/there\n", "", "nonsense\n", "1:cpu"})
    EXPECT_EQ(quota_of_groups(groups, root), 0) << groups;
  EXPECT_GE(usable_processors(), 1);
}

TEST(WantedThreads, TheLeastOfTheEnvironmentCounts) {
  const auto with = [](const char* slurm, const char* openmp) {
    const auto set = [](const char* name, const char* value) { value ? ::setenv(name, value, 1) : ::unsetenv(name); };
    set("SLURM_CPUS_PER_TASK", slurm);
    set("OMP_NUM_THREADS", openmp);
    const WantedThreads found = wanted_threads();
    set("SLURM_CPUS_PER_TASK", nullptr);
    set("OMP_NUM_THREADS", nullptr);
    return found;
  };
  EXPECT_EQ(with(nullptr, nullptr).threads, 0);
  EXPECT_EQ(with("8", nullptr).from, "SLURM_CPUS_PER_TASK");
  EXPECT_EQ(with("8", "4,2").threads, 4);
  EXPECT_EQ(with("8", "4,2").from, "OMP_NUM_THREADS");
  EXPECT_EQ(with("many", "0").threads, 0);
}

}  // namespace
}  // namespace uplift

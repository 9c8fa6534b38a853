// What ties replicas together on disk: replicas.json and exchange.h5, whole and damaged.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>
#include <vector>

#include "uplift/core/error.hpp"
#include "uplift/io/exchange_file.hpp"
#include "uplift/io/replicas.hpp"

namespace uplift {
namespace {

namespace fs = std::filesystem;

class Replicas : public ::testing::Test {
 protected:
  void SetUp() override {
    folder = fs::temp_directory_path() / ("uplift-replicas-" + std::to_string(::getpid()) +
                                          ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder);
  }
  void TearDown() override { fs::remove_all(folder); }
  void put(const std::string& text) const { std::ofstream(folder / "replicas.json") << text; }
  fs::path folder;
};

TEST_F(Replicas, AreListedAndExpanded) {
  EXPECT_TRUE(read_replicas(folder.string()).empty()) << "a single run";
  write_replicas(folder.string(), {{replica_name(0), 5}, {replica_name(11), 9223372036854775807ull}});
  const auto read = read_replicas(folder.string());
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[1].directory, "replica-012");
  EXPECT_EQ(read[1].seed, 9223372036854775807ull);
  EXPECT_EQ(expand_replicas({"else", folder.string()}),
            (std::vector<std::string>{"else", (folder / "replica-001").string(), (folder / "replica-012").string()}));
}

TEST_F(Replicas, JobsOfAnArrayWriteTheListAtTheSameTime) {
  const std::vector<ReplicaEntry> entries{{"replica-001", 1}, {"replica-002", 2}};
  std::atomic<int> failures = 0;
  std::vector<std::thread> jobs;
  for (int k = 0; k < 8; ++k)
    jobs.emplace_back([&] {
      for (int n = 0; n < 50; ++n) try {
          write_replicas(folder.string(), entries);
        } catch (const std::exception&) {
          ++failures;
        }
    });
  for (std::thread& job : jobs) job.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(read_replicas(folder.string()).size(), 2u);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
}

TEST_F(Replicas, DamageIsNamed) {
  write_replicas(folder.string(), {{replica_name(0), 5}, {replica_name(1), 6}});
  std::ifstream in(folder / "replicas.json");
  std::ostringstream whole;
  whole << in.rdbuf();
  const std::string text = whole.str();
  for (std::size_t n = 0; n + 2 < text.size(); ++n) {
    put(text.substr(0, n));
    EXPECT_THROW(read_replicas(folder.string()), InputError) << n;
  }
  for (const char* name : {"../elsewhere", "/etc", "a/b", "", ".."}) {
    put(std::string(R"({"replicas": [{"directory": ")") + name + R"(", "seed": 1}]})");
    EXPECT_THROW(read_replicas(folder.string()), InputError) << name;
  }
  put(R"({"replicas": [{"directory": 3, "seed": "x"}]})");
  EXPECT_THROW(read_replicas(folder.string()), InputError);
}

TEST_F(Replicas, ExchangesAreCutBackToTheCheckpoints) {
  const std::string path = (folder / "exchange.h5").string();
  const std::vector<double> temperatures{300, 310, 320};
  {
    ExchangeFile file(path, {"title", "0", "input"});
    EXPECT_TRUE(file.begin("rex", temperatures, 0).empty());
    for (int n = 1; n <= 5; ++n) file.add({50 * n, 0.1 * n, {1.0 * n, 2, 3}, {n % 2 ? 1 : -1, n % 2 ? -1 : 0}, {1, 0, 2}});
    file.begin("parameters", temperatures, 0);  // any name will do
  }
  {
    ExchangeFile file(path, {"title", "0", "input"});
    const auto before = file.begin("rex", temperatures, 3);
    ASSERT_EQ(before.size(), 3u);
    EXPECT_EQ(before[0], (std::vector<std::int32_t>{1, -1}));
    EXPECT_EQ(before[1], (std::vector<std::int32_t>{-1, 0}));
    file.add({200, 0.4, {9, 9, 9}, {-1, 1}, {0, 2, 1}});
    file.sync();
    EXPECT_THROW(file.begin("rex", temperatures, 5), InputError) << "fewer than the checkpoints have seen";
    EXPECT_THROW(file.begin("rex", {300, 310}, 1), InputError) << "other temperatures";
  }
  const h5::File file = h5::File::read(path);
  EXPECT_EQ(file.dataset("stages/rex/step").read<std::int64_t>(), (std::vector<std::int64_t>{50, 100, 150, 200}));
  EXPECT_EQ(file.dataset("stages/rex/walker").read<std::int32_t>(3, 1), (std::vector<std::int32_t>{0, 2, 1}));
  EXPECT_EQ(file.dataset("stages/rex/potential").text("unit"), "kJ mol-1");
}

TEST_F(Replicas, AFileThatIsNoneIsNamed) {
  std::ofstream(folder / "exchange.h5") << "not HDF5";
  EXPECT_THROW(ExchangeFile((folder / "exchange.h5").string(), {}), SimulationError);
}

}  // namespace
}  // namespace uplift

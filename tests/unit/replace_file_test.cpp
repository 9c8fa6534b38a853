// What is written has its name when it is whole, and takes the place of nothing but ordinary files.
#include "uplift/io/replace_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ReplaceFile : public ::testing::Test {
 protected:
  ReplaceFile() {
    folder_ = fs::temp_directory_path() / ("uplift-replace-" + std::to_string(::getpid()) + "-" +
                                           ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  ~ReplaceFile() override { fs::remove_all(folder_); }
  std::string path(const char* name) const { return (folder_ / name).string(); }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  fs::path folder_;
};

TEST_F(ReplaceFile, KeepsTheOldOneUntilTheNewOneIsWhole) {
  write_file(path("a"), "old");
  const auto half = [](const std::string& to) {
    std::ofstream(to) << "half";
    throw SimulationError(to + ": no space left");
  };
  try {
    replace_file(path("a"), half);
    FAIL() << "no error";
  } catch (const SimulationError& e) {
    EXPECT_EQ(e.what(), path("a") + ": no space left");
  }
  EXPECT_EQ(read_file(path("a")), "old");
  EXPECT_EQ(files(), 1u);
  write_file(path("a"), "new");
  EXPECT_EQ(read_file(path("a")), "new");
  EXPECT_EQ(files(), 1u);
}

TEST_F(ReplaceFile, FollowsLinks) {
  fs::create_directory(folder_ / "there");
  fs::create_symlink("there/b", folder_ / "link");
  fs::create_symlink("link", folder_ / "second");
  write_file(path("second"), "one");  // to a file that is not there yet
  EXPECT_EQ(read_file(path("there/b")), "one");
  write_file(path("second"), "two");
  EXPECT_EQ(read_file(path("there/b")), "two");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "second"));
}

TEST_F(ReplaceFile, WritesIntoPipes) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const int reader = ::open(path("pipe").c_str(), O_RDWR | O_NONBLOCK);
  write_file(path("pipe"), "through");
  char got[16] = "";
  EXPECT_EQ(::read(reader, got, sizeof got - 1), 7);
  ::close(reader);
  EXPECT_STREQ(got, "through");
  EXPECT_TRUE(fs::is_fifo(folder_ / "pipe"));
  EXPECT_EQ(files(), 1u);
}

TEST_F(ReplaceFile, ASignalLeavesNothingUnfinished) {
  EXPECT_EXIT(
      {
        const UnfinishedFile file(path("a"));
        std::ofstream(file.name()) << "half";
        std::raise(SIGINT);
      },
      ::testing::KilledBySignal(SIGINT), "");
  EXPECT_EQ(files(), 0u);
}

TEST_F(ReplaceFile, NotesNameTheFile) {
  const auto write = [](const std::string& to) {
    std::ofstream(to) << "x";
    return std::vector<std::string>{to + ": without a box"};
  };
  EXPECT_THAT(replace_file(path("a"), write), ::testing::ElementsAre(path("a") + ": without a box"));
  EXPECT_THROW(write_file(path("nowhere/a"), "x"), SimulationError);
}

}  // namespace
}  // namespace uplift

// What is written has its name when it is whole, and takes the place of nothing but ordinary files.
#include "uplift/io/replace_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "uplift/io/text_file.hpp"

namespace {

std::atomic<int> disk_says = 0;  // an errno

}  // namespace

// In place of the library's, for this whole program.
extern "C" int fsync(int file) {
  if (disk_says == 0) return static_cast<int>(::syscall(SYS_fsync, file));
  errno = disk_says;
  return -1;
}

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

/// As of a quota on NFS.
TEST_F(ReplaceFile, KeepsTheOldOneWhereTheDiskDidNotTakeTheNewOne) {
  write_file(path("a"), "old");
  std::string said;
  disk_says = EDQUOT;
  try {
    write_file(path("a"), "new");
  } catch (const SimulationError& e) {
    said = e.what();
  }
  disk_says = EINVAL;  // cannot say
  write_file(path("b"), "new");
  disk_says = 0;
  EXPECT_THAT(said, ::testing::AllOf(HasSubstr(path("a")), HasSubstr("quota exceeded")));
  EXPECT_EQ(read_file(path("a")), "old");
  EXPECT_EQ(read_file(path("b")), "new");
  EXPECT_EQ(files(), 2u);
}

/// The cure goes by the cause.
TEST_F(ReplaceFile, SaysWhatHelps) {
  const auto said = [&](const std::string& to, int disk) {
    disk_says = disk;
    std::string message;
    try {
      write_file(to, "new");
    } catch (const SimulationError& e) {
      message = e.what();
    }
    disk_says = 0;
    return message;
  };
  EXPECT_EQ(said(path("a"), EDQUOT),
            path("a") + ": cannot be written (Disk quota exceeded); make room (disk, quota, ulimit -f)");
  EXPECT_EQ(
      said(path("none/a"), 0),
      path("none/a") + ": cannot be written (No such file or directory); check the folder, its permissions and free space");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 3;  // stdin, stdout, stderr
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const std::string full = said(path("b"), 0);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(full, path("b") + ": cannot be written (Too many open files); raise the limit of open files (ulimit -n)");
}

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
        std::signal(SIGINT, SIG_DFL);  // what a shell starts in the background ignores it, and that is left alone
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

#include "uplift/io/h5.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "uplift/core/error.hpp"

namespace {

/// As on NFS with a quota: nobody promises room, and files may grow by so many bytes. Negative: none of this.
std::atomic<long> quota = -1;
/// A process is killed in the middle of the write with this number. 0: it is not.
std::atomic<long> last_write = 0;

}  // namespace

// In place of the library's, for this whole program.
extern "C" int fallocate(int file, int mode, off_t from, off_t bytes) {
  if (quota < 0) return static_cast<int>(::syscall(SYS_fallocate, file, mode, from, bytes));
  errno = EOPNOTSUPP;
  return -1;
}
extern "C" ssize_t pwrite(int file, const void* bytes, size_t count, off_t at) {
  struct stat now {};
  if (quota >= 0 && ::fstat(file, &now) == 0) {
    const long growth = std::max(0L, at + static_cast<long>(count) - now.st_size), left = quota;
    count -= std::min(count, static_cast<size_t>(std::max(0L, growth - left)));
    quota = left - std::min(growth, left);
    if (growth > 0 && count == 0) {
      errno = EDQUOT;
      return -1;
    }
  }
  if (last_write > 0 && --last_write == 0) {
    ::syscall(SYS_pwrite64, file, bytes, count / 2, at);
    ::_exit(9);
  }
  return ::syscall(SYS_pwrite64, file, bytes, count, at);
}

namespace {

using namespace uplift;
using testing::HasSubstr;

std::string scratch(const std::string& name) {
  return (std::filesystem::temp_directory_path() / ("uplift-h5-" + std::to_string(::getpid()) + "-" + name)).string();
}

struct H5 : testing::Test {
  std::string path = scratch(testing::UnitTest::GetInstance()->current_test_info()->name());
  ~H5() override { std::filesystem::remove(path); }
};

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const SimulationError& e) {
    return e.what();
  }
  return "no SimulationError";
}

TEST_F(H5, TextAttributesAreVariableLengthUtf8) {
  h5::File file = h5::File::create(path);
  file.set("unit", "nm");
  file.set("unit", "kJ mol-1 \xc3\x85");  // set again: replaced
  EXPECT_EQ(file.text("unit"), "kJ mol-1 \xc3\x85");
  const hid_t attribute = H5Aopen(file.id(), "unit", H5P_DEFAULT);
  const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  EXPECT_GT(H5Tis_variable_str(type), 0);
  EXPECT_EQ(H5Tget_cset(type), H5T_CSET_UTF8);
  EXPECT_EQ(H5Sget_simple_extent_type(space), H5S_SCALAR);
  H5Sclose(space);
  H5Tclose(type);
  H5Aclose(attribute);
}

TEST_F(H5, NumbersAndListsComeBack) {
  h5::File file = h5::File::create(path);
  const std::vector<std::string> words{"periodic", "", "none"};
  const std::vector<int> version{1, 1};
  file.set("n", 7);
  file.set("x", 0.1);
  file.set("words", std::span<const std::string>(words));
  file.set("version", std::span<const int>(version));
  EXPECT_EQ(file.number("n"), 7);
  EXPECT_EQ(file.number("x"), 0.1);
  EXPECT_EQ(file.text("words"), "periodic");
  EXPECT_THAT(message_of([&] { file.number("version"); }), HasSubstr("not a single number"));
  EXPECT_THAT(message_of([&] { file.number("absent"); }), HasSubstr("absent"));
  file.write_names("names", words);
  EXPECT_EQ(file.dataset("names").read_text(), words);
  file.write_text("text", "line one\nline two");
  EXPECT_EQ(file.dataset("text").read_text(), std::vector<std::string>{"line one\nline two"});
}

class Rows : public H5, public testing::WithParamInterface<int> {};
TEST_P(Rows, AppendedTrimmedAndReadBack) {
  const int n = GetParam();
  path = scratch("rows" + std::to_string(n));
  std::vector<double> all(static_cast<std::size_t>(3 * n));
  std::iota(all.begin(), all.end(), 0.5);
  {
    h5::File file = h5::File::create(path);
    h5::Dataset rows = file.extendible<float>("a/b/rows", {3}, {7, 0});
    for (int i = 0; i < n; ++i) rows.append(std::span<const double>(all).subspan(static_cast<std::size_t>(3 * i), 3));
    EXPECT_EQ(rows.shape(), (h5::Shape{static_cast<std::uint64_t>(n), 3}));
    EXPECT_EQ(rows.chunk(), (h5::Shape{7, 3}));
  }
  h5::File file = h5::File::append(path);
  h5::Dataset rows = file.dataset("a/b/rows");
  EXPECT_EQ(rows.read<double>(), all);
  const int keep = n / 2;
  rows.trim(static_cast<std::uint64_t>(keep));
  rows.append(std::span<const double>(all).subspan(static_cast<std::size_t>(3 * keep)));  // the rest at once
  EXPECT_EQ(rows.read<double>(), all);
}
INSTANTIATE_TEST_SUITE_P(Sizes, Rows, testing::Values(0, 1, 31, 32, 33, 1000));

TEST_F(H5, LargeConstantsAreCompressedAndEqual) {
  h5::File file = h5::File::create(path);
  std::vector<std::int32_t> values(100000);
  std::iota(values.begin(), values.end(), -5);
  h5::Dataset large = file.write("large", std::span<const std::int32_t>(values), {50000, 2});
  EXPECT_GT(large.deflate_level(), 0);
  EXPECT_EQ(large.read<std::int32_t>(), values);
  EXPECT_TRUE(file.write("small", std::span<const std::int32_t>(values).first(4)).chunk().empty());
}

TEST_F(H5, PathsLinksAndNames) {
  h5::File file = h5::File::create(path);
  file.extendible<double>("one/value", {}, {8, 0});
  file.link("one/value", "two/three/value");
  EXPECT_EQ(file.dataset("one/value").address(), file.dataset("two/three/value").address());
  EXPECT_TRUE(file.contains("two/three"));
  EXPECT_TRUE(file.is_group("two/three"));
  EXPECT_FALSE(file.is_group("one/value"));
  EXPECT_FALSE(file.contains("two/four/value"));
  EXPECT_EQ(file.names(), (std::vector<std::string>{"one", "two"}));
}

TEST_F(H5, ErrorsNameFileObjectAndCauseWithoutNoise) {
  h5::File file = h5::File::create(path);
  testing::internal::CaptureStderr();
  const std::string message = message_of([&] { file.dataset("nothing/here"); });
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_THAT(message, testing::AllOf(HasSubstr(path), HasSubstr("nothing/here"), HasSubstr("HDF5:")));
  EXPECT_THAT(message_of([] { h5::File::create("/dev/null/file.h5"); }), HasSubstr("/dev/null/file.h5"));
}

TEST_F(H5, TwoWritersAreRefusedReadersAreNot) {
  h5::File writer = h5::File::create(path);
  writer.write_text("text", "first");
  writer.flush();
  EXPECT_THAT(message_of([&] { h5::File::create(path); }), HasSubstr("another job"));
  EXPECT_THAT(message_of([&] { h5::File::append(path); }), HasSubstr("another job"));
  EXPECT_EQ(h5::File::read(path).dataset("text").read_text().at(0), "first");  // untouched by the refused attempts
  writer = h5::File();
  EXPECT_NO_THROW(h5::File::append(path));
}

/// Of frames of two datasets, as many as there are before the disk takes no more, at whatever write that is.
TEST_F(H5, QuotasThatNobodyTellsOfCostNothing) {
  const auto frame = [](int k) { return std::vector<double>(300, k + 0.5); };
  std::uintmax_t largest = 0;
  for (long room = 0; room < 1200000; room += 47111) {
    int written = 0;
    {
      h5::File file = h5::File::create(path);
      h5::Dataset x = file.extendible<float>("x", {300}, {8, 0}), step = file.extendible<double>("step", {}, {64, 0});
      file.flush();
      quota = room;
      const std::string message = message_of([&] {
        for (; written < 600; ++written) {
          x.append(std::span<const double>(frame(written)));
          step.append(std::span<const double>(frame(written)).first(1));
          if (written % 5 == 4) file.flush();
        }
        file.sync();
      });
      if (written < 600) {
        EXPECT_THAT(message, testing::AllOf(HasSubstr("there is no room"), HasSubstr("quota exceeded"))) << room;
      }
    }
    quota = -1;
    largest = std::max(largest, std::filesystem::file_size(path));
    h5::File file = h5::File::append(path);
    h5::Dataset x = file.dataset("x"), step = file.dataset("step");
    EXPECT_GE(x.rows(), static_cast<std::uint64_t>(written)) << room;
    EXPECT_GE(step.rows(), static_cast<std::uint64_t>(written)) << room;
    for (int k = 0; k < written; ++k) {
      ASSERT_EQ(x.read<double>(static_cast<std::uint64_t>(k), 1), frame(k)) << room;
      ASSERT_EQ(step.read<double>(static_cast<std::uint64_t>(k), 1).at(0), k + 0.5) << room;
    }
  }
  EXPECT_LT(largest, 800000u);  // nothing of what was only promised stays
}

// Killed at each of its writes in turn. Among them are those of flushes in which indices grow; what such a kill leaves, HDF5
// cannot read.
TEST_F(H5, AKillInTheMiddleOfAFlushLosesNothing) {
  const auto add = [](h5::File& file, int rows) {
    h5::Dataset x = file.dataset("x"), packed = file.dataset("packed");
    for (auto k = static_cast<double>(x.rows()); rows > 0; --rows, ++k) {
      const double values[3] = {k, 2 * k, -k};
      x.append(std::span<const double>(values));
      packed.append(std::span<const double>(values).first(1));
    }
    file.flush();
  };
  // At least as many rows as were flushed, and all of them right.
  const auto holds = [](const h5::File& file, int flushed) {
    const std::uint64_t rows = file.dataset("x").rows();
    if (rows < static_cast<std::uint64_t>(flushed) || rows != file.dataset("packed").rows()) return false;
    const auto x = file.dataset("x").read<double>(0, rows), packed = file.dataset("packed").read<double>(0, rows);
    for (std::uint64_t k = 0; k < rows; ++k)
      if (x[3 * k + 2] != -static_cast<double>(k) || packed[k] != static_cast<double>(k)) return false;
    return true;
  };
  {
    h5::File file = h5::File::create(path);
    file.extendible<double>("x", {3}, {1, 0});
    file.extendible<double>("packed", {}, {8, 1});
    add(file, 3);
  }
  std::ifstream in(path, std::ios::binary);
  const std::string begun(std::istreambuf_iterator<char>(in), {});
  int flushed[2];
  ASSERT_EQ(::pipe2(flushed, O_NONBLOCK), 0);
  int unreadable = 0, kills = 0;
  for (bool killed = true; killed; ++kills) {
    std::ofstream(path, std::ios::binary) << begun;
    const pid_t child = ::fork();
    if (child == 0) {
      last_write = kills + 1;
      h5::File file = h5::File::append(path);
      for (int rows : {1, 20, 2, 60, 130}) {
        add(file, rows);
        if (::write(flushed[1], &rows, sizeof rows) != sizeof rows) ::_exit(1);
      }
      file = {};
      ::_exit(0);
    }
    int status = 0, rows = 0, wanted = 3;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9)) << status;
    killed = WEXITSTATUS(status) == 9;
    while (::read(flushed[0], &rows, sizeof rows) == sizeof rows) wanted += rows;
    bool readable = true;
    try {
      readable = holds(h5::File::read(path), wanted);
    } catch (const SimulationError&) {
      readable = false;
    }
    if (!readable && unreadable++ == 0) {  // a copy of another time, put in its place, is left as it is
      const std::string copy = path + ".copy";
      std::ofstream(copy, std::ios::binary) << begun;
      std::filesystem::copy_file(path + ".undo", copy + ".undo");
      EXPECT_TRUE(holds(h5::File::append(copy), 3));
      EXPECT_FALSE(std::filesystem::exists(copy + ".undo"));
      std::filesystem::remove(copy);
    }
    EXPECT_TRUE(holds(h5::File::append(path), wanted)) << "killed in write " << kills + 1;
    EXPECT_TRUE(holds(h5::File::read(path), wanted));
    EXPECT_FALSE(std::filesystem::exists(path + ".undo"));
    if (HasFailure()) break;
  }
  ::close(flushed[0]);
  ::close(flushed[1]);
  EXPECT_GT(kills, 100);
  EXPECT_GT(unreadable, 0);
}

TEST_F(H5, WhatIsNotHdf5IsRefused) {
  std::ofstream(path) << "not HDF5 at all";
  EXPECT_THAT(message_of([&] { h5::File::read(path); }), HasSubstr("is it an HDF5 file?"));
}

}  // namespace

#pragma once
// A folder with an input and the (empty) files it names, for tests of the reader of inputs.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "uplift/core/error.hpp"
#include "uplift/io/run_input.hpp"

namespace uplift::test {

class InputFolder : public ::testing::Test {
 protected:
  InputFolder() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              (std::string("uplift-") + info->test_suite_name() + "-" + info->name() + "-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    touch("a.prmtop");
    touch("a.rst7");
  }
  ~InputFolder() override { std::filesystem::remove_all(folder_); }

  void touch(const std::string& name) { std::ofstream(folder_ / name) << "x"; }
  std::string path(const std::string& name = "input.yaml") const { return (folder_ / name).string(); }
  void write(const std::string& text, const std::string& name = "input.yaml") {
    std::ofstream(folder_ / name, std::ios::binary | std::ios::trunc) << text;
  }

  /// `text` below three good lines, so that it starts at line 4.
  static std::string with_system(const std::string& text) {
    return "version: 1\n"
           "system: {topology: a.prmtop,\n"
           "         coordinates: a.rst7}\n" +
           text;
  }
  RunInput load(const std::string& text, const std::vector<std::string>& overrides = {}) {
    write(with_system(text));
    return load_run_input(path(), overrides);
  }
  std::vector<Problem> problems(const std::string& text, const std::vector<std::string>& overrides = {}) {
    write(with_system(text));
    return check_run_input(path(), overrides);
  }

  static std::string list(const std::vector<Problem>& problems) {
    std::string all;
    for (const Problem& p : problems) all += p.text() + "\n";
    return all.empty() ? "(no problems)" : all;
  }
  /// `text` (from line 4 on) has exactly one problem, there, that mentions all of `parts`.
  void expect_problem(const std::string& text, int line, const std::vector<std::string>& parts) {
    expect_only(problems(text), line, parts);
  }
  static void expect_only(const std::vector<Problem>& found, int line, const std::vector<std::string>& parts) {
    ASSERT_EQ(found.size(), 1u) << list(found);
    EXPECT_EQ(found[0].line, line) << list(found);
    for (const std::string& part : parts)
      EXPECT_NE(found[0].message.find(part), std::string::npos) << "no '" << part << "' in: " << list(found);
  }

  std::filesystem::path folder_;
};

}  // namespace uplift::test

// Nothing is written over inputs and files of runs.
#include "uplift/io/check_output.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/input_folder.hpp"

namespace uplift {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class CheckOutput : public test::InputFolder {
 protected:
  std::string refusal(const std::string& output, const std::vector<std::string>& inputs = {}) const {
    try {
      check_output((folder_ / output).string(), inputs);
    } catch (const InputError& e) {
      return e.what();
    }
    return "";
  }
};

TEST_F(CheckOutput, KnowsAFileByEveryName) {
  fs::create_symlink("a.prmtop", folder_ / "link");
  fs::create_hard_link(folder_ / "a.prmtop", folder_ / "second");
  for (const char* name : {"a.prmtop", "link", "second", "./a.prmtop", "nowhere/../a.prmtop"})
    EXPECT_THAT(refusal(name, {"", path("a.prmtop")}), HasSubstr("is an input, too")) << name;
  EXPECT_TRUE(same_file(path("new"), path("nowhere/../new")));
  EXPECT_FALSE(same_file(path("new"), path("newer")));
  EXPECT_EQ(refusal("new", {"", path("a.prmtop")}), "");
}

TEST_F(CheckOutput, LeavesRunsAlone) {
  for (const char* name : {"energies.h5", "topology.pdb", "checkpoint.upc"}) EXPECT_EQ(refusal(name), "");
  touch("run.log");
  for (const char* name : {"energies.h5", "trajectory.h5md", "topology.pdb", "checkpoint.upc", "checkpoint.prev.upc"})
    EXPECT_THAT(refusal(name), HasSubstr("is a file of the run in this folder")) << name;
  EXPECT_EQ(refusal("pmf.h5"), "");
  EXPECT_EQ(refusal("system.pdb"), "");
}

TEST_F(CheckOutput, WhatIsThereWantsForce) {
  EXPECT_NO_THROW(check_new_output(path("new"), {}, false));
  EXPECT_NO_THROW(check_new_output(path("a.prmtop"), {}, true));
  EXPECT_THROW(check_new_output(path("a.prmtop"), {}, false), InputError);
  EXPECT_THROW(check_new_output(path("a.prmtop"), {path("a.prmtop")}, true), InputError);
}

TEST_F(CheckOutput, ARunDoesNotWriteOverItsInputs) {
  const auto with = [&](const std::string& topology, const std::string& rest) {
    touch(topology);
    write("version: 1\nsystem: {topology: " + topology + ", forcefield: [amber99sb-ildn]}\n" + rest);
    return list(check_run_input(path(), {}));
  };
  const std::string here = with("topology.pdb", "output: {directory: .}\n");
  EXPECT_THAT(here, HasSubstr("input.yaml:3"));
  EXPECT_THAT(here, HasSubstr("the run writes topology.pdb into"));
  EXPECT_THAT(here, HasSubstr("where it is system.topology"));
  EXPECT_EQ(with("system.pdb", "output: {directory: .}\n"), "(no problems)");
  EXPECT_EQ(with("topology.pdb", ""), "(no problems)");  // into input/
  fs::create_directories(folder_ / "input" / "replica-001");
  EXPECT_THAT(with("input/topology.pdb", ""), HasSubstr("the run writes topology.pdb"));
  EXPECT_THAT(with("input/replica-001/topology.pdb", "compute: {replicas: 2}\n"), HasSubstr("the run writes topology.pdb"));
  fs::create_symlink(folder_ / "topology.pdb", folder_ / "link.pdb");
  EXPECT_THAT(with("link.pdb", "output: {directory: .}\n"), HasSubstr("the run writes topology.pdb"));
}

}  // namespace
}  // namespace uplift

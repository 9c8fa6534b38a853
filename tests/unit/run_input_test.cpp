// The input YAML: what is read, and that every kind of mistake is named with its line.
#include "uplift/io/run_input.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"

namespace uplift {
namespace {

using testing::HasSubstr;

/// A folder of its own with an input and the two files that it names.
class RunInputTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("uplift-input-" + std::to_string(::getpid()) + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "a.prmtop") << "x";
    std::ofstream(folder_ / "a.inpcrd") << "x";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& text) const {
    const std::string path = (folder_ / "in.yaml").string();
    std::ofstream(path) << text;
    return path;
  }
  static std::string with(const std::string& rest) { return "version: 1\nsystem: {topology: a.prmtop, coordinates: a.inpcrd}\n" + rest; }
  RunInput load(const std::string& rest, std::vector<std::string> overrides = {}) const { return load_run_input(write(with(rest)), overrides); }
  /// Problems of with(rest); its own lines start at 3.
  std::vector<Problem> problems(const std::string& rest) const { return check_run_input(write(with(rest))); }
  void expect_problem(const std::string& rest, int line, const std::string& text) const {
    const auto found = problems(rest);
    ASSERT_EQ(found.size(), 1u) << rest << (found.size() > 1 ? found[0].text() + " | " + found[1].text() : "");
    EXPECT_EQ(found[0].line, line) << found[0].text();
    EXPECT_THAT(found[0].message, HasSubstr(text));
  }
  std::filesystem::path folder_;
};

TEST_F(RunInputTest, HasTheDocumentedDefaults) {
  const RunInput in = load("");
  EXPECT_EQ(in.forces.nonbonded, NonbondedMethod::pme);
  EXPECT_DOUBLE_EQ(in.forces.cutoff, 0.9);
  EXPECT_EQ(in.forces.pme.order, 5);
  EXPECT_DOUBLE_EQ(in.forces.pme.tolerance, 5e-4);
  EXPECT_EQ(in.forces.constraints, ConstraintMode::h_bonds);
  EXPECT_TRUE(in.forces.rigid_water && in.forces.dispersion_correction);
  EXPECT_FALSE(in.forces.implicit_solvent || in.forces.switch_distance || in.forces.hydrogen_mass);
  EXPECT_DOUBLE_EQ(in.dynamics.timestep, 0.002);
  EXPECT_EQ(std::filesystem::path(in.output.directory), folder_ / "in");
  EXPECT_EQ(std::filesystem::path(in.system.topology), folder_ / "a.prmtop");
}

TEST_F(RunInputTest, ReadsUnitsIntoNanometresPicosecondsAndKilojoules) {
  const RunInput in = load(R"(forces: {cutoff: 9 A, hydrogen_mass: 3.024 amu, pme: {alpha: 0.31 /A, grid: [32, 30, 36], order: 4}}
dynamics: {timestep: 4 fs, temperature: 310 K, friction: 0.002 /fs, seed: 7}
stages:
  - {name: relax, minimize: {force_tolerance: 1 kcal/mol/A}}
  - {name: run, time: 1 ns, restraints: {positions: backbone, k: 5 kcal/mol/A^2}}
output: {energies: {every: 400 fs}})");
  EXPECT_DOUBLE_EQ(in.forces.cutoff, 0.9);
  EXPECT_DOUBLE_EQ(*in.forces.pme.alpha, 3.1);
  EXPECT_EQ((*in.forces.pme.grid)[2], 36);
  EXPECT_DOUBLE_EQ(in.dynamics.timestep, 0.004);
  EXPECT_DOUBLE_EQ(in.dynamics.friction, 2);
  ASSERT_EQ(in.stages.size(), 2u);
  EXPECT_NEAR(in.stages[0].minimize->force_tolerance, 41.84, 1e-12);
  EXPECT_DOUBLE_EQ(in.stages[1].time, 1000);
  EXPECT_NEAR(in.stages[1].restraints->k, 5 * 418.4, 1e-9);
}

TEST_F(RunInputTest, StagesInheritAndOverride) {
  const RunInput in = load("forces: {cutoff: 1.0 nm}\nstages:\n  - {name: a, time: 1 ps}\n  - {name: b, time: 1 ps, temperature: 350 K, forces: {cutoff: 0.8 nm}}");
  EXPECT_DOUBLE_EQ(in.stages[0].forces.cutoff, 1.0);
  EXPECT_DOUBLE_EQ(in.stages[0].dynamics.temperature, 300);
  EXPECT_DOUBLE_EQ(in.stages[1].forces.cutoff, 0.8);
  EXPECT_DOUBLE_EQ(in.stages[1].dynamics.temperature, 350);
}

TEST_F(RunInputTest, EveryMistakeIsNamedWithItsLine) {
  expect_problem("\nforces: {cutof: 0.9 nm}", 4, "did you mean 'cutoff'");
  expect_problem("forces:\n  cutoff: 0.9", 4, "has no unit");
  expect_problem("forces:\n  cutoff: 0.9 ps", 4, "wrong kind");
  expect_problem("forces:\n  cutoff: 0.9 furlong", 4, "unknown unit");
  expect_problem("forces:\n  cutoff: -1 nm", 4, "greater than zero");
  expect_problem("forces:\n  nonbonded: ewald", 4, "none of: pme reaction-field no-cutoff");
  expect_problem("forces:\n  pme: {alpha: 3 /nm}", 4, "belong together");
  expect_problem("forces:\n  pme: {alpha: 3 /nm, grid: [34, 32, 32]}", 4, "35");
  expect_problem("forces:\n  pme: {order: 7}", 4, "4, 5 or 6");
  expect_problem("forces:\n  rigid_water: maybe", 4, "neither true nor false");
  expect_problem("forces:\n  switch_distance: 1 nm", 4, "between zero and the cutoff");
  expect_problem("forces:\n  nonbonded: pme\n  implicit_solvent: {model: obc2}", 4, "no-cutoff");
  expect_problem("forces:\n  cutoff: 0.9 nm\n  cutoff: 1.0 nm", 5, "given twice");
  expect_problem("forces:\n  cutoff:", 4, "no value");
  expect_problem("dynamics:\n  seed: 1.5", 4, "whole number");
  expect_problem("stages:\n  - {name: a, time: 1.001 ps, timestep: 4 fs}", 4, "nearest that fits");
  expect_problem("stages:\n  - {name: a, time: 1 ps}\n  - {name: a, time: 1 ps}", 5, "two stages");
  expect_problem("stages:\n  - {name: a}", 4, "needs a time");
  expect_problem("stages: [{name: a, time: 1 ps}]\noutput:\n  energies: {every: 3 fs}", 5, "nearest that fits");
  expect_problem("compute: {threads: 0}", 3, "between 1 and 4096");
}

TEST_F(RunInputTest, WhatThisVersionCannotDoIsRefusedNotIgnored) {
  for (const char* text : {"dynamics: {pressure: {barostat: monte-carlo}}", "dynamics: {multiple_time_step: []}", "stages: [{name: a, time: 1 ps, bias: {method: amd}}]",
                           "output: {checkpoint: {every: 15 min}}", "dynamics: {integrator: nose-hoover}", "compute: {replicas: 4}"}) {
    const auto found = problems(text);
    ASSERT_EQ(found.size(), 1u) << text;
    EXPECT_EQ(found[0].line, 3);
    EXPECT_THAT(found[0].message, HasSubstr("available in this version")) << text;
  }
}

TEST_F(RunInputTest, AllProblemsComeAtOnce) {
  const auto found = problems("forces: {cutof: 1 nm, constraints: some}\ndynamics: {temperature: 300}\nnonsense: 1");
  EXPECT_EQ(found.size(), 4u);
}

TEST_F(RunInputTest, MissingFilesAndKeysAreNamed) {
  const auto found = check_run_input(write("version: 1\nsystem:\n  topology: none.prmtop\n"));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_THAT(found[0].message + found[1].message, testing::AllOf(HasSubstr("none.prmtop"), HasSubstr("system.coordinates")));
  EXPECT_THROW(load_run_input((folder_ / "not-there.yaml").string()), InputError);
}

TEST_F(RunInputTest, HostileTextIsAnErrorNotACrash) {
  std::string deep = "a: ";
  for (int i = 0; i < 5000; ++i) deep += "[";
  for (const std::string& text : {std::string(), std::string("\0\1\2", 3), std::string("- 1\n- 2"), std::string("a: b: c"), std::string("{"), std::string("\tversion: 1"),
                                  std::string("version: 1\n---\nversion: 1"), std::string(2 << 20, '#'), deep, std::string("? [1, 2]\n: 3"), std::string("&a [*a]")}) {
    bool refused = false;
    try {
      refused = !check_run_input(write(text)).empty();
    } catch (const InputError&) {
      refused = true;
    }
    EXPECT_TRUE(refused) << text.substr(0, 40);
  }
}

TEST_F(RunInputTest, OverridesReplaceKeysAndStages) {
  const std::string text = "stages:\n  - {name: a, time: 1 ps}\n  - {name: b, time: 1 ps}";
  const RunInput in = load(text, {"dynamics.seed=7", "stages.b.time=4 ps", "stages.0.time=2 ps", "forces.pme.order=6"});
  EXPECT_EQ(in.dynamics.seed, 7u);
  EXPECT_DOUBLE_EQ(in.stages[0].time, 2);
  EXPECT_DOUBLE_EQ(in.stages[1].time, 4);
  EXPECT_EQ(in.forces.pme.order, 6);
  for (const char* bad : {"seed", "stages.c.time=1 ps", "dynamics.sed=1", "=1"}) EXPECT_THROW(load(text, {bad}), InputError) << bad;
}

TEST_F(RunInputTest, TheResolvedInputReadsBackTheSame) {
  const RunInput in = load(R"(title: "a \"title\""
forces: {cutoff: 1.1 nm, switch_distance: 9 A, pme: {alpha: 3 /nm, grid: [32, 32, 32]}}
stages:
  - {name: relax, minimize: {}}
  - {name: run, time: 1 ps, timestep: 1 fs, restraints: {positions: name CA, k: 10 kJ/mol/nm^2}}
output: {directory: out})");
  const RunInput again = load_run_input(write(in.resolved));
  EXPECT_EQ(again.resolved, in.resolved);
  EXPECT_EQ(again.title, in.title);
  EXPECT_DOUBLE_EQ(again.forces.cutoff, 1.1);
  EXPECT_EQ(again.stages.size(), 2u);
  EXPECT_EQ(again.stages[1].restraints->selection, "name CA");
  EXPECT_EQ(again.output.directory, in.output.directory);
}

TEST(Units, ConvertAndRefuse) {
  EXPECT_DOUBLE_EQ(parse_quantity("1 kcal/mol", dimension::energy), 4.184);
  EXPECT_DOUBLE_EQ(parse_quantity("90 deg", dimension::angle), constants::pi / 2);
  EXPECT_DOUBLE_EQ(parse_quantity("2.5e-1 1/ps", dimension::inverse_time), 0.25);
  EXPECT_DOUBLE_EQ(parse_quantity("150 mM", dimension::concentration), 0.15);
  EXPECT_DOUBLE_EQ(parse_quantity("1 kJ/mol/nm^2", dimension::force_constant), 1);
  for (const char* bad : {"", "nm", "1", "1 nm^", "1 nm nm", "1e999 nm", "nan nm", "1 kJ", "0x10 nm", "1,5 nm"})
    EXPECT_THROW(parse_quantity(bad, dimension::length), std::invalid_argument) << bad;
}

}  // namespace
}  // namespace uplift

#include "uplift/io/run_input.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "support/input_folder.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/io/stage_settings.hpp"

namespace uplift {
namespace {

using ::testing::HasSubstr;

class RunInputTest : public test::InputFolder {};

const char* const whole_input =
    "forces:\n"
    "  nonbonded: pme\n"
    "  cutoff: 10 angstrom\n"
    "  switch_distance: 0.8 nm\n"
    "  dispersion_correction: false\n"
    "  pme: {alpha: 3.1 /nm, grid: [32, 33, 36], order: 6}\n"
    "  constraints: all-bonds\n"
    "  rigid_water: false\n"
    "  hydrogen_mass: 3.024 amu\n"
    "dynamics:\n"
    "  integrator: verlet\n"
    "  timestep: 4 fs\n"
    "  temperature: 310 K\n"
    "  friction: 2 /ps\n"
    "  seed: 7\n"
    "  constraint_tolerance: 1e-8\n"
    "  com_removal_every: 0\n"
    "  multiple_time_step:\n"
    "    - {forces: [pme-reciprocal], every: 2}\n"
    "    - {forces: [bonded, nonbonded, restraints], every: 1}\n"
    "stages:\n"
    "  - {name: minimize, minimize: {max_steps: 50, force_tolerance: 1 kcal/mol/nm}}\n"
    "  - {name: equilibrate, time: 200 ps, timestep: 2 fs, restraints: {positions: protein-heavy, k: 2 kcal/mol/A^2}}\n"
    "  - name: production\n"
    "    time: 1 ns\n"
    "    forces: {cutoff: 0.9 nm, pme: {order: 4}}\n"
    "    dynamics: {integrator: langevin}\n"
    "    temperature: 300 K\n"
    "output:\n"
    "  directory: results/run\n"
    "  trajectory: {every: 10 ps, atoms: not water, velocities: true, precision: 1e-4 nm}\n"
    "  energies: {every: 0.4 ps}\n"
    "compute: {backend: cpu, precision: double, threads: 3, devices: auto, replicas: 1, ranks_per_replica: auto}\n";

TEST_F(RunInputTest, EveryValueArrives) {
  const RunInput in = load("title: a title\n" + std::string(whole_input));
  EXPECT_EQ(in.title, "a title");
  EXPECT_EQ(in.system.topology, path("a.prmtop"));
  EXPECT_EQ(in.system.coordinates, path("a.rst7"));
  EXPECT_EQ(in.forces.nonbonded, NonbondedMethod::pme);
  EXPECT_EQ(in.forces.cutoff, 1.0);
  EXPECT_EQ(in.forces.switch_distance, 0.8);
  EXPECT_FALSE(in.forces.dispersion_correction);
  EXPECT_EQ(in.forces.pme.alpha, 3.1);
  EXPECT_EQ(in.forces.pme.grid, (std::array<int, 3>{32, 33, 36}));
  EXPECT_EQ(in.forces.pme.order, 6);
  EXPECT_EQ(load("forces: {nonbonded: reaction-field, reaction_field: {dielectric: 80}}\n").forces.reaction_field_dielectric,
            80);
  EXPECT_FALSE(in.forces.implicit_solvent.has_value());
  EXPECT_EQ(in.forces.constraints, ConstraintMode::all_bonds);
  EXPECT_FALSE(in.forces.rigid_water);
  EXPECT_EQ(in.forces.hydrogen_mass, 3.024);
  EXPECT_EQ(in.dynamics.integrator, IntegratorKind::verlet);
  EXPECT_EQ(in.dynamics.timestep, 0.004);
  EXPECT_EQ(in.dynamics.temperature, 310);
  EXPECT_EQ(in.dynamics.friction, 2);
  EXPECT_EQ(in.dynamics.seed, 7u);
  EXPECT_EQ(in.dynamics.constraint_tolerance, 1e-8);
  EXPECT_EQ(in.dynamics.com_removal_every, 0);
  EXPECT_EQ(in.output.directory, path("results/run"));
  EXPECT_EQ(in.output.trajectory_every, 10);
  EXPECT_EQ(in.output.atoms, "not water");
  EXPECT_TRUE(in.output.velocities);
  EXPECT_EQ(in.output.position_precision, 1e-4);
  EXPECT_EQ(in.output.energies_every, 0.4);
  EXPECT_EQ(in.compute.backend, "cpu");
  EXPECT_EQ(in.compute.precision, Precision::double_);
  EXPECT_EQ(in.compute.threads, 3);
}

TEST_F(RunInputTest, TildeIsTheHomeFolder) {
  const char* before = std::getenv("HOME");
  const std::string saved = before ? before : "";
  setenv("HOME", folder_.c_str(), 1);
  EXPECT_EQ(load("", {"output.directory=~/runs/a"}).output.directory, path("runs/a"));
  EXPECT_EQ(load("", {"system.topology=~/a.prmtop"}).system.topology, path("a.prmtop"));
  EXPECT_EQ(load("", {"output.directory=a~/b"}).output.directory, path("a~/b"));
  setenv("HOME", saved.c_str(), 1);
}

TEST_F(RunInputTest, StagesInheritAndOverride) {
  const RunInput in = load(whole_input);
  ASSERT_EQ(in.stages.size(), 3u);
  const StageSettings &minimize = in.stages[0], &equilibrate = in.stages[1], &production = in.stages[2];
  EXPECT_EQ(minimize.name, "minimize");
  ASSERT_TRUE(minimize.minimize.has_value());
  EXPECT_EQ(minimize.minimize->max_steps, 50);
  EXPECT_EQ(minimize.minimize->force_tolerance, 4.184);
  EXPECT_EQ(minimize.time, 0);
  EXPECT_EQ(equilibrate.time, 200);
  EXPECT_FALSE(equilibrate.minimize.has_value());
  EXPECT_EQ(equilibrate.dynamics.timestep, 0.002);
  EXPECT_EQ(equilibrate.dynamics.temperature, 310);
  ASSERT_TRUE(equilibrate.restraints.has_value());
  EXPECT_EQ(equilibrate.restraints->selection, "protein-heavy");
  EXPECT_DOUBLE_EQ(equilibrate.restraints->k, 836.8);
  EXPECT_EQ(production.time, 1000);
  EXPECT_FALSE(production.restraints.has_value());
  EXPECT_EQ(production.forces.cutoff, 0.9);
  EXPECT_EQ(production.forces.pme.order, 4);
  EXPECT_EQ(production.forces.pme.alpha, 3.1);
  EXPECT_EQ(production.forces.constraints, ConstraintMode::all_bonds);
  EXPECT_EQ(production.dynamics.integrator, IntegratorKind::langevin);
  EXPECT_EQ(production.dynamics.temperature, 300);
  EXPECT_EQ(production.dynamics.timestep, 0.004);
  EXPECT_EQ(in.dynamics.temperature, 310);  // the blocks themselves stay as they are
}

TEST_F(RunInputTest, SettingsAreTheSameHoweverTheyAreWritten) {
  const std::string one =
      "dynamics: {timestep: 2 fs, friction: 1 /ps, constraint_tolerance: 1e-6, pressure: {pressure: 1 atm}}\n"
      "stages: [{name: a, time: 1 ns, temperature_ramp: {from: 10 K, to: 300 K}, restraints: {positions: all, k: 10 "
      "kJ/mol/A^2}}]\n";
  const std::string settings = load(one).stages[0].settings;
  const auto changed = [&](const char* was, const char* is) {
    std::string text = one;
    text.replace(text.find(was), std::string(was).size(), is);
    const std::string other = load(text).stages[0].settings;
    EXPECT_NE(other, settings) << is;
    EXPECT_EQ(settings_missing(settings, other).empty(), canonical_settings(other) == canonical_settings(settings)) << is;
    return settings_missing(settings, other);
  };
  using ::testing::ElementsAre;
  EXPECT_THAT(changed("2 fs", "0.002ps"), ElementsAre());
  EXPECT_THAT(changed("1 ns", "1000 ps"), ElementsAre());
  EXPECT_THAT(changed("1e-6", "0.000001"), ElementsAre());
  EXPECT_THAT(changed("1 atm", "101.325 kPa"), ElementsAre());
  EXPECT_THAT(changed("10 kJ/mol/A^2", "1000 kJ/mol/nm^2"), ElementsAre());
  EXPECT_THAT(changed("2 fs", "4 fs"), ElementsAre("dynamics.timestep: 2 fs"));
  EXPECT_THAT(changed("1 ns", "2 ns"), ElementsAre("time: 1 ns of the ramp"));
  EXPECT_THAT(changed("positions: all", "positions: heavy"), ElementsAre("restraints.positions: all"));
}

TEST_F(RunInputTest, StagesMayTakeBackWhatTheyWouldInherit) {
  const std::string text =
      "forces: {switch_distance: 0.8 nm, hydrogen_mass: 3 amu}\n"
      "dynamics: {timestep: 4 fs, pressure: {pressure: 2 bar}, multiple_time_step: [{forces: [pme-reciprocal], every: 2}, "
      "{forces: [bonded, nonbonded], every: 1}]}\n"
      "stages:\n"
      "  - {name: npt, time: 120 ps}\n"
      "  - {name: plain, time: 120 ps, pressure: none, multiple_time_step: none, switch_distance: none, hydrogen_mass: none}\n";
  const RunInput in = load(text);
  const StageSettings &npt = in.stages[0], &plain = in.stages[1];
  EXPECT_TRUE(npt.dynamics.pressure && npt.forces.switch_distance && npt.forces.hydrogen_mass);
  EXPECT_EQ(npt.dynamics.inner_steps(), 2);
  EXPECT_FALSE(plain.dynamics.pressure || plain.forces.switch_distance || plain.forces.hydrogen_mass);
  EXPECT_EQ(plain.dynamics.inner_steps(), 1);
  EXPECT_NE(npt.settings, plain.settings);
  write(in.resolved, "again.yaml");
  const RunInput again = load_run_input(path("again.yaml"));
  EXPECT_FALSE(again.stages[1].dynamics.pressure || again.stages[1].forces.switch_distance);
  EXPECT_EQ(again.resolved, in.resolved);
  EXPECT_NE(list(problems("dynamics: {pressure: none}\n")), "(no problems)") << "above there is nothing to take back";
}

TEST_F(RunInputTest, AnExchangeNamesItsReplicas) {
  const RunInput listed = load(
      "stages:\n  - {name: a, time: 1 ps}\n  - {name: b, time: 1 ps, exchange: {temperatures: [300 K, 310 K, 322 K], every: "
      "0.2 ps}}\n");
  EXPECT_FALSE(listed.stages[0].exchange.has_value());
  ASSERT_TRUE(listed.stages[1].exchange.has_value());
  EXPECT_EQ(listed.stages[1].exchange->temperatures, (std::vector<double>{300, 310, 322}));
  EXPECT_EQ(listed.stages[1].exchange->every, 0.2);
  EXPECT_EQ(listed.stages[1].exchange->after, 0);
  EXPECT_EQ(listed.compute.replicas, 3);
  EXPECT_EQ(listed.stages[0].settings.find("exchange"), std::string::npos) << "old checkpoints of such stages go on";
  const RunInput series =
      load("stages:\n  - {name: b, time: 1 ps, exchange: {from: 300 K, to: 400 K, count: 5, every: 0.2 ps}}\n");
  EXPECT_EQ(series.stages[0].exchange->temperatures, (std::vector<double>{300, 322.371, 346.41, 372.242, 400}));
  write(series.resolved, "again.yaml");
  const RunInput again = load_run_input(path("again.yaml"));
  EXPECT_EQ(again.compute.replicas, 5);
  EXPECT_EQ(again.stages[0].exchange->temperatures, series.stages[0].exchange->temperatures);
  EXPECT_EQ(again.resolved, series.resolved);
  EXPECT_EQ(load("compute: {replicas: 4}\n").compute.replicas, 4);
}

TEST_F(RunInputTest, DefaultsAreThoseOfTheSettings) {
  const RunInput in = load("");
  const ForceSettings forces;
  const DynamicsSettings dynamics;
  const OutputSettings output;
  EXPECT_EQ(in.forces.nonbonded, forces.nonbonded);
  EXPECT_EQ(in.forces.cutoff, forces.cutoff);
  EXPECT_EQ(in.forces.dispersion_correction, forces.dispersion_correction);
  EXPECT_EQ(in.forces.pme.tolerance, forces.pme.tolerance);
  EXPECT_EQ(in.forces.pme.order, forces.pme.order);
  EXPECT_FALSE(in.forces.pme.alpha || in.forces.pme.grid || in.forces.switch_distance || in.forces.hydrogen_mass ||
               in.forces.implicit_solvent);
  EXPECT_EQ(in.forces.reaction_field_dielectric, forces.reaction_field_dielectric);
  EXPECT_EQ(in.forces.constraints, forces.constraints);
  EXPECT_EQ(in.forces.rigid_water, forces.rigid_water);
  EXPECT_EQ(in.dynamics.integrator, dynamics.integrator);
  EXPECT_EQ(in.dynamics.timestep, dynamics.timestep);
  EXPECT_EQ(in.dynamics.temperature, dynamics.temperature);
  EXPECT_EQ(in.dynamics.friction, dynamics.friction);
  EXPECT_EQ(in.dynamics.constraint_tolerance, dynamics.constraint_tolerance);
  EXPECT_EQ(in.dynamics.com_removal_every, dynamics.com_removal_every);
  EXPECT_EQ(in.output.trajectory_every, output.trajectory_every);
  EXPECT_EQ(in.output.energies_every, output.energies_every);
  EXPECT_EQ(in.output.velocities, output.velocities);
  EXPECT_EQ(in.output.atoms, output.atoms);
  EXPECT_EQ(in.compute.backend, ComputeSettings{}.backend);
  EXPECT_EQ(in.compute.precision, ComputeSettings{}.precision);
  EXPECT_EQ(in.compute.threads, 0);
  EXPECT_TRUE(in.stages.empty());
  EXPECT_EQ(in.output.directory, path("input"));
}

TEST_F(RunInputTest, ImplicitSolvent) {
  const RunInput in = load(
      "forces:\n  nonbonded: no-cutoff\n"
      "  implicit_solvent: {model: gbn2, solute_dielectric: 2.0, solvent_dielectric: 80, salt: 150 mM, surface: none}\n");
  ASSERT_TRUE(in.forces.implicit_solvent.has_value());
  EXPECT_EQ(in.forces.nonbonded, NonbondedMethod::no_cutoff);
  EXPECT_EQ(in.forces.implicit_solvent->model, GbModel::gbn2);
  EXPECT_EQ(in.forces.implicit_solvent->solute_dielectric, 2);
  EXPECT_EQ(in.forces.implicit_solvent->solvent_dielectric, 80);
  EXPECT_EQ(in.forces.implicit_solvent->salt, 0.15);
  EXPECT_EQ(in.forces.implicit_solvent->surface, SurfaceModel::none);
  for (std::size_t k = 0; k < gb_model_names.size(); ++k) {
    const RunInput named =
        load("forces: {nonbonded: no-cutoff, implicit_solvent: {model: " + std::string(gb_model_names[k]) + "}}\n");
    EXPECT_EQ(named.forces.implicit_solvent->model, static_cast<GbModel>(k));
  }
  const RunInput plain = load("forces: {nonbonded: no-cutoff, implicit_solvent: {}}\n");
  ASSERT_TRUE(plain.forces.implicit_solvent.has_value());
  EXPECT_EQ(plain.forces.implicit_solvent->model, GbModel::obc2);
}

// The choices of the schema stand in the order of the enumerations, which the reader relies on.
TEST_F(RunInputTest, ChoicesMeanWhatTheySay) {
  const auto forces = [&](const std::string& text) { return load("forces: {" + text + "}\n").forces; };
  EXPECT_EQ(forces("nonbonded: pme").nonbonded, NonbondedMethod::pme);
  EXPECT_EQ(forces("nonbonded: reaction-field").nonbonded, NonbondedMethod::reaction_field);
  EXPECT_EQ(forces("nonbonded: no-cutoff").nonbonded, NonbondedMethod::no_cutoff);
  EXPECT_EQ(forces("constraints: none").constraints, ConstraintMode::none);
  EXPECT_EQ(forces("constraints: h-bonds").constraints, ConstraintMode::h_bonds);
  EXPECT_EQ(forces("constraints: all-bonds").constraints, ConstraintMode::all_bonds);
  EXPECT_EQ(forces("constraints: h-angles").constraints, ConstraintMode::h_angles);
  const auto gb = [&](const std::string& name) {
    return forces("nonbonded: no-cutoff, implicit_solvent: {model: " + name + "}").implicit_solvent->model;
  };
  EXPECT_EQ(gb("hct"), GbModel::hct);
  EXPECT_EQ(gb("obc1"), GbModel::obc1);
  EXPECT_EQ(gb("obc2"), GbModel::obc2);
  EXPECT_EQ(gb("gbn"), GbModel::gbn);
  EXPECT_EQ(gb("gbn2"), GbModel::gbn2);
  EXPECT_EQ(forces("nonbonded: no-cutoff, implicit_solvent: {surface: ace}").implicit_solvent->surface, SurfaceModel::ace);
  EXPECT_EQ(load("dynamics: {integrator: verlet}\n").dynamics.integrator, IntegratorKind::verlet);
  EXPECT_EQ(load("dynamics: {integrator: langevin}\n").dynamics.integrator, IntegratorKind::langevin);
  EXPECT_EQ(load("compute: {precision: mixed}\n").compute.precision, Precision::mixed);
  EXPECT_EQ(load("compute: {precision: double}\n").compute.precision, Precision::double_);
}

TEST_F(RunInputTest, LevelsOfMultipleTimeSteps) {
  const std::string levels =
      "  multiple_time_step:\n"
      "    - {forces: [pme-reciprocal], every: 2}\n"
      "    - {forces: [nonbonded, bonded], every: 1}\n";
  const RunInput in = load(
      "dynamics:\n  timestep: 8 fs\n" + levels +
      "stages:\n  - {name: a, time: 8 ps, timestep: 4 fs}\noutput: {energies: {every: 8 ps}, trajectory: {every: 8 ps}}\n");
  ASSERT_EQ(in.stages[0].dynamics.levels.size(), 2u);
  EXPECT_EQ(in.stages[0].dynamics.levels[0].groups, static_cast<unsigned>(ForceGroup::pme_reciprocal));
  EXPECT_EQ(in.stages[0].dynamics.levels[0].every, 2);
  EXPECT_EQ(in.stages[0].dynamics.levels[1].groups,
            static_cast<unsigned>(ForceGroup::bonded) | static_cast<unsigned>(ForceGroup::nonbonded));
  EXPECT_EQ(in.stages[0].dynamics.inner_steps(), 2);
  EXPECT_TRUE(in.warnings.empty());
  const auto warnings = [&](const std::string& timestep, const std::string& blocks) {
    return load("dynamics:\n  timestep: " + timestep + "\n  multiple_time_step:\n" + blocks +
                "stages:\n  - {name: a, time: 120 ps}\noutput: {energies: {every: 120 ps}, trajectory: {every: 120 ps}}\n")
        .warnings;
  };
  const std::string fast_bonds = "    - {forces: [pme-reciprocal, nonbonded], every: 2}\n    - {forces: [bonded], every: 1}\n";
  EXPECT_TRUE(warnings("3 fs", fast_bonds).empty());
  ASSERT_EQ(warnings("4 fs", fast_bonds).size(), 1u);
  EXPECT_THAT(warnings("4 fs", fast_bonds)[0], HasSubstr("nonbonded forces every 4 fs are known to be unstable"));
  const std::string slow_mesh = "    - {forces: [pme-reciprocal], every: 2}\n    - {forces: [bonded, nonbonded], every: 1}\n";
  EXPECT_TRUE(warnings("8 fs", slow_mesh).empty());
  ASSERT_EQ(warnings("12 fs", slow_mesh).size(), 1u);
  EXPECT_THAT(warnings("12 fs", slow_mesh)[0], HasSubstr("forces every 12 fs are known to be unstable"));
}

TEST_F(RunInputTest, BoxInLengthsAndAngles) {
  write("version: 1\nsystem: {topology: a.prmtop, coordinates: a.rst7, box: [32 A, 3.3 nm, 3.4 nm]}\n");
  const auto cuboid = load_run_input(path()).system.box;
  ASSERT_TRUE(cuboid.has_value());
  EXPECT_EQ((*cuboid)[0], 3.2);
  EXPECT_EQ((*cuboid)[2], 3.4);
  EXPECT_EQ((*cuboid)[5], constants::pi / 2);
  write(
      "version: 1\nsystem: {topology: a.prmtop, coordinates: a.rst7, box: [3 nm, 3 nm, 3 nm, 109.4712190 deg, 109.4712190 deg, "
      "109.4712190 deg]}\n");
  EXPECT_DOUBLE_EQ((*load_run_input(path()).system.box)[4], 109.4712190 * constants::pi / 180);
}

TEST_F(RunInputTest, CopiesOfTheBox) {
  EXPECT_EQ(load("").system.copies, (std::array<int, 3>{1, 1, 1}));
  EXPECT_EQ(load("", {"system.copies=[2, 3, 4]"}).system.copies, (std::array<int, 3>{2, 3, 4}));
  expect_only(problems("", {"system.copies=[2, 0, 4]"}), 0, {"system.copies", "between 1 and 1000"});
  expect_only(problems("", {"system.copies=[2, 4]"}), 0, {"system.copies", "3 values"});
}

TEST_F(RunInputTest, PathsAreRelativeToTheInput) {
  std::filesystem::create_directories(folder_ / "below");
  write("version: 1\nsystem: {topology: ../a.prmtop, coordinates: ../below/../a.rst7}\noutput: {directory: out}\n",
        "below/deep.yaml");
  const RunInput in = load_run_input(path("below/deep.yaml"));
  EXPECT_EQ(in.system.topology, path("a.prmtop"));
  EXPECT_EQ(in.system.coordinates, path("a.rst7"));
  EXPECT_EQ(in.output.directory, path("below/out"));
  write("version: 1\nsystem: {topology: " + path("a.prmtop") + ", coordinates: ../a.rst7}\n", "below/deep.yaml");
  EXPECT_EQ(load_run_input(path("below/deep.yaml")).system.topology, path("a.prmtop"));
  EXPECT_EQ(load_run_input(path("below/deep.yaml")).output.directory, path("below/deep"));
}

TEST_F(RunInputTest, AnchorsAndMergeKeys) {
  const RunInput in = load(
      "stages:\n"
      "  - &base {name: first, time: 1 ps, dynamics: {temperature: 100 K, friction: 5 /ps}}\n"
      "  - {<<: *base, name: second, time: 2 ps}\n"
      "  - <<: [*base]\n"
      "    name: third\n"
      "    dynamics: {temperature: 200 K}\n");
  ASSERT_EQ(in.stages.size(), 3u);
  EXPECT_EQ(in.stages[1].name, "second");
  EXPECT_EQ(in.stages[1].time, 2);
  EXPECT_EQ(in.stages[1].dynamics.temperature, 100);
  EXPECT_EQ(in.stages[2].time, 1);
  EXPECT_EQ(in.stages[2].dynamics.temperature, 200);
  EXPECT_EQ(in.stages[2].dynamics.friction, 1);  // a merge is of one level: the whole block is replaced
}

TEST_F(RunInputTest, OverridesComeFirst) {
  const std::vector<std::string> overrides = {"dynamics.seed=99",
                                              "forces.pme.grid=[40, 40, 40]",
                                              "stages.2.time=2 ns",
                                              "stages.equilibrate.time=100 ps",
                                              "stages.production.timestep=1 fs",
                                              "compute.precision=mixed",
                                              "compute.threads=auto",
                                              "output.energies.every=1 ps",
                                              "title=other: \"x\""};
  EXPECT_THROW(load(whole_input, overrides), InputError);  // the title is a map now
  const RunInput in = load(whole_input, {overrides.begin(), overrides.end() - 1});
  EXPECT_EQ(in.dynamics.seed, 99u);
  EXPECT_EQ(in.stages[0].dynamics.seed, 99u);
  EXPECT_EQ(in.forces.pme.grid, (std::array<int, 3>{40, 40, 40}));
  EXPECT_EQ(in.stages[2].time, 2000);
  EXPECT_EQ(in.stages[1].time, 100);
  EXPECT_EQ(in.stages[2].dynamics.timestep, 0.001);
  EXPECT_EQ(in.stages[2].dynamics.integrator, IntegratorKind::langevin);
  EXPECT_EQ(in.compute.precision, Precision::mixed);
  EXPECT_EQ(in.compute.threads, 0);
  EXPECT_EQ(in.output.energies_every, 1);
  // Blocks that the file does not have, a later one wins, and a wrong value of the file does not matter once it is overridden.
  EXPECT_EQ(load("", {"dynamics.seed=1", "dynamics.seed=2"}).dynamics.seed, 2u);
  EXPECT_EQ(load("dynamics: {seed: oops}\n", {"dynamics.seed=3"}).dynamics.seed, 3u);
  EXPECT_EQ(load("dynamics:\n", {"dynamics.seed=3"}).dynamics.seed, 3u);
  EXPECT_EQ(load("", {"stages=[{name: a, time: 1 ps, timestep: 1 fs}]"}).stages.at(0).dynamics.timestep, 0.001);
  // One stage changes, not the one it shares its values with.
  const RunInput shared =
      load("stages:\n  - &a {name: x, time: 1 ps, dynamics: {seed: 1}}\n  - {<<: *a, name: y}\n", {"stages.y.dynamics.seed=2"});
  EXPECT_EQ(shared.stages[0].dynamics.seed, 1u);
  EXPECT_EQ(shared.stages[1].dynamics.seed, 2u);
}

/// Of StageSettings::settings, without the lines that tell which blocks stand in the file: the echo has them all.
std::string values_of(const std::string& settings) {
  std::istringstream lines(settings);
  std::string all;
  for (std::string line; std::getline(lines, line);)
    if (!line.ends_with(": given") && !line.ends_with(": default")) all += line + "\n";
  return all;
}

void expect_same(const ForceSettings& a, const ForceSettings& b) {
  EXPECT_EQ(a.nonbonded, b.nonbonded);
  EXPECT_EQ(a.cutoff, b.cutoff);
  EXPECT_EQ(a.switch_distance, b.switch_distance);
  EXPECT_EQ(a.dispersion_correction, b.dispersion_correction);
  EXPECT_EQ(a.pme.tolerance, b.pme.tolerance);
  EXPECT_EQ(a.pme.alpha, b.pme.alpha);
  EXPECT_EQ(a.pme.grid, b.pme.grid);
  EXPECT_EQ(a.pme.order, b.pme.order);
  EXPECT_EQ(a.reaction_field_dielectric, b.reaction_field_dielectric);
  ASSERT_EQ(a.implicit_solvent.has_value(), b.implicit_solvent.has_value());
  if (a.implicit_solvent) {
    EXPECT_EQ(a.implicit_solvent->model, b.implicit_solvent->model);
    EXPECT_EQ(a.implicit_solvent->solute_dielectric, b.implicit_solvent->solute_dielectric);
    EXPECT_EQ(a.implicit_solvent->solvent_dielectric, b.implicit_solvent->solvent_dielectric);
    EXPECT_EQ(a.implicit_solvent->salt, b.implicit_solvent->salt);
    EXPECT_EQ(a.implicit_solvent->surface, b.implicit_solvent->surface);
  }
  EXPECT_EQ(a.constraints, b.constraints);
  EXPECT_EQ(a.rigid_water, b.rigid_water);
  EXPECT_EQ(a.hydrogen_mass, b.hydrogen_mass);
}

void expect_same(const DynamicsSettings& a, const DynamicsSettings& b) {
  EXPECT_EQ(a.integrator, b.integrator);
  EXPECT_EQ(a.timestep, b.timestep);
  EXPECT_EQ(a.temperature, b.temperature);
  EXPECT_EQ(a.friction, b.friction);
  EXPECT_EQ(a.seed, b.seed);
  EXPECT_EQ(a.constraint_tolerance, b.constraint_tolerance);
  EXPECT_EQ(a.com_removal_every, b.com_removal_every);
  ASSERT_EQ(a.levels.size(), b.levels.size());
  for (std::size_t k = 0; k < a.levels.size(); ++k) {
    EXPECT_EQ(a.levels[k].groups, b.levels[k].groups);
    EXPECT_EQ(a.levels[k].every, b.levels[k].every);
  }
}

void expect_same(const RunInput& a, const RunInput& b) {
  EXPECT_EQ(a.title, b.title);
  EXPECT_EQ(a.system.topology, b.system.topology);
  EXPECT_EQ(a.system.coordinates, b.system.coordinates);
  EXPECT_EQ(a.system.box, b.system.box);
  EXPECT_EQ(a.system.copies, b.system.copies);
  expect_same(a.forces, b.forces);
  expect_same(a.dynamics, b.dynamics);
  ASSERT_EQ(a.stages.size(), b.stages.size());
  for (std::size_t k = 0; k < a.stages.size(); ++k) {
    const StageSettings &x = a.stages[k], &y = b.stages[k];
    EXPECT_EQ(x.name, y.name);
    EXPECT_EQ(x.time, y.time);
    ASSERT_EQ(x.minimize.has_value(), y.minimize.has_value());
    if (x.minimize) {
      EXPECT_EQ(x.minimize->max_steps, y.minimize->max_steps);
      EXPECT_EQ(x.minimize->force_tolerance, y.minimize->force_tolerance);
    }
    expect_same(x.forces, y.forces);
    expect_same(x.dynamics, y.dynamics);
    ASSERT_EQ(x.restraints.has_value(), y.restraints.has_value());
    if (x.restraints) {
      EXPECT_EQ(x.restraints->selection, y.restraints->selection);
      EXPECT_EQ(x.restraints->k, y.restraints->k);
    }
    EXPECT_EQ(values_of(x.settings), values_of(y.settings));
    ASSERT_EQ(x.bias.has_value(), y.bias.has_value());
    if (!x.bias) continue;
    EXPECT_EQ(x.bias->method, y.bias->method);
    EXPECT_EQ(x.bias->boost, y.bias->boost);
    EXPECT_EQ(x.bias->convention, y.bias->convention);
    EXPECT_EQ(x.bias->from, y.bias->from);
    EXPECT_EQ(x.bias->rule, y.bias->rule);
    EXPECT_EQ(x.bias->deviations, y.bias->deviations);
    EXPECT_EQ(x.bias->per_residue, y.bias->per_residue);
    EXPECT_EQ(x.bias->per_atom, y.bias->per_atom);
    EXPECT_EQ(x.bias->bound, y.bias->bound);
    EXPECT_EQ(x.bias->sigma0_dihedral, y.bias->sigma0_dihedral);
    EXPECT_EQ(x.bias->sigma0_total, y.bias->sigma0_total);
    EXPECT_EQ(x.bias->update_every, y.bias->update_every);
  }
  EXPECT_EQ(a.output.directory, b.output.directory);
  EXPECT_EQ(a.output.trajectory_every, b.output.trajectory_every);
  EXPECT_EQ(a.output.velocities, b.output.velocities);
  EXPECT_EQ(a.output.position_precision, b.output.position_precision);
  EXPECT_EQ(a.output.energies_every, b.output.energies_every);
  EXPECT_EQ(a.output.atoms, b.output.atoms);
  EXPECT_EQ(a.compute.backend, b.compute.backend);
  EXPECT_EQ(a.compute.precision, b.compute.precision);
  EXPECT_EQ(a.compute.threads, b.compute.threads);
  EXPECT_EQ(a.resolved, b.resolved);
}

TEST_F(RunInputTest, ResolvedInputLoadsAgainToTheSame) {
  const std::string inputs[] = {
      "",
      whole_input,
      "title: \"odd: #title\\n\\\"quoted\\\" \\\\ \\t tab, '\u00c5'\"\nforces: {pme: {tolerance: 1e-5}}\n",
      "forces: {nonbonded: no-cutoff, implicit_solvent: {}}\nstages: [{name: \"a: b\", minimize: {}}, {name: '1', time: 1 "
      "us}]\n",
      "stages:\n  - {name: x, time: 3 ps, nonbonded: no-cutoff, implicit_solvent: {model: gbn}}\n  - {name: y, time: 1 ps, "
      "forces: {nonbonded: no-cutoff}, restraints: {positions: all}}\n",
      "forces: {pme: {tolerance: 1e-3}}\nstages: [{name: a, time: 1 ps, pme: {alpha: 3 /nm, grid: [40, 40, 40]}}]\n",
      "free_energy: []\ncompute: {devices: [1, 0]}\n",
      "forces: {nonbonded: reaction-field, reaction_field: {dielectric: 40}}\ndynamics: {pressure: {barostat: c-rescale, "
      "relaxation_time: 4 ps}}\n",
      // What one stage has no use for is for another.
      "forces: {nonbonded: pme, pme: {tolerance: 1e-3}, reaction_field: {dielectric: 40}}\ndynamics: {integrator: verlet, "
      "friction: 3 /ps}\nstages:\n  - {name: a, time: 2 ps}\n  - {name: b, time: 2 ps, nonbonded: reaction-field, integrator: "
      "langevin, pressure: {}}\n  - {name: c, time: 2 ps, integrator: langevin, pressure: {barostat: c-rescale, "
      "relaxation_time: 4 ps}}\n",
  };
  std::filesystem::create_directories(folder_ / "elsewhere");
  for (const std::string& text : inputs) {
    SCOPED_TRACE(text);
    const RunInput first = load(text, {"dynamics.seed=11"});
    write(first.resolved, "elsewhere/again.yaml");
    const std::vector<Problem> found = check_run_input(path("elsewhere/again.yaml"));
    ASSERT_TRUE(found.empty()) << list(found) << first.resolved;
    expect_same(first, load_run_input(path("elsewhere/again.yaml")));
  }
}

/// Every kind of bias, with its keys and without.
std::vector<std::string> all_biases() {
  std::vector<std::string> all;
  for (const char* boost : {"dihedral", "total", "dual"}) {
    const std::string b = std::string("boost: ") + boost, d = b == "boost: total" ? "" : "dihedral",
                      t = b == "boost: dihedral" ? "" : "total";
    const auto both = [&](const std::string& of_dihedral, const std::string& of_total) {
      return (d.empty() ? "" : ", " + of_dihedral) + (t.empty() ? "" : ", " + of_total);
    };
    const std::string amd = "method: amd, " + b, gamd = "method: gamd, " + b;
    for (const std::string& more : {std::string(), std::string(", rule: deviations, k: 3"),
                                    ", rule: residues" + both("per_residue: 3 kcal/mol", "per_atom: 0.1 kcal/mol")})
      all.push_back(amd + ", convention: namd, parameters: {from: baseline" + more + "}");
    for (const std::string& more :
         {std::string(), ", bound: upper" + both("sigma0_dihedral: 5 kcal/mol", "sigma0_total: 7 kcal/mol")}) {
      all.push_back(gamd + ", parameters: {from: baseline" + more + "}");
      all.push_back(gamd + ", update_every: 1 ps, parameters: {from: baseline" + more + "}");
    }
    const auto given = [&](const std::string& values) { return both("dihedral: " + values, "total: " + values).substr(2); };
    all.push_back(amd + ", parameters: {" + given("{threshold: 60 kJ/mol, alpha: 8 kJ/mol}") + "}");
    all.push_back(gamd + ", parameters: {" + given("{threshold: 60 kJ/mol, k: 0.02 mol/kJ}") + "}");
  }
  return all;
}

TEST_F(RunInputTest, ResolvedInputLoadsAgainWithEveryBias) {
  std::filesystem::create_directories(folder_ / "elsewhere");
  for (const std::string& bias : all_biases()) {
    SCOPED_TRACE(bias);
    const RunInput first =
        load("stages:\n  - {name: baseline, time: 1 ps, collect: energies}\n  - {name: boosted, time: 2 ps, bias: {" + bias +
             "}}\n");
    write(first.resolved, "elsewhere/again.yaml");
    const std::vector<Problem> found = check_run_input(path("elsewhere/again.yaml"));
    ASSERT_TRUE(found.empty()) << list(found) << first.resolved;
    expect_same(first, load_run_input(path("elsewhere/again.yaml")));
  }
}

TEST_F(RunInputTest, ResolvedInputFindsForceFieldsFromElsewhere) {
  touch("own.xml");
  touch("a.pdb");
  write("version: 1\nsystem: {topology: a.pdb, forcefield: [own.xml, tip3p]}\n");
  std::filesystem::create_directories(folder_ / "elsewhere");
  const RunInput first = load_run_input(path());
  write(first.resolved, "elsewhere/again.yaml");
  EXPECT_EQ(load_run_input(path("elsewhere/again.yaml")).system.forcefield, first.system.forcefield);
}

/// Those of examples/.
TEST_F(RunInputTest, ResolvedExamplesLoadAgainToTheSame) {
  int tried = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(UPLIFT_SOURCE_DIR "/examples")) {
    if (entry.path().extension() != ".yaml") continue;
    SCOPED_TRACE(entry.path());
    ++tried;
    const RunInput first = load_run_input(entry.path().string());
    write(first.resolved, "again.yaml");
    const std::vector<Problem> found = check_run_input(path("again.yaml"));
    ASSERT_TRUE(found.empty()) << list(found) << first.resolved;
    expect_same(first, load_run_input(path("again.yaml")));
  }
  EXPECT_GE(tried, 8);
}

TEST_F(RunInputTest, ResolvedInputNamesEveryDefault) {
  const std::string resolved = load("").resolved;
  for (const KeySpec& key : input_schema()) {
    if (key.fallback.empty() || key.path.find('*') != std::string_view::npos ||
        key.path.starts_with("forces.implicit_solvent") || key.path.starts_with("dynamics.pressure") ||
        key.path.starts_with("forces.reaction_field"))  // of another method
      continue;
    const std::string line = std::string(key.path.substr(key.path.rfind('.') + 1)) + ": ";
    EXPECT_THAT(resolved, HasSubstr(line)) << key.path;
  }
}

// The input of the acceptance check for PME and for implicit solvent, as it writes them: nothing else than these keys.
TEST_F(RunInputTest, SinglePointsNeedNoStages) {
  const RunInput pme = load(
      "forces:\n  constraints: none\n  rigid_water: false\n  nonbonded: pme\n  cutoff: 0.9 nm\n  dispersion_correction: false\n"
      "  pme: {alpha: 3.4567891 /nm, grid: [32, 36, 40], order: 5}\n");
  EXPECT_EQ(pme.forces.pme.alpha, 3.4567891);
  EXPECT_TRUE(pme.stages.empty());
  const RunInput gb = load(
      "forces:\n  constraints: none\n  rigid_water: false\n  nonbonded: no-cutoff\n"
      "  implicit_solvent: {model: obc1, solute_dielectric: 1.0, solvent_dielectric: 78.5, salt: 0 mol/L, surface: none}\n");
  EXPECT_EQ(gb.forces.implicit_solvent->model, GbModel::obc1);
}

TEST_F(RunInputTest, ANoseHooverChainNeedsATimeAndATemperature) {
  const std::string stage = "stages: [{name: a, time: 120 ps", dynamics = "}]\ndynamics: {integrator: nose-hoover";
  EXPECT_EQ(list(problems(stage + dynamics + "}\n")), "(no problems)");
  EXPECT_THAT(list(problems(stage + dynamics + ", friction: 0 /ps}\n")), HasSubstr("relaxation time of nose-hoover"));
  EXPECT_THAT(list(problems(stage + dynamics + ", temperature: 0 K}\n")), HasSubstr("no chain for 0 K"));
  EXPECT_THAT(list(problems(stage + ", temperature_ramp: {from: 300 K, to: 0 K}" + dynamics + "}\n")),
              HasSubstr("no chain for 0 K"));
}

TEST_F(RunInputTest, BathsAreSlowerThanSteps) {
  const std::string stages = "stages: [{name: a, time: 120 ps}]\n";
  const auto chain = [&](const std::string& rest) {
    return list(problems(stages + "dynamics: {integrator: nose-hoover, timestep: 2 fs, " + rest + "}\n"));
  };
  EXPECT_EQ(chain("friction: 125 /ps"), "(no problems)");
  EXPECT_THAT(chain("friction: 200 /ps"), HasSubstr("a relaxation time of 5 fs (its inverse)"));
  const std::string halves =
      ", multiple_time_step: [{forces: [pme-reciprocal], every: 2}, {forces: [bonded, nonbonded], every: 1}]";
  EXPECT_EQ(chain("friction: 200 /ps" + halves), "(no problems)");
  const auto volume = [&](const std::string& rest) {
    return list(problems(stages + "dynamics: {timestep: 2 fs, pressure: {" + rest + "}}\n"));
  };
  EXPECT_EQ(volume("barostat: c-rescale, relaxation_time: 0.2 ps"), "(no problems)");
  EXPECT_THAT(volume("barostat: c-rescale, relaxation_time: 0.1 ps"), HasSubstr("the volume changes every 0.05 ps"));
  EXPECT_EQ(volume("barostat: c-rescale, relaxation_time: 0.1 ps, every: 10"), "(no problems)");
}

TEST_F(RunInputTest, StatisticsOfHeatingUpAreDoubted) {
  const auto doubts = [&](const std::string& before) {
    return load("stages: [" + before +
                "{name: base, time: 1 ps, collect: energies}, {name: boosted, time: 1 ps, bias: {method: "
                "gamd, boost: total, parameters: {from: base}}}]\noutput: {trajectory: {every: 1 ps}}\n")
        .warnings;
  };
  EXPECT_TRUE(doubts("").empty()) << "coordinates may come from an equilibrated run";
  EXPECT_TRUE(doubts("{name: low, minimize: {max_steps: 9}}, {name: settle, time: 1 ps}, ").empty());
  ASSERT_EQ(doubts("{name: low, minimize: {max_steps: 9}}, ").size(), 1u);
  EXPECT_THAT(doubts("{name: low, minimize: {max_steps: 9}}, ")[0], HasSubstr("put a stage of equilibration between"));
}

TEST_F(RunInputTest, StridesLongerThanTheRunAreDoubted) {
  const auto doubts = [&](const std::string& rest) { return load("stages: [" + rest + "}\n").warnings; };
  const std::string two = "{name: a, time: 60 ps}, {name: b, time: 60 ps}]\noutput: {";
  EXPECT_TRUE(doubts(two + "trajectory: {every: 100 ps}").empty()) << "time is counted through stages";
  EXPECT_TRUE(doubts("{name: a, time: 60 ps, timestep: 1 fs}, {name: b, time: 40 ps, timestep: 4 fs}]\noutput: {trajectory: "
                     "{every: 80 ps}")
                  .empty());
  ASSERT_EQ(doubts(two + "trajectory: {every: 200 ps}").size(), 1u);
  EXPECT_THAT(doubts(two + "trajectory: {every: 200 ps}")[0],
              HasSubstr("output.trajectory.every: the run ends before the first 200 ps"));
  ASSERT_EQ(doubts(two + "energies: {every: 200 ps}").size(), 1u);
  EXPECT_THAT(doubts(two + "energies: {every: 200 ps}")[0], HasSubstr("energies.h5 will hold nothing but the start"));
  EXPECT_TRUE(doubts(two + "energies: {every: 0 ps}").empty());
  const auto barostat = [&](const std::string& every) {
    return doubts("{name: a, time: 1 ps, pressure: {every: " + every + "}}]\noutput: {report: false");
  };
  EXPECT_TRUE(barostat("500").empty());
  ASSERT_EQ(barostat("501").size(), 1u);
  EXPECT_THAT(barostat("501")[0], HasSubstr("stage a: it ends before the first of its changes of the volume"));
}

TEST_F(RunInputTest, CheckpointsWithoutAPauseAreDoubted) {
  EXPECT_TRUE(load("output: {checkpoint: {every: 1 s}}\n").warnings.empty());
  ASSERT_EQ(load("output: {checkpoint: {every: 900 ps}}\n").warnings.size(), 1u);
  EXPECT_THAT(load("output: {checkpoint: {every: 900 ps}}\n").warnings[0], HasSubstr("900 ps of wall-clock time"));
}

TEST_F(RunInputTest, AnInputWithoutASuffixHasAFolderBesideIt) {
  write(with_system(""), "input");
  EXPECT_EQ(load_run_input(path("input")).output.directory, path("input-run"));
  write(with_system("output: {directory: a.prmtop}\n"), "input");
  EXPECT_THROW(load_run_input(path("input")), InputError);
  EXPECT_NO_THROW(load_run_input(path("input"), {}, InputUse::single_point)) << "it writes none";
}

TEST_F(RunInputTest, APipeStartsWhereTheProgramDoes) {
  const std::string pipe = path("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(pipe) << with_system(""); });
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::create_directories(folder_ / "below");
  std::filesystem::rename(path("a.prmtop"), path("below/a.prmtop"));
  std::filesystem::rename(path("a.rst7"), path("below/a.rst7"));
  std::filesystem::current_path(folder_ / "below");
  const RunInput in = load_run_input(pipe);
  std::filesystem::current_path(before);
  writer.join();
  EXPECT_EQ(in.system.topology, path("below/a.prmtop"));
}

TEST_F(RunInputTest, TextOfTheCommandLineHasNoComments) {
  EXPECT_EQ(load("", {"title=run #3"}).title, "run #3");
  EXPECT_EQ(load("", {"title=#3"}).title, "#3");
  EXPECT_EQ(load("", {"title=\"run #3\""}).title, "run #3");
  EXPECT_EQ(load("", {"output.directory=a #b"}).output.directory, path("a #b"));
  EXPECT_EQ(load("", {"system.copies=[2, 3, 4] # as before"}).system.copies, (std::array<int, 3>{2, 3, 4}));
}

TEST_F(RunInputTest, ASwitchAmongNearestNeighboursIsDoubted) {
  const auto doubts = [&](const std::string& forces) {
    return load("stages: [{name: a, time: 120 ps}]\nforces: {cutoff: 1 nm, " + forces + "}\n").warnings;
  };
  EXPECT_TRUE(doubts("switch_distance: 0.8 nm").empty());
  ASSERT_EQ(doubts("switch_distance: 0.1 nm").size(), 1u);
  EXPECT_THAT(doubts("switch_distance: 0.1 nm")[0], HasSubstr("not how wide it is (for one of 0.1 nm: 0.9 nm)"));
}

// The nearest that is offered must itself be accepted.
TEST_F(RunInputTest, OfferedTimesFit) {
  for (const char* step : {"1 fs", "2 fs", "2.5 fs", "3 fs", "4 fs", "0.7 fs"})
    for (const char* time : {"0.0001 ps", "1.00033 ps", "0.12345 ns", "17.77777 ns", "1.000001234 us"}) {
      const std::string rest =
          std::string("dynamics: {timestep: ") + step + "}\noutput: {trajectory: {every: 0 ps}, energies: {every: 0 ps}}\n";
      std::string message = list(problems("stages: [{name: a, time: " + std::string(time) + "}]\n" + rest));
      if (message == "(no problems)") continue;
      const std::size_t begin = message.find('"') + 1;
      const std::string offered = message.substr(begin, message.find('"', begin) - begin);
      EXPECT_EQ(list(problems("stages: [{name: a, time: " + offered + "}]\n" + rest)), "(no problems)")
          << step << " " << time << ": " << message;
    }
}

// Whole numbers of steps (10^10 and more) whose quotient of two rounded doubles is off by 2e-6 to 3e-5.
TEST_F(RunInputTest, LongRunsAreWholeNumbersOfSteps) {
  const std::pair<const char*, const char*> cases[] = {
      {"21 us", "2.1 fs"}, {"105 us", "2.1 fs"}, {"399 us", "2.1 fs"}, {"143 us", "1.1 fs"}, {"297 us", "1.1 fs"}};
  for (const auto& [time, step] : cases)
    EXPECT_EQ(list(problems(std::string("stages: [{name: a, time: ") + time + "}]\ndynamics: {timestep: " + step +
                            "}\noutput: {trajectory: {every: 23.1 ps}, energies: {every: 23.1 ps}}\n")),
              "(no problems)");
}

TEST(InputSchema, IsConsistent) {
  std::set<std::string_view> paths;
  for (const KeySpec& key : input_schema()) {
    SCOPED_TRACE(std::string(key.path));
    EXPECT_TRUE(paths.insert(key.path).second);
    EXPECT_FALSE(key.doc.empty());
    const std::size_t dot = key.path.rfind('.');
    if (dot != std::string_view::npos) {
      std::string_view parent = key.path.substr(0, dot);
      if (parent.ends_with(".*")) parent.remove_suffix(2);
      EXPECT_EQ(paths.count(parent), 1u) << "a block must stand before its keys";
    }
    EXPECT_EQ(key.kind == KeyKind::quantity || key.kind == KeyKind::quantities, !(key.dimension == dimension::none));
    if (key.kind == KeyKind::quantity) {
      for (const std::string_view text : {key.fallback, key.example})
        if (!text.empty()) {
          const double x = parse_quantity(text, key.dimension);
          EXPECT_TRUE(x >= key.range.low && x <= key.range.high) << text;
        }
      EXPECT_FALSE(key.fallback.empty() && key.example.empty()) << "documentation needs a value to show";
    }
    if (key.kind == KeyKind::choice) {
      EXPECT_FALSE(key.choices.empty());
      EXPECT_THAT(" " + std::string(key.choices) + " ",
                  HasSubstr(key.fallback.empty() ? " " : " " + std::string(key.fallback) + " "));
    }
    EXPECT_TRUE(key.fallback.empty() || (key.kind != KeyKind::map && key.kind != KeyKind::maps));
  }
}

}  // namespace
}  // namespace uplift

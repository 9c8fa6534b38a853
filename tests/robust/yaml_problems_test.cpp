// Every class of mistake in an input: what is said, and on which line. The text of each case starts at line 4.
#include <gmock/gmock.h>

#include "support/input_folder.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

using ::testing::HasSubstr;

class YamlProblems : public test::InputFolder {};

TEST_F(YamlProblems, UnknownKeyNamesTheNearest) {
  expect_problem("titel: x\n", 4, {"unknown key 'titel'", "did you mean 'title'?"});
  expect_problem("forces:\n  cutof: 0.9 nm\n", 5, {"unknown key 'forces.cutof'", "did you mean 'cutoff'?"});
  expect_problem("forces:\n  pme:\n    Order: 5\n", 6, {"unknown key 'forces.pme.Order'", "did you mean 'order'?"});
  expect_problem("dynamics: {time-step: 2 fs}\n", 4, {"'dynamics.time-step'", "did you mean 'timestep'?"});
  expect_problem("forces:\n  xyzzy: 1\n", 5, {"'forces.xyzzy'", "it takes: nonbonded, cutoff"});
  expect_problem("stages:\n  - name: a\n    time: 1 ps\n    minimise: {}\n", 7,
                 {"'stages.a.minimise'", "did you mean 'minimize'?"});
  expect_problem("stages:\n  - name: a\n    time: 1 ps\n    forces: {cutof: 1 nm}\n", 7,
                 {"'stages.a.forces.cutof'", "did you mean 'cutoff'?"});
  expect_problem("stages:\n  - name: a\n    time: 1 ps\n    temperatur: 1 K\n", 7, {"did you mean 'temperature'?"});
}

TEST_F(YamlProblems, MisplacedKeyNamesItsBlock) {
  expect_problem("timestep: 2 fs\n", 4, {"unknown key 'timestep'", "it belongs into 'dynamics'"});
  expect_problem("dynamics.timestep: 2 fs\n", 4, {"nested, not dotted", "into the block 'dynamics'"});
  expect_problem("stages:\n  - {name: a, time: 1 ps,\n     output: {}}\n", 6, {"'stages.a.output'", "at the top level"});
  expect_problem("restraints: {positions: all}\n", 4, {"it belongs into an entry of 'stages'"});
}

TEST_F(YamlProblems, EveryForceIsInExactlyOneLevel) {
  const std::string head = "dynamics:\n  multiple_time_step:\n";
  expect_problem(head + "    - {forces: [pme-reciprocal], every: 2}\n    - {forces: [nonbonded], every: 1}\n", 5,
                 {"dynamics.multiple_time_step: bonded is in no level", "would be missing"});
  expect_problem(head + "    - {forces: [pme-reciprocal, bonded], every: 2}\n    - {forces: [nonbonded, bonded], every: 1}\n",
                 7, {"forces: bonded is in a level already"});
  expect_problem(head + "    - {forces: [bonded, bonded], every: 1}\n    - {forces: [nonbonded, pme-reciprocal], every: 2}\n",
                 6, {"bonded is in a level already"});
  expect_problem(head + "    - {forces: [pme-reciprocal], every: 4}\n    - {forces: [nonbonded, bonded], every: 2}\n", 5,
                 {"no level has every: 1"});
  expect_problem(head +
                     "    - {forces: [pme-reciprocal], every: 5}\n    - {forces: [nonbonded], every: 2}\n    - {forces: "
                     "[bonded], every: 1}\n",
                 5, {"every: 2 does not divide every: 5", "nearest that does is 1"});
  expect_problem(head + "    - {forces: [pme], every: 2}\n", 6, {"'pme' is none of", "pme-reciprocal"});
  expect_problem(head + "    - {forces: [bonded]}\n", 6, {"every' is missing"});
  expect_problem(head + "    - {forces: [bonded], every: 0}\n", 6, {"every"});
  expect_problem("dynamics:\n  multiple_time_step: {forces: [bonded], every: 1}\n", 5, {"a list of blocks is needed"});
  // A stage with restraints has one force more.
  expect_problem(head +
                     "    - {forces: [pme-reciprocal], every: 2}\n    - {forces: [nonbonded, bonded], every: 1}\n"
                     "stages:\n  - {name: a, time: 1 ps, restraints: {positions: all}}\n",
                 5, {"restraints is in no level"});
}

TEST_F(YamlProblems, MissingUnit) {
  expect_problem("forces:\n  nonbonded: pme\n  cutoff: 0.9\n", 6, {"forces.cutoff", "has no unit; write \"0.9 nm\""});
  expect_problem("stages:\n  - name: a\n    time: 10\n", 6, {"stages.a.time", "\"10 ps\""});
  expect_problem("output:\n  checkpoint: {every: 900}\n", 5, {"output.checkpoint.every", "\"900 s\""});
}

TEST_F(YamlProblems, WrongUnit) {
  expect_problem("forces:\n  cutoff: 4 fs\n", 5, {"forces.cutoff", "is not a length"});
  expect_problem("dynamics:\n  friction: 1 ps\n", 5, {"dynamics.friction", "\"1 /ps\""});
  expect_problem("dynamics:\n  temperature: 27 degC\n", 5, {"temperatures are in K"});
  expect_problem("dynamics:\n  timestep: 2 ts\n", 5, {"unknown unit 'ts'"});
  expect_problem("stages:\n  - {name: a, time: 1 ps,\n     restraints: {positions: all, k: 1000 kJ/mol/nm}}\n", 6,
                 {"is not a force constant", "kJ/mol/nm^2"});
}

TEST_F(YamlProblems, WrongKindOfValue) {
  expect_problem("forces: 3\n", 4, {"forces: a block of keys is needed", "nonbonded"});
  expect_problem("output: [1]\n", 4, {"output: a block of keys"});
  expect_problem("forces:\n  cutoff: [0.9 nm]\n", 5, {"forces.cutoff: a single value is needed", "cutoff: 0.9 nm"});
  expect_problem("forces:\n  cutoff: {value: 0.9 nm}\n", 5, {"forces.cutoff: a single value is needed"});
  expect_problem("forces:\n  rigid_water: maybe\n", 5, {"neither true nor false"});
  expect_problem("forces:\n  rigid_water: 1\n", 5, {"neither true nor false"});
  expect_problem("dynamics:\n  seed: 1.5\n", 5, {"dynamics.seed", "not a whole number"});
  expect_problem("dynamics:\n  seed: 1e3\n", 5, {"not a whole number", "write 1000"});
  expect_problem("dynamics:\n  seed: -1\n", 5, {"negative"});
  expect_problem("dynamics:\n  seed: 99999999999999999999\n", 5, {"out of range"});
  expect_problem("dynamics:\n  constraint_tolerance: 1e-6 nm\n", 5, {"no unit here"});
  expect_problem("forces:\n  reaction_field: {dielectric: water}\n  nonbonded: reaction-field\n", 5, {"not a number"});
  expect_problem("forces:\n  reaction_field: {dielectric: nan}\n  nonbonded: reaction-field\n", 5, {"not a finite number"});
  expect_problem("stages: {name: a, time: 1 ps}\n", 4, {"stages: a list of blocks is needed"});
  expect_problem("stages:\n  - a\n", 5, {"stages.0: a block of keys is needed"});
  expect_problem("compute:\n  threads: many\n", 5, {"not a whole number or auto"});
  expect_problem("title: \"a\\eb\"\n", 4, {"title", "control character"});
}

TEST_F(YamlProblems, Choices) {
  expect_problem("forces:\n  constraints: hbonds\n", 5, {"'hbonds' is none of: none, h-bonds", "did you mean 'h-bonds'?"});
  expect_problem("forces:\n  nonbonded: PME\n", 5, {"did you mean 'pme'?"});
  expect_problem("dynamics:\n  integrator: leapfrog\n", 5, {"'leapfrog' is none of: verlet, langevin"});
  expect_problem("compute: {precision: single}\n", 4, {"none of: mixed, double"});
}

TEST_F(YamlProblems, NoValue) {
  expect_problem("forces:\n  cutoff:\n", 5, {"forces.cutoff: no value", "cutoff: 0.9 nm"});
  expect_problem("forces:\n  cutoff: ~\n", 5, {"no value"});
  expect_problem("forces:\n  cutoff: null\n", 5, {"no value"});
  expect_problem("output:\ndynamics: {}\n", 4, {"output: no value"});
  expect_problem("title: ''\n", 4, {"title: empty"});
  expect_problem("forces: {pme: {alpha: 3 /nm, grid: []}}\n", 4, {"3 values are needed"});
}

TEST_F(YamlProblems, MissingKeys) {
  write("system: {topology: a.prmtop, coordinates: a.rst7}\n");
  expect_only(check_run_input(path()), 1, {"'version' is missing"});
  write("version: 1\n");
  expect_only(check_run_input(path()), 1, {"'system' is missing"});
  write("version: 1\ntitle: x\nsystem:\n  topology: a.prmtop\n");
  expect_only(check_run_input(path()), 3, {"'system.coordinates' is missing", "coordinates: protein.rst7"});
  expect_problem("stages:\n  - time: 1 ps\n", 5, {"'stages.0.name' is missing"});
  expect_problem("stages:\n  - {name: a, time: 1 ps}\n  - name: b\n", 6, {"stages.b.time: missing", "minimize"});
  expect_problem("stages:\n  - name: a\n    time: 1 ps\n    restraints:\n      k: 1 kJ/mol/nm^2\n", 7,
                 {"'stages.a.restraints.positions' is missing"});
}

TEST_F(YamlProblems, Version) {
  write("version: 2\nsystem: {topology: a.prmtop, coordinates: a.rst7}\n");
  expect_only(check_run_input(path()), 1, {"version", "must be 1"});
}

TEST_F(YamlProblems, DuplicateKeys) {
  expect_problem("forces:\n  cutoff: 0.9 nm\n  constraints: none\n  cutoff: 1 nm\n", 7,
                 {"'cutoff' is given twice (first on line 5)"});
  expect_problem("title: a\ntitle: a\n", 5, {"'title' is given twice"});
  expect_problem("stages:\n  - name: a\n    time: 1 ps\n    dynamics: {timestep: 1 fs}\n    timestep: 2 fs\n", 8,
                 {"'timestep' is given twice", "line 7"});
}

TEST_F(YamlProblems, Files) {
  write("version: 1\nsystem:\n  topology: none.prmtop\n  coordinates: .\n");
  const std::vector<Problem> found = check_run_input(path());
  ASSERT_EQ(found.size(), 2u) << list(found);
  EXPECT_EQ(found[0].line, 3);
  EXPECT_THAT(found[0].message, HasSubstr("there is no file '" + path("none.prmtop") + "'"));
  EXPECT_EQ(found[1].line, 4);
  EXPECT_THAT(found[1].message, HasSubstr("is a directory"));
  expect_problem("output:\n  directory: a.prmtop\n", 5, {"is no directory"});
}

TEST_F(YamlProblems, Ranges) {
  expect_problem("forces:\n  cutoff: 0 nm\n", 5, {"greater than 0 nm"});
  expect_problem("forces:\n  cutoff: -1 nm\n", 5, {"greater than 0 nm"});
  expect_problem("forces:\n  hydrogen_mass: 30 amu\n", 5, {"between 1 amu and 10 amu"});
  expect_problem("forces:\n  pme: {tolerance: 0}\n", 5, {"out of range"});
  expect_problem("forces:\n  pme: {order: 7}\n", 5, {"between 4 and 6"});
  expect_problem("forces:\n  pme: {order: 3}\n", 5, {"between 4 and 6"});
  expect_problem("dynamics:\n  timestep: 0 fs\n", 5, {"greater than 0 ps"});
  expect_problem("dynamics:\n  timestep: 2 ps\n", 5, {"at most 0.1 ps"});
  expect_problem("dynamics:\n  temperature: -1 K\n", 5, {"at least 0 K"});
  expect_problem("dynamics:\n  friction: -1 /ps\n", 5, {"at least 0 /ps"});
  expect_problem("stages:\n  - name: a\n    time: 0 ps\n", 6, {"greater than 0 ps"});
  expect_problem("stages:\n  - name: a\n    time: -1 ps\n", 6, {"greater than 0 ps"});
  expect_problem("output:\n  energies: {every: -1 ps}\n", 5, {"at least 0 ps"});
  expect_problem("output:\n  trajectory: {precision: 0 nm}\n", 5, {"greater than 0 nm"});
  expect_problem("output:\n  trajectory: {precision: 100 nm}\n", 5, {"at most 0.1 nm"});
  expect_problem("compute: {threads: 0}\n", 4, {"between 1 and 4096"});
  EXPECT_EQ(
      list(problems(
          "dynamics: {temperature: 0 K, friction: 0 /ps}\noutput: {trajectory: {every: 0 ps}, energies: {every: 0 ps}}\n")),
      "(no problems)");
}

TEST_F(YamlProblems, Pme) {
  expect_problem("forces:\n  pme: {alpha: 3.1 /nm}\n", 5, {"forces.pme.alpha", "without forces.pme.grid"});
  expect_problem("forces:\n  pme: {grid: [32, 32, 32]}\n", 5, {"forces.pme.grid", "without forces.pme.alpha"});
  expect_problem("forces:\n  pme:\n    alpha: 3 /nm\n    grid: [32, 32, 32]\n    tolerance: 1e-4\n", 8,
                 {"forces.pme.tolerance", "keep either"});
  expect_problem("forces:\n  pme:\n    alpha: 3 /nm\n    grid: [31, 34, 64]\n", 7, {"[32, 35, 64]"});
  expect_problem("forces:\n  pme:\n    alpha: 3 /nm\n    grid: [32, 32]\n", 7, {"3 values are needed"});
  expect_problem("forces:\n  pme:\n    alpha: 3 /nm\n    grid: [32, 0, 32]\n", 7, {"between 4 and 4096"});
  expect_problem("forces:\n  pme:\n    alpha: 3 /nm\n    order: 6\n    grid: [32, 5, 32]\n", 8, {"[32, 6, 32]"});
  expect_problem("forces:\n  pme: {alpha: 0 /nm, grid: [32, 32, 32]}\n", 5, {"greater than 0 /nm"});
  // A stage's tolerance would lose against the alpha it inherits.
  expect_problem(
      "forces: {pme: {alpha: 3 /nm, grid: [32, 32, 32]}}\nstages:\n  - name: a\n    time: 1 ps\n    pme: {tolerance: 1e-4}\n",
      8, {"keep either"});
}

TEST_F(YamlProblems, ForcesThatDoNotGoTogether) {
  expect_problem("forces:\n  cutoff: 0.9 nm\n  switch_distance: 0.9 nm\n", 6, {"smaller than the cutoff (0.9 nm)"});
  expect_problem("forces:\n  nonbonded: pme\n  implicit_solvent:\n    model: obc2\n", 6,
                 {"needs nonbonded: no-cutoff, not pme"});
  expect_problem("forces:\n  implicit_solvent: {}\n", 5, {"needs nonbonded: no-cutoff"});
  expect_problem("forces:\n  nonbonded: reaction-field\n  implicit_solvent: {}\n", 6, {"not reaction-field"});
  // Seen by a stage alone: the line of the stage's own value, or of the inherited one.
  expect_problem("stages:\n  - name: a\n    time: 1 ps\n    switch_distance: 1 nm\n", 7, {"stages.a.forces.switch_distance"});
  expect_problem("forces:\n  switch_distance: 0.8 nm\nstages:\n  - name: a\n    time: 1 ps\n    cutoff: 0.7 nm\n", 5,
                 {"smaller than the cutoff (0.7 nm)"});
}

TEST_F(YamlProblems, Box) {
  const auto box = [&](const std::string& text) {
    write("version: 1\nsystem:\n  topology: a.prmtop\n  coordinates: a.rst7\n  box: " + text + "\n");
    return check_run_input(path());
  };
  expect_only(box("[3 nm, 3 nm]"), 5, {"three lengths are needed"});
  expect_only(box("3 nm"), 5, {"a list is needed"});
  expect_only(box("[3 nm, 3 nm, 3]"), 5, {"has no unit"});
  expect_only(box("[3 nm, 3 nm, 0 nm]"), 5, {"greater than zero"});
  expect_only(box("[3 nm, 3 nm, 3 nm, 90 deg, 90 deg, 90 rad]"), 5, {"between 20 and 160 deg"});
  expect_only(box("[3 nm, 3 nm, 3 nm, 90 deg, 90 deg, 90 nm]"), 5, {"is not an angle"});
  expect_only(box("[3 nm, 3 nm, 3 nm, 30 deg, 30 deg, 100 deg]"), 5, {"no cell has these"});
}

TEST_F(YamlProblems, Times) {
  expect_problem("stages:\n  - name: a\n    time: 1.0012 ps\n", 6,
                 {"stages.a.time", "not a whole number of time steps of 2 fs", "\"1.002 ps\""});
  expect_problem("stages:\n  - name: a\n    time: 1 fs\n", 6, {"\"0.002 ps\""});
  expect_problem("stages:\n  - name: a\n    time: 1e9 s\n", 6, {"check the units"});
  expect_problem("stages:\n  - {name: a, time: 1 ps}\noutput:\n  trajectory: {every: 3 fs}\n", 7,
                 {"output.trajectory.every", "\"0.004 ps\""});
  expect_problem("stages:\n  - {name: a, time: 1 ps}\noutput:\n  energies: {every: 1 fs}\n", 7,
                 {"output.energies.every", "\"0.002 ps\""});
  // Of several stages each with its own step, the one it does not fit.
  expect_problem(
      "stages:\n  - {name: a, time: 1 ps}\n  - {name: b, time: 3 ps, timestep: 1.5 fs}\noutput:\n  trajectory: {every: 3 ps}\n "
      " energies: {every: 1 ps}\n",
      9, {"output.energies.every", "of 1.5 fs (stage b, line 6)", "that fits all stages is \"1.002 ps\""});
  EXPECT_THAT(list(problems("stages:\n  - {name: a, time: 1 ps}\n  - {name: b, time: 3 ps, timestep: 1.5 fs}\noutput:\n  "
                            "trajectory: {every: 3 ps}\n  energies: {every: 1.002 ps}\n")),
              HasSubstr("(no problems)"));
  expect_problem("stages:\n  - {name: a, minimize: {},\n     time: 1 ps}\n", 6, {"a minimisation has no time"});
  // A default that does not fit is the fault of the time step, and which key to give is said.
  const std::vector<Problem> found = problems("dynamics:\n  timestep: 3 fs\nstages: [{name: a, time: 3 ps}]\n");
  ASSERT_EQ(found.size(), 2u) << list(found);
  EXPECT_EQ(found[0].line, 5);
  EXPECT_THAT(list(found),
              HasSubstr("output.trajectory.every, '2 ps' is not a whole number of time steps of 3 fs (stage a, line "
                        "6); the nearest that fits is \"2.001 ps\""));
  // No stage with dynamics, no complaint: a single point does not step.
  EXPECT_EQ(list(problems("dynamics: {timestep: 3 fs}\nstages: [{name: a, minimize: {}}]\n")), "(no problems)");
}

TEST_F(YamlProblems, StageNames) {
  expect_problem("stages:\n  - {name: a, time: 1 ps}\n  - {name: b, time: 1 ps}\n  - {name: a, time: 1 ps}\n", 7,
                 {"two stages have this name"});
}

TEST_F(YamlProblems, KeysThatBelongToOtherFiles) {
  touch("a.psf");
  write("version: 1\nsystem:\n  coordinates: a.rst7\n  topology: a.psf\n");
  expect_only(check_run_input(path()), 4, {"a PSF holds no parameters", "system.parameters"});
  write("version: 1\nsystem:\n  coordinates: a.rst7\n  topology: a.prmtop\n  parameters: [a.psf]\n");
  expect_only(check_run_input(path()), 5, {"belong to a CHARMM PSF"});
  write("version: 1\nsystem:\n  coordinates: a.rst7\n  topology: a.psf\n  parameters: [none.prm]\n");
  expect_only(check_run_input(path()), 5, {"there is no file", "none.prm"});
  write("version: 1\nsystem:\n  coordinates: a.rst7\n  topology: a.prmtop\n  define: [POSRES]\n");
  expect_only(check_run_input(path()), 5, {"system.define", "GROMACS"});
  touch("a.top");
  write("version: 1\nsystem:\n  topology: a.top\n  coordinates: a.rst7\n  define: [POSRES FLEXIBLE]\n");
  expect_only(check_run_input(path()), 5, {"system.define", "no name of a macro", "[POSRES, FLEXIBLE]"});
}

TEST_F(YamlProblems, AForceFieldGoesWithAStructure) {
  touch("a.pdb");
  touch("own.xml");
  write("version: 1\nsystem:\n  topology: a.prmtop\n  coordinates: a.rst7\n  forcefield: [own.xml]\n");
  expect_only(check_run_input(path()), 5, {"system.forcefield", "PDB or mmCIF topology only"});
  write("version: 1\nsystem:\n  topology: a.pdb\n  coordinates: a.pdb\n");
  expect_only(check_run_input(path()), 3, {"holds no parameters", "forcefield: ["});
  write("version: 1\nsystem:\n  topology: a.pdb\n  coordinates: a.pdb\n  forcefield: [own.xml, no-such-thing]\n");
  expect_only(check_run_input(path()), 5, {"no force field 'no-such-thing'", "that come with uplift"});
}

TEST_F(YamlProblems, BiasHasParametersOfItsMethodOrAStageThatGivesThem) {
  const auto stage = [](const std::string& bias) {
    return "stages:\n  - {name: base, time: 1 ps}\n  - {name: a, time: 1 ps, bias: {" + bias + "}}\n";
  };
  const auto expect = [&](const std::string& bias, std::initializer_list<const char*> parts) {
    SCOPED_TRACE(bias);
    const std::vector<Problem> found = problems(stage(bias));
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found[0].line, 6);
    for (const char* part : parts) EXPECT_THAT(list(found), HasSubstr(part));
  };
  expect("method: amd, boost: dual, parameters: {from: nowhere}", {"'nowhere' is no earlier stage"});
  expect("method: amd, boost: dual, parameters: {from: a}", {"'a' is no earlier stage"});
  expect("method: amd, boost: dual, parameters: {from: base}", {"collects nothing", "collect: energies"});
  expect("method: amd, boost: dual, parameters: {dihedral: {threshold: 1 kJ/mol, alpha: 1 kJ/mol}}",
         {"nothing is said of the total boost"});
  expect("method: amd, boost: dihedral, parameters: {dihedral: {threshold: 1 kJ/mol}}", {"alpha is missing"});
  expect("method: gamd, boost: dihedral, parameters: {dihedral: {threshold: 1 kJ/mol, alpha: 1 kJ/mol}}",
         {"is no parameter of gamd"});
  expect(
      "method: amd, boost: dihedral, parameters: {dihedral: {threshold: 1 kJ/mol, alpha: 1 kJ/mol}, total: {threshold: 1 "
      "kJ/mol, alpha: 1 kJ/mol}}",
      {"does not use it"});
  expect("method: amd, boost: dihedral, parameters: {bound: upper, dihedral: {threshold: 1 kJ/mol, alpha: 1 kJ/mol}}",
         {"belongs to method: gamd"});
  expect("method: gamd, boost: dihedral, update_every: 1 ps, parameters: {dihedral: {threshold: 1 kJ/mol, k: 0.1 mol/kJ}}",
         {"explicit parameters do not change"});
  expect("method: amd, boost: dihedral, parameters: {dihedral: {threshold: 1 nm, alpha: 1 kJ/mol}}", {"threshold"});
  expect("method: amd, boost: dihedral, parameters: {dihedral: {threshold: 1 kJ/mol, alpha: 0 kJ/mol}}", {"alpha"});
  EXPECT_THAT(
      list(problems("stages:\n  - {name: base, time: 2 fs, collect: energies}\n  - {name: a, time: 1 ps, bias: {method: "
                    "amd, boost: dual, parameters: {from: base, rule: residues}}}\n")),
      HasSubstr("stage base has a single step"));
  EXPECT_THAT(
      problems(stage(
          "method: amd, boost: dihedral, convention: namd, parameters: {dihedral: {threshold: 1 kJ/mol, alpha: 1 kJ/mol}}")),
      ::testing::IsEmpty());
  EXPECT_THAT(problems("stages:\n  - {name: base, time: 1 ps, collect: energies}\n  - {name: a, time: 1 ps, bias: {method: "
                       "gamd, boost: dual, update_every: 0.1 ps, parameters: {from: base, bound: upper}}}\n"
                       "  - {name: b, time: 1 ps, bias: {method: gamd, boost: dual, parameters: {from: a}}}\n"),
              ::testing::IsEmpty());
  EXPECT_THAT(list(problems("stages:\n  - {name: base, time: 1 ps, collect: energies}\n  - {name: a, time: 1 ps, bias: "
                            "{method: gamd, boost: dual, update_every: 0.1 ps, parameters: {from: base}}}\n"
                            "  - {name: b, time: 1 ps, bias: {method: gamd, boost: total, parameters: {from: a}}}\n")),
              HasSubstr("another method, boost or convention"));
  EXPECT_THAT(list(problems("stages:\n  - {name: m, minimize: {max_steps: 5}, bias: {method: amd, boost: dihedral, parameters: "
                            "{dihedral: {threshold: 1 kJ/mol, alpha: 1 kJ/mol}}}}\n")),
              HasSubstr("a minimisation has no bias"));
}

TEST_F(YamlProblems, PressureNeedsABoxAndAThermostat) {
  expect_problem("forces: {nonbonded: no-cutoff}\ndynamics: {pressure: {pressure: 1 bar}}\nstages: [{name: a, time: 1 ps}]\n",
                 5, {"dynamics.pressure", "without a periodic box"});
  expect_problem("stages:\n  - {name: a, time: 1 ps, integrator: verlet, pressure: {pressure: 1 bar}}\n", 5,
                 {"dynamics.pressure", "needs a thermostat"});
  expect_problem("dynamics: {pressure: {barostat: berendsen}}\n", 4, {"none of: monte-carlo, c-rescale"});
  EXPECT_EQ(list(problems("dynamics: {pressure: {}, integrator: v-rescale}\nstages: [{name: a, time: 1 ps}]\n")),
            "(no problems)");
}

TEST_F(YamlProblems, InheritedKeysNameWhoInheritsThem) {
  expect_problem(
      "dynamics: {pressure: {}}\nstages:\n  - {name: a, time: 1 ps}\n  - {name: d, time: 1 ps, integrator: verlet}\n", 4,
      {"dynamics.pressure: needs a thermostat", "(inherited by stage d, line 7)"});
  // Of several stages the first is named.
  expect_problem(
      "dynamics: {pressure: {}}\nstages:\n  - {name: c, time: 1 ps, integrator: verlet}\n  - {name: d, time: 1 ps, integrator: "
      "verlet}\n",
      4, {"(inherited by stage c, line 6)"});
}

TEST_F(YamlProblems, KeysOfOtherMethodsAreRefused) {
  const std::string stage = "stages: [{name: a, time: 120 ps}]\n";
  expect_problem("forces:\n  nonbonded: no-cutoff\n  cutoff: 0.9 nm\n", 6,
                 {"forces.cutoff: decides nothing with nonbonded: no-cutoff", "nonbonded: pme or reaction-field", "remove it"});
  expect_problem(stage + "forces:\n  nonbonded: no-cutoff\n  switch_distance: 0.8 nm\n", 7, {"forces.switch_distance"});
  expect_problem("forces:\n  nonbonded: no-cutoff\n  pme: {tolerance: 1e-4}\n", 6, {"forces.pme", "belongs to nonbonded: pme"});
  expect_problem("forces:\n  nonbonded: reaction-field\n  pme: {order: 4}\n", 6, {"forces.pme"});
  expect_problem(stage + "forces:\n  reaction_field: {dielectric: 80}\n", 6, {"decides nothing with nonbonded: pme"});
  expect_problem("dynamics: {integrator: verlet,\n  friction: 1 /ps}\n", 5, {"dynamics.friction", "with integrator: verlet"});
  expect_problem("dynamics:\n  pressure:\n    barostat: monte-carlo\n    relaxation_time: 1 ps\n", 7,
                 {"dynamics.pressure.relaxation_time", "belongs to barostat: c-rescale"});
  expect_problem(stage + "dynamics:\n  pressure:\n    compressibility: 1e-5 /bar\n", 7, {"dynamics.pressure.compressibility"});
  expect_problem("stages:\n  - name: a\n    time: 1 ps\n    integrator: verlet\n    friction: 1 /ps\n", 8,
                 {"stages.a.dynamics.friction: decides nothing with integrator: verlet"});
  // What is inherited is for stages that have the method, and what a stage inherits is its own matter.
  const std::string nve = "stages: [{name: a, time: 120 ps}, {name: nve, time: 120 ps, integrator: verlet}]\n";
  EXPECT_EQ(list(problems(nve + "dynamics: {friction: 2 /ps}\n")), "(no problems)");
  EXPECT_EQ(list(problems(
                "stages: [{name: a, time: 120 ps, integrator: langevin}]\ndynamics: {integrator: verlet, friction: 2 /ps}\n")),
            "(no problems)");
  // The command line has the last word, for a while.
  EXPECT_EQ(list(problems("forces: {nonbonded: pme, pme: {order: 4}, cutoff: 1 nm}\n", {"forces.nonbonded=no-cutoff"})),
            "(no problems)");
  // A stage's own key without a use for what it inherits is said, too.
  const RunInput in = load("dynamics: {integrator: verlet}\nstages:\n  - {name: a, time: 120 ps, friction: 2 /ps}\n");
  ASSERT_EQ(in.warnings.size(), 1u);
  EXPECT_THAT(in.warnings[0], HasSubstr("stage a, line 6: dynamics.friction decides nothing with integrator: verlet"));
}

TEST_F(YamlProblems, NamesInOtherLettersStayReadable) {
  expect_problem("stages:\n  - {name: \u00c4q, time: 10}\n", 5, {"stages.\u00c4q.time"});
  expect_problem("dynamics: {timestep: 2 \u4e2d}\n", 4, {"unknown unit '\u4e2d'"});
  EXPECT_EQ(printable("a\u0085b\u202ec\x7f\xff\u00e9"), "a?b?c??\u00e9");
  EXPECT_EQ(printable(std::string(39, 'x') + "\u00e9"), std::string(39, 'x') + "\u00e9");
  EXPECT_EQ(printable(std::string(39, 'x') + "\u00e9y"), std::string(39, 'x') + "\u00e9...");
}

TEST_F(YamlProblems, RampsNeedATemperatureToChange) {
  const auto stage = [](const std::string& keys) {
    return "stages:\n  - {name: a, " + keys + ", temperature_ramp: {from: 10 K, to: 300 K}}\n";
  };
  EXPECT_EQ(list(problems(stage("time: 1 ps"))), "(no problems)");
  expect_problem(stage("minimize: {}"), 5, {"temperature_ramp", "a minimisation has no temperature"});
  expect_problem(stage("time: 1 ps, temperature: 300 K"), 5, {"temperature_ramp", "remove one"});
  expect_problem(stage("time: 1 ps, integrator: verlet"), 5, {"temperature_ramp", "needs a thermostat"});
  expect_problem("stages:\n  - {name: a, time: 1 ps, temperature_ramp: {to: 300 K}}\n", 5, {"from"});
}

TEST_F(YamlProblems, StagesShareWhetherThereIsABox) {
  expect_problem("stages:\n  - {name: a, time: 1 ps}\n  - {name: b, time: 1 ps, nonbonded: no-cutoff}\n", 6,
                 {"forces.nonbonded", "share a trajectory"});
}

TEST_F(YamlProblems, AllAreReportedAtOnceInOrder) {
  const std::string text =
      "forces:\n"
      "  cutof: 1 nm\n"
      "  rigid_water: maybe\n"
      "dynamics:\n"
      "  timestep: 2\n"
      "  pressure: {every: 0}\n"
      "stages:\n"
      "  - {name: a}\n"
      "compute: {threads: x}\n";
  const std::vector<Problem> found = problems(text);
  std::vector<int> lines;
  for (const Problem& p : found) lines.push_back(p.line);
  EXPECT_EQ(lines, (std::vector<int>{5, 6, 8, 9, 11, 12})) << list(found);
  EXPECT_EQ(found[0].column, 3);
  try {
    load_run_input(path());
    FAIL() << "accepted";
  } catch (const InputError& e) {
    const std::string all = e.what();
    for (const Problem& p : found) EXPECT_THAT(all, HasSubstr(path() + ":" + std::to_string(p.line) + ": " + p.message));
    // One problem a line, and one that says where the keys are described.
    EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 6);
    EXPECT_TRUE(all.ends_with(reference_hint(found))) << all;
  }
}

TEST_F(YamlProblems, WrongValuesHaveNoFollowers) {
  // A cutoff that cannot be read says nothing about the switch distance; a wrong time step nothing about the times.
  expect_problem("forces: {cutoff: 1, switch_distance: 5 nm}\n", 4, {"has no unit"});
  expect_problem("dynamics: {timestep: 3}\nstages: [{name: a, time: 1.0001 ps}]\n", 4, {"has no unit"});
  expect_problem("forces: {nonbonded: nocutof, implicit_solvent: {}}\n", 4, {"none of"});
  expect_problem("forces: {switch_distance: 2}\nstages: [{name: a, time: 1 ps}, {name: b, time: 1 ps}]\n", 4, {"has no unit"});
}

TEST_F(YamlProblems, OverridesNameTheirArgument) {
  struct Case {
    const char *argument, *message;
  };
  const Case cases[] = {
      {"dynamics.seeed=7", "did you mean 'seed'?"},
      {"dynamics.timestep=2", "has no unit"},
      {"forces.cutoff=2 fs", "is not a length"},
      {"forces", "write it as KEY=VALUE"},
      {"=3", "write it as KEY=VALUE"},
      {"forces..cutoff=1 nm", "a part of the key is empty"},
      {"forces.cutoff.x=1", "'forces.cutoff' holds a value"},
      {"stages.c.time=1 ps", "there is no 'stages.c'; give a number from 0 to 1 or a name: a, b"},
      {"stages.2.time=1 ps", "there is no 'stages.2'"},
      {"stages.b.time=1.0001 ps", "not a whole number of time steps"},
      {"stages.b.timestep=2", "stages.b.dynamics.timestep"},
      {"dynamics.seed=", "no value"},
      {"dynamics.seed=[1", "not valid YAML"},
      {"dynamics.pressure.pressure=1 nm", "is not a pressure"},
      {"compute.replicas=0", "between 1 and 65536"},
      {"compute.precision=single", "none of: mixed, double"},
      {"compute.threads=0", "between 1 and 4096"},
      {"system.topology=none.prmtop", "there is no file"},
      {"forces=3", "forces: a block of keys is needed"},
      {"forces.cutoff=[1 nm]", "forces.cutoff: a single value is needed"},
      {"stages=3", "stages: a list of blocks is needed"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.argument);
    const std::vector<Problem> found = problems(
        "forces: {cutoff: 1 nm}\nstages: [{name: a, time: 1 ps}, {name: b, time: 1 ps}]\n", {"title=fine", c.argument});
    ASSERT_EQ(found.size(), 1u) << list(found);
    EXPECT_EQ(found[0].file, "--set " + std::string(c.argument));
    EXPECT_EQ(found[0].line, 0);
    EXPECT_THAT(found[0].message, HasSubstr(c.message));
    EXPECT_THAT(found[0].text(), ::testing::StartsWith("--set " + std::string(c.argument) + ": "));
  }
  EXPECT_THAT(list(problems("", {"stages.a.time=1 ps"})), HasSubstr("--set stages.a.time=1 ps"));
}

}  // namespace
}  // namespace uplift

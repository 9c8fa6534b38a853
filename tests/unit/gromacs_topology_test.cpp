// What read_gromacs_topology and read_gro make of small files whose every number is known. check_gromacs.py compares whole
// force fields with GROMACS.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "support/prmtop_builder.hpp"
#include "support/topology_texts.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/gromacs.hpp"
#include "uplift/model/system.hpp"

namespace uplift {
namespace {

constexpr double radian = constants::pi / 180;
constexpr double rounding = 1e-12;

TopologyFile read(const std::string& text, const GromacsOptions& options = {}) {
  return read_gromacs_topology(test::write_temporary("a.top", text), options);
}
std::string message_of(const std::string& text, const GromacsOptions& options = {}) {
  try {
    read(text, options);
  } catch (const InputError& e) {
    return e.what();
  }
  return "(no error)";
}
std::string changed(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}
int line_of(const std::string& text, const std::string& part) {
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(text.find(part)), '\n'));
}
/// Energy of all periodic terms on four atoms at one angle.
double series(const ForceField& ff, int i, int l, double phi) {
  double sum = 0;
  for (const PeriodicDihedral& d : ff.dihedrals)
    if (d.i == i && d.l == l) sum += d.barrier * (1 + std::cos(d.periodicity * phi - d.phase));
  return sum;
}

TEST(GromacsTopology, AtomsAndMolecules) {
  const TopologyFile t = read(test::gromacs_text());
  ASSERT_EQ(t.topology.size(), 13);
  EXPECT_EQ(t.kind, "GROMACS topology");
  EXPECT_EQ(t.topology.title, "a chain in water");
  ASSERT_EQ(t.topology.residues.size(), 4u);
  EXPECT_EQ(t.topology.residues[3].number, 4);  // waters count on
  EXPECT_EQ(t.topology.atoms[1].element, 6);
  EXPECT_EQ(t.topology.atoms[8].element, 0);
  EXPECT_EQ(t.force_field.charges[1], 0.1);  // of the type
  EXPECT_EQ(t.force_field.charges[12], -1.04);
  ASSERT_EQ(t.topology.bonds.size(), 8u);  // four, and two in each water
  EXPECT_EQ(t.topology.bonds[4].i, 5);
}

TEST(GromacsTopology, BondedTermsFindTheirParameters) {
  const ForceField ff = read(test::gromacs_text()).force_field;
  ASSERT_EQ(ff.bonds.size(), 4u);
  EXPECT_EQ(ff.bonds[0].r0, 0.109);
  EXPECT_EQ(ff.bonds[1].k, 250000);
  ASSERT_EQ(ff.angles.size(), 3u);
  EXPECT_DOUBLE_EQ(ff.angles[0].theta0, 110 * radian);
  EXPECT_DOUBLE_EQ(ff.angles[2].theta0, 109.5 * radian);  // by a macro of two numbers
  ASSERT_EQ(ff.urey_bradleys.size(), 1u);
  EXPECT_EQ(ff.urey_bradleys[0].force_constant, 1500);
  // 1-2-3-4: one periodic term of the exact types, and a periodic improper.
  int proper = 0, improper = 0;
  for (const PeriodicDihedral& d : ff.dihedrals)
    if (d.i == 0 && d.l == 3) (d.improper ? improper : proper) += 1;
  EXPECT_EQ(proper, 1);
  EXPECT_EQ(improper, 1);
  ASSERT_EQ(ff.impropers.size(), 1u);
  EXPECT_DOUBLE_EQ(ff.impropers[0].phi0, 10 * radian);
  ASSERT_EQ(ff.cmaps.size(), 1u);
  EXPECT_EQ(ff.cmap_grids[0].energy[8], 4);
}

// The sum over cosines is the polynomial, constant included.
TEST(GromacsTopology, RyckaertBellemansAndFourierAreExact) {
  const ForceField ff = read(test::gromacs_text()).force_field;
  const double c[] = {1.0, 2.0, -3.0, 4.0, 0.5, 0.25};
  for (double phi = -3; phi < 3.2; phi += 0.37) {
    double expected = 0;
    for (int n = 0; n < 6; ++n) expected += c[n] * std::pow(std::cos(phi - constants::pi), n);
    expected += 0.5 * (1.0 * (1 + std::cos(phi)) + 2.0 * (1 - std::cos(2 * phi)) + 3.0 * (1 + std::cos(3 * phi)) +
                       4.0 * (1 - std::cos(4 * phi)));
    EXPECT_NEAR(series(ff, 1, 4, phi), expected, 50 * rounding);
  }
}

TEST(GromacsTopology, WildcardsGiveWayToTypesAndRepeatedLinesAreTerms) {
  std::string text = changed(test::gromacs_text(), "BH BA BB BA 9 0 4.0 1\n", "");
  const ForceField ff = read(text).force_field;
  for (double phi : {0.3, 1.7})
    EXPECT_NEAR(
        series(ff, 0, 3, phi),
        2 * (1 + std::cos(2 * phi - constants::pi)) + 1 + std::cos(3 * phi) + 4.6 * (1 + std::cos(2 * phi - constants::pi)),
        rounding);
  text = changed(text, "X BB BA X 9 0 1.0 3\n", "BB BA BA BA 9 0 1 1\nX BB BA X 9 0 1.0 3\n");
  EXPECT_NE(message_of(text).find("second block"), std::string::npos) << message_of(text);
}

TEST(GromacsTopology, LennardJonesByTheThreeRules) {
  const auto pair = [](const TopologyFile& t, int i, int j) {
    const ForceField& ff = t.force_field;
    const auto n = static_cast<std::size_t>(ff.lj_type[static_cast<std::size_t>(i)] * ff.lj_types +
                                            ff.lj_type[static_cast<std::size_t>(j)]);
    return std::pair(ff.lj_c6[n], ff.lj_c12[n]);
  };
  const auto of = [](double sigma, double epsilon) {
    return std::pair(4 * epsilon * std::pow(sigma, 6), 4 * epsilon * std::pow(sigma, 12));
  };
  const auto near = [](std::pair<double, double> a, std::pair<double, double> b) {
    EXPECT_NEAR(a.first, b.first, 1e-13 * std::abs(b.first));
    EXPECT_NEAR(a.second, b.second, 1e-13 * std::abs(b.second));
  };
  const TopologyFile lorentz = read(test::gromacs_text());
  near(pair(lorentz, 1, 2), of((0.34 + 0.33) / 2, std::sqrt(0.36 * 0.71)));
  near(pair(lorentz, 1, 5), of(0.30, 0.50));  // nonbond_params
  const TopologyFile geometric = read(changed(test::gromacs_text(), "1 2 yes", "1 3 yes"));
  near(pair(geometric, 1, 2), of(std::sqrt(0.34 * 0.33), std::sqrt(0.36 * 0.71)));
  const TopologyFile c6c12 = read(changed(test::gromacs_text(), "1 2 yes", "1 1 yes"));
  near(pair(c6c12, 1, 2), {std::sqrt(0.34 * 0.33), std::sqrt(0.36 * 0.71)});
  near(pair(c6c12, 1, 5), {0.30, 0.50});
}

TEST(GromacsTopology, PairsAreOfPairTypesOrMade) {
  const ForceField ff = read(test::gromacs_text()).force_field;
  ASSERT_EQ(ff.pairs14.size(), 3u);
  const double sigma = (0.26 + 0.34) / 2, epsilon = 0.5 * std::sqrt(0.07 * 0.36);  // made: fudgeLJ
  EXPECT_NEAR(ff.pairs14[0].c6, 4 * epsilon * std::pow(sigma, 6), 1e-15);
  EXPECT_DOUBLE_EQ(ff.pairs14[0].charge_product, 0.8333 * 0.05 * 0.1);
  EXPECT_DOUBLE_EQ(ff.pairs14[2].charge_product, 0.5 * 0.05 * 0.1);  // function 2: its own fudgeQQ and charges
  EXPECT_NE(message_of(changed(test::gromacs_text(), "1 2 yes", "1 2 no")).find("gen-pairs is no"), std::string::npos);
  // nrexcl 3 in a chain of five: all but the ends; 1-5 too far.
  const auto excluded = [&](int i, int j) {
    return std::binary_search(ff.exclusions.begin(), ff.exclusions.end(), std::array{i, j});
  };
  EXPECT_TRUE(excluded(0, 3));
  EXPECT_FALSE(excluded(0, 4));
  EXPECT_TRUE(excluded(5, 8));
  EXPECT_FALSE(excluded(5, 9));
}

TEST(GromacsTopology, DefinesSwitchRestraintsAndWater) {
  const TopologyFile plain = read(test::gromacs_text());
  EXPECT_TRUE(plain.restrained.empty());
  EXPECT_EQ(plain.force_field.fixed_distances.size(), 6u);
  const TopologyFile defined = read(test::gromacs_text(), {{"POSRES", "-DFLEXIBLE"}, {}});
  ASSERT_EQ(defined.restrained.size(), 1u);
  EXPECT_EQ(defined.restrained[0].atom, 1);
  EXPECT_EQ(defined.restrained[0].k, 1000);
  EXPECT_TRUE(defined.force_field.fixed_distances.empty());
  EXPECT_EQ(defined.force_field.bonds.size(), 8u);
}

TEST(GromacsTopology, DefinesThatNothingAsksForAreWarnedOf) {
  EXPECT_TRUE(read(test::gromacs_text(), {{"POSRES", "-DFLEXIBLE"}, {}}).warnings.empty());
  const TopologyFile typo = read(test::gromacs_text(), {{"POSRE", "FLEXIBLE"}, {}});
  ASSERT_EQ(typo.warnings.size(), 1u);
  EXPECT_NE(typo.warnings[0].find("asks for the macro POSRE (system.define)"), std::string::npos) << typo.warnings[0];
  EXPECT_NE(typo.warnings[0].find("POSRES"), std::string::npos);
  // A value that is put in place of its name counts as well.
  EXPECT_TRUE(read(changed(test::gromacs_text(), "2 1 1000 1000", "2 1 STRONG 1000"), {{"POSRES", "STRONG=1000"}, {}})
                  .warnings.empty());
  for (const char* word : {"POSRES FLEXIBLE", "-DPOSRES -DFLEXIBLE", "POSRES,FLEXIBLE", "=3", "-D"})
    EXPECT_THROW(read(test::gromacs_text(), {{word}, {}}), InputError) << word;
  EXPECT_EQ(wrong_define("K=1 2"), "");
}

TEST(GromacsTopology, RigidWaterIsSettledAndCannotBeMadeFlexible) {
  TopologyFile t = read(test::gromacs_text());
  ForceSettings forces;
  forces.constraints = ConstraintMode::none;
  const System system = make_system(t.topology, t.force_field, forces);
  ASSERT_EQ(system.rigid_waters.size(), 2u);
  EXPECT_EQ(system.rigid_waters[0].oh, 0.09572);
  EXPECT_EQ(system.rigid_waters[0].hh, 0.15139);
  EXPECT_TRUE(system.constraints.empty());
  forces.rigid_water = false;
  EXPECT_THROW(make_system(t.topology, t.force_field, forces), InputError);
}

TEST(GromacsTopology, ConstraintsOfTheTopologyStay) {
  TopologyFile t = read(changed(test::gromacs_text(), "[ pairs ]", "[ constraints ]\n1 2 1\n3 5 2 0.25\n[ pairs ]"));
  ForceSettings forces;
  forces.constraints = ConstraintMode::none;
  const System system = make_system(t.topology, t.force_field, forces);
  ASSERT_EQ(system.constraints.size(), 2u);
  EXPECT_EQ(system.constraints[0].length, 0.109);
  EXPECT_EQ(system.constraints[1].length, 0.25);
  EXPECT_EQ(system.force_field.bonds.size(), 3u);  // the fixed one has left
}

TEST(GromacsTopology, VirtualSitesOfOneToThreeAtoms) {
  const auto place = [](const std::string& line) {
    const TopologyFile t = read(changed(test::gromacs_text(), "[ virtual_sites3 ]\n4 1 2 3 1 0.128012 0.128012", line));
    std::vector<Vec3d> x(13, Vec3d{0, 0, 0});
    x[5] = {1, 0, 0}, x[6] = {0, 2, 0}, x[7] = {0, 0, 4};
    place_virtual_sites(t.force_field, x);
    return x[8];
  };
  const auto near = [](const Vec3d& a, const Vec3d& b) {
    EXPECT_NEAR(a.x, b.x, rounding);
    EXPECT_NEAR(a.y, b.y, rounding);
    EXPECT_NEAR(a.z, b.z, rounding);
  };
  near(place("[ virtual_sites1 ]\n4 2 1"), {0, 2, 0});
  near(place("[ virtual_sites2 ]\n4 1 2 1 0.25"), {0.75, 0.5, 0});
  near(place("[ dummies3 ]\n4 1 2 3 1 0.25 0.5"), {0.25, 0.5, 2});
  // r12 x r13 = (-1, 2, 0) x (-1, 0, 4) = (8, 4, 2)
  near(place("[ virtual_sites3 ]\n4 1 2 3 4 0 0 0.5"), {5, 2, 1});
  near(place("[ virtual_sitesn ]\n4 1 1 2 3"), {1.0 / 3, 2.0 / 3, 4.0 / 3});
  near(place("[ virtual_sitesn ]\n4 2 2 3"), {0, 1, 2});  // two hydrogens by mass
  near(place("[ virtual_sitesn ]\n4 3 1 3 2 1"), {0.75, 0.5, 0});
}

TEST(GromacsTopology, IncludesAreSearchedAndErrorsNameTheirLine) {
  const std::filesystem::path folder = std::filesystem::path(test::write_temporary("x", "")).parent_path() / "gromacs-includes";
  std::filesystem::create_directories(folder / "sub");
  std::ofstream(folder / "sub" / "water.itp") << "#include \"deep.itp\"\n";
  std::ofstream(folder / "sub" / "deep.itp") << "; nothing\n\n[ bonds ]\n1 2 3 0.1 0.2 0.3\n";
  std::string text = changed(test::gromacs_text(), "[ pairs ]\n1 4 1", "#include \"water.itp\"\n[ pairs ]\n1 4 1");
  EXPECT_NE(message_of(text).find("there is no file 'water.itp'"), std::string::npos) << message_of(text);
  const std::string message = message_of(text, {{}, {(folder / "sub").string()}});
  EXPECT_NE(message.find("deep.itp:4: [ bonds ]: function 3 (Morse)"), std::string::npos) << message;
  std::ofstream(folder / "sub" / "deep.itp") << "#include \"water.itp\"\n";
  EXPECT_NE(message_of(text, {{}, {(folder / "sub").string()}}).find("includes itself"), std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST(GromacsTopology, WhatIsNotKnownIsRefusedByName) {
  const struct {
    std::string from, to, says;
  } cases[] = {
      {"1 2 yes", "2 2 yes", "Buckingham"},
      {"A   BA 6 12.011 0.1 A", "A   BA 6 12.011 0.1 S", "shell"},
      {"1 2 1\n2 3 1", "1 2 2\n2 3 1", "GROMOS-96"},
      {"2 3 4 1\n", "2 3 4 10\n", "restricted bending"},
      {"1 2 3 4 9", "1 2 3 4 8 1 2", "table"},
      {"4 5 1 0.153 224000 0.153 224000", "4 5 1 0.153 224000 0.154 224000", "B state"},
      {"1 HX 1 RES H1 1 0.05 1.008", "1 HX 1 RES H1 1 0.05 1.008 A 0.1", "B state"},
      {"[ exclusions ]", "[ distance_restraints ]\n1 2 1 0 1 1 1 1 1\n[ exclusions ]", "restraints"},
      {"[ exclusions ]", "[ thole_polarization ]\n1 2 1\n[ exclusions ]", "polarisable"},
      {"4 1 2 3 1 0.128012", "4 1 2 3 2 0.128012", "fixed distance"},
      {"4 1 2 3 1 0.128012 0.128012", "4 1 2 3 1", "pdb2gmx -vsite"},
      {"[ system ]", "[ intermolecular_interactions ]\n1\n[ system ]", "molecule"},
      {"[ exclusions ]", "[ sirup ]\n[ exclusions ]", "[ sirup ]"},
      {"1 4 1\n", "1 4 3\n", "function 3 of pairs"},
      {"2 3 1\n", "2 7 1\n", "no atom 7"},
      {"3 4 1\n4 5", "3 3 1\n4 5", "twice"},
      {"BA BB 1 0.15 250000\n", "", "atom types A B"},
      {"CHAIN 1\nSOL 2", "CHAIN 1\nSOL 2000000000", "more atoms than"},
      {"CHAIN 1\nSOL 2", "CHAIN 1\nSOLV 2", "no molecule type"},
      {"#ifndef FLEXIBLE", "#if FLEXIBLE", "#ifdef"},
      {"#endif\n[ virtual", "[ virtual", "no #endif"},
      {"BH BA BB BA BA 1 4 4 \\\n", "BH BA BB BA BA 1 4 4\n", "energies"},
      {"#define angle_AB 109.5 400.0", "#define angle_AB angle_BA\n#define angle_BA angle_AB", "without an end"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.to);
    const std::string text = changed(test::gromacs_text(), c.from, c.to), message = message_of(text);
    EXPECT_NE(message.find(c.says), std::string::npos) << message;
    EXPECT_NE(message.find("a.top:"), std::string::npos) << message;
  }
  const std::string text = changed(test::gromacs_text(), "2 3 4 1\n", "2 3 4 6\n");
  EXPECT_NE(message_of(text).find("a.top:" + std::to_string(line_of(text, "2 3 4 6\n")) + ": [ angles ]"), std::string::npos);
}

TEST(Gro, PositionsVelocitiesAndATriclinicBox) {
  const auto read_text = [](const std::string& text) { return read_gro(test::write_temporary("a.gro", text)); };
  const Coordinates c = read_text(test::gro_text());
  ASSERT_EQ(c.x.size(), 3u);
  EXPECT_EQ(c.x[1].y, 1.661);
  ASSERT_EQ(c.v.size(), 3u);
  EXPECT_EQ(c.v[2].y, -2.6469);
  EXPECT_EQ(c.time, 1.5);
  ASSERT_TRUE(c.box);
  EXPECT_DOUBLE_EQ(c.box->b.x, 0.4);
  EXPECT_DOUBLE_EQ(c.box->c.y, -0.2);
  const Coordinates fine = read_text("t\n1\n    1SOL     OW    1   0.12345678   1.23456789  -0.00000001\n 2 2 2\n");
  EXPECT_EQ(fine.x[0].y, 1.23456789);
  EXPECT_TRUE(fine.v.empty());
  EXPECT_THROW(read_text(test::gro_text() + test::gro_text()), InputError);
  EXPECT_THROW(read_text(test::gro_text().substr(0, 150)), InputError);
}

}  // namespace
}  // namespace uplift

// What read_prmtop makes of small files whose every number is known. Tolerances: a prmtop of this builder holds 9 significant
// digits (5E16.8), so a value read back is right to 5e-9 relative; conversions add a few double roundings, which is nothing
// beside it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "io/amber_sections.hpp"
#include "support/prmtop_builder.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/amber.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

using test::PrmtopBuilder;
constexpr double nine_digits = 5.1e-9;
constexpr double pi = 3.14159265358979323846;

AmberTopology read(const PrmtopBuilder& b) { return read_prmtop(test::write_temporary("a.prmtop", b.text())); }

void expect_near_relative(double value, double expected, double tolerance = nine_digits) {
  EXPECT_NEAR(value, expected, tolerance * std::abs(expected));
}

std::vector<std::pair<char, int>> kinds(const char* format) {
  std::vector<std::pair<char, int>> out;
  for (const auto& f : amber::parse_fortran_format(format)) out.emplace_back(f.kind, f.width);
  return out;
}

TEST(FortranFormat, AllFormsOfAPrmtop) {
  using V = std::vector<std::pair<char, int>>;
  EXPECT_EQ(kinds("(20a4)"), V(20, {'A', 4}));
  EXPECT_EQ(kinds("20a4"), V(20, {'A', 4}));
  EXPECT_EQ(kinds("(5E16.8)"), V(5, {'E', 16}));
  EXPECT_EQ(kinds("(8(F9.5))"), V(8, {'E', 9}));
  EXPECT_EQ(kinds("(i2,a78)"), (V{{'I', 2}, {'A', 78}}));
  EXPECT_EQ(kinds("(2(I3,1X),E24.16E3)"), (V{{'I', 3}, {'X', 1}, {'I', 3}, {'X', 1}, {'E', 24}}));
  EXPECT_EQ(kinds("(3I8.8, D12.4)"), (V{{'I', 8}, {'I', 8}, {'I', 8}, {'E', 12}}));
  for (const char* bad : {"", "()", "(5E)", "(0I8)", "(I0)", "(5X)", "(I8", "I8)", "(Q8)", "(99999I8)", "(I99999)", "(2000I8)",
                          "(((((((((((I8)))))))))))", "(,)", "(I8,)"})
    EXPECT_TRUE(kinds(bad).empty()) << bad;
}

TEST(Numbers, InEveryFormFortranWrites) {
  double v = 0;
  for (const auto& [text, expected] : std::initializer_list<std::pair<const char*, double>>{{"  1.5", 1.5},
                                                                                            {"1.5D+01", 15},
                                                                                            {"1.5d1", 15},
                                                                                            {"-1.5E-01 ", -0.15},
                                                                                            {"1.5+101", 1.5e101},
                                                                                            {"1.5-101", 1.5e-101},
                                                                                            {"+3", 3},
                                                                                            {".5", 0.5},
                                                                                            {"5.", 5},
                                                                                            {"1.0E-400", 0}}) {
    EXPECT_TRUE(parse_real(text, v)) << text;
    EXPECT_DOUBLE_EQ(v, expected) << text;
  }
  for (const char* bad :
       {"", " ", "nan", "NaN", "inf", "-Infinity", "1.0E+400", "*****", "1,5", "1.5 2", "0x10", "1e", "--1", "+-1", "1.5e+"})
    EXPECT_FALSE(parse_real(bad, v)) << bad;
  int i = 0;
  EXPECT_TRUE(parse_int(" -12 ", i));
  EXPECT_EQ(i, -12);
  for (const char* bad : {"", "1.0", "2147483648", "1 2", "+-1", "x"}) EXPECT_FALSE(parse_int(bad, i)) << bad;
}

TEST(Prmtop, NamesResiduesAndMasses) {
  PrmtopBuilder b = test::small_molecule();
  b.title = "  a title of more than four letters";
  const AmberTopology t = read(b);
  EXPECT_EQ(t.topology.title, "a title of more than four letters");
  ASSERT_EQ(t.topology.size(), 10);
  EXPECT_FALSE(t.chamber);
  EXPECT_FALSE(t.box);
  EXPECT_EQ(t.topology.atoms[8].name, "SG");
  EXPECT_EQ(t.topology.atoms[8].type, "SH");
  EXPECT_EQ(t.topology.atoms[8].element, 16);
  EXPECT_EQ(t.topology.atoms[8].residue, 2);
  expect_near_relative(t.topology.atoms[8].mass, 32.06);
  ASSERT_EQ(t.topology.residues.size(), 3u);
  EXPECT_EQ(t.topology.residues[1].name, "CO");
  EXPECT_EQ(t.topology.residues[1].number, 2);
  EXPECT_EQ(t.topology.residues[1].first_atom, 3);
  EXPECT_EQ(t.topology.residues[1].atom_count, 2);
  expect_near_relative(t.force_field.charges[3], 0.60);
  expect_near_relative(t.force_field.gb[1].radius, 0.155);
  expect_near_relative(t.force_field.gb[1].screen, 0.79);
}

TEST(Prmtop, ResidueNumbersAndChains) {
  PrmtopBuilder b = test::small_molecule();
  b.replace("RESIDUE_NUMBER", "%COMMENT Residue number from PDB\n%FORMAT(20I4)\n  -3  12 999\n");
  b.replace("RESIDUE_CHAINID", "%COMMENT Residue chain ID from PDB\n%FORMAT(20a4)\nA   A   B\n");
  const AmberTopology t = read(b);
  EXPECT_EQ(t.topology.residues[0].number, -3);
  EXPECT_EQ(t.topology.residues[2].number, 999);
  EXPECT_EQ(t.topology.residues[2].chain, "B");
  b.replace("RESIDUE_NUMBER", "%FORMAT(20I4)\n99991000010001\n");  // too wide for their columns: labels only, no reason to stop
  EXPECT_EQ(read(b).topology.residues[2].number, 3);
}

TEST(Prmtop, BondedTermsInOurUnits) {
  const AmberTopology t = read(test::small_molecule());
  const ForceField& ff = t.force_field;
  ASSERT_EQ(ff.bonds.size(), 9u);
  // Those with hydrogen come first; atoms 1 and 3 are the first pair without.
  const auto cn = std::find_if(ff.bonds.begin(), ff.bonds.end(), [](const auto& x) { return x.i == 1 && x.j == 3; });
  ASSERT_NE(cn, ff.bonds.end());
  expect_near_relative(cn->r0, 0.11);
  expect_near_relative(cn->k, 2 * 311 * 418.4);  // E = K (r - r0)^2, kcal/mol/A^2
  EXPECT_EQ(t.topology.bonds.size(), 9u);
  ASSERT_EQ(ff.angles.size(), 7u);
  const auto angle = std::find_if(ff.angles.begin(), ff.angles.end(), [](const auto& x) { return x.k == 9; });
  expect_near_relative(angle->theta0, 118 * pi / 180, 1e-15);
  expect_near_relative(angle->force_constant, 2 * 50 * 4.184);
  ASSERT_EQ(ff.dihedrals.size(), 6u);
  const auto improper = std::find_if(ff.dihedrals.begin(), ff.dihedrals.end(), [](const auto& x) { return x.improper; });
  ASSERT_NE(improper, ff.dihedrals.end());
  EXPECT_EQ(improper->i, 1);
  EXPECT_EQ(improper->j, 5);
  EXPECT_EQ(improper->k, 3);
  EXPECT_EQ(improper->l, 4);
  EXPECT_EQ(improper->periodicity, 2);
  expect_near_relative(improper->phase, pi);
  expect_near_relative(improper->barrier, 10.5 * 4.184);
  EXPECT_EQ(std::count_if(ff.dihedrals.begin(), ff.dihedrals.end(), [](const auto& x) { return x.improper; }), 1);
}

const Pair14& pair(const ForceField& ff, int i, int j) {
  for (const Pair14& p : ff.pairs14)
    if (p.i == i && p.j == j) return p;
  throw std::runtime_error("no such 1-4 pair");
}

TEST(Prmtop, OneFourPairsWithTheirOwnScales) {
  const AmberTopology t = read(test::small_molecule());
  const ForceField& ff = t.force_field;
  // (0,4): one pair although two terms share its atoms; the improper 1-5-3-4 has none; its ends 1 and 4 are no pair.
  ASSERT_EQ(ff.pairs14.size(), 4u);
  expect_near_relative(pair(ff, 0, 4).charge_product, 0.30 * -0.55 / 1.2, 2 * nine_digits);
  expect_near_relative(pair(ff, 0, 5).charge_product, 0.30 * -0.10 / 1.0, 2 * nine_digits);
  // LJ types of atoms 0 and 5 are 0 and 2: A = 1e5 (1 + 0 + 6), B = 100 (1 + 0 + 4).
  expect_near_relative(pair(ff, 0, 5).c12, 7e5 * 4.184e-12 / 1.5);
  expect_near_relative(pair(ff, 0, 5).c6, 500 * 4.184e-6 / 1.5);
  expect_near_relative(pair(ff, 0, 4).c12, 10e5 * 4.184e-12 / 2.0);
  // A scale factor of zero switches the interaction off; the pair stays excluded.
  EXPECT_EQ(pair(ff, 3, 9).charge_product, 0);
  EXPECT_EQ(pair(ff, 3, 9).c12, 0);
  for (const Pair14& p : ff.pairs14)
    EXPECT_TRUE(std::binary_search(ff.exclusions.begin(), ff.exclusions.end(), std::array<int, 2>{p.i, p.j}))
        << p.i << " " << p.j;
  EXPECT_TRUE(std::is_sorted(ff.exclusions.begin(), ff.exclusions.end()));
  EXPECT_EQ(std::adjacent_find(ff.exclusions.begin(), ff.exclusions.end()), ff.exclusions.end());
}

TEST(Prmtop, NegativeThirdAtomMeansNoOneFourPair) {
  PrmtopBuilder b = test::small_molecule();
  b.add_dihedral({.i = 1, .j = 3, .k = 5, .l = 6, .barrier = 1, .periodicity = 3, .phase = 0, .no_14 = true});
  b.add_dihedral(
      {.i = 0, .j = 1, .k = 3, .l = 4, .barrier = 1, .periodicity = 4, .phase = 0, .scee = 0, .scnb = 0, .no_14 = true});
  const ForceField ff = read(b).force_field;
  EXPECT_EQ(ff.dihedrals.size(), 8u);
  EXPECT_EQ(ff.pairs14.size(), 4u);
  EXPECT_THROW(pair(ff, 1, 6), std::runtime_error);
}

TEST(Prmtop, OneFourScalesDefaultToAmbers) {
  PrmtopBuilder b = test::small_molecule();
  b.write_scales = false;
  const ForceField ff = read(b).force_field;
  expect_near_relative(pair(ff, 0, 5).charge_product, 0.30 * -0.10 / 1.2, 2 * nine_digits);
  expect_near_relative(pair(ff, 0, 5).c6, 500 * 4.184e-6 / 2.0);
}

TEST(Prmtop, SamePairWithTwoScalesIsAnError) {
  PrmtopBuilder b = test::small_molecule();
  b.add_dihedral({.i = 4, .j = 3, .k = 1, .l = 0, .barrier = 1, .periodicity = 2, .phase = 0, .scee = 1.1});
  EXPECT_THROW(read(b), InputError);
}

TEST(Prmtop, LennardJonesTableIsUsedPairByPair) {
  PrmtopBuilder b = test::small_molecule();
  b.set_lj(1, 4, 1.25e6, 777.0);  // NBFIX: nothing a combination rule would give
  const ForceField ff = read(b).force_field;
  ASSERT_EQ(ff.lj_types, 5);
  EXPECT_EQ(ff.lj_type[8], 4);
  for (int at : {1 * 5 + 4, 4 * 5 + 1}) {
    expect_near_relative(ff.lj_c12[static_cast<std::size_t>(at)], 1.25e6 * 4.184e-12, 1e-15);
    expect_near_relative(ff.lj_c6[static_cast<std::size_t>(at)], 777 * 4.184e-6, 1e-15);
  }
  expect_near_relative(ff.lj_c6[2 * 5 + 3], 100 * (1 + 2 + 6) * 4.184e-6, 1e-15);
}

TEST(Prmtop, ZeroHydrogenBondTermsAreNoInteraction) {
  PrmtopBuilder b;
  b.add_tip3p(1);
  b.replace("NONBONDED_PARM_INDEX", "%FORMAT(10I8)\n       1      -1      -1       3\n");
  b.replace("HBOND_ACOEF", "%FORMAT(5E16.8)\n  0.00000000E+00\n");
  b.replace("HBOND_BCOEF", "%FORMAT(5E16.8)\n  0.00000000E+00\n");
  const ForceField ff = read(b).force_field;
  EXPECT_GT(ff.lj_c12[0], 0);
  EXPECT_EQ(ff.lj_c12[1], 0);
  b.replace("HBOND_ACOEF", "%FORMAT(5E16.8)\n  7.55700000E+03\n");
  EXPECT_THROW(read(b), InputError);
}

TEST(Prmtop, Tip3pWater) {
  PrmtopBuilder b;
  b.add_tip3p(33);
  b.ifbox = 1;
  b.box_dimensions = {90, 12.4, 13.0, 15.5};
  const AmberTopology t = read(b);
  EXPECT_EQ(t.topology.size(), 99);
  EXPECT_EQ(t.force_field.bonds.size(), 99u);  // H-H included
  EXPECT_EQ(t.topology.bonds.size(), 66u);     // and not here
  EXPECT_EQ(t.force_field.exclusions.size(), 99u);
  EXPECT_TRUE(t.force_field.virtual_sites.empty());
  for (const Residue& r : t.topology.residues) EXPECT_TRUE(is_water(t.topology, r));
  EXPECT_EQ(find_molecules(t.topology, t.force_field).count, 33);
  ASSERT_TRUE(t.box);
  EXPECT_TRUE(t.box->orthorhombic());
  expect_near_relative(t.box->c.z, 1.55);
}

Vec3d place(const VirtualSite& s, const std::vector<Vec3d>& x) {
  const auto at = [&](int i) { return x[static_cast<std::size_t>(i)]; };
  const Vec3d u = at(s.parent1) - at(s.parent0), v = at(s.parent2) - at(s.parent0);
  return at(s.parent0) + s.a * u + s.b * v + s.c * cross(u, v);
}

double norm(const Vec3d& v) { return std::sqrt(dot(v, v)); }

TEST(Prmtop, Tip4pSiteIsOnTheBisectorAtItsBondLength) {
  PrmtopBuilder b;
  b.add_tip4pew(2);
  const AmberTopology t = read(b);
  const auto x = read_amber_coordinates(test::write_temporary("a.rst7", test::inpcrd_text(test::water_coordinates(2, 4)))).x;
  ASSERT_EQ(t.force_field.virtual_sites.size(), 2u);
  EXPECT_EQ(t.topology.atoms[7].element, 0);
  EXPECT_EQ(t.force_field.exclusions.size(), 12u);
  EXPECT_EQ(t.topology.bonds.size(), 4u);
  EXPECT_EQ(t.force_field.bonds.size(), 8u);
  EXPECT_EQ(find_molecules(t.topology, t.force_field).count, 2);
  const VirtualSite& s = t.force_field.virtual_sites[1];
  EXPECT_EQ(s.site, 7);
  EXPECT_EQ(s.parent0, 4);
  const Vec3d m = place(s, x), o = x[4], middle = 0.5 * (x[5] + x[6]);
  // The coordinates have 7 decimals in A, that is 1e-8 nm.
  EXPECT_NEAR(norm(m - o), 0.0125, 2e-8);
  EXPECT_NEAR(norm(cross(m - o, middle - o)), 0, 1e-10);
  EXPECT_GT(dot(m - o, middle - o), 0);
}

TEST(Prmtop, Tip5pLonePairsPointAwayFromTheHydrogens) {
  PrmtopBuilder b;
  b.add_tip5p(1);
  const AmberTopology t = read(b);
  const auto x = read_amber_coordinates(test::write_temporary("a.rst7", test::inpcrd_text(test::water_coordinates(1, 5)))).x;
  ASSERT_EQ(t.force_field.virtual_sites.size(), 2u);
  EXPECT_EQ(t.force_field.exclusions.size(), 10u);
  const Vec3d one = place(t.force_field.virtual_sites[0], x) - x[0], two = place(t.force_field.virtual_sites[1], x) - x[0];
  const Vec3d u = x[1] - x[0], v = x[2] - x[0];
  EXPECT_NEAR(norm(one), 0.07, 3e-8);
  EXPECT_NEAR(norm(two), 0.07, 3e-8);
  EXPECT_NEAR(std::acos(dot(one, two) / (norm(one) * norm(two))) * 180 / pi, 109.47, 1e-4);
  EXPECT_LT(dot(one, u + v), 0);
  EXPECT_LT(dot(two, u + v), 0);
  // Equally far from both hydrogens, and on the two sides of their plane; the first against (H1 - O) x (H2 - O), as OpenMM has
  // it.
  EXPECT_NEAR(dot(one, u - v), 0, 1e-10);
  EXPECT_LT(dot(one, cross(u, v)), 0);
  EXPECT_GT(dot(two, cross(u, v)), 0);
}

TEST(Prmtop, VirtualSiteElsewhereIsAnErrorThatNamesIt) {
  PrmtopBuilder b = test::small_molecule();
  b.add_residue("LIG", {{"LP1", "LP", 0, 0.1, 0, 0}});
  try {
    read(b);
    FAIL() << "accepted";
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("LP1 of LIG 4"), std::string::npos) << e.what();
  }
}

TEST(Prmtop, ElementsWithoutAtomicNumbersEvenWhenHydrogensAreHeavy) {
  PrmtopBuilder b;
  const double dh = 3.024 - 1.008;
  // A methyl carbon of 5.96 Da, an ammonium nitrogen of 7.96, a water oxygen of 11.97: by mass alone Li, Li, C.
  const int c = b.add_residue("MAM", {{"CH3", "CT", 0, 0, 12.01 - 3 * dh, 0},
                                      {"HH31", "HC", 0, 0, 3.024, 1},
                                      {"HH32", "HC", 0, 0, 3.024, 1},
                                      {"3HH3", "hc", 0, 0, 3.024, 1},
                                      {"N", "N3", 0, 0, 14.01 - 3 * dh, 2},
                                      {"1H", "H", 0, 0, 3.024, 1},
                                      {"2H", "H", 0, 0, 3.024, 1},
                                      {"3H", "H", 0, 0, 3.024, 1}});
  for (int h : {1, 2, 3, 4}) b.add_bond(c, h, 300, 1.1);
  for (int h : {5, 6, 7}) b.add_bond(h, c + 4, 300, 1.0);  // either order occurs
  const int o =
      b.add_residue("WAT", {{"O", "OW", 0, 0, 16 - 2 * dh, 0}, {"H1", "HW", 0, 0, 3.024, 1}, {"H2", "HW", 0, 0, 3.024, 1}});
  b.add_bond(o, o + 1, 553, 0.9572);
  b.add_bond(o, o + 2, 553, 0.9572);
  b.add_bond(o + 1, o + 2, 553, 1.5136);
  b.add_residue("Na+", {{"Na+", "IP", 0, 1, 22.99, 0}});
  b.add_residue("Cl-", {{"Cl-", "IM", 0, -1, 35.45, 0}});
  b.write_atomic_numbers = false;
  const AmberTopology t = read(b);
  std::vector<int> elements;
  for (const Atom& a : t.topology.atoms) elements.push_back(a.element);
  EXPECT_EQ(elements, (std::vector<int>{6, 1, 1, 1, 7, 1, 1, 1, 8, 1, 1, 11, 17}));
  EXPECT_TRUE(is_water(t.topology, t.topology.residues[1]));
}

TEST(Prmtop, ChamberTerms) {
  const PrmtopBuilder b = test::chamber_molecule();
  const AmberTopology t = read(b);
  const ForceField& ff = t.force_field;
  EXPECT_TRUE(t.chamber);
  EXPECT_EQ(t.topology.title, "a CHAMBER test");
  expect_near_relative(ff.charges[3], 0.60, 1e-15);  // 16 decimals in the file
  ASSERT_EQ(ff.urey_bradleys.size(), 2u);
  EXPECT_EQ(ff.urey_bradleys[1].i, 3);
  EXPECT_EQ(ff.urey_bradleys[1].k, 8);
  expect_near_relative(ff.urey_bradleys[1].r0, 0.2561);
  expect_near_relative(ff.urey_bradleys[1].force_constant, 2 * 11.6 * 418.4);
  ASSERT_EQ(ff.impropers.size(), 2u);
  EXPECT_EQ(ff.impropers[0].l, 4);
  EXPECT_EQ(ff.impropers[0].phi0, 0);
  expect_near_relative(ff.impropers[0].force_constant, 2 * 120 * 4.184);
  expect_near_relative(ff.impropers[1].phi0, pi);  // written as 180
  // The 1-4 table of the builder holds half the ordinary coefficients.
  expect_near_relative(pair(ff, 0, 5).c12, 7e5 / 2 * 4.184e-12 / 1.5);
  expect_near_relative(ff.lj_c12[0 * 5 + 2], 7e5 * 4.184e-12, 1e-15);
  ASSERT_EQ(ff.cmaps.size(), 1u);
  EXPECT_EQ(ff.cmaps[0].m, 8);
  EXPECT_EQ(ff.cmaps[0].map, 0);
  ASSERT_EQ(ff.cmap_grids.size(), 1u);
  EXPECT_EQ(ff.cmap_grids[0].resolution, 24);
  // Number 25 of the file is the second phi, first psi + 1.
  EXPECT_NEAR(ff.cmap_grids[0].energy[1 * 24 + 1], (0.01 * 25 - 2) * 4.184, 1e-14);
}

TEST(Prmtop, ImproperPhaseInRadians) {
  PrmtopBuilder b = test::chamber_molecule();
  b.add_improper(5, 3, 6, 7, 1, 3.14159265);
  expect_near_relative(read(b).force_field.impropers[2].phi0, pi);
}

TEST(Prmtop, CmapOfAmberForceFields) {
  PrmtopBuilder b = test::small_molecule();
  b.add_cmap_grid(24, std::vector<double>(576, 1.0));
  b.add_cmap({0, 1, 3, 5, 8}, b.add_cmap_grid(12, std::vector<double>(144, 0.5)));
  const ForceField ff = read(b).force_field;
  ASSERT_EQ(ff.cmap_grids.size(), 2u);
  EXPECT_EQ(ff.cmap_grids[1].resolution, 12);
  EXPECT_EQ(ff.cmaps[0].map, 1);
  EXPECT_DOUBLE_EQ(ff.cmap_grids[1].energy[143], 0.5 * 4.184);
}

TEST(Prmtop, TruncatedOctahedronAndTriclinicBoxes) {
  PrmtopBuilder b;
  b.add_tip3p(1);
  b.ifbox = 2;
  b.box_dimensions = {109.471219, 42, 42, 42};
  const AmberTopology t = read(b);
  ASSERT_TRUE(t.box);
  expect_near_relative(t.box->b.x, 4.2 * std::cos(109.471219 * pi / 180), 1e-8);
  // Its volume is 4/9 sqrt(3) a^3 for the exact angle, arccos(-1/3) = 109.47122...
  expect_near_relative(t.box->volume(), 4 * std::sqrt(3.0) / 9 * 4.2 * 4.2 * 4.2, 1e-6);
  b.ifbox = 3;
  EXPECT_FALSE(read(b).box);
}

TEST(Prmtop, GzipIsToldByItsMagicNumber) {
  PrmtopBuilder b;
  b.add_tip3p(32);
  const std::string text = b.text();
  EXPECT_EQ(read_prmtop(test::write_temporary("no-suffix", test::gzip(text))).topology.size(), 96);
  const std::string two_members = test::gzip(text.substr(0, 1000)) + test::gzip(text.substr(1000));
  EXPECT_EQ(read_prmtop(test::write_temporary("two", two_members)).topology.size(), 96);
}

TEST(Prmtop, WindowsLineEndsAndStrippedBlanks) {
  PrmtopBuilder b = test::small_molecule();
  std::string windows, stripped;
  const std::string text = b.text();
  LineReader reader(text);
  while (!reader.done()) {
    std::string line(reader.next());
    windows += line + "\r\n";
    line.erase(line.find_last_not_of(' ') + 1);
    stripped += line + "\n";
  }
  for (const std::string& changed : {windows, stripped}) {
    const AmberTopology t = read_prmtop(test::write_temporary("a.prmtop", changed));
    EXPECT_EQ(t.topology.atoms[1].name, "N");
    EXPECT_EQ(t.topology.residues[2].name, "THI");
    EXPECT_EQ(t.force_field.dihedrals.size(), 6u);
  }
}

}  // namespace
}  // namespace uplift

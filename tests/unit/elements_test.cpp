#include <gtest/gtest.h>

#include <limits>

#include "uplift/model/force_field.hpp"
#include "uplift/model/topology.hpp"

namespace uplift {
namespace {

TEST(Elements, SymbolAndNumberAreInverse) {
  for (int n = 1; n <= 118; ++n) EXPECT_EQ(element_number(element_symbol(n)), n);
  EXPECT_EQ(element_symbol(17), "Cl");
  EXPECT_EQ(element_number("CL"), 17);
  EXPECT_EQ(element_number("cl"), 17);
  EXPECT_EQ(element_number("h"), 1);
}

TEST(Elements, UnknownOnesAreZero) {
  for (int n : {0, -1, 119, 100000}) {
    EXPECT_EQ(element_symbol(n), "X");
    EXPECT_EQ(element_mass(n), 0);
  }
  for (const char* s : {"", "X", "Xx", "Carbon", " C"}) EXPECT_EQ(element_number(s), 0) << s;
}

TEST(Elements, StandardWeightsRise) {
  // In the order of atomic numbers weights rise, but for the pairs that puzzled Mendeleev (Ar K, Co Ni, Te I) and, where there
  // is only the mass number of one isotope, some heavy ones.
  for (int n = 1; n < 89; ++n)
    if (n != 18 && n != 27 && n != 52) {
      EXPECT_LT(element_mass(n), element_mass(n + 1)) << n;
    }
  EXPECT_DOUBLE_EQ(element_mass(1), 1.008);
  EXPECT_DOUBLE_EQ(element_mass(8), 15.999);
  EXPECT_DOUBLE_EQ(element_mass(26), 55.845);
}

TEST(Elements, FromMassTakesTheNearest) {
  for (int n = 1; n <= 92; ++n) EXPECT_EQ(element_from_mass(element_mass(n)), n);
  EXPECT_EQ(element_from_mass(16.0), 8);
  EXPECT_EQ(element_from_mass(12.01), 6);
  EXPECT_EQ(element_from_mass(2.014), 1);
  for (double m : {0.0, 0.49, -5.0}) EXPECT_EQ(element_from_mass(m), 0);
  EXPECT_EQ(element_from_mass(std::numeric_limits<double>::quiet_NaN()), 0);
}

Topology water_and_hydrogen_peroxide(bool sorted) {
  Topology t;
  for (int e : {8, 1, 1, 0, 8, 8, 1, 1}) t.atoms.push_back({"A", "T", e, e == 0 ? 0.0 : element_mass(e), t.size() < 4 ? 0 : 1});
  t.residues = {{"SOL", 1, "", 0, 4}, {"HOO", 2, "", 4, 4}};
  t.bonds = {{0, 1}, {0, 2}, {4, 5}, {4, 6}, {5, 7}};
  if (!sorted) std::swap(t.bonds[0], t.bonds[4]);
  return t;
}

TEST(Topology, WaterIsToldByShape) {
  for (bool sorted : {true, false}) {
    Topology t = water_and_hydrogen_peroxide(sorted);
    EXPECT_TRUE(is_water(t, t.residues[0]));
    EXPECT_FALSE(is_water(t, t.residues[1]));
    t.atoms[3] = {"LI", "LI", 3, 6.94, 0};  // an ion in the residue: no water
    EXPECT_FALSE(is_water(t, t.residues[0]));
  }
  Topology t = water_and_hydrogen_peroxide(true);
  t.bonds.erase(t.bonds.begin());  // a hydroxide and a loose proton
  EXPECT_FALSE(is_water(t, t.residues[0]));
}

TEST(Topology, MoleculesAreNumberedByTheirFirstAtoms) {
  const Topology t = water_and_hydrogen_peroxide(true);
  ForceField ff;
  EXPECT_EQ(find_molecules(t, ff).molecule_of, (std::vector<int>{0, 0, 0, 1, 2, 2, 2, 2}));
  EXPECT_EQ(find_molecules(t, ff).count, 3);
  ff.virtual_sites.push_back({3, 0, 1, 2, 0.1, 0.1, 0});
  ff.bonds.push_back({0, 4, 0.1, 1});  // a harmonic term is no chemical bond
  EXPECT_EQ(find_molecules(t, ff).molecule_of, (std::vector<int>{0, 0, 0, 0, 1, 1, 1, 1}));
  EXPECT_EQ(find_molecules(Topology{}, ForceField{}).count, 0);
}

TEST(Topology, MoleculesOfALongChainBondedBackwards) {
  Topology t;
  const int n = 1000;
  t.atoms.resize(n);
  for (int i = n - 2; i >= 0; --i) t.bonds.push_back({i, i + 1});
  const Molecules m = find_molecules(t, {});
  EXPECT_EQ(m.count, 1);
  EXPECT_EQ(m.molecule_of, std::vector<int>(n, 0));
}

}  // namespace
}  // namespace uplift

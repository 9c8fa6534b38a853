// Topology and coordinates are taken atom by atom in order: what names say about that.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/prmtop_builder.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/charmm.hpp"
#include "uplift/io/gromacs.hpp"
#include "uplift/io/topology_file.hpp"

namespace uplift {
namespace {

using ::testing::HasSubstr;

TopologyFile file(const std::vector<std::pair<const char*, int>>& atoms) {
  TopologyFile f;
  f.topology.residues.push_back({"ALA", 7, "", 0, static_cast<int>(atoms.size())});
  for (const auto& [name, element] : atoms) f.topology.atoms.push_back({name, "", element, element_mass(element), 0});
  return f;
}
Coordinates coordinates(const std::vector<const char*>& names) {
  Coordinates c;
  for (const char* name : names) {
    c.x.push_back({0, 0, 0});
    c.labels.push_back({name, "GLY", 8});
  }
  return c;
}
std::vector<std::string> notes(const TopologyFile& f, const Coordinates& c) { return check(f, "a.top", c, "b.gro"); }
std::string error(const TopologyFile& f, const Coordinates& c) {
  try {
    notes(f, c);
  } catch (const InputError& e) {
    return e.what();
  }
  return "";
}

TEST(AtomNames, EqualOnesSayNothing) {
  const TopologyFile f = file({{"N", 7}, {"CA", 6}, {"HA", 1}});
  EXPECT_TRUE(notes(f, coordinates({"N", "CA", "HA"})).empty());
  EXPECT_TRUE(notes(f, coordinates({"n", "Ca", "HA"})).empty());
  Coordinates unnamed = coordinates({"N", "CA", "HA"});
  unnamed.labels.clear();
  EXPECT_TRUE(notes(f, unnamed).empty());
}

TEST(AtomNames, AnotherNameOfTheSameElementIsANote) {
  const TopologyFile f = file({{"N", 7}, {"HB1", 1}, {"HB2", 1}, {"NA", 11}, {"SOD", 11}, {"OXT", 8}});
  const auto said = notes(f, coordinates({"N", "2HB", "DB3", "SOD", "Na+", "O2'"}));
  ASSERT_EQ(said.size(), 1u);
  EXPECT_THAT(said[0], HasSubstr("b.gro: 5 atom names differ"));
  EXPECT_THAT(said[0], HasSubstr("atom 2 is HB1 of ALA 7 in a.top and 2HB of GLY 8 in b.gro"));
}

TEST(AtomNames, AnotherElementIsAnError) {
  const TopologyFile f = file({{"N", 7}, {"CA", 6}, {"HA", 1}, {"CL", 17}});
  const std::string said = error(f, coordinates({"N", "HA", "CA", "CL"}));
  for (const char* part : {"b.gro: atom 2 is CA of ALA 7 in a.top and HA of GLY 8 in b.gro", "2 such atoms", "in order"})
    EXPECT_THAT(said, HasSubstr(part));
  EXPECT_THAT(error(f, coordinates({"N", "CA", "HA", "NA"})), HasSubstr("1 such atom)"));
}

TEST(AtomNames, NamesThatSayNothingOfTheElementAreNoEvidence) {
  // Of a coarse or odd naming: the topology's own name does not begin with its element. And sites have none.
  const TopologyFile f = file({{"Q1", 6}, {"MW", 0}});
  EXPECT_EQ(notes(f, coordinates({"A", "EPW"})).size(), 1u);
}

TEST(AtomNames, WaterHasManyNames) {
  test::PrmtopBuilder b;
  b.add_tip3p(2);
  SystemSettings settings;
  settings.topology = test::write_temporary("w.prmtop", b.text());
  const TopologyFile f = read_topology(settings);
  EXPECT_TRUE(notes(f, coordinates({"OW", "HW1", "HW2", "OH2", "H1", "H2"})).empty());
  EXPECT_THAT(error(f, coordinates({"OW", "HW1", "HW2", "H1", "OH2", "H2"})), HasSubstr("2 such atoms"));
}

TEST(AtomNames, FilesThatNameTheirAtoms) {
  const Coordinates gro = read_gro(test::write_temporary(
      "a.gro",
      "t\n    2\n    1ALA     CA    1   0.100   0.200   0.300\n99999SOL     OW    2   0.100   0.200   0.700\n"
      "   3.0   3.0   3.0\n"));
  ASSERT_EQ(gro.labels.size(), 2u);
  EXPECT_EQ(gro.labels[0].atom + gro.labels[0].residue, "CAALA");
  EXPECT_EQ(gro.labels[1].residue_number, 99999);
  const Coordinates card =
      read_charmm_card(test::write_temporary("a.crd", "* t\n*\n    1\n    1    1 ALA  CA     1.0  2.0  3.0 PROT 42     0.0\n"));
  ASSERT_EQ(card.labels.size(), 1u);
  EXPECT_EQ(card.labels[0].atom + card.labels[0].residue, "CAALA");
  EXPECT_EQ(card.labels[0].residue_number, 42);
  const Coordinates pdb = read_coordinates(
      test::write_temporary("a.pdb", "ATOM      1  CA  ALA A   5       1.000   2.000   3.000  1.00  0.00           C\nEND\n"));
  ASSERT_EQ(pdb.labels.size(), 1u);
  EXPECT_EQ(pdb.labels[0].atom + pdb.labels[0].residue, "CAALA");
  EXPECT_EQ(pdb.labels[0].residue_number, 5);
}

}  // namespace
}  // namespace uplift

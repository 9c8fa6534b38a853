#include "uplift/model/selection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "uplift/core/error.hpp"

namespace uplift {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void add_residue(Topology& t, const std::string& name, int number, const std::vector<std::pair<std::string, int>>& atoms) {
  t.residues.push_back({name, number, "", t.size(), static_cast<int>(atoms.size())});
  for (const auto& [atom, element] : atoms)
    t.atoms.push_back({atom, "", element, element_mass(element), static_cast<int>(t.residues.size()) - 1});
}

/// Atoms 0-4 NALA 1, 5-8 HID 2, 9-10 a ligand 3, 11-13 a water 4 by shape under another name, 14 a sodium 5.
Topology sample() {
  Topology t;
  add_residue(t, "NALA", 1, {{"N", 7}, {"H1", 1}, {"CA", 6}, {"C", 6}, {"O", 8}});
  add_residue(t, "HID", 2, {{"N", 7}, {"CA", 6}, {"CB", 6}, {"HB2", 1}});
  add_residue(t, "LIG", 3, {{"C1", 6}, {"CA", 6}});
  add_residue(t, "SOL", 4, {{"OW", 8}, {"HW1", 1}, {"HW2", 1}});
  add_residue(t, "Na+", 5, {{"Na+", 11}});
  t.bonds = {{11, 12}, {11, 13}};
  return t;
}

std::vector<int> chosen(const std::string& expression) { return select_atoms(sample(), expression); }

TEST(Selection, Words) {
  EXPECT_EQ(chosen("all").size(), 15u);
  EXPECT_THAT(chosen("protein"), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(chosen("backbone"), ElementsAre(0, 2, 3, 4, 5, 6));  // the ligand's CA is none
  EXPECT_THAT(chosen("protein-heavy"), ElementsAre(0, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(chosen("heavy"), ElementsAre(0, 2, 3, 4, 5, 6, 7, 9, 10, 11, 14));
  EXPECT_THAT(chosen("water"), ElementsAre(11, 12, 13));
}

TEST(Selection, NamesResiduesAndRanges) {
  EXPECT_THAT(chosen("name CA"), ElementsAre(2, 6, 10));
  EXPECT_THAT(chosen("name CA CB Na+"), ElementsAre(2, 6, 7, 10, 14));
  EXPECT_THAT(chosen("resname LIG HID"), ElementsAre(5, 6, 7, 8, 9, 10));
  EXPECT_THAT(chosen("resid 3"), ElementsAre(9, 10));
  EXPECT_THAT(chosen("resid 2-3 5"), ElementsAre(5, 6, 7, 8, 9, 10, 14));
  EXPECT_THAT(chosen("name NOTHING"), IsEmpty());
  Topology chains = sample();
  chains.residues[1].chain = "B";
  chains.residues[2].chain = "C";
  EXPECT_THAT(select_atoms(chains, "chain B and name CA"), ElementsAre(6));
  EXPECT_THAT(select_atoms(chains, "chain B C and name CA"), ElementsAre(6, 10));
}

TEST(Selection, TellsWhatNoAtomHas) {
  const auto absent = [](const char* text) { return absent_from(sample(), text); };
  EXPECT_THAT(absent("protein or resname LIG HEM or name CA"), IsEmpty()) << "one of the names is there";
  EXPECT_THAT(absent("protein or  resname LIH HEM  and not (resid 1-2 or chain Q)"), ElementsAre("resname LIH HEM", "chain Q"));
  EXPECT_THAT(absent("not name QQ"), ElementsAre("name QQ"));
  EXPECT_THAT(absent("resid 7-9 12"), ElementsAre("resid 7-9 12"));
  EXPECT_THAT(absent("water and not water"), IsEmpty()) << "nobody is named";
}

TEST(Selection, NotBindsTighterThanAndAndThatTighterThanOr) {
  EXPECT_THAT(chosen("not water and not protein"), ElementsAre(9, 10, 14));
  EXPECT_THAT(chosen("water or resid 2 and name CA"), ElementsAre(6, 11, 12, 13));
  EXPECT_THAT(chosen("(water or resid 2) and name CA"), ElementsAre(6));
  EXPECT_THAT(chosen("not (protein or water)"), ElementsAre(9, 10, 14));
  EXPECT_THAT(chosen("not not resid 5"), ElementsAre(14));
  EXPECT_THAT(chosen("( ((name CA))and(protein) )"), ElementsAre(2, 6));
}

TEST(Selection, SaysWhereItFails) {
  const auto message = [](const std::string& expression) -> std::string {
    try {
      select_atoms(sample(), expression);
    } catch (const InputError& e) {
      return e.what();
    }
    return "no error";
  };
  EXPECT_THAT(message("protien"), HasSubstr("column 1: unknown word 'protien'"));
  EXPECT_THAT(message("protein and"), HasSubstr("column 12: something to select is missing"));
  EXPECT_THAT(message(""), HasSubstr("something to select is missing"));
  EXPECT_THAT(message("(protein or water"), HasSubstr("')' is missing"));
  EXPECT_THAT(message("protein)"), HasSubstr("unexpected ')'"));
  EXPECT_THAT(message("name"), HasSubstr("a name or number is missing"));
  EXPECT_THAT(message("resid 5-2"), HasSubstr("'5-2' is not a residue number or a range"));
  EXPECT_THAT(message("resid x"), HasSubstr("'x' is not a residue number"));
  EXPECT_THAT(message("resid 99999999999"), HasSubstr("is not a residue number"));
  EXPECT_THAT(message("not name H*"), HasSubstr("column 10: nothing is called 'H*', and there are no wildcards"));
  EXPECT_THAT(message("resname A?A"), HasSubstr("no wildcards"));
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "not ";
  EXPECT_THAT(message(deep + "all"), HasSubstr("nested too deeply"));
  EXPECT_THAT(message(std::string(5000, '(')), HasSubstr("nested too deeply"));
}

TEST(Selection, RestraintsTakeTheSelectedAtomsWithMass) {
  System system;
  system.topology = sample();
  for (const Atom& a : system.topology.atoms) system.masses.push_back(a.mass);
  system.masses[14] = 0;  // as a virtual site
  system.molecules = {std::vector<int>(system.masses.size(), 0), 1};
  std::vector<Vec3d> reference(system.masses.size());
  for (std::size_t i = 0; i < reference.size(); ++i) reference[i] = {0.1 * static_cast<double>(i), 0, 0};
  apply_restraints(system, {.selection = "resid 3 5", .k = 700}, reference, Box{});
  ASSERT_EQ(system.position_restraints.size(), 2u);
  EXPECT_EQ(system.position_restraints[1].atom, 10);
  EXPECT_EQ(system.position_restraints[1].k, 700);
  EXPECT_DOUBLE_EQ(system.position_restraints[1].reference.x, 1.0);
  double mass = 0, moment = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    mass += system.masses[i];
    moment += system.masses[i] * reference[i].x;
  }
  EXPECT_DOUBLE_EQ(system.position_restraints[1].centre.x, moment / mass);
  EXPECT_THROW(apply_restraints(system, {.selection = "resid 77", .k = 1}, reference, Box{}), InputError);
}

}  // namespace
}  // namespace uplift

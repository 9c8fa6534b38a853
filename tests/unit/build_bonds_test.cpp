#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "support/built.hpp"
#include "uplift/model/residue_library.hpp"

// Bonds that the file gives, and atoms that lie where they should not.
namespace uplift {
namespace {

using test::build;
using test::in_vacuum;
using test::Looked;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

/// CONECT records of residue `r` of what pdb_of writes of a whole structure, and of its bonds to others.
std::string conect(const Structure& s, int r) {
  std::string text;
  for (const Bond& b : s.topology.bonds)
    if (s.topology.atoms[at(b.i)].residue == r || s.topology.atoms[at(b.j)].residue == r) {
      char line[32];
      std::snprintf(line, sizeof line, "CONECT%5d%5d\n", b.i + 1, b.j + 1);
      text += line;
    }
  return text;
}

std::string pdb(const Structure& s) {
  return test::pdb_of(s, [](int) { return true; });
}

BuiltSystem from(const std::string& text) { return build(test::from_file(test::write_temporary("given.pdb", text))); }

TEST(BuildBonds, AChainGoesOnThroughAResidueOfTheForceField) {
  const Structure whole = build(in_vacuum("GAVAG")).structure;
  std::string text = pdb(whole) + conect(whole, 2);
  for (std::size_t p = text.find("VAL"); p != std::string::npos; p = text.find("VAL")) text.replace(p, 3, "XVA");
  const BuiltSystem built = from(text);
  const Looked s(built.structure);
  EXPECT_EQ(built.structure.topology.size(), whole.topology.size());
  EXPECT_EQ(built.structure.topology.bonds.size(), whole.topology.bonds.size());
  EXPECT_FALSE(s.has(1, "OXT") || s.has(3, "H3"));
  EXPECT_TRUE(s.bonded({1, "C"}, {2, "N"}) && s.bonded({2, "C"}, {3, "N"}));
  EXPECT_THAT(built.notes, Not(Contains(HasSubstr("broken"))));
}

TEST(BuildBonds, SelenomethionineBecomesMethionine) {
  const Structure whole = build(in_vacuum("GAMAG")).structure;
  std::string text = test::pdb_of(whole, [&](int i) { return whole.topology.atoms[at(i)].element != 1; });
  for (std::size_t p = text.find("MET"); p != std::string::npos; p = text.find("MET")) {
    const std::size_t line = text.rfind("ATOM  ", p);
    text.replace(p, 3, "MSE").replace(line, 6, "HETATM");
    if (text.compare(line + 12, 4, " SD ") == 0) text.replace(line + 12, 4, "SE  ").replace(line + 76, 2, "SE");
  }
  ASSERT_THAT(text, HasSubstr("SE   MSE"));
  const BuiltSystem built = from(text);
  const Looked s(built.structure);
  EXPECT_EQ(built.structure.topology.size(), whole.topology.size());
  EXPECT_EQ(built.structure.topology.residues[2].name, "MET");
  EXPECT_TRUE(s.bonded({1, "C"}, {2, "N"}) && s.bonded({2, "C"}, {3, "N"}) && s.bonded({2, "SD"}, {2, "CE"}));
  EXPECT_THAT(built.notes, Contains(HasSubstr("methionine: A:3")));
  EXPECT_THAT(built.notes, Not(Contains(HasSubstr("broken"))));
}

TEST(BuildBonds, AHydrogenIsOppositeToTheResidueBeforeIt) {
  const Structure whole = build(in_vacuum("GAVAG")).structure;
  std::string text = test::pdb_of(whole,
                                  [&](int i) {
                                    const Atom& a = whole.topology.atoms[at(i)];
                                    return !(a.residue == 3 && a.name == "H");
                                  }) +
                     conect(whole, 2);
  for (std::size_t p = text.find("VAL"); p != std::string::npos; p = text.find("VAL")) text.replace(p, 3, "XVA");
  const Looked s(from(text).structure), a(whole);
  EXPECT_LT(test::distance(s.x(3, "H"), a.x(3, "H")), 0.01);
}

TEST(BuildBonds, ARingHasNoEnds) {
  const Structure whole = build(in_vacuum("GAAAAG")).structure;
  const std::string text = test::pdb_of(whole, [&](int i) {
    const Atom& a = whole.topology.atoms[at(i)];
    return a.element != 1 && a.name != "OXT";
  });
  const std::string link = "LINK         N   GLY A   1                 C   GLY A   6     1555   1555  1.33  \n";
  const BuiltSystem open = from(text), ring = from(link + text);
  EXPECT_EQ(open.structure.topology.size() - ring.structure.topology.size(), 3);  // OXT and two hydrogens
  const Looked s(ring.structure);
  EXPECT_TRUE(s.bonded({0, "N"}, {5, "C"}));
  EXPECT_TRUE(s.has(0, "H"));
  EXPECT_FALSE(s.has(0, "H1") || s.has(5, "OXT"));
}

/// A histidine in a chain, without hydrogens, with a sodium ion `at` its nitrogen.
std::string sodium_at(const char* nitrogen) {
  const Structure whole = build(in_vacuum("GHG")).structure;
  const Looked l(whole);
  const Vec3d n = l.x(1, nitrogen),
              out = n - 0.5 * (l.x(1, "CE1") + (nitrogen == std::string("ND1") ? l.x(1, "CG") : l.x(1, "CD2")));
  const Vec3d x = 10.0 * (n + (0.21 / std::sqrt(dot(out, out))) * out);
  char line[100];
  std::snprintf(line, sizeof line, "TER\nHETATM  900 NA    NA B   1    %8.3f%8.3f%8.3f  1.00  0.00          NA\n", x.x, x.y,
                x.z);
  std::string atoms = test::pdb_of(whole, [&](int i) { return whole.topology.atoms[at(i)].element != 1; });
  for (std::size_t p = atoms.find(whole.topology.residues[1].name); p != std::string::npos;
       p = atoms.find(whole.topology.residues[1].name))
    atoms.replace(p, 3, "HIS");
  return atoms.substr(0, atoms.find("END")) + line;
}

TEST(BuildBonds, NoHydrogenLiesBetweenHistidineAndItsMetal) {
  BuildOptions options =
      test::with_forcefield(test::from_file(test::write_temporary("ne2.pdb", sodium_at("NE2"))), {"amber14sb", "tip3p"});
  const BuiltSystem built = build(options);
  EXPECT_EQ(Looked(built.structure).name(1), "HID");
  EXPECT_THAT(built.notes, Contains(HasSubstr("tautomer by its metal")));
  options.structure = test::write_temporary("nd1.pdb", sodium_at("ND1"));
  EXPECT_EQ(Looked(build(options).structure).name(1), "HIE");
}

// The PDB gives LINK and CONECT to what surrounds a metal. Atoms change their places in a residue while hydrogens come in.
TEST(BuildBonds, CoordinationOfAnIonIsNoBond) {
  const std::string atoms = sodium_at("NE2"),
                    link = "LINK        NA    NA B   1                 NE2 HIS A   2     1555   1555  2.10  \n";
  const std::size_t line = atoms.rfind('\n', atoms.find(" NE2")) + 1;
  const std::string conect_record = "CONECT  900" + atoms.substr(line + 6, 5) + "\n";
  for (const std::string& text : {link + atoms, atoms + conect_record}) {
    const BuiltSystem built =
        build(test::with_forcefield(test::from_file(test::write_temporary("link.pdb", text)), {"amber14sb", "tip3p"}));
    const Looked s(built.structure);
    EXPECT_THAT(built.notes, Contains(HasSubstr("the force field has it without bonds to other residues")));
    for (const Bond& b : built.parameters.topology.bonds)
      EXPECT_FALSE(is_metal(built.parameters.topology.atoms[at(b.i)].element) ||
                   is_metal(built.parameters.topology.atoms[at(b.j)].element));
  }
}

TEST(BuildBonds, WhatHangsOnAMissingAtomIsSetAnewWithIt) {
  const Structure whole = build(in_vacuum("GKFRHWG")).structure;
  const std::set<std::string> gone{"CG", "CE1", "NE1"};
  const BuiltSystem built = from(test::pdb_of(whole, [&](int i) {
    const Atom& a = whole.topology.atoms[at(i)];
    return a.element != 1 && !gone.count(a.name);
  }));
  // Turned about the bonds that are free.
  Structure turned = whole;
  const Looked l(whole);
  for (int i = 0; i < turned.topology.size(); ++i) {
    const Atom& a = turned.topology.atoms[at(i)];
    if (a.residue != 1 || std::set<std::string>{"N", "CA", "C", "O", "CB"}.count(a.name)) continue;
    const Vec3d axis = (1 / test::distance(l.x(1, "CA"), l.x(1, "CB"))) * (l.x(1, "CB") - l.x(1, "CA")),
                d = turned.x[at(i)] - l.x(1, "CB");
    turned.x[at(i)] = l.x(1, "CB") + 2 * dot(axis, d) * axis - d;
  }
  const BuiltSystem again = from(test::pdb_of(turned, [&](int i) {
    const Atom& a = turned.topology.atoms[at(i)];
    return a.element != 1 && !gone.count(a.name);
  }));
  for (const BuiltSystem* system : {&built, &again})
    for (const Bond& b : system->structure.topology.bonds)
      EXPECT_LT(test::distance(system->structure.x[at(b.i)], system->structure.x[at(b.j)]), 0.19)
          << describe_atom(system->structure.topology, b.i) << describe_atom(system->structure.topology, b.j);
}

TEST(BuildBonds, AtomsThatLieInEachOtherAreSaid) {
  const Structure whole = build(in_vacuum("GAG")).structure;
  Structure moved = whole;
  const Looked l(whole);
  moved.x[at(l.atom(1, "CB"))] = l.x(0, "O") + Vec3d{0.05, 0, 0};
  const auto heavy = [&](int i) { return whole.topology.atoms[at(i)].element != 1; };
  EXPECT_THAT(from(test::pdb_of(moved, heavy)).notes, Contains(HasSubstr("0.050 nm apart and not bonded")));
  EXPECT_THAT(from(test::pdb_of(whole, heavy)).notes, Not(Contains(HasSubstr("apart and not bonded"))));
}

/// Two helices side by side, of which only the backbones are known: side chains that came first make room for those that came
/// later.
TEST(BuildBonds, SideChainsThatAreAllMissingKeepApart) {
  BuildOptions options = in_vacuum("FLWMKRYEILFWHQMKLF");
  options.conformation = Conformation::helix;
  const Structure helix = build(options).structure;
  const Looked l(helix);
  const auto end = [&](int first) {
    Vec3d sum{0, 0, 0};
    for (int r = first; r < first + 4; ++r) sum += 0.25 * l.x(r, "CA");
    return sum;
  };
  const Vec3d axis = end(14) - end(0), aside = cross(axis, {1, 0.3, -0.2});
  Structure two = helix;
  for (Vec3d& x : two.x) x += (0.9 / std::sqrt(dot(aside, aside))) * aside;
  for (Residue& r : two.topology.residues) r.chain = "B";
  const auto backbone = [&](int i) {
    const std::string& name = helix.topology.atoms[at(i)].name;
    return name == "N" || name == "CA" || name == "C" || name == "O" || name == "OXT";
  };
  const std::string first = test::pdb_of(helix, backbone);
  const Structure built = from(first.substr(0, first.size() - 4) + "TER\n" + test::pdb_of(two, backbone)).structure;
  ASSERT_EQ(built.topology.size(), 2 * helix.topology.size());
  double least = 1;
  const std::vector<Atom>& atoms = built.topology.atoms;
  for (int i = 0; i < built.topology.size(); ++i)
    for (int j = 0; j < i; ++j)
      if (atoms[at(i)].element != 1 && atoms[at(j)].element != 1 && std::abs(atoms[at(i)].residue - atoms[at(j)].residue) > 1)
        least = std::min(least, test::distance(built.x[at(i)], built.x[at(j)]));
  EXPECT_GT(least, 0.25);
}

TEST(BuildBonds, AMoleculeThatTheBoxCutsIsMadeWhole) {
  const Structure whole = build(in_vacuum("GKFRHWG")).structure;
  Structure cut = whole;
  for (Vec3d& x : cut.x) x.x -= 5 * std::floor(x.x / 5 + 0.5) - 5 * std::floor(x.x / 5 + 0.2);
  for (int i = 0; i < cut.topology.size(); ++i)
    cut.x[at(i)].x = whole.x[at(i)].x < 0.5 ? whole.x[at(i)].x : whole.x[at(i)].x - 5;
  const auto heavy = [&](int i) { return whole.topology.atoms[at(i)].element != 1; };
  const std::string box = "CRYST1   50.000   50.000   50.000  90.00  90.00  90.00 P 1           1\n";
  const BuiltSystem built = from(box + test::pdb_of(cut, heavy));
  ASSERT_EQ(built.structure.topology.size(), whole.topology.size());
  EXPECT_THAT(built.notes, Contains(HasSubstr("in one piece now")));
  const Looked a(whole), b(built.structure);
  for (int i = 0; i < whole.topology.size(); ++i)
    if (heavy(i)) {
      const Atom& atom = whole.topology.atoms[at(i)];
      EXPECT_LT(test::distance(a.x(atom.residue, atom.name), b.x(atom.residue, atom.name)), 2e-4) << atom.name;
    }
}

TEST(BuildBonds, MmcifHoldsThoseThatNamesDoNotTell) {
  const Structure whole = build(in_vacuum("GAVAG")).structure;
  std::string text = pdb(whole) + conect(whole, 2);
  for (std::size_t p = text.find("VAL"); p != std::string::npos; p = text.find("VAL")) text.replace(p, 3, "XVA");
  const BuiltSystem built = from(text);
  const Structure again = read_structure(test::write_temporary("bonds.cif", mmcif_text(built.structure)));
  ASSERT_EQ(again.topology.bonds.size(), built.structure.topology.bonds.size());
  for (std::size_t k = 0; k < again.topology.bonds.size(); ++k) {
    EXPECT_EQ(again.topology.bonds[k].i, built.structure.topology.bonds[k].i);
    EXPECT_EQ(again.topology.bonds[k].j, built.structure.topology.bonds[k].j);
  }
}

}  // namespace
}  // namespace uplift

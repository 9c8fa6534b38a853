#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "support/built.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"

// Molecules: sequences, chirality, forms by pH, disulfides, side chains. Water and ions: build_solvent_test.cpp.
namespace uplift {
namespace {

using test::build;
using test::error_of;
using test::in_vacuum;
using test::Looked;
using ::testing::HasSubstr;

constexpr double degree = constants::pi / 180;
const std::string all_twenty = "ACDEFGHIKLMNPQRSTVWY";

double torsion(const Vec3d& a, const Vec3d& b, const Vec3d& c, const Vec3d& d) {
  const Vec3d u = b - a, v = c - b, w = d - c, m = cross(u, v), n = cross(v, w);
  return std::atan2(dot(cross(m, n), v) / std::sqrt(dot(v, v)), dot(m, n)) / degree;
}
double apart(double a, double b) { return std::abs(std::remainder(a - b, 360.0)); }

/// Positive for L amino acids: seen with H towards the eye, CO, R and N follow each other clockwise.
double hand(const Looked& s, int residue) {
  const Vec3d ca = s.x(residue, "CA");
  return dot(s.x(residue, "C") - ca, cross(s.x(residue, "CB") - ca, s.x(residue, "N") - ca));
}

TEST(BuildSequence, BondsOfAllResiduesHaveTheLengthsOfTheirElements) {
  const BuiltSystem built = build(in_vacuum(all_twenty));
  const Structure& s = built.structure;
  ASSERT_EQ(s.topology.residues.size(), 20u);
  for (const Bond& b : s.topology.bonds) {
    const Atom &p = s.topology.atoms[at(b.i)], &q = s.topology.atoms[at(b.j)];
    const double d = test::distance(s.x[at(b.i)], s.x[at(b.j)]);
    const bool sulfur = p.element == 16 || q.element == 16, hydrogen = p.element == 1 || q.element == 1;
    const double low = hydrogen ? (sulfur ? 0.13 : 0.094) : (sulfur ? 0.175 : 0.12),
                 high = hydrogen ? (sulfur ? 0.138 : 0.112) : (sulfur ? 0.186 : 0.156);
    EXPECT_TRUE(d > low && d < high) << p.name << "-" << q.name << " of " << s.topology.residues[at(p.residue)].name << ": "
                                     << d;
  }
}

TEST(BuildSequence, AtomsThatAreNotBondedToOneAtomKeepApart) {
  const BuiltSystem built = build(in_vacuum(all_twenty));
  const Structure& s = built.structure;
  std::set<std::pair<int, int>> near;
  std::vector<std::vector<int>> partners(s.x.size());
  for (const Bond& b : s.topology.bonds) {
    partners[at(b.i)].push_back(b.j);
    partners[at(b.j)].push_back(b.i);
  }
  for (int i = 0; i < s.topology.size(); ++i)
    for (int j : partners[at(i)]) {
      near.insert({i, j});
      for (int k : partners[at(j)]) near.insert({i, k});
    }
  for (int i = 0; i < s.topology.size(); ++i)
    for (int j = 0; j < i; ++j)
      if (!near.count({i, j})) {
        EXPECT_GT(test::distance(s.x[at(i)], s.x[at(j)]), 0.15)
            << s.topology.atoms[at(i)].name << " of " << s.topology.atoms[at(i)].residue << ", " << s.topology.atoms[at(j)].name
            << " of " << s.topology.atoms[at(j)].residue;
      }
}

TEST(BuildSequence, ChiralCentresAreThoseOfLAminoAcids) {
  const BuiltSystem built = build(in_vacuum(all_twenty));
  const Looked s(built.structure);
  for (int r = 0; r < 20; ++r)
    if (s.name(r) != "GLY") {
      EXPECT_GT(hand(s, r), 1e-4) << s.name(r);
    }
  // From one branch to the other, seen along the bond to the branch point: as measured in SDF-1 (PDB 2SDF, 18 residues), within
  // 3 degrees.
  const auto branch = [&](const std::string& name, const char* a, const char* b, const char* c, const char* one,
                          const char* two) {
    const int r = s.residue(name);
    return torsion(s.x(r, a), s.x(r, b), s.x(r, c), s.x(r, two)) - torsion(s.x(r, a), s.x(r, b), s.x(r, c), s.x(r, one));
  };
  EXPECT_LT(apart(branch("LEU", "CA", "CB", "CG", "CD1", "CD2"), 120), 4);
  EXPECT_LT(apart(branch("VAL", "N", "CA", "CB", "CG1", "CG2"), 120), 4);
  EXPECT_LT(apart(branch("ILE", "N", "CA", "CB", "CG1", "CG2"), 240), 4);
  EXPECT_LT(apart(branch("THR", "N", "CA", "CB", "OG1", "CG2"), 240), 4);
}

TEST(BuildSequence, LowerCaseAndDNamesAreMirrored) {
  const BuiltSystem letters = build(in_vacuum("AlLy")), names = build(in_vacuum("ALA DLEU LEU DTYR"));
  for (const BuiltSystem* built : {&letters, &names}) {
    const Looked s(built->structure);
    EXPECT_GT(hand(s, 0), 0);
    EXPECT_LT(hand(s, 1), 0);
    EXPECT_GT(hand(s, 2), 0);
    EXPECT_LT(hand(s, 3), 0);
  }
}

TEST(BuildSequence, BackbonesAreTransAndTurnAsAsked) {
  for (const bool helix : {false, true}) {
    BuildOptions options = in_vacuum("AAAAAA");
    options.conformation = helix ? Conformation::helix : Conformation::extended;
    const BuiltSystem built = build(options);
    const Looked s(built.structure);
    for (int r = 1; r < 5; ++r) {
      EXPECT_LT(apart(torsion(s.x(r - 1, "CA"), s.x(r - 1, "C"), s.x(r, "N"), s.x(r, "CA")), 180), 1);
      EXPECT_LT(apart(torsion(s.x(r - 1, "C"), s.x(r, "N"), s.x(r, "CA"), s.x(r, "C")), helix ? -57.8 : -135), 1);
      EXPECT_LT(apart(torsion(s.x(r, "N"), s.x(r, "CA"), s.x(r, "C"), s.x(r + 1, "N")), helix ? -47 : 140), 1);
    }
    if (helix) {  // the hydrogen bond of an alpha helix
      EXPECT_NEAR(test::distance(s.x(0, "O"), s.x(4, "N")), 0.29, 0.04);
    }
  }
}

TEST(BuildSequence, OneWordIsLettersUnlessItNamesAResidue) {
  EXPECT_EQ(build(in_vacuum("GA")).structure.topology.residues.size(), 2u);
  EXPECT_EQ(build(in_vacuum("DA")).structure.topology.residues[0].name, "ASP");  // no nucleotide
  BuildOptions capped = in_vacuum("ALA");
  capped.caps = true;
  EXPECT_EQ(build(capped).structure.topology.residues.size(), 3u);
  EXPECT_THAT(error_of(in_vacuum("ALA")), HasSubstr("--caps"));  // no force field of Amber has a free amino acid
  EXPECT_EQ(build(in_vacuum("A-L-A")).structure.topology.residues.size(), 3u);
  EXPECT_THAT(error_of(in_vacuum("GAZ")), HasSubstr("letter 3 is 'Z'"));
  EXPECT_THAT(error_of(in_vacuum("ALA FOO")), HasSubstr("no amino acid 'FOO'"));
  EXPECT_THAT(error_of(in_vacuum("-")), HasSubstr("empty"));
  EXPECT_THAT(error_of(in_vacuum("ALA ACE")), HasSubstr("ACE can only stand"));
}

TEST(BuildSequence, CapsReplaceChargedEnds) {
  BuildOptions options = in_vacuum("A");
  options.caps = true;
  const Structure s = build(options).structure;
  ASSERT_EQ(s.topology.residues.size(), 3u);
  EXPECT_EQ(s.topology.residues[0].name, "ACE");
  EXPECT_EQ(s.topology.residues[2].name, "NME");
  EXPECT_EQ(s.topology.size(), 22);
}

TEST(BuildStates, ProtonationFollowsThePh) {
  const auto at_ph = [](double ph) {
    BuildOptions options = in_vacuum("AHDEKCA");
    options.ph = ph;
    return build(options);
  };
  const BuiltSystem neutral = at_ph(7), acid = at_ph(2), basic = at_ph(12);
  EXPECT_TRUE(Looked(neutral.structure).has(1, "HE2"));
  EXPECT_FALSE(Looked(neutral.structure).has(1, "HD1"));
  EXPECT_NEAR(test::charge(neutral), -1, 1e-6);  // D, E, K
  const Looked a(acid.structure), b(basic.structure);
  EXPECT_TRUE(a.has(1, "HE2") && a.has(1, "HD1") && a.has(2, "HD2") && a.has(3, "HE2"));
  EXPECT_NEAR(test::charge(acid), 2, 1e-6);  // H, K
  EXPECT_TRUE(b.has(4, "HZ2") && !b.has(4, "HZ1") && !b.has(5, "HG"));
  EXPECT_NEAR(test::charge(basic), -3, 1e-6);  // D, E, C
}

TEST(Build, SideChainsAtTheEndsOfChainsKeepTheFormThatForceFieldsHaveThere) {
  for (const auto& [ph, sequence] :
       {std::pair(2.0, "DAE"), std::pair(2.0, "EGD"), std::pair(12.0, "KAC"), std::pair(12.0, "CGK")}) {
    BuildOptions options = in_vacuum(sequence);
    options.ph = ph;
    const BuiltSystem ends = build(options);
    EXPECT_THAT(ends.notes, Contains(HasSubstr("do not have at the ends of chains")));
    options.caps = true;
    const BuiltSystem capped = build(options);
    EXPECT_THAT(capped.notes, testing::Not(Contains(HasSubstr("ends of chains")))) << sequence;
    const std::string first = capped.structure.topology.residues[1].name;
    EXPECT_TRUE(first == "ASH" || first == "GLH" || first == "LYN" || first == "CYM") << first;
  }
}

TEST(BuildStates, OneResidueCanBeAskedFor) {
  BuildOptions options = in_vacuum("AHDA");
  options.states = {{"A:2", "HID"}, {"3", "ASH"}};
  const Looked s(build(options).structure);
  EXPECT_TRUE(s.has(1, "HD1") && !s.has(1, "HE2") && s.has(2, "HD2"));
  options.states = {{"9", "HID"}};
  EXPECT_THAT(error_of(options), HasSubstr("no such residue"));
  options.states = {{"2", "ASH"}};
  EXPECT_THAT(error_of(options), HasSubstr("cannot become 'ASH'"));
}

/// A structure whose atoms are `keep(residue name, atom name)`.
template <class Keep>
std::string stripped(const Structure& s, Keep keep) {
  return test::pdb_of(s, [&](int i) {
    return keep(s.topology.residues[at(s.topology.atoms[at(i)].residue)].name, s.topology.atoms[at(i)].name);
  });
}

TEST(BuildStructure, HydrogensAndSideChainsComeBack) {
  const BuiltSystem whole = build(in_vacuum(all_twenty));
  const std::set<std::string> kept{"N", "CA", "C", "O", "CB", "CG", "CG1", "OG"};
  const std::string path = test::write_temporary(
      "gaps.pdb", stripped(whole.structure, [&](const std::string&, const std::string& atom) { return kept.count(atom) > 0; }));
  const BuiltSystem again = build(test::from_file(path));
  ASSERT_EQ(again.structure.topology.size(), whole.structure.topology.size());
  const Looked a(whole.structure), b(again.structure);
  for (int i = 0; i < whole.structure.topology.size(); ++i) {
    const Atom& atom = whole.structure.topology.atoms[at(i)];
    ASSERT_TRUE(b.has(atom.residue, atom.name)) << atom.name;
    if (kept.count(atom.name)) {
      EXPECT_LT(test::distance(a.x(atom.residue, atom.name), b.x(atom.residue, atom.name)), 1.8e-4);
    }
  }
  for (int r = 0; r < 20; ++r)
    if (b.name(r) != "GLY") {
      EXPECT_GT(hand(b, r), 1e-4) << b.name(r);
    }
}

TEST(BuildStructure, SideChainsOfDFormsAreMirrored) {
  const Structure whole = build(in_vacuum("AlLA")).structure;
  const std::string path = test::write_temporary("d.pdb", stripped(whole, [](const std::string&, const std::string& atom) {
                                                   return atom[0] != 'H' && atom != "CD1" && atom != "CD2";
                                                 }));
  const Looked s(build(test::from_file(path)).structure);
  for (int r : {1, 2}) {
    const auto turn = [&](const char* end) { return torsion(s.x(r, "CA"), s.x(r, "CB"), s.x(r, "CG"), s.x(r, end)); };
    EXPECT_LT(apart(turn("CD2") - turn("CD1"), r == 1 ? -120 : 120), 4);
  }
}

TEST(BuildStructure, HydrogensOfTheFileStay) {
  const BuiltSystem whole = build(in_vacuum("SYK"));
  Structure moved = whole.structure;
  const Looked a(whole.structure);
  const std::string path = test::write_temporary("whole.pdb", test::pdb_of(moved, [](int) { return true; }));
  const BuiltSystem again = build(test::from_file(path));
  ASSERT_EQ(again.structure.topology.size(), whole.structure.topology.size());
  const Looked b(again.structure);
  for (int i = 0; i < moved.topology.size(); ++i) {
    const Atom& atom = moved.topology.atoms[at(i)];
    EXPECT_LT(test::distance(moved.x[at(i)], b.x(atom.residue, atom.name)), 1.8e-4) << atom.name;
  }
}

/// Two cysteines that a turn by 180 degrees carries into each other, `sulfurs` [nm] apart.
std::string two_cysteines(double sulfurs) {
  BuildOptions options = in_vacuum("ACA");
  const Structure one = build(options).structure;
  const Looked l(one);
  const Vec3d sg = l.x(1, "SG"), cb = l.x(1, "CB");
  const Vec3d out = (1 / test::distance(sg, cb)) * (sg - cb);
  Vec3d side = cross(out, Vec3d{0.3, -0.5, 0.8});
  side = (1 / std::sqrt(dot(side, side))) * side;
  // Round an axis along `side`, beyond the sulfur at 45 degrees to the bond.
  const Vec3d middle = sg + sulfurs / 2 * out;
  Structure two = one;
  for (const Residue& r : one.topology.residues) {
    Residue copy = r;
    copy.chain = "B";
    copy.first_atom += one.topology.size();
    two.topology.residues.push_back(copy);
  }
  for (int i = 0; i < one.topology.size(); ++i) {
    Atom a = one.topology.atoms[at(i)];
    a.residue += static_cast<int>(one.topology.residues.size());
    two.topology.atoms.push_back(a);
    const Vec3d d = one.x[at(i)] - middle;
    two.x.push_back(middle + 2 * dot(d, side) * side - d);
  }
  return test::pdb_of(two, [&](int i) { return two.topology.atoms[at(i)].element != 1; });
}

TEST(BuildStructure, NearSulfursBecomeADisulfide) {
  const BuiltSystem bonded = build(test::from_file(test::write_temporary("ss.pdb", two_cysteines(0.204))));
  const Looked s(bonded.structure);
  EXPECT_EQ(s.name(1), "CYX");
  EXPECT_EQ(s.name(4), "CYX");
  EXPECT_FALSE(s.has(1, "HG"));
  EXPECT_TRUE(s.bonded({1, "SG"}, {4, "SG"}));
  const BuiltSystem apart_ = build(test::from_file(test::write_temporary("sh.pdb", two_cysteines(0.4))));
  const Looked t(apart_.structure);
  EXPECT_TRUE(t.has(1, "HG") && t.has(4, "HG"));
  EXPECT_FALSE(t.bonded({1, "SG"}, {4, "SG"}));
}

TEST(BuildStructure, ErrorsNameTheResidueAndTheCure) {
  const Structure whole = build(in_vacuum("GAG")).structure;
  const auto lacking = [&](const std::string& name) {
    return error_of(test::from_file(
        test::write_temporary("bad.pdb", stripped(whole, [&](const std::string& residue, const std::string& atom) {
                                return residue != "ALA" || atom != name;
                              }))));
  };
  EXPECT_THAT(lacking("CA"), HasSubstr("ALA A 2 lacks CA of its backbone"));
  std::string text = test::pdb_of(whole, [](int) { return true; });
  std::string unknown = text;
  for (std::size_t p = unknown.find("ALA"); p != std::string::npos; p = unknown.find("ALA", p)) unknown.replace(p, 3, "QQQ");
  EXPECT_THAT(error_of(test::from_file(test::write_temporary("odd.pdb", unknown))), HasSubstr("QQQ"));
  text.replace(text.find('\n') + 1 + 30, 8, "  x.yz  ");
  EXPECT_THAT(error_of(test::from_file(test::write_temporary("torn.pdb", text))), HasSubstr("torn.pdb:2"));
  EXPECT_THAT(error_of(test::from_file("there-is-none.pdb")), HasSubstr("there-is-none.pdb"));
}

TEST(BuildSequence, TheSameOptionsGiveTheSameBits) {
  const BuiltSystem a = build(in_vacuum(all_twenty)), b = build(in_vacuum(all_twenty));
  ASSERT_EQ(a.structure.x.size(), b.structure.x.size());
  for (std::size_t i = 0; i < a.structure.x.size(); ++i) EXPECT_TRUE(a.structure.x[i] == b.structure.x[i]);
}

}  // namespace
}  // namespace uplift

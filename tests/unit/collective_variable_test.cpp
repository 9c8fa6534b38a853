#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/sampling/collective_variable.hpp"

namespace uplift {
namespace {

double norm(const Vec3d& a) { return std::sqrt(dot(a, a)); }

StoredSystem butane_like() {
  StoredSystem s;
  Residue r;
  r.name = "ALA";
  r.number = 7;
  r.atom_count = 5;
  s.topology.residues.push_back(r);
  const char* names[] = {"N", "CA", "C", "O", "HA"};
  for (int i = 0; i < 5; ++i) {
    Atom a;
    a.name = names[i];
    a.element = i == 4 ? 1 : 6;
    s.topology.atoms.push_back(a);
    s.masses.push_back(i == 4 ? 1 : 12);
  }
  s.first = {{0, 0.1, 0}, {0, 0, 0}, {0.15, 0, 0}, {0.15, 0.05, 0.0866025403784}, {-0.05, -0.05, 0.02}};
  return s;
}

TEST(CollectiveVariables, AreWhatTheirNamesSay) {
  const StoredSystem s = butane_like();
  const auto value = [&](const std::string& text, const std::vector<Vec3d>& x, const Box& box = {}) {
    return make_collective_variable(text, s)->value(x, box, 0);
  };
  EXPECT_NEAR(value("dihedral(0,1,2,3)", s.first), 60, 1e-6);  // IUPAC sign: looking along 1-2, 3 is turned clockwise from 0
  EXPECT_NEAR(value("dihedral(3,2,1,0)", s.first), 60, 1e-6);
  EXPECT_NEAR(value("angle(0,1,2)", s.first), 90, 1e-9);
  EXPECT_NEAR(value("r = distance(1, 2)", s.first), 0.15, 1e-12);
  const Box box{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  std::vector<Vec3d> moved = s.first;
  moved[2].x += 1;
  EXPECT_NEAR(value("distance(1,2)", moved, box), 0.15, 1e-12);
  EXPECT_NEAR(value("dihedral(0,1,2,3)", moved, box), 60, 1e-5);  // 3 has not moved: its image is taken, too
  const auto named = make_collective_variable("a b = dihedral(0,1,2,3)", s);
  EXPECT_EQ(named->name, "a b");
  EXPECT_EQ(named->definition, "dihedral(0,1,2,3)");
  EXPECT_TRUE(named->periodic);
  // Two masses at a distance: sqrt(m1 m2) / M d.
  EXPECT_NEAR(value("gyration(name CA HA)", s.first), std::sqrt(12.0) / 13 * std::sqrt(0.0054), 1e-9);
}

TEST(CollectiveVariables, TakeTheNearestImageOfAnotherMolecule) {
  StoredSystem s = butane_like();
  const double third = std::acos(-1.0 / 3);
  const Box box = make_box({4, 4, 4}, {third, third, third});  // half of its smallest width is 1.63 nm
  std::vector<Vec3d> x = s.first;
  const Vec3d far{0, 1.9, 0};  // its fractions are below 1/2 in another image
  x[2] = x[1] + far + box.a - box.c;
  s.molecule = {0, 0, 1, 1, 1};
  const auto value = [&](const char* text) { return make_collective_variable(text, s)->value(x, box, 0); };
  EXPECT_LT(norm(shortest_image(box, far)), norm(box.image(far)) - 0.3);
  EXPECT_NEAR(value("distance(1,2)"), norm(shortest_image(box, far)), 1e-9);
  x[0] = x[1] + shortest_image(box, far);
  EXPECT_NEAR(value("angle(0,1,2)"), 0, 1e-5);
  // A molecule is stored in one piece, and may be longer than the box.
  s.molecule = {0, 0, 0, 0, 0};
  EXPECT_NEAR(value("distance(1,2)"), norm(x[2] - x[1]), 1e-9);
}

TEST(CollectiveVariables, RmsdForgetsWhereAndHowTheMoleculeLies) {
  const StoredSystem s = butane_like();
  const auto cv = make_collective_variable("rmsd(all)", s);
  EXPECT_NEAR(cv->value(s.first, {}, 0), 0, 1e-7);
  std::vector<Vec3d> turned, mirrored, stretched = s.first;
  const double c = std::cos(1.1), n = std::sin(1.1);
  for (const Vec3d& r : s.first) {
    turned.push_back({c * r.x - n * r.y + 5, n * r.x + c * r.y - 3, r.z + 1});
    mirrored.push_back({-r.x, r.y, r.z});
  }
  EXPECT_NEAR(cv->value(turned, {}, 0), 0, 1e-7);
  EXPECT_GT(cv->value(mirrored, {}, 0), 0.01);  // a mirror image is another molecule
  stretched[2].x += 1e-3;
  EXPECT_LT(cv->value(stretched, {}, 0), 1e-3 / std::sqrt(5.0));
  EXPECT_GT(cv->value(stretched, {}, 0), 1e-4);
}

TEST(CollectiveVariables, WrongOnesSayWhatIsWrong) {
  const StoredSystem s = butane_like();
  const auto expect = [&](const std::string& text, const char* part) {
    try {
      make_collective_variable(text, s);
      ADD_FAILURE() << text << " was taken";
    } catch (const InputError& e) {
      EXPECT_THAT(e.what(), ::testing::HasSubstr(part)) << text;
      EXPECT_THAT(e.what(), ::testing::HasSubstr(text));
    }
  };
  expect("dihedral(0,1,2)", "write it as dihedral(i,j,k,l)");
  expect("dihedral(0,1,2,9)", "atoms are 0 to 4");
  expect("dihedral(0,1,2,2)", "named twice");
  expect("dihedral(0,1,2,x)", "no whole number");
  expect("torsion(0,1,2,3)", "no kind of collective variable");
  expect("4,6,8,14", "is no collective variable");
  expect("phi(7)", "has no phi");
  expect("phi(1)", "no residue 1");
  expect("rmsd(name ZZ)", "selects no atom");
  expect("column(nowhere.dat, 0)", "no file nowhere.dat");
}

/// Chains of three residues each, of atoms N, CA, C: their numbers, and the name of each chain.
StoredSystem chains(const std::vector<std::pair<const char*, std::vector<int>>>& all, bool bonds = true) {
  StoredSystem s;
  for (const auto& [chain, numbers] : all) {
    const int begin = s.topology.size();
    for (int number : numbers) {
      s.topology.residues.push_back({"ALA", number, chain, s.topology.size(), 3});
      for (const char* name : {"N", "CA", "C"}) {
        Atom a;
        a.name = name;
        a.residue = static_cast<int>(s.topology.residues.size()) - 1;
        s.topology.atoms.push_back(a);
        s.masses.push_back(12);
        s.first.push_back({0.1 * s.topology.size(), 0.1 * (s.topology.size() % 2), 0.1 * (s.topology.size() % 3)});
      }
    }
    for (int i = begin; bonds && i + 1 < s.topology.size(); ++i) s.topology.bonds.push_back({i, i + 1});
  }
  return s;
}

TEST(CollectiveVariables, PhiAndPsiStayInTheirMolecule) {
  const auto value = [](const StoredSystem& s, const std::string& text) {
    return make_collective_variable(text, s)->value(s.first, {}, 0);
  };
  const auto refused = [](const StoredSystem& s, const std::string& text) -> std::string {
    try {
      make_collective_variable(text, s);
      return "";
    } catch (const InputError& e) {
      return e.what();
    }
  };
  for (const bool bonds : {true, false}) {
    const StoredSystem numbered = chains({{"A", {1, 2, 3}}, {"B", {4, 5, 6}}}, bonds);
    EXPECT_EQ(value(numbered, "phi(5)"), value(numbered, "dihedral(11,12,13,14)"));
    EXPECT_EQ(value(numbered, "psi(B:5)"), value(numbered, "dihedral(12,13,14,15)"));
    EXPECT_THAT(refused(numbered, "phi(4)"), ::testing::HasSubstr("no C of another residue is bonded to its N"));
    EXPECT_THAT(refused(numbered, "psi(3)"), ::testing::HasSubstr("no N of another residue is bonded to its C"));
    EXPECT_THAT(refused(numbered, "phi(A:5)"), ::testing::HasSubstr("there is no residue A:5"));

    const StoredSystem anew = chains({{"A", {1, 2, 3}}, {"B", {1, 2, 3}}}, bonds);
    EXPECT_THAT(refused(anew, "phi(2)"), ::testing::HasSubstr("may be 2 residues (ALA 2, ALA 2); write phi(A:2) or phi(B:2)"));
    EXPECT_EQ(value(anew, "phi(A:2)"), value(anew, "dihedral(2,3,4,5)"));
    EXPECT_EQ(value(anew, "phi(B:2)"), value(anew, "dihedral(11,12,13,14)"));
  }
  // Topologies without chains, as of GROMACS: atoms tell them apart.
  const StoredSystem bare = chains({{"", {1, 2, 3}}, {"", {1, 2, 3}}});
  EXPECT_THAT(refused(bare, "psi(2)"), ::testing::HasSubstr("write dihedral(3,4,5,6) or dihedral(12,13,14,15)"));
  EXPECT_THAT(refused(bare, "phi(two)"), ::testing::HasSubstr("no number of a residue"));
  // A ring has a residue before its first one; an ion of the same number is no residue of the backbone.
  StoredSystem ring = chains({{"A", {1, 2, 3}}});
  ring.topology.bonds.push_back({0, 8});
  ring.topology.residues.push_back({"NA", 1, "", 9, 1});
  ring.topology.atoms.push_back(ring.topology.atoms[0]);
  ring.topology.atoms.back().name = "NA";
  ring.topology.atoms.back().residue = 3;
  EXPECT_EQ(value(ring, "phi(1)"), value(ring, "dihedral(8,0,1,2)"));
}

}  // namespace
}  // namespace uplift

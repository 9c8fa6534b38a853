#include "uplift/model/system.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "support/toy_backend.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/random.hpp"

namespace uplift {
namespace {

using test::add_molecule;
using test::add_water;
using test::finish;

ForceSettings vacuum(ConstraintMode constraints = ConstraintMode::h_bonds) {
  ForceSettings s;
  s.nonbonded = NonbondedMethod::no_cutoff;
  s.constraints = constraints;
  return s;
}

/// Methanol: C 0, O 1, hydroxyl H 2, methyl H 3 4 5; tetrahedral angles.
void add_methanol(Topology& t, ForceField& ff) {
  const int first = t.size();
  add_molecule(t, ff, "MOH", {6, 8, 1, 1, 1, 1}, {12.01, 16, 1.008, 1.008, 1.008, 1.008},
               {{0, 1, 0.141}, {1, 2, 0.096}, {0, 3, 0.109}, {0, 4, 0.109}, {0, 5, 0.109}});
  const int angles[7][3] = {{0, 1, 2}, {1, 0, 3}, {1, 0, 4}, {1, 0, 5}, {3, 0, 4}, {3, 0, 5}, {4, 0, 5}};
  for (const auto& a : angles) ff.angles.push_back({first + a[0], first + a[1], first + a[2], 1.91, 400});
}

System build(const ForceSettings& settings, int methanols, int waters) {
  Topology t;
  ForceField ff;
  for (int k = 0; k < methanols; ++k) add_methanol(t, ff);
  for (int k = 0; k < waters; ++k) add_water(t, ff);
  finish(t, ff);
  return make_system(std::move(t), std::move(ff), settings);
}

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const InputError& e) {
    return e.what();
  }
  return "no error";
}

TEST(System, ConstraintsOfEveryMode) {
  struct Case {
    ConstraintMode mode;
    bool rigid;
    int constraints, waters, bonds, angles, dof;
  };
  // One methanol (5 bonds, 7 angles, 6 atoms) and two waters (3 bonds each).
  const Case cases[] = {
      {ConstraintMode::none, false, 0, 0, 11, 7, 36},
      {ConstraintMode::none, true, 0, 2, 5, 7, 30},
      {ConstraintMode::h_bonds, true, 4, 2, 1, 7, 26},
      {ConstraintMode::h_bonds, false, 10, 0, 1, 7, 26},  // H-H, too
      {ConstraintMode::all_bonds, true, 5, 2, 0, 7, 25},
      {ConstraintMode::h_angles, true, 8, 2, 1, 3, 22},  // three H-C-H and C-O-H; the C-O bond stays
  };
  for (const Case& c : cases) {
    ForceSettings settings = vacuum(c.mode);
    settings.rigid_water = c.rigid;
    const System s = build(settings, 1, 2);
    SCOPED_TRACE(testing::Message() << "mode " << static_cast<int>(c.mode) << " rigid " << c.rigid);
    EXPECT_EQ(static_cast<int>(s.constraints.size()), c.constraints);
    EXPECT_EQ(static_cast<int>(s.rigid_waters.size()), c.waters);
    EXPECT_EQ(static_cast<int>(s.force_field.bonds.size()), c.bonds);
    EXPECT_EQ(static_cast<int>(s.force_field.angles.size()), c.angles);
    EXPECT_EQ(degrees_of_freedom(s), c.dof);
  }
}

TEST(System, AngleConstraintIsTheDistanceOfItsEnds) {
  const System s = build(vacuum(ConstraintMode::h_angles), 1, 0);
  const auto length = [&](int i, int j) {
    for (const Constraint& c : s.constraints)
      if (std::minmax(c.i, c.j) == std::minmax(i, j)) return c.length;
    return 0.0;
  };
  EXPECT_DOUBLE_EQ(length(1, 2), 0.096);
  EXPECT_NEAR(length(3, 4), 2 * 0.109 * std::sin(1.91 / 2), 1e-15);
  EXPECT_NEAR(length(0, 2), std::sqrt(0.141 * 0.141 + 0.096 * 0.096 - 2 * 0.141 * 0.096 * std::cos(1.91)), 1e-15);
  EXPECT_EQ(length(0, 1), 0);
  EXPECT_EQ(length(1, 3), 0);
}

/// Methane, ammonium: five atoms have nine distances of their own. All ten were held, so that they could not be met at the
/// 109.5 degrees of most force fields, and a degree of freedom was missing.
TEST(System, FourHydrogensAreHeldByNineDistances) {
  for (const int apex : {0, 4}) {
    Topology t;
    ForceField ff;
    std::vector<int> elements(5, 1);
    std::vector<double> masses(5, 1.008);
    elements[static_cast<std::size_t>(apex)] = 7;
    masses[static_cast<std::size_t>(apex)] = 14;
    std::vector<int> hydrogens;
    for (int i = 0; i < 5; ++i)
      if (i != apex) hydrogens.push_back(i);
    std::vector<std::array<double, 3>> bonds;
    for (const int h : hydrogens) bonds.push_back({static_cast<double>(apex), static_cast<double>(h), 0.101});
    add_molecule(t, ff, "NH4", elements, masses, bonds);
    for (std::size_t a = 0; a < 4; ++a)
      for (std::size_t b = 0; b < a; ++b) ff.angles.push_back({hydrogens[a], apex, hydrogens[b], 1.9111, 400});
    finish(t, ff);
    const System s = make_system(t, ff, vacuum(ConstraintMode::h_angles));
    EXPECT_EQ(s.constraints.size(), 9u);
    EXPECT_EQ(std::count_if(s.constraints.begin(), s.constraints.end(),
                            [&](const Constraint& c) { return c.i == apex || c.j == apex; }),
              4)
        << "bonds stay";
    EXPECT_EQ(degrees_of_freedom(s), 6);
    EXPECT_TRUE(s.force_field.angles.empty());
  }
}

TEST(System, ThreeAtomsOnALineAreNotHeldByDistances) {
  const auto carbon_dioxide = [](double across) {
    Topology t;
    ForceField ff;
    add_molecule(t, ff, "CO2", {6, 8, 8}, {12, 16, 16}, {});
    finish(t, ff);
    ff.fixed_distances = {{0, 1, 0.115}, {0, 2, 0.115}, {1, 2, across}};
    return make_system(t, ff, vacuum());
  };
  EXPECT_THAT(message_of([&] { carbon_dioxide(0.23); }),
              testing::AllOf(testing::HasSubstr("on a line"), testing::HasSubstr("virtual sites")));
  EXPECT_EQ(carbon_dioxide(0.229).constraints.size(), 3u);
}

TEST(System, RigidWaterTakesItsShapeFromTheForceField) {
  const System from_bonds = build(vacuum(), 0, 1);
  ASSERT_EQ(from_bonds.rigid_waters.size(), 1u);
  EXPECT_EQ(from_bonds.rigid_waters[0].oh, 0.09572);
  EXPECT_EQ(from_bonds.rigid_waters[0].hh, 0.15139);
  EXPECT_TRUE(from_bonds.constraints.empty());

  Topology t;
  ForceField ff;
  add_molecule(t, ff, "WAT", {1, 8, 1}, {1.008, 16, 1.008}, {{0, 1, 0.1}, {1, 2, 0.1}});  // oxygen in the middle, angle only
  ff.angles.push_back({0, 1, 2, 1.9106332362490186, 400});
  finish(t, ff);
  const System from_angle = make_system(t, ff, vacuum());
  ASSERT_EQ(from_angle.rigid_waters.size(), 1u);
  EXPECT_EQ(from_angle.rigid_waters[0].oxygen, 1);
  EXPECT_NEAR(from_angle.rigid_waters[0].hh, 0.1 * std::sqrt(8.0 / 3), 1e-15);
  EXPECT_TRUE(from_angle.force_field.angles.empty());
  EXPECT_EQ(degrees_of_freedom(from_angle), 6);

  ff.angles.clear();
  EXPECT_THAT(message_of([&] { make_system(t, ff, vacuum()); }), testing::HasSubstr("rigid_water: false"));
}

TEST(System, LopsidedWaterGetsPlainConstraints) {
  Topology t;
  ForceField ff;
  add_molecule(t, ff, "HOD", {8, 1, 1}, {16, 1.008, 2.014}, {{0, 1, 0.0957}, {0, 2, 0.0957}, {1, 2, 0.1514}});
  finish(t, ff);
  const System s = make_system(t, ff, vacuum(ConstraintMode::none));
  EXPECT_TRUE(s.rigid_waters.empty());
  EXPECT_EQ(s.constraints.size(), 3u);
  EXPECT_TRUE(s.force_field.bonds.empty());
  EXPECT_EQ(degrees_of_freedom(s), 6);
}

TEST(System, WaterThatIsNotRigidKeepsNoSpringAsStiffAsABond) {
  Topology t;
  ForceField ff;
  test::add_water(t, ff);
  std::erase_if(t.bonds,
                [](const Bond& b) { return b.i != 0; });  // Amber's spring between hydrogens is no bond of the topology
  finish(t, ff);
  ForceSettings settings = vacuum(ConstraintMode::h_bonds);
  settings.rigid_water = false;
  const System s = make_system(t, ff, settings);
  EXPECT_EQ(s.constraints.size(), 3u);
  EXPECT_TRUE(s.force_field.bonds.empty());
}

TEST(System, VirtualSitesCarryNoFreedom) {
  Topology t;
  ForceField ff;
  add_molecule(t, ff, "TP4", {8, 1, 1, 0}, {16, 1.008, 1.008, 0},
               {{0, 1, 0.09572}, {0, 2, 0.09572}, {1, 2, 0.15139}, {0, 3, 0.0125}});
  ff.virtual_sites.push_back({3, 0, 1, 2, 0.1067, 0.1067, 0});
  finish(t, ff);
  System s = make_system(t, ff, vacuum());
  EXPECT_EQ(degrees_of_freedom(s), 6);
  EXPECT_TRUE(s.force_field.bonds.empty());
  EXPECT_EQ(s.molecules.count, 1);
  s.remove_com = true;
  EXPECT_EQ(degrees_of_freedom(s), 3);
  std::vector<Vec3d> x = {{1, 1, 1}, {1.1, 1, 1}, {1, 1.1, 1}, {0, 0, 0}};
  place_virtual_sites(s.force_field, x);
  EXPECT_NEAR(x[3].x, 1.01067, 1e-15);
  EXPECT_NEAR(x[3].y, 1.01067, 1e-15);
  EXPECT_NEAR(x[3].z, 1, 1e-15);
}

TEST(System, AtomsWithoutMassAreAnError) {
  Topology t;
  ForceField ff;
  add_molecule(t, ff, "XX", {6, 1}, {12, 0}, {});
  finish(t, ff);
  EXPECT_THAT(message_of([&] { make_system(t, ff, vacuum()); }),
              testing::AllOf(testing::HasSubstr("H2 of XX 1"), testing::HasSubstr("no mass")));
}

TEST(System, HydrogenMassComesFromTheHeavyAtom) {
  ForceSettings settings = vacuum();
  settings.hydrogen_mass = 3.024;
  const System s = build(settings, 1, 1);
  EXPECT_DOUBLE_EQ(s.masses[3], 3.024);
  EXPECT_NEAR(s.masses[0], 12.01 - 3 * 2.016, 1e-13);
  EXPECT_NEAR(s.masses[1], 16 - 2.016, 1e-13);
  EXPECT_EQ(s.masses[6], 15.9994);  // rigid water is left alone
  EXPECT_EQ(s.masses[7], 1.008);
  EXPECT_NEAR(std::accumulate(s.masses.begin(), s.masses.end(), 0.0), 12.01 + 16 + 4 * 1.008 + 18.0154, 1e-12);
  EXPECT_EQ(s.topology.atoms[3].mass, 1.008);  // the input's masses stay with the topology
  settings.hydrogen_mass = 4;
  EXPECT_THAT(message_of([&] { build(settings, 1, 0); }),
              testing::AllOf(testing::HasSubstr("hydrogen_mass"), testing::HasSubstr("C1 of MOH 1")));
}

TEST(System, ABridgingHydrogenTakesItsMassOnce) {
  Topology t;
  ForceField ff;
  add_molecule(t, ff, "BRG", {5, 1, 5}, {10.81, 1.008, 10.81}, {{0, 1, 0.13}, {1, 2, 0.13}});
  finish(t, ff);
  ForceSettings settings = vacuum();
  settings.hydrogen_mass = 3;
  const System s = make_system(t, ff, settings);
  EXPECT_NEAR(s.masses[0] + s.masses[1] + s.masses[2], 22.628, 1e-13);
}

class Geometry : public testing::Test {
 protected:
  Geometry() : system_(build(vacuum(), 0, 2)) {
    for (double& q : system_.force_field.charges) q = 0.4;
    for (int m = 0; m < 2; ++m)
      for (int i = 0; i < 3; ++i)
        for (int j = i + 1; j < 3; ++j) system_.force_field.exclusions.push_back({3 * m + i, 3 * m + j});
    system_.forces.cutoff = 0.9;
    box_.a.x = box_.b.y = box_.c.z = 2;
  }
  std::string check() {
    return message_of([&] { validate_geometry(system_, box_, x_); });
  }
  System system_;
  Box box_;
  std::vector<Vec3d> x_ = {{0, 0, 0}, {0.1, 0, 0}, {0, 0.1, 0}, {1, 1, 1}, {1.1, 1, 1}, {1, 1.1, 1}};
};

TEST_F(Geometry, GoodIsGood) {
  EXPECT_EQ(check(), "no error");
  system_.forces.nonbonded = NonbondedMethod::pme;
  EXPECT_EQ(check(), "no error");
}
TEST_F(Geometry, WrongNumberOfAtoms) {
  x_.pop_back();
  EXPECT_THAT(check(), testing::AllOf(testing::HasSubstr("5 atoms"), testing::HasSubstr("6")));
}
TEST_F(Geometry, NotANumber) {
  x_[4].y = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(check(), testing::HasSubstr("atom 5 (H2 of WAT 2)"));
}
TEST_F(Geometry, BoxAndCutoff) {
  system_.forces.nonbonded = NonbondedMethod::pme;
  system_.forces.cutoff = 1.05;
  EXPECT_THAT(check(), testing::AllOf(testing::HasSubstr("1.05 nm"), testing::HasSubstr("1.0 nm")));
  box_ = Box{};
  EXPECT_THAT(check(), testing::HasSubstr("needs a periodic box"));
}
TEST_F(Geometry, OverlapAcrossTheBoundary) {
  x_[3] = {1.9999, 2.0001, -0.0001};
  EXPECT_THAT(check(), testing::AllOf(testing::HasSubstr("atom 1 (O1 of WAT 1)"), testing::HasSubstr("atom 4 (O1 of WAT 2)"),
                                      testing::HasSubstr("apart")));
  system_.force_field.charges.assign(6, 0);  // nothing acts between them
  EXPECT_EQ(check(), "no error");
}
TEST_F(Geometry, OverlapWithoutABox) {
  box_ = Box{};
  x_[3] = {-0.0001, 0.0001, -0.0001};
  EXPECT_THAT(check(), testing::HasSubstr("apart"));
  x_[3] = {-0.02, 0, 0};
  EXPECT_EQ(check(), "no error");
}
TEST_F(Geometry, ExcludedAtomsMayMeet) {
  x_[1] = x_[0];
  EXPECT_EQ(check(), "no error");
}

TEST(System, GeometryFindsThePairThatAllPairsFind) {
  // A gas of 1000 atoms in a triclinic box and in none: the closest pair against the double loop.
  System s = test::free_atoms(1000, 40);
  s.force_field.charges.assign(1000, 1);
  int overlaps = 0;
  for (int trial = 0; trial < 6; ++trial) {
    Box box;
    if (trial % 2) {
      box.a = {2, 0, 0};
      box.b = {0.7, 1.8, 0};
      box.c = {-0.6, 0.5, 1.9};
    }
    std::vector<Vec3d> x;
    for (int i = 0; i < 1000; ++i) x.push_back(0.8 * gaussian3(3, NoisePurpose::barostat, trial, i));
    double least = 1;
    std::array<int, 2> pair{};
    for (int i = 0; i < 1000; ++i)
      for (int j = i + 1; j < 1000; ++j) {
        const Vec3d d = box.image(x[static_cast<std::size_t>(i)] - x[static_cast<std::size_t>(j)]);
        if (std::sqrt(dot(d, d)) < least) {
          least = std::sqrt(dot(d, d));
          pair = {i, j};
        }
      }
    const std::string message = message_of([&] { validate_geometry(s, box, x); });
    if (least > 0.01) {
      EXPECT_EQ(message, "no error");
    } else {
      ++overlaps;
      EXPECT_THAT(message, testing::HasSubstr("atom " + std::to_string(pair[0] + 1) + " ("));
      EXPECT_THAT(message, testing::HasSubstr("atom " + std::to_string(pair[1] + 1) + " ("));
    }
  }
  EXPECT_GT(overlaps, 0);
}

TEST(System, SizesFromZero) {
  for (int n : {0, 1, 31, 32, 33, 1000}) {
    const System s = build(vacuum(), 0, n);
    EXPECT_EQ(static_cast<int>(s.rigid_waters.size()), n);
    EXPECT_EQ(degrees_of_freedom(s), 6 * n);
    EXPECT_EQ(s.molecules.count, n);
  }
}

}  // namespace
}  // namespace uplift

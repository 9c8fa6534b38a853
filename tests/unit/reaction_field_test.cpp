// Constants of the reaction field against what Tironi et al. (1995) ask of it: the potential of a charge in a sphere of vacuum,
// with a dielectric around, solves the boundary conditions there.
#include "physics/pair/reaction_field.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "physics/pair/coulomb.hpp"

namespace uplift {
namespace {

physics::PairTerm<double> at(double r, const physics::ReactionField& field) {
  return physics::coulomb_reaction_field(r * r, 1 / r, field.k, field.c);
}

TEST(ReactionField, EndsAtTheCutoff) {
  for (double dielectric : {1.0, 2.0, 78.3, 1e9})
    for (double cutoff : {0.5, 0.9, 1.4})
      EXPECT_NEAR(at(cutoff, physics::reaction_field_constants(dielectric, cutoff)).energy, 0, 1e-15 / cutoff);
}

/// A dipole m in the middle of a sphere of radius R, in a medium: inside its potential is m cos(theta) (1/r^2 - g r), outside
/// B cos(theta)/r^2, both alike at R, and eps times the outer slope the inner one. k has half of g: the field of a charge's
/// displacement is -2 k.
TEST(ReactionField, MeetsTheBoundaryOfADielectric) {
  const double R = 0.9;
  for (double eps : {1.0, 2.0, 78.3, 1e6}) {
    const double g = 2 * physics::reaction_field_constants(eps, R).k, B = 1 - g * R * R * R;
    const double inner = -2 / (R * R * R) - g, outer = -2 * B / (R * R * R);
    EXPECT_NEAR(inner, eps * outer, 1e-12 * 2 * eps / (R * R * R)) << eps;
  }
}

TEST(ReactionField, OfVacuumIsNoneAndOfAConductorLeavesNoForceAtTheCutoff) {
  const physics::ReactionField vacuum = physics::reaction_field_constants(1, 0.9);
  EXPECT_EQ(vacuum.k, 0);
  EXPECT_DOUBLE_EQ(vacuum.c, 1 / 0.9);
  EXPECT_NEAR(at(0.9, physics::reaction_field_constants(1e15, 0.9)).force_over_r, 0, 1e-13);
}

}  // namespace
}  // namespace uplift

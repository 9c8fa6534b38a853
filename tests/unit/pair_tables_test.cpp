// What pairs of atoms are worked out from: polynomials of the Ewald direct sum, and rules for Lennard-Jones parameters.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "uplift/backend/erf_table.hpp"
#include "uplift/backend/lj_rules.hpp"

namespace uplift {
namespace {

/// Largest errors at many distances, of the values at r = 0.
template <class C>
std::pair<double, double> worst_errors(double alpha, double reach) {
  const auto table = make_erf_table<C>(alpha, reach);
  double energy = 0, force = 0;
  for (int k = 0; k <= 3000; ++k) {
    const double r = reach * k / 3000;
    const C t = static_cast<C>(r * r) * table.scale - 1;
    const double e = physics::polynomial(t, table.energy, table.energy_count(table.count)),
                 f = physics::polynomial(t, table.force, table.count);
    energy = std::max(energy, std::abs(e - physics::erf_over_r(alpha, r)) / physics::erf_over_r(alpha, 0));
    force = std::max(force, std::abs(f - physics::erf_force_over_r(alpha, r)) / physics::erf_force_over_r(alpha, 0));
  }
  return {energy, force};
}

TEST(ErfTable, HasTermsUntilRoundingIsLeft) {
  for (double z = 2; z < 4.05; z += 0.1) {
    const double reach = 0.9, alpha = z / reach;
    const auto in_double = worst_errors<double>(alpha, reach);
    EXPECT_LT(in_double.first, 2e-15) << z;
    EXPECT_LT(in_double.second, 1e-14) << z;
    const auto in_single = worst_errors<float>(alpha, reach);
    EXPECT_LT(in_single.first, 1.5e-6) << z;
    EXPECT_LT(in_single.second, 5e-7) << z;
    // Not more terms than that takes: an accuracy beyond rounding once gave all that there was room for.
    EXPECT_LE(make_erf_table<double>(alpha, reach).count, 28) << z;
    EXPECT_LE(make_erf_table<float>(alpha, reach).count, 18) << z;
  }
}

TEST(ErfPieces, AreAsAccurateAsTheyAreShort) {
  for (double z = 2; z < 4.05; z += 0.1) {
    const double reach = 0.9, alpha = z / reach;
    const physics::ErfPieces pieces = make_erf_pieces(alpha, reach);
    ASSERT_EQ(pieces.count, z < 3.05 ? 5 : 6) << z;
    for (int k = 0; k <= 3000; ++k) {
      const double r = reach * k / 3000;
      const float place = std::fma(static_cast<float>(r * r), pieces.scale, -0.5f), middle = std::nearbyint(place),
                  u = place - middle;
      const int piece = static_cast<int>(middle);
      float force = 0, integral = 0, derivative = 0;
      for (int t = 0; t < pieces.count; ++t) force = std::fma(force, u, pieces.force[t][piece]);
      for (int t = 0; t <= pieces.count; ++t) {
        derivative = std::fma(derivative, u, integral);
        integral = std::fma(integral, u, pieces.integral[t][piece]);
      }
      const double exact = physics::erf_force_over_r(alpha, r), whole = physics::erf_force_over_r(alpha, 0);
      EXPECT_NEAR(static_cast<double>(force), exact, 5e-7 * whole) << z << " " << r;
      EXPECT_NEAR(static_cast<double>(derivative), exact, 5e-7 * whole) << z << " " << r;
      EXPECT_NEAR(static_cast<double>(-pieces.unit * integral), physics::erf_over_r(alpha, r),
                  2e-7 * physics::erf_over_r(alpha, 0))
          << z << " " << r;
    }
  }
}
TEST(ErfPieces, AreNoneWhereTheyWouldBeInaccurate) { EXPECT_EQ(make_erf_pieces(6 / 0.9, 0.9).count, 0); }

TEST(ErfcSeries, GivesEnergyAndForceOfAPair) {
  for (double z = 2; z < 4.05; z += 0.1) {
    const double reach = 0.9, alpha = z / reach;
    const auto series = make_erfc_series(alpha, reach);
    for (int k = 200; k <= 3000; ++k) {
      const double r = reach * k / 3000;
      const auto pair = physics::coulomb_ewald_series(static_cast<float>(r * r), static_cast<float>(1 / r), series);
      const double energy = 1 / r - physics::erf_over_r(alpha, r),
                   force = 1 / (r * r * r) - physics::erf_force_over_r(alpha, r);
      EXPECT_NEAR(static_cast<double>(pair.energy), energy, 6e-7 / r) << z << " " << r;
      EXPECT_NEAR(static_cast<double>(pair.force_over_r), force, 6e-7 / (r * r * r)) << z << " " << r;
    }
  }
}

ForceField of_types(const std::vector<std::pair<double, double>>& sigma_epsilon) {
  ForceField ff;
  ff.lj_types = static_cast<int>(sigma_epsilon.size());
  for (int atom = 0; atom < 100; ++atom) ff.lj_type.push_back(atom % ff.lj_types);
  for (const auto& [si, ei] : sigma_epsilon)
    for (const auto& [sj, ej] : sigma_epsilon) {
      const double s6 = std::pow(0.5 * (si + sj), 6), e = 4 * std::sqrt(ei * ej);
      ff.lj_c6.push_back(e * s6);
      ff.lj_c12.push_back(e * s6 * s6);
    }
  return ff;
}

TEST(LjRules, AreReadFromTheDiagonal) {
  const LjRules rules(of_types({{0.3, 0.6}, {0, 0}, {0.25, 0.1}}));
  ASSERT_EQ(rules.rule, LjRule::lorentz_berthelot);
  EXPECT_TRUE(rules.exception.empty());
  EXPECT_NEAR(rules.first[0], 0.15, 1e-12);
  EXPECT_NEAR(rules.second[2], std::sqrt(0.4), 1e-12);
  EXPECT_EQ(rules.first[1], 0);
  EXPECT_EQ(rules.second[1], 0);
}
TEST(LjRules, HaveExceptionsWhereFewPairsHaveParametersOfTheirOwn) {
  ForceField ff = of_types({{0.3, 0.6}, {0.35, 0.2}, {0.25, 0.1}});
  ff.lj_c12[1] *= 1.01;  // as NBFIX would
  ff.lj_c12[3] *= 1.01;
  const LjRules rules(ff);
  EXPECT_EQ(rules.rule, LjRule::lorentz_berthelot);
  EXPECT_EQ(rules.exception, (std::vector<char>{0, 1, 0, 1, 0, 0, 0, 0, 0}));
  for (int& type : ff.lj_type) type = std::min(type, 1);  // now nearly half of all pairs of atoms
  EXPECT_EQ(LjRules(ff).rule, LjRule::none);
}
TEST(LjRules, MayBeGeometric) {
  ForceField ff = of_types({{0.3, 0.6}, {0.35, 0.2}, {0, 0}});
  for (std::size_t k : {1u, 3u}) {
    ff.lj_c6[k] = std::sqrt(ff.lj_c6[0] * ff.lj_c6[4]);
    ff.lj_c12[k] = std::sqrt(ff.lj_c12[0] * ff.lj_c12[4]);
  }
  const LjRules rules(ff);
  ASSERT_EQ(rules.rule, LjRule::geometric);
  EXPECT_TRUE(rules.exception.empty());
  EXPECT_NEAR(rules.first[0] * rules.first[1], ff.lj_c6[1], 1e-12 * ff.lj_c6[1]);
  EXPECT_NEAR(rules.second[0] * rules.second[1], ff.lj_c12[1], 1e-12 * ff.lj_c12[1]);
  EXPECT_EQ(rules.second[2], 0);
}

}  // namespace
}  // namespace uplift

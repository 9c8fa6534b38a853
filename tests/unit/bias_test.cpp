// Boosts and what follows from them: derivatives, the parts of the forces in each level, and parameters from statistics.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "physics/bias/boost.hpp"
#include "uplift/backend/bias_factors.hpp"
#include "uplift/core/error.hpp"
#include "uplift/sampling/bias_rules.hpp"

namespace uplift {
namespace {

constexpr double kcal = 4.184;

TEST(Boost, IsThePublishedFormula) {
  // Written out from the papers, not from the code.
  const auto amd = [](double v, double e, double alpha) { return v < e ? (e - v) * (e - v) / (alpha + (e - v)) : 0; };
  const auto gamd = [](double v, double e, double k) { return v < e ? 0.5 * k * (e - v) * (e - v) : 0; };
  for (double v : {-120.0, -3.0, 9.999, 10.0, 11.0, 400.0}) {
    EXPECT_NEAR(physics::amd_boost(v, 10.0, 4.0).energy, amd(v, 10, 4), 1e-12 * (1 + std::abs(v)));
    EXPECT_NEAR(physics::gamd_boost(v, 10.0, 0.02).energy, gamd(v, 10, 0.02), 1e-12 * (1 + std::abs(v)));
  }
}

TEST(Boost, FactorIsOneAndItsOwnSlope) {
  for (double v : {-50.0, 0.0, 9.0, 20.0}) {
    const double h = 1e-4;
    const auto slope = [&](auto&& boost) { return (boost(v + h) - boost(v - h)) / (2 * h); };
    // Central differences: h^2/6 times a third derivative below 1, and rounding of 1e-16 * 100 / h.
    EXPECT_NEAR(physics::amd_boost(v, 10.0, 4.0).factor,
                1 + slope([](double x) { return physics::amd_boost(x, 10.0, 4.0).energy; }), 1e-8);
    EXPECT_NEAR(physics::gamd_boost(v, 10.0, 0.01).factor,
                1 + slope([](double x) { return physics::gamd_boost(x, 10.0, 0.01).energy; }), 1e-8);
  }
  // The largest possible boost leaves a flat potential, not a number that is none.
  const auto deep = physics::amd_boost(-1e300, 0.0, 1.0);
  EXPECT_TRUE(std::isfinite(deep.energy) && std::isfinite(deep.factor));
}

/// V* for a potential of torsions `d`, of CMAP `c` and of all else `r`.
double effective(const Bias& bias, double d, double c, double r) {
  BiasState state;
  state.apply(bias, {d, c, d + c + r}, false, false);
  return d + c + r + state.energies.boost();
}

TEST(BiasFactors, AreThePartialDerivativesOfTheBoostedPotential) {
  std::mt19937 generator(5);
  std::uniform_real_distribution<double> energy(-60, 60);
  for (BiasConvention convention : {BiasConvention::amber, BiasConvention::namd})
    for (BiasMethod method : {BiasMethod::amd, BiasMethod::gamd})
      for (int which = 1; which < 4; ++which)
        for (int n = 0; n < 50; ++n) {
          Bias bias{method,
                    convention,
                    {(which & 1) != 0, 20, method == BiasMethod::amd ? 5 : 0.004},
                    {(which & 2) != 0, 35, method == BiasMethod::amd ? 9 : 0.003}};
          const double d = energy(generator), c = convention == BiasConvention::namd ? energy(generator) : 0,
                       r = energy(generator), h = 1e-4;
          BiasState state;
          state.apply(bias, {d, c, d + c + r}, false, false);
          const double of_torsions = (effective(bias, d + h, c, r) - effective(bias, d - h, c, r)) / (2 * h);
          const double of_others = (effective(bias, d, c, r + h) - effective(bias, d, c, r - h)) / (2 * h);
          // Kinks at the thresholds are 1e-4 wide and second derivatives jump there by at most 1/alpha.
          EXPECT_NEAR(boosted_torsions(bias) == TorsionGroup::none ? state.others.all() : state.torsions.all(), of_torsions,
                      1e-4);
          EXPECT_NEAR(state.others.all(), of_others, 1e-4);
          if (convention == BiasConvention::namd && bias.dihedral.on) {
            EXPECT_NEAR(state.torsions.all(), (effective(bias, d, c + h, r) - effective(bias, d, c - h, r)) / (2 * h), 1e-4);
          }
        }
}

TEST(BiasFactors, InnerStepsLeaveTheTotalBoostAlone) {
  const Bias bias{BiasMethod::amd, BiasConvention::amber, {true, 20, 5}, {true, 35, 9}};
  BiasState state;
  state.apply(bias, {3, 0, 10}, false, true);
  const BiasState outer = state;
  state.apply(bias, {8, 0, 8}, true, true);
  EXPECT_EQ(state.energies.boost_total, outer.energies.boost_total);
  EXPECT_EQ(state.torsions.boost, outer.torsions.boost);
  EXPECT_NE(state.torsions.own, outer.torsions.own);
  EXPECT_EQ(state.statistics.total.count, 1);
}

TEST(BiasStatistics, AreThoseOfTheWholeSeries) {
  RunningStatistics s;
  const std::vector<double> values = {1e6 + 3, 1e6 + 1, 1e6 + 4, 1e6 + 1, 1e6 + 5};
  for (double v : values) s.add(v);
  EXPECT_EQ(s.count, 5);
  EXPECT_EQ(s.least, 1e6 + 1);
  EXPECT_EQ(s.most, 1e6 + 5);
  EXPECT_DOUBLE_EQ(s.mean, 1e6 + 2.8);
  EXPECT_NEAR(s.variance(), 3.2, 1e-9);  // 12.8 / 4
}

/// Mean, deviation and extremes as wanted.
RunningStatistics spread(double mean, double deviation, double least, double most) {
  return {1001, least, most, mean, deviation * deviation * 1000};
}

Topology peptide_in_water(int residues, int waters) {
  Topology t;
  const auto add = [&](const char* name, std::initializer_list<int> elements) {
    Residue r;
    r.name = name;
    r.first_atom = t.size();
    r.atom_count = static_cast<int>(elements.size());
    for (int e : elements) {
      Atom a;
      a.element = e;
      a.residue = static_cast<int>(t.residues.size());
      t.atoms.push_back(a);
    }
    t.residues.push_back(r);
  };
  for (int k = 0; k < residues; ++k) add("ALA", {7, 6, 6, 8});
  for (int k = 0; k < waters; ++k) {
    add("WAT", {8, 1, 1});
    const int o = t.size() - 3;
    t.bonds.push_back({o, o + 1});
    t.bonds.push_back({o, o + 2});
  }
  add("Na+", {11});
  return t;
}

TEST(BiasRules, ResiduesIsAmbersRecipe) {
  // The worked example of the recipe that Amber's users follow: 64 residues and 16,950 atoms, <V_d> 611.5376, <V> -53155.3104
  // kcal/mol.
  Topology t = peptide_in_water(64, 0);
  while (t.size() < 16950) t.atoms.push_back({});
  BiasSettings s;
  s.from = "baseline";
  s.per_residue = 3.5 * kcal;
  s.per_atom = 0.2 * kcal;
  BiasStatistics v;
  v.dihedral = spread(611.5376 * kcal, 10, 0, 5000);
  v.total = spread(-53155.3104 * kcal, 100, -3e5, 0);
  const DerivedBias derived = derive_bias(s, v, t);
  EXPECT_NEAR(derived.bias.dihedral.threshold, (611.5376 + 224) * kcal, 1e-6);   // rounded to 835 in the example
  EXPECT_NEAR(derived.bias.dihedral.shape, 44.8 * kcal, 1e-9);                   // 45
  EXPECT_NEAR(derived.bias.total.threshold, (-53155.3104 + 3390) * kcal, 1e-6);  // -49765
  EXPECT_NEAR(derived.bias.total.shape, 3390 * kcal, 1e-9);
  EXPECT_NE(derived.reasoning.find("parameters: {dihedral: {threshold: "), std::string::npos);
  EXPECT_EQ(solute_residues(peptide_in_water(3, 10)), 3);
}

TEST(BiasRules, DeviationsAreCountedFromTheMean) {
  BiasSettings s;
  s.from = "baseline";
  s.rule = BiasRule::deviations;
  s.deviations = 2.5;
  s.boost = BiasBoost::total;
  BiasStatistics v;
  v.total = spread(-100, 8, -150, -60);
  const Bias b = derive_bias(s, v, peptide_in_water(1, 0)).bias;
  EXPECT_FALSE(b.dihedral.on);
  EXPECT_DOUBLE_EQ(b.total.threshold, -80);
  EXPECT_DOUBLE_EQ(b.total.shape, 20);
}

TEST(BiasRules, GaussianBoundsAreThePublishedOnes) {
  BiasSettings s;
  s.method = BiasMethod::gamd;
  s.from = "conventional";
  s.boost = BiasBoost::dihedral;
  s.sigma0_dihedral = 6;
  BiasStatistics v;
  v.dihedral = spread(100, 10, 60, 150);
  Bias b = derive_bias(s, v, peptide_in_water(1, 0)).bias;
  // E = Vmax; k0 = min(1, 6/10 * 90/50) = 1
  EXPECT_DOUBLE_EQ(b.dihedral.threshold, 150);
  EXPECT_DOUBLE_EQ(b.dihedral.shape, 1.0 / 90);
  s.sigma0_dihedral = 3;  // k0 = 0.3 * 90/50 = 0.54
  EXPECT_NEAR(derive_bias(s, v, peptide_in_water(1, 0)).bias.dihedral.shape, 0.54 / 90, 1e-12);
  s.bound = GamdBound::upper;
  s.sigma0_dihedral = 6;  // k0 = 0.4 * 90/40 = 0.9, E = 60 + 90/0.9
  b = derive_bias(s, v, peptide_in_water(1, 0)).bias;
  EXPECT_NEAR(b.dihedral.threshold, 160, 1e-9);
  EXPECT_NEAR(b.dihedral.shape, 0.01, 1e-12);
  EXPECT_EQ(derive_bias(s, v, peptide_in_water(1, 0)).doubt, "");
  s.sigma0_dihedral = 3;  // k0 = 0.7 * 90/40 > 1: the lower bound
  const DerivedBias fallen = derive_bias(s, v, peptide_in_water(1, 0));
  EXPECT_DOUBLE_EQ(fallen.bias.dihedral.threshold, 150);
  EXPECT_NE(fallen.reasoning.find("no upper bound"), std::string::npos);
  EXPECT_NE(fallen.doubt.find("no upper bound for the dihedral boost"), std::string::npos);
}

TEST(BiasRules, WhatTheTotalBoostSeesDependsOnTheConvention) {
  BiasSettings s;
  s.from = "baseline";
  s.rule = BiasRule::deviations;
  s.deviations = 1;
  BiasStatistics v;
  v.dihedral = spread(50, 5, 0, 100);
  v.dihedral_cmap = spread(40, 6, 0, 100);
  v.total = spread(-500, 20, -900, 0);
  v.rest = spread(-540, 21, -900, 0);
  const Topology t = peptide_in_water(1, 0);
  EXPECT_DOUBLE_EQ(derive_bias(s, v, t).bias.total.threshold, -480);
  EXPECT_DOUBLE_EQ(derive_bias(s, v, t).bias.dihedral.threshold, 55);
  s.convention = BiasConvention::namd;
  EXPECT_DOUBLE_EQ(derive_bias(s, v, t).bias.total.threshold, -519);
  EXPECT_DOUBLE_EQ(derive_bias(s, v, t).bias.dihedral.threshold, 46);
  s.boost = BiasBoost::total;
  EXPECT_DOUBLE_EQ(derive_bias(s, v, t).bias.total.threshold, -480);  // alone it sees the whole potential
}

TEST(BiasRules, AStageWithoutSpreadIsNoSource) {
  BiasSettings s;
  s.from = "baseline";
  EXPECT_THROW(derive_bias(s, {}, peptide_in_water(1, 0)), InputError);
}

}  // namespace
}  // namespace uplift

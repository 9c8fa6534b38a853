// The formulas and parameters of generalized Born: against integrals done shell by shell, definitions in tests/oracle, exact
// derivatives by dual numbers, and published numbers.
#include "oracle/gb.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "physics/gb/born_energy.hpp"
#include "physics/gb/born_integral.hpp"
#include "physics/gb/born_radius.hpp"
#include "physics/gb/neck_integral.hpp"
#include "support/dual.hpp"
#include "uplift/core/error.hpp"

namespace uplift {
namespace {

using test::Dual;
constexpr double epsilon = std::numeric_limits<double>::epsilon();

class Numbers {
 public:
  double uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random_); }

 private:
  std::mt19937_64 random_{7};
};

double near_form(double r, double rho, double s) { return physics::born_integral(r, 1 / r, rho, 1 / rho, s); }

TEST(BornIntegral, IsTheIntegralOverTheBall) {
  Numbers n;
  for (int k = 0; k < 200; ++k) {
    // Far, overlapping, and with the small sphere inside the ball.
    const double rho = n.uniform(0.05, 0.15), s = n.uniform(0.05, 0.3), r = n.uniform(0.02, 0.6);
    const double expected = oracle::born_integral_by_shells(r, rho, s);
    // Simpson's rule with 2e4 steps is limited by the rounding of its sum: 2e4 terms of relative error epsilon.
    EXPECT_NEAR(near_form(r, rho, s), expected, 1e-9 * (1 + expected)) << r << " " << rho << " " << s;
    EXPECT_NEAR(oracle::born_integral(r, rho, s), expected, 1e-9 * (1 + expected));
  }
}

TEST(BornIntegral, NearFormMatchesTheOracleInDoubleAndFloat) {
  Numbers n;
  for (int k = 0; k < 2000; ++k) {
    const double rho = n.uniform(0.05, 0.18), s = n.uniform(-0.13, 0.2), r = n.uniform(0.05, 2.5);
    if (std::abs(r + s - rho) < 1e-5) continue;  // a step for s < 0: float may take the other side
    const double expected = oracle::born_integral(r, rho, s);
    const double lower = std::max(rho, std::abs(r - s));
    // Four terms of size 1/L (or r/L^2) that cancel.
    const double size = 1 / lower + std::abs(r - s * s / r) / (lower * lower) + 1 / r;
    EXPECT_NEAR(near_form(r, rho, s), expected, 8 * epsilon * size);
    const float rf = static_cast<float>(r), rhof = static_cast<float>(rho);
    EXPECT_NEAR(physics::born_integral(rf, 1 / rf, rhof, 1 / rhof, static_cast<float>(s)), expected, 8 * 1.2e-7 * size);
  }
}

TEST(BornIntegral, FarFormIsTheSameWithoutCancellation) {
  Numbers n;
  for (int k = 0; k < 2000; ++k) {
    const double s = n.uniform(-0.2, 0.2), r = n.uniform(std::max(2 * std::abs(s), 0.1), 4),
                 rho = n.uniform(0.01, r - std::abs(s));
    const double inverse_r2 = 1 / (r * r), far = physics::born_integral_far(inverse_r2, s * s, s * s * s / 2);
    EXPECT_NEAR(far, oracle::born_integral(r, rho, s), 40 * epsilon / (r - std::abs(s)));
    const double u = s / r;
    if (std::abs(u) > 0.2) {
      EXPECT_NEAR(far / ((u / (1 - u * u) - std::atanh(u)) / (2 * r)), 1, 100 * epsilon);
    }
    if (std::abs(u) < 1e-2) {  // the next term is 8/9 u^6
      EXPECT_NEAR(far / (u * u * u / (2 * r) * (2.0 / 3 + 0.8 * u * u + 6.0 / 7 * u * u * u * u)), 1, 2e-12);
    }
    // Float: the polynomial's 3e-8 and eight roundings.
    const float f = physics::born_integral_far(static_cast<float>(inverse_r2), static_cast<float>(s * s),
                                               static_cast<float>(s * s * s / 2));
    EXPECT_NEAR(f, far, 8 * 6e-8 * std::abs(far));
  }
}

TEST(BornIntegral, SlopesAreDerivatives) {
  Numbers n;
  using D = Dual<1>;
  for (int k = 0; k < 2000; ++k) {
    const double rho = n.uniform(0.05, 0.18), s = n.uniform(-0.13, 0.3), r = n.uniform(0.05, 2);
    const D rd = D::variable(r, 0);
    const double exact = physics::born_integral(rd, D(1) / rd, D(rho), D(1 / rho), D(s)).gradient[0];
    const double lower = std::max(rho, std::abs(r - s));
    const double size = 1 / (lower * lower) + 1 / (r * r) + std::abs(r * r - s * s) / (lower * lower * lower * r);
    EXPECT_NEAR(physics::born_integral_slope(r, 1 / r, rho, s) * r, exact, 50 * epsilon * size) << r << " " << rho << " " << s;
    if (r < 2 * std::abs(s)) continue;
    const D far = physics::born_integral_far(D(1) / (rd * rd), D(s * s), D(s * s * s / 2));
    const double slope = physics::born_integral_far_slope(1 / (r * r), s * s, s * s * s / 2) * r;
    EXPECT_NEAR(slope, far.gradient[0], 1e-13 * std::abs(slope));
    const float f = physics::born_integral_far_slope(static_cast<float>(1 / (r * r)), static_cast<float>(s * s),
                                                     static_cast<float>(s * s * s / 2));
    EXPECT_NEAR(f * r, slope, 10 * 6e-8 * std::abs(slope));
  }
}

TEST(BornIntegral, IsContinuousWhereItsCasesMeet) {
  for (double s : {0.05, 0.1, 0.2}) {
    const double rho = 0.12;
    for (double r : {rho + s, s - rho, std::abs(rho - s)})
      if (r > 0.01) {
        EXPECT_NEAR(near_form(r * (1 + 1e-12), rho, s), near_form(r * (1 - 1e-12), rho, s), 1e-9);
      }
  }
  EXPECT_EQ(near_form(0.02, 0.15, 0.1), 0);  // the ball lies inside rho
  EXPECT_EQ(near_form(0.2, 0.15, -0.1), 0);  // a negative one, too
  EXPECT_LT(near_form(0.3, 0.15, -0.1), 0);
}

TEST(NeckIntegral, MatchesTheOracleAndItsSlope) {
  Numbers n;
  for (int k = 0; k < 1000; ++k) {
    const double r = n.uniform(0.1, 1.2), reach = n.uniform(0.9, 1.1), d0 = n.uniform(0.22, 0.4), m0 = n.uniform(0.1, 0.6);
    const auto neck = physics::neck_integral(r, 1 / r, reach, d0, m0);
    const double expected = oracle::neck(r, reach, d0, m0);
    EXPECT_NEAR(neck.value, expected, 30 * epsilon * expected);
    const auto d = Dual<1>::variable(r, 0);
    const double slope = physics::neck_integral(d, Dual<1>(1) / d, Dual<1>(reach), Dual<1>(d0), Dual<1>(m0)).value.gradient[0];
    EXPECT_NEAR(neck.slope_over_r * r, slope, 1e-13 * (1 + std::abs(slope)));
    if (std::abs(r - reach) > 1e-6) {
      const float rf = static_cast<float>(r);
      const auto single =
          physics::neck_integral(rf, 1 / rf, static_cast<float>(reach), static_cast<float>(d0), static_cast<float>(m0));
      EXPECT_NEAR(single.value, expected, 2e-6 * m0);  // x in angstrom: 1e-7 x 10 x r, times a slope of up to 2 m0
    }
  }
}

TEST(BornRadius, MatchesItsDefinitionAndSlope) {
  Numbers n;
  for (int k = 0; k < 1000; ++k) {
    const double radius = n.uniform(0.11, 0.2), rho = radius - 0.009, integral = n.uniform(-0.5, 6);
    const double alpha = n.uniform(0.5, 1.1), beta = n.uniform(0, 1), gamma = n.uniform(0.2, 4.9), psi = rho * integral;
    const auto b = physics::born_radius_tanh(integral, rho, radius, alpha, beta, gamma);
    const double expected = 1 / (1 / rho - std::tanh(alpha * psi - beta * psi * psi + gamma * psi * psi * psi) / radius);
    EXPECT_NEAR(b.radius, expected, 20 * epsilon * expected * expected / rho);
    EXPECT_GT(b.radius, 0);
    using D = Dual<1>;
    const D d = physics::born_radius_tanh(D::variable(integral, 0), D(rho), D(radius), D(alpha), D(beta), D(gamma)).radius;
    EXPECT_NEAR(b.slope, d.gradient[0], 1e-11 * (std::abs(b.slope) + expected * expected));
    const double small = n.uniform(-1, 0.9) / rho;
    const auto inverse = physics::born_radius_inverse(small, rho);
    EXPECT_NEAR(inverse.radius, 1 / (1 / rho - small), 100 * epsilon * inverse.radius);
    EXPECT_NEAR(inverse.slope, physics::born_radius_inverse(D::variable(small, 0), D(rho)).radius.gradient[0],
                1e-12 * inverse.slope);
  }
  // Deep inside: held, with no slope, instead of negative.
  EXPECT_EQ(physics::born_radius_inverse(20.0, 0.1).radius, 1000);
  EXPECT_EQ(physics::born_radius_inverse(20.0, 0.1).slope, 0);
}

template <bool salt>
void check_pair_against_dual() {
  Numbers n;
  using D = Dual<3>;
  for (int k = 0; k < 500; ++k) {
    const double r2 = std::pow(n.uniform(0.05, 3), 2), bi = n.uniform(0.08, 2), bj = n.uniform(0.08, 2),
                 qq = n.uniform(-100, 100);
    const physics::Dielectric<double> medium{1 / n.uniform(1, 4), 1 / n.uniform(10, 80), salt ? n.uniform(0.1, 3) : 0};
    const auto pair = physics::born_pair<salt>(r2, qq, bi * bj, 1 / (4 * bi * bj), medium);
    const D r2d = D::variable(r2, 0), bb = D::variable(bi, 1) * D::variable(bj, 2);
    const physics::Dielectric<D> medium_d{D(medium.inverse_in), D(medium.inverse_out), D(medium.kappa)};
    const D e = physics::born_pair<salt>(r2d, D(qq), bb, D(1) / (D(4) * bb), medium_d).energy;
    const double f = std::sqrt(r2 + bi * bj * std::exp(-r2 / (4 * bi * bj)));
    const double expected = -qq * (medium.inverse_in - std::exp(-medium.kappa * f) * medium.inverse_out) / f;
    EXPECT_NEAR(pair.energy, expected, 20 * epsilon * std::abs(qq) / f);
    const double size = std::abs(qq) / (f * f * f);
    EXPECT_NEAR(pair.force_over_r, -2 * e.gradient[0], 100 * epsilon * size);
    EXPECT_NEAR(pair.born_slope * bj, e.gradient[1], 100 * epsilon * size * bj * (1 + r2 / (4 * bi * bj)));
    EXPECT_NEAR(pair.born_slope * bi, e.gradient[2], 100 * epsilon * size * bi * (1 + r2 / (4 * bi * bj)));
  }
}

TEST(BornPair, IsStillsEnergyAndItsDerivatives) { check_pair_against_dual<false>(); }
TEST(BornPair, IsStillsEnergyAndItsDerivativesWithSalt) { check_pair_against_dual<true>(); }

TEST(BornSelf, IsBornsEnergyOfAnIon) {
  const double qq = 138.93545764438198, born = 0.2;
  const physics::Dielectric<double> water{1, 1 / 78.5, 0}, salty{1, 1 / 78.5, 1.3};
  EXPECT_NEAR(physics::born_self(qq, born, water).energy, -qq / (2 * born) * (1 - 1 / 78.5), 1e-12 * qq);
  EXPECT_NEAR(physics::born_self(qq, born, salty).energy, -qq / (2 * born) * (1 - std::exp(-1.3 * born) / 78.5), 1e-12 * qq);
  // Half of a pair at no distance.
  EXPECT_NEAR(physics::born_self(qq, born, salty).energy,
              physics::born_pair<true>(0.0, qq, born * born, 1 / (4 * born * born), salty).energy / 2, 1e-12 * qq);
  using D = Dual<1>;
  for (const auto& m : {water, salty}) {
    const physics::Dielectric<D> md{D(m.inverse_in), D(m.inverse_out), D(m.kappa)};
    EXPECT_NEAR(physics::born_self(qq, born, m).slope, physics::born_self(D(qq), D::variable(born, 0), md).energy.gradient[0],
                1e-11 * qq);
  }
  const auto ace = physics::ace_surface(0.17, 0.25);
  EXPECT_NEAR(ace.energy, 28.3919551 * 0.31 * 0.31 * std::pow(0.17 / 0.25, 6), 1e-8);
  EXPECT_NEAR(ace.slope, physics::ace_surface(D(0.17), D::variable(0.25, 0)).energy.gradient[0], 1e-12);
}

// ---- parameters
// ---------------------------------------------------------------------------------------------------------------

System one_of_each(GbModel model, const std::string& residue) {
  System s;
  s.forces.nonbonded = NonbondedMethod::no_cutoff;
  s.forces.implicit_solvent = ImplicitSolventSettings{.model = model};
  s.topology.residues.push_back({residue, 1, "", 0, 0});
  for (int element : {1, 6, 7, 8, 15, 16, 17}) {
    s.topology.atoms.push_back({element_symbol(element) + "X", "T", element, 1, 0});
    s.force_field.gb.push_back({0.15, 0.8});
    s.force_field.charges.push_back(0);
    ++s.topology.residues[0].atom_count;
  }
  return s;
}

TEST(GbParameters, NeckTablesAreThePublishedOnes) {
  double sum[2] = {}, weighted[2] = {};
  for (int k = 0; k < gb_neck_size * gb_neck_size; ++k) {
    const double weight = (k % 21 + 1.0) * (k / 21 + 1.0) * (k / 21 + 1.0);
    sum[0] += gb_neck_distance[k];
    sum[1] += gb_neck_height[k];
    weighted[0] += weight * gb_neck_distance[k];
    weighted[1] += weight * gb_neck_height[k];
  }
  EXPECT_NEAR(sum[0], 1454.02247, 1e-6);
  EXPECT_NEAR(sum[1], 9.9355208, 1e-6);
  EXPECT_NEAR(weighted[0], 2843521.45138, 1e-4);
  EXPECT_NEAR(weighted[1], 13998.98283, 1e-4);
  EXPECT_EQ(gb_neck_distance[0], 2.26685);
  EXPECT_EQ(gb_neck_height[0], 0.0381511);
  EXPECT_EQ(gb_neck_height[440], 0.0111863);
}

TEST(GbParameters, NecksAreInterpolatedWithTheOtherAtomInTheRow) {
  System s = one_of_each(GbModel::gbn, "ALA");
  s.force_field.gb[0].radius = 0.1;
  s.force_field.gb[1].radius = 0.105;
  s.force_field.gb[2].radius = 0.2;
  s.force_field.gb[3].radius = 0.1525;
  const GbParameters p = gb_parameters(s);
  EXPECT_EQ(p.radius_types, 5);  // 0.15 for the rest
  const auto entry = [&](int own, int other) {
    return static_cast<std::size_t>(p.radius_type[static_cast<std::size_t>(own)] * 5 +
                                    p.radius_type[static_cast<std::size_t>(other)]);
  };
  EXPECT_NEAR(p.neck_distance[entry(1, 0)], 0.232548, 1e-12);  // row 0 (other), column 1 (own)
  EXPECT_NEAR(p.neck_distance[entry(0, 1)], 0.231191, 1e-12);
  EXPECT_NEAR(p.neck_height[entry(2, 2)], 0.111863, 1e-12);
  EXPECT_NEAR(p.neck_distance[entry(3, 0)], 0.1 * (gb_neck_distance[10] + gb_neck_distance[11]) / 2, 1e-12);
  EXPECT_NEAR(p.neck_distance[entry(0, 3)], 0.1 * (gb_neck_distance[210] + gb_neck_distance[231]) / 2, 1e-12);
}

TEST(GbParameters, ModelsTakeTheirNumbers) {
  const GbParameters hct = gb_parameters(one_of_each(GbModel::hct, "ALA"));
  EXPECT_EQ(hct.form, BornRadiusForm::inverse);
  EXPECT_NEAR(hct.rho[0], 0.141, 1e-15);
  EXPECT_NEAR(hct.scaled[0], 0.8 * 0.141, 1e-15);
  EXPECT_EQ(hct.neck_scale, 0);
  const GbParameters obc1 = gb_parameters(one_of_each(GbModel::obc1, "ALA")),
                     obc2 = gb_parameters(one_of_each(GbModel::obc2, "ALA"));
  EXPECT_EQ(std::vector({obc1.alpha[3], obc1.beta[3], obc1.gamma[3]}), std::vector({0.8, 0.0, 2.909125}));
  EXPECT_EQ(std::vector({obc2.alpha[3], obc2.beta[3], obc2.gamma[3]}), std::vector({1.0, 0.8, 4.85}));
  const GbParameters gbn = gb_parameters(one_of_each(GbModel::gbn, "ALA"));
  EXPECT_EQ(gbn.neck_scale, 0.361825);
  EXPECT_NEAR(gbn.scaled[5], 0.602256336067 * 0.141, 1e-15);
  EXPECT_NEAR(gbn.scaled[4], 0.5 * 0.141, 1e-15);
  const GbParameters protein = gb_parameters(one_of_each(GbModel::gbn2, "ALA")),
                     dna = gb_parameters(one_of_each(GbModel::gbn2, "DA5"));
  EXPECT_NEAR(protein.rho[0], 0.1304859, 1e-15);
  EXPECT_NEAR(protein.scaled[5], -0.703469 * 0.1304859, 1e-15);
  EXPECT_EQ(std::vector({protein.alpha[2], protein.beta[2], protein.gamma[2]}), std::vector({0.503364, 0.316828, 0.192915}));
  EXPECT_EQ(std::vector({protein.alpha[4], protein.beta[4], protein.gamma[4]}), std::vector({1.0, 0.8, 4.851}));
  EXPECT_EQ(std::vector({dna.alpha[4], dna.beta[4], dna.gamma[4]}), std::vector({0.418365, 0.290054, 0.1064245}));
  EXPECT_NEAR(dna.scaled[3], 0.1840098 * 0.1304859, 1e-15);
  EXPECT_EQ(dna.neck_scale, 0.826836);
}

TEST(GbParameters, KnowsNucleicAcids) {
  for (const char* name : {"A", "U5", "G3", "C", "DA", "DT3", "DG5", "DCN", "RU", "RA5"})
    EXPECT_TRUE(is_nucleic_residue(name)) << name;
  for (const char* name : {"", "ALA", "GLY", "D", "R", "3", "N", "ASN", "DAL", "NA", "A55", "AMP", "CYS"})
    EXPECT_FALSE(is_nucleic_residue(name)) << name;
}

TEST(GbParameters, SaltIsDebyeAndHueckels) {
  // 0.1 mol/L in water of 78.5 at 298.15 K: the textbook's 0.304 nm / sqrt(I) = 0.961 nm.
  EXPECT_NEAR(0.73 / gb_salt_kappa(0.1, 78.5, 298.15), 0.961, 0.001);
  EXPECT_EQ(gb_salt_kappa(0, 78.5, 300), 0);
  System s = one_of_each(GbModel::obc2, "ALA");
  EXPECT_EQ(gb_parameters(s).kappa, 0);
  s.forces.implicit_solvent->salt = 0.15;
  EXPECT_EQ(gb_parameters(s).kappa, gb_salt_kappa(0.15, 78.5, 300));
}

std::string complaint(const System& s) {
  try {
    gb_parameters(s);
  } catch (const InputError& e) {
    return e.what();
  }
  return "none";
}

TEST(GbParameters, RefusesWhatItCannotUseAndNamesTheAtom) {
  using testing::HasSubstr;
  System s = one_of_each(GbModel::gbn2, "ALA");
  EXPECT_EQ(complaint(s), "none");
  s.force_field.gb[2].radius = 0.205;
  EXPECT_THAT(complaint(s), AllOf(HasSubstr("atom 3 (NX of ALA 1)"), HasSubstr("2.05"), HasSubstr("gbn2 know radii")));
  s.force_field.gb[2].radius = 0.099;
  EXPECT_THAT(complaint(s), HasSubstr("atom 3"));
  s = one_of_each(GbModel::obc2, "ALA");
  s.force_field.gb[1].radius = 0;
  EXPECT_THAT(complaint(s), AllOf(HasSubstr("atom 2"), HasSubstr("radius")));
  s.force_field.gb[1].radius = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(complaint(s), HasSubstr("atom 2"));
  s = one_of_each(GbModel::obc2, "ALA");
  s.force_field.gb[6].screen = 50;
  EXPECT_THAT(complaint(s), AllOf(HasSubstr("atom 7"), HasSubstr("screening")));
  s.force_field.gb.clear();
  EXPECT_THAT(complaint(s), HasSubstr("no GB radii"));
  s = one_of_each(GbModel::obc2, "ALA");
  s.forces.nonbonded = NonbondedMethod::pme;
  EXPECT_THAT(complaint(s), HasSubstr("no-cutoff"));
  s = one_of_each(GbModel::obc2, "ALA");
  s.forces.implicit_solvent->salt = -1;
  EXPECT_THAT(complaint(s), HasSubstr("salt"));
  s.forces.implicit_solvent->salt = 0;
  s.forces.implicit_solvent->solvent_dielectric = 0;
  EXPECT_THAT(complaint(s), HasSubstr("solvent_dielectric"));
}

}  // namespace
}  // namespace uplift

// The bonded formulas on doubles, floats and dual numbers against definitions in tests/oracle.
#include "oracle/bonded.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <numbers>
#include <random>

#include "physics/bonded/harmonic_angle.hpp"
#include "physics/bonded/harmonic_bond.hpp"
#include "physics/bonded/harmonic_improper.hpp"
#include "physics/bonded/nearest_image.hpp"
#include "physics/bonded/pair14.hpp"
#include "physics/bonded/periodic_dihedral.hpp"
#include "physics/bonded/position_restraint.hpp"
#include "physics/bonded/virtual_site.hpp"

namespace uplift {
namespace {

constexpr double pi = std::numbers::pi;
constexpr double epsilon = std::numeric_limits<double>::epsilon();

double size_of(const Vec3d& v) { return std::sqrt(dot(v, v)); }
bool finite(const Vec3d& v) { return std::isfinite(v.x) && std::isfinite(v.y) && std::isfinite(v.z); }
void expect_near(const Vec3d& a, const Vec3d& b, double tolerance) {
  EXPECT_NEAR(a.x, b.x, tolerance);
  EXPECT_NEAR(a.y, b.y, tolerance);
  EXPECT_NEAR(a.z, b.z, tolerance);
}

struct Geometry {
  std::mt19937_64 random{20240611};
  double uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random); }
  Vec3d vector(double scale) { return {uniform(-scale, scale), uniform(-scale, scale), uniform(-scale, scale)}; }
  // A chain with steps of 0.08 to 0.2 nm and no angle closer than `margin` to 0 or 180 degrees.
  std::array<Vec3d, 4> chain(double margin) {
    for (;;) {
      std::array<Vec3d, 4> x{vector(3)};
      for (std::size_t a = 1; a < 4; ++a) {
        const Vec3d d = vector(1);
        x[a] = x[a - 1] + (uniform(0.08, 0.2) / size_of(d)) * d;
      }
      const double first = oracle::angle(x[0], x[1], x[2]), second = oracle::angle(x[1], x[2], x[3]);
      if (std::min(first, second) > margin && std::max(first, second) < pi - margin) return x;
    }
  }
};

struct FourForces {
  double energy;
  std::array<Vec3d, 4> force;
};
template <class T>
physics::DihedralAngle<T> angle_of(const std::array<Vec3<T>, 4>& x) {
  return physics::dihedral_angle(x[0] - x[1], x[1] - x[2], x[3] - x[2]);
}
FourForces with_gradient(const physics::DihedralAngle<double>& d, const physics::DihedralEnergy<double>& e) {
  return {e.energy, {-e.slope * d.gradient_i, -e.slope * d.gradient_j, -e.slope * d.gradient_k, -e.slope * d.gradient_l}};
}
FourForces periodic(const std::array<Vec3d, 4>& x, int n, double phase, double barrier) {
  const auto d = angle_of(x);
  const auto harmonic = [&](int m) {
    return m == n ? physics::DihedralHarmonic<double>{barrier * std::cos(phase), barrier * std::sin(phase)}
                  : physics::DihedralHarmonic<double>{0, 0};
  };
  return with_gradient(d, physics::periodic_dihedral(d.cosine, d.sine, barrier, n, harmonic));
}
FourForces improper(const std::array<Vec3d, 4>& x, double phi0, double k) {
  const auto d = angle_of(x);
  return with_gradient(d, physics::harmonic_improper(d.cosine, d.sine, std::cos(phi0), std::sin(phi0), k));
}

// The gradient of an angle is amplified by 1/sin of the angle between bonds, at most 10 for the margins below; forty operations
// of rounding on coordinates of 3 nm against bonds of 0.08 nm give the rest.
constexpr double rounding = 40 * epsilon * (3 / 0.08) * 10;

TEST(Atan2, MatchesTheLibraryInEveryOctant) {
  double worst_double = 0, worst_float = 0;
  for (int n = 0; n <= 40000; ++n) {
    const double a = -pi + 2 * pi * n / 40000, r = std::pow(10.0, (n % 13) - 6);
    const double y = r * std::sin(a), x = r * std::cos(a);
    const float yf = static_cast<float>(y), xf = static_cast<float>(x);
    worst_double = std::max(worst_double, std::abs(physics::atan2(y, x) - std::atan2(y, x)));
    worst_float = std::max(worst_float, std::abs(static_cast<double>(physics::atan2(yf, xf)) -
                                                 std::atan2(static_cast<double>(yf), static_cast<double>(xf))));
    if (x > 0) {
      EXPECT_NEAR(physics::atan2(y, x), std::atan2(y, x), 4 * epsilon * std::abs(a) + 1e-300);
    }
  }
  EXPECT_LT(worst_double, 7e-16);  // 1.6 ulp of pi
  EXPECT_LT(worst_float, 4e-7);
}

TEST(Atan2, OnTheAxes) {
  EXPECT_EQ(physics::atan2(0.0, 0.0), 0);
  EXPECT_EQ(physics::atan2(0.0, 2.0), 0);
  EXPECT_EQ(physics::atan2(0.0, -2.0), pi);
  EXPECT_EQ(physics::atan2(3.0, 0.0), pi / 2);
  EXPECT_EQ(physics::atan2(-3.0, 0.0), -pi / 2);
  EXPECT_DOUBLE_EQ(physics::atan2(-1.0, -1.0), -3 * pi / 4);
  for (double a : {-2.0, -1.5, -0.2, 0.0, 0.5, 0.9, 1.0, 2.5, 3.0}) EXPECT_EQ(physics::floor_of(a), std::floor(a));
}

TEST(HarmonicBond, MatchesItsDefinition) {
  Geometry g;
  for (int n = 0; n < 1000; ++n) {
    const Vec3d i = g.vector(3), j = i + g.vector(0.15);
    const auto e = oracle::bond_energy(test::dual_position<6>(i, 0), test::dual_position<6>(j, 1), 0.11, 3e5);
    const auto result = physics::harmonic_bond(i - j, 0.11, 3e5);
    const double scale = 3e5 * 0.3;  // k times the largest stretch: what rounding of r is multiplied by
    EXPECT_NEAR(result.energy, e.value, 10 * epsilon * scale);
    expect_near(result.force_i, test::dual_force(e, 0), 20 * epsilon * scale);
    expect_near(-result.force_i, test::dual_force(e, 1), 20 * epsilon * scale);
  }
  const auto together = physics::harmonic_bond(Vec3d{0, 0, 0}, 0.1, 1e5);
  EXPECT_EQ(together.energy, 0.5e5 * 0.1 * 0.1);
  expect_near(together.force_i, {0, 0, 0}, 0);
}

TEST(HarmonicAngle, MatchesItsDefinition) {
  Geometry g;
  for (int n = 0; n < 1000; ++n) {
    const auto x = g.chain(0.1);
    const auto p = [&](int a) { return test::dual_position<9>(x[static_cast<std::size_t>(a)], a); };
    const auto e = oracle::angle_energy(p(0), p(1), p(2), 1.9, 500);
    const auto result = physics::harmonic_angle(x[0] - x[1], x[2] - x[1], 1.9, 500.0);
    EXPECT_NEAR(result.energy, e.value, rounding * 1000);
    expect_near(result.force_i, test::dual_force(e, 0), rounding * 500 * pi / 0.08);
    expect_near(result.force_k, test::dual_force(e, 2), rounding * 500 * pi / 0.08);
    expect_near(-(result.force_i + result.force_k), test::dual_force(e, 1), rounding * 500 * pi / 0.08);
    // No torque: r_ij x f_i + r_kj x f_k = 0.
    expect_near(cross(x[0] - x[1], result.force_i) + cross(x[2] - x[1], result.force_k), {0, 0, 0}, rounding * 500 * pi);
  }
}

TEST(HarmonicAngle, IsAccurateAndFiniteOnTheLine) {
  for (double small : {1e-3, 1e-6, 1e-9, 1e-12}) {
    // theta = pi - small exactly enough; with theta0 = pi the force is k small / r, bounded and smooth.
    const auto bent =
        physics::harmonic_angle(Vec3d{0.1, 0, 0}, Vec3d{-0.1 * std::cos(small), 0.1 * std::sin(small), 0}, pi, 500.0);
    EXPECT_NEAR(bent.energy, 250 * small * small, 500 * small * 5 * epsilon * pi);
    EXPECT_NEAR(size_of(bent.force_i), 500 * small / 0.1, 500 * 5 * epsilon * pi / 0.1);
    const auto folded =
        physics::harmonic_angle(Vec3d{0.1, 0, 0}, Vec3d{0.1 * std::cos(small), 0.1 * std::sin(small), 0}, 0.0, 500.0);
    EXPECT_NEAR(folded.energy, 250 * small * small, 250 * small * small * 1e-9);
  }
  for (const Vec3d& k : {Vec3d{-0.1, 0, 0}, Vec3d{0.1, 0, 0}, Vec3d{0, 0, 0}}) {
    const auto result = physics::harmonic_angle(Vec3d{0.1, 0, 0}, k, 1.9, 500.0);
    EXPECT_TRUE(std::isfinite(result.energy) && finite(result.force_i) && finite(result.force_k));
    const Vec3f kf{static_cast<float>(k.x), 0, 0};
    const auto single = physics::harmonic_angle(Vec3f{0.1f, 0, 0}, kf, 1.9f, 500.0f);
    EXPECT_TRUE(std::isfinite(single.energy) && std::isfinite(single.force_i.x) && std::isfinite(single.force_k.y));
  }
}

TEST(DihedralAngle, FollowsTheIupacSign) {
  const auto phi = [](const Vec3d& l) {
    const auto d = angle_of<double>({Vec3d{0.1, 0, 0}, Vec3d{0, 0, 0}, Vec3d{0, 0, 0.15}, l});
    return std::atan2(d.sine, d.cosine);
  };
  EXPECT_NEAR(phi({0.1, 0, 0.15}), 0, 5 * epsilon);              // cis
  EXPECT_NEAR(std::abs(phi({-0.1, 0, 0.15})), pi, 5 * epsilon);  // trans
  // Looking along +z, clockwise from x is towards +y.
  EXPECT_NEAR(phi({0, 0.1, 0.15}), pi / 2, 5 * epsilon);
  EXPECT_NEAR(phi({0, -0.1, 0.15}), -pi / 2, 5 * epsilon);
}

TEST(PeriodicDihedral, MatchesItsDefinition) {
  Geometry g;
  for (int n = 0; n < 1000; ++n) {
    const auto x = g.chain(0.1);
    const int periodicity = n % 7;
    const double phase = n % 3 == 0 ? pi : g.uniform(-pi, pi);
    std::array<Vec3<test::Dual<12>>, 4> p;
    for (std::size_t a = 0; a < 4; ++a) p[a] = test::dual_position<12>(x[a], static_cast<int>(a));
    const auto e = oracle::periodic_energy(oracle::dihedral(p[0], p[1], p[2], p[3]), periodicity, phase, 12);
    FourForces result = periodic(x, periodicity, phase, 12);
    if (periodicity == 0) result.energy += 12 * std::cos(phase);  // whoever builds the series folds n = 0 into the constant
    EXPECT_NEAR(result.energy, e.value, rounding * 24 * 6);
    Vec3d total{0, 0, 0}, torque{0, 0, 0};
    for (std::size_t a = 0; a < 4; ++a) {
      expect_near(result.force[a], test::dual_force(e, static_cast<int>(a)), rounding * 12 * 36 / 0.08 * 10);
      total += result.force[a];
      torque += cross(x[a] - x[0], result.force[a]);
    }
    expect_near(total, {0, 0, 0}, rounding * 72 / 0.08);
    expect_near(torque, {0, 0, 0}, rounding * 72 * 10);
  }
}

TEST(HarmonicImproper, MatchesItsDefinitionAcrossTheSeam) {
  Geometry g;
  for (int n = 0; n < 1000; ++n) {
    const auto x = g.chain(0.1);
    const double phi0 = n % 4 == 0 ? pi : g.uniform(-pi, pi);
    std::array<Vec3<test::Dual<12>>, 4> p;
    for (std::size_t a = 0; a < 4; ++a) p[a] = test::dual_position<12>(x[a], static_cast<int>(a));
    const auto e = oracle::improper_energy(oracle::dihedral(p[0], p[1], p[2], p[3]), phi0, 100);
    const FourForces result = improper(x, phi0, 100);
    EXPECT_NEAR(result.energy, e.value, rounding * 100 * pi);
    for (std::size_t a = 0; a < 4; ++a)
      expect_near(result.force[a], test::dual_force(e, static_cast<int>(a)), rounding * 100 * pi / 0.08 * 10);
  }
}

// Whatever the geometry, no NaN and no infinity: atoms on a line, atoms on top of each other, in double and in float.
TEST(DihedralAngle, IsFiniteForEveryDegenerateGeometry) {
  const std::array<Vec3d, 5> steps{Vec3d{0, 0, 0}, Vec3d{0.1, 0, 0}, Vec3d{-0.1, 0, 0}, Vec3d{0, 0.1, 0}, Vec3d{0.1, 1e-9, 0}};
  for (const Vec3d& F : steps)
    for (const Vec3d& G : steps)
      for (const Vec3d& H : steps) {
        const auto d = physics::dihedral_angle(F, G, H);
        const auto narrow = [](const Vec3d& v) {
          return Vec3f{static_cast<float>(v.x), static_cast<float>(v.y), static_cast<float>(v.z)};
        };
        const auto f = physics::dihedral_angle(narrow(F), narrow(G), narrow(H));
        const auto e = physics::harmonic_improper(d.cosine, d.sine, 0.0, 1.0, 100.0);
        EXPECT_TRUE(std::isfinite(e.energy) && std::isfinite(e.slope));
        EXPECT_TRUE(finite(d.gradient_i) && finite(d.gradient_j) && finite(d.gradient_k) && finite(d.gradient_l));
        for (const auto& v : {f.gradient_i, f.gradient_j, f.gradient_k, f.gradient_l})
          EXPECT_TRUE(std::isfinite(v.x) && std::isfinite(v.y) && std::isfinite(v.z));
      }
}

TEST(DihedralAngle, KeepsItsForceAtZeroAndStraightAngles) {
  // sin phi = 0 is where forms that divide by it fail; phase pi/2 makes the slope largest there.
  const std::array<Vec3d, 4> cis{Vec3d{0.1, 0.02, 0}, Vec3d{0, 0, 0}, Vec3d{0.15, 0, 0}, Vec3d{0.2, 0.1, 0}};
  const FourForces result = periodic(cis, 1, pi / 2, 10);
  // |dphi/dr_i| = 1/(distance of i from the axis) = 1/0.02.
  EXPECT_NEAR(size_of(result.force[0]), 10 / 0.02, 10 / 0.02 * 40 * epsilon);
}

TEST(Pair14, MatchesItsDefinition) {
  Geometry g;
  for (int n = 0; n < 1000; ++n) {
    const Vec3d i = g.vector(3), d = g.vector(1), j = i + (g.uniform(0.2, 0.5) / size_of(d)) * d;
    const double c6 = 2e-3, c12 = 3e-6, q = g.uniform(-0.5, 0.5);
    const auto pi_ = test::dual_position<6>(i, 0), pj = test::dual_position<6>(j, 1);
    const auto lj = oracle::lj14_energy(pi_, pj, c6, c12), coulomb = oracle::coulomb14_energy(pi_, pj, q);
    const auto result = physics::pair14(i - j, 138.93545764438198 * q, c6, c12);
    const double r = size_of(i - j), size = c12 / std::pow(r, 12) + c6 / std::pow(r, 6);
    EXPECT_NEAR(result.lj, lj.value, 40 * epsilon * size);
    EXPECT_NEAR(result.coulomb, coulomb.value, 10 * epsilon * std::abs(coulomb.value));
    expect_near(result.force_i, test::dual_force(lj + coulomb, 0), 40 * epsilon * (12 * size + std::abs(coulomb.value)) / r);
  }
  const auto together = physics::pair14(Vec3f{0, 0, 0}, 30.0f, 2e-3f, 3e-6f);
  EXPECT_TRUE(std::isfinite(together.lj) && std::isfinite(together.coulomb) && together.force_i.x == 0);
  const auto close = physics::pair14(Vec3f{1e-6f, 0, 0}, 30.0f, 2e-3f, 3e-6f);
  EXPECT_TRUE(std::isfinite(close.lj) && std::isfinite(close.force_i.x));
}

TEST(PositionRestraint, IsAHarmonicWell) {
  const auto x = test::dual_position<3>({0.1, -0.2, 0.3}, 0);
  const auto result = physics::position_restraint(Vec3d{0.1, -0.2, 0.3}, 1000.0);
  const auto e = test::Dual<3>(500) * dot(x, x);
  EXPECT_DOUBLE_EQ(result.energy, e.value);
  expect_near(result.force, test::dual_force(e, 0), 1e-12);
}

TEST(VirtualSite, PassesItsForceOnByTheChainRule) {
  Geometry g;
  for (int n = 0; n < 200; ++n) {
    const std::array<Vec3d, 3> r{g.vector(3), g.vector(3), g.vector(3)};
    const double a = g.uniform(-0.5, 0.5), b = g.uniform(-0.5, 0.5), c = n % 2 ? g.uniform(-6, 6) : 0;
    using D = test::Dual<9>;
    std::array<Vec3<D>, 3> p;
    for (std::size_t k = 0; k < 3; ++k) p[k] = test::dual_position<9>(r[k], static_cast<int>(k));
    const Vec3<D> site = physics::virtual_site_position(p[0], p[1] - p[0], p[2] - p[0], D(a), D(b), D(c));
    const Vec3d force = g.vector(100);
    // A potential linear in the site has this force there; its gradient on the parents is what must come out.
    const D e = -(D(force.x) * site.x + D(force.y) * site.y + D(force.z) * site.z);
    const auto f = physics::spread_virtual_site_force(r[1] - r[0], r[2] - r[0], a, b, c, force);
    const double tolerance = 20 * epsilon * 100 * (1 + 6 * 12);
    expect_near(f.on0, test::dual_force(e, 0), tolerance);
    expect_near(f.on1, test::dual_force(e, 1), tolerance);
    expect_near(f.on2, test::dual_force(e, 2), tolerance);
    expect_near(f.on0 + f.on1 + f.on2, force, tolerance);
    const Vec3d at{site.x.value, site.y.value, site.z.value};
    if (c == 0) expect_near(cross(r[0], f.on0) + cross(r[1], f.on1) + cross(r[2], f.on2), cross(at, force), tolerance * 10);
  }
}

TEST(NearestImage, IsThatOfTheBox) {
  Geometry g;
  const Box cells[] = {make_box({3, 4, 5}, {pi / 2, pi / 2, pi / 2}), make_box({4, 4, 4}, {1.9106, 1.9106, 1.9106})};
  for (const Box& box : cells) {
    const physics::ImageCell cell{box.a.x, box.b.x, box.b.y, box.c.x, box.c.y, box.c.z, 1 / box.a.x, 1 / box.b.y, 1 / box.c.z};
    for (int n = 0; n < 1000; ++n) {
      const Vec3d d = g.vector(9);
      expect_near(physics::nearest_image(cell, d), box.image(d), 20 * epsilon * 9);
    }
    const Vec3d inside{0.3, -0.4, 0.2};
    expect_near(physics::nearest_image(cell, inside), inside, 0);
  }
  expect_near(physics::nearest_image(physics::ImageCell{}, Vec3d{7, 8, 9}), {7, 8, 9}, 0);
}

}  // namespace
}  // namespace uplift

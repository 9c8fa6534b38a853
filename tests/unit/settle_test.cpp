// The formulas of SETTLE and of star sweeps against an iterative oracle in long double.
#include "physics/constrain/settle.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "oracle/constraints.hpp"
#include "physics/constrain/shake.hpp"
#include "uplift/core/random.hpp"

namespace uplift {
namespace {

constexpr double oh = 0.09572, hh = 0.15139;

Vec3d noise(int i, int k) { return gaussian3(11, NoisePurpose::initial_velocities, i, k); }
Vec3d unit(const Vec3d& a) { return (1 / std::sqrt(dot(a, a))) * a; }

/// A water of exact shape, anywhere and any way round.
std::vector<Vec3d> water(int i, double far) {
  const Vec3d e1 = unit(noise(i, 0)), e2 = unit(cross(e1, noise(i, 1))), o = far * noise(i, 2);
  const double height = std::sqrt(oh * oh - hh * hh / 4);
  return {o, o + height * e1 + (hh / 2) * e2, o + height * e1 - (hh / 2) * e2};
}
const std::vector<oracle::Rod> rods = {{0, 1, oh}, {0, 2, oh}, {1, 2, hh}};
std::vector<double> masses(double h) { return {18.0154 - 2 * h, h, h}; }

double distance(const Vec3d& a, const Vec3d& b) { return std::sqrt(dot(a - b, a - b)); }

class Settle : public testing::TestWithParam<double> {};  // mass of hydrogen

TEST_P(Settle, PositionsAgreeWithTheOracle) {
  const auto shape = physics::WaterShape<double>::from(masses(GetParam())[0], GetParam(), oh, hh);
  for (int i = 0; i < 300; ++i) {
    const double far = i % 2 ? 0.5 : 20, step = i % 3 ? 0.003 : 0.015;  // displacements up to a seventh of the bond
    const auto before = water(i, far);
    auto moved = before;
    for (int k = 0; k < 3; ++k) moved[static_cast<std::size_t>(k)] += step * noise(i, 3 + k);
    auto expected = moved;
    oracle::constrain_positions(rods, masses(GetParam()), before, expected);
    const auto got = physics::settle_positions(shape, physics::WaterSites<double>{before[0], before[1], before[2]},
                                               physics::WaterSites<double>{moved[0], moved[1], moved[2]});
    // Positions of some 40 nm carry 7e-15 nm; their differences, divided by the lever of 0.007 nm from oxygen to centre, ten
    // times more.
    const double tolerance = 2e-13;
    EXPECT_LT(distance(got.o, expected[0]), tolerance);
    EXPECT_LT(distance(got.h1, expected[1]), tolerance);
    EXPECT_LT(distance(got.h2, expected[2]), tolerance);
    EXPECT_NEAR(distance(got.o, got.h1), oh, 5e-14);
    EXPECT_NEAR(distance(got.h1, got.h2), hh, 5e-14);
  }
}

TEST_P(Settle, VelocitiesAgreeWithTheOracle) {
  const auto shape = physics::WaterShape<double>::from(masses(GetParam())[0], GetParam(), oh, hh);
  for (int i = 0; i < 300; ++i) {
    const auto x = water(i, 5);
    std::vector<Vec3d> v = {noise(i, 3), noise(i, 4), noise(i, 5)};
    const auto got = physics::settle_velocities(shape, physics::WaterSites<double>{x[0], x[1], x[2]},
                                                physics::WaterSites<double>{v[0], v[1], v[2]});
    oracle::constrain_velocities(rods, masses(GetParam()), x, v);
    EXPECT_LT(distance(got.o, v[0]), 2e-12);  // directions of 0.1 nm bonds at 10 nm are good to 2e-14
    EXPECT_LT(distance(got.h1, v[1]), 2e-12);
    EXPECT_LT(distance(got.h2, v[2]), 2e-12);
  }
}

TEST_P(Settle, KeepsMomentumAndAngularMomentum) {
  const auto m = masses(GetParam());
  const auto shape = physics::WaterShape<double>::from(m[0], m[1], oh, hh);
  for (int i = 0; i < 100; ++i) {
    const auto x = water(i, 0);
    const Vec3d a = noise(i, 3), b = noise(i, 4), c = noise(i, 5);
    const auto v =
        physics::settle_velocities(shape, physics::WaterSites<double>{x[0], x[1], x[2]}, physics::WaterSites<double>{a, b, c});
    const Vec3d p = m[0] * (v.o - a) + m[1] * (v.h1 - b) + m[2] * (v.h2 - c);
    const Vec3d l = m[0] * cross(x[0], v.o - a) + m[1] * cross(x[1], v.h1 - b) + m[2] * cross(x[2], v.h2 - c);
    EXPECT_LT(std::sqrt(dot(p, p)), 1e-13);
    EXPECT_LT(std::sqrt(dot(l, l)), 1e-14);
  }
}

INSTANTIATE_TEST_SUITE_P(Masses, Settle, testing::Values(1.008, 3.024));

template <int arms>
void star_agrees() {
  physics::StarShape<double, arms> shape;
  std::vector<oracle::Rod> star;
  std::vector<double> mass = {12.011};
  shape.inverse_mass_centre = 1 / mass[0];
  for (int k = 0; k < arms; ++k) {
    const double length = 0.109 + 0.002 * k;
    mass.push_back(1.008);
    shape.inverse_mass[k] = 1 / 1.008;
    shape.length2[k] = length * length;
    star.push_back({0, k + 1, length});
  }
  const double tetrahedron[4][3] = {{1, 1, 1}, {1, -1, -1}, {-1, 1, -1}, {-1, -1, 1}};
  for (int i = 0; i < 50; ++i) {
    std::vector<Vec3d> before = {noise(i, 0)};
    for (int k = 0; k < arms; ++k)
      before.push_back(before[0] +
                       std::sqrt(shape.length2[k]) * unit(Vec3d{tetrahedron[k][0], tetrahedron[k][1], tetrahedron[k][2]}));
    auto moved = before, velocity = before;
    for (int k = 0; k <= arms; ++k) {
      moved[static_cast<std::size_t>(k)] += 0.004 * noise(i, 10 + k);
      velocity[static_cast<std::size_t>(k)] = noise(i, 20 + k);
    }
    physics::Star<double, arms> x{moved[0], {}}, v{velocity[0], {}};
    Vec3d reference[arms], direction[arms];
    for (int k = 0; k < arms; ++k) {
      const auto a = static_cast<std::size_t>(k + 1);
      x.arm[k] = moved[a];
      v.arm[k] = velocity[a];
      reference[k] = before[a] - before[0];
    }
    int steps = 0;
    for (double worst = 1; worst > 1e-12; ++steps) {
      const auto next = physics::shake_step(shape, reference, x);
      EXPECT_LT(next.worst, std::max(1.5 * worst * worst, 1e-14));  // Newton: the error is squared
      worst = next.worst;
      x = next.star;
    }
    EXPECT_LE(steps, 5);
    oracle::constrain_positions(star, mass, before, moved);
    for (int k = 0; k < arms; ++k) direction[k] = x.arm[k] - x.centre;
    v = physics::rattle(shape, direction, v).star;
    EXPECT_LT(physics::shake_step(shape, reference, x).worst, 1e-14);
    EXPECT_LT(physics::rattle(shape, direction, v).worst, 1e-12);
    oracle::constrain_velocities(star, mass, moved, velocity);
    EXPECT_LT(distance(x.centre, moved[0]), 1e-14);
    EXPECT_LT(distance(v.centre, velocity[0]), 1e-12);
    for (int k = 0; k < arms; ++k) {
      EXPECT_LT(distance(x.arm[k], moved[static_cast<std::size_t>(k + 1)]), 1e-14);
      EXPECT_LT(distance(v.arm[k], velocity[static_cast<std::size_t>(k + 1)]), 1e-12);
    }
  }
}

TEST(Shake, StarsAgreeWithTheOracle) {
  star_agrees<1>();
  star_agrees<2>();
  star_agrees<3>();
  star_agrees<4>();
}

}  // namespace
}  // namespace uplift

#include "uplift/model/cmap_spline.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <random>

#include "oracle/bonded.hpp"
#include "physics/bonded/cmap.hpp"
#include "uplift/core/error.hpp"

namespace uplift {
namespace {

constexpr double pi = std::numbers::pi;

CmapGrid random_grid(int resolution) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> energy(-10, 10);
  CmapGrid grid{resolution, {}};
  for (int n = 0; n < resolution * resolution; ++n) grid.energy.push_back(energy(random));
  return grid;
}

physics::CmapEnergy<double> evaluate(const CmapGrid& grid, const std::vector<double>& coefficients, double phi, double psi) {
  const double resolution = grid.resolution;
  const auto t = physics::cmap_cell(std::cos(phi), std::sin(phi), resolution),
             u = physics::cmap_cell(std::cos(psi), std::sin(psi), resolution);
  const auto start = static_cast<std::size_t>(16 * (t.cell * resolution + u.cell));
  return physics::cmap_energy(t.fraction, u.fraction, resolution,
                              [&](int c) { return coefficients[start + static_cast<std::size_t>(c)]; });
}

// Slopes of a random surface reach 10 x 3 x resolution/2pi; an angle's rounding (a few epsilon x pi) is multiplied by that.
TEST(Cmap, MatchesSplinesThroughRowsAndColumns) {
  std::mt19937_64 random(8);
  std::uniform_real_distribution<double> angle(-pi, pi);
  for (int resolution : {4, 5, 24}) {
    const CmapGrid grid = random_grid(resolution);
    const auto coefficients = cmap_coefficients(grid);
    const double slope = 30.0 * resolution, tolerance = 100 * std::numeric_limits<double>::epsilon() * slope;
    for (int n = 0; n < 200; ++n) {
      const double phi = angle(random), psi = angle(random);
      const auto value = evaluate(grid, coefficients, phi, psi);
      const auto expected = oracle::cmap(grid, phi, psi);
      EXPECT_NEAR(value.energy, expected.energy, tolerance);
      EXPECT_NEAR(value.slope_phi, expected.slope_phi, tolerance * resolution);
      EXPECT_NEAR(value.slope_psi, expected.slope_psi, tolerance * resolution);
    }
  }
}

TEST(Cmap, PassesThroughTheGridAndIsContinuousAcrossTheSeam) {
  const CmapGrid grid = random_grid(24);
  const auto coefficients = cmap_coefficients(grid);
  for (int i = 0; i < 24; ++i)
    for (int j = 0; j < 24; ++j)
      EXPECT_NEAR(evaluate(grid, coefficients, -pi + 2 * pi * i / 24, -pi + 2 * pi * j / 24).energy,
                  grid.energy[static_cast<std::size_t>(24 * i + j)], 1e-11);
  for (double psi : {-3.0, 0.1, 2.0}) {
    const auto below = evaluate(grid, coefficients, pi - 1e-9, psi), above = evaluate(grid, coefficients, -pi + 1e-9, psi);
    EXPECT_NEAR(below.energy, above.energy, 2e-9 * 720);
    EXPECT_NEAR(below.slope_phi, above.slope_phi, 2e-9 * 720 * 24);
    EXPECT_NEAR(below.slope_psi, above.slope_psi, 2e-9 * 720 * 24);
  }
}

// phi and psi are not the same axis: a map that varies along one only has no slope along the other.
TEST(Cmap, FirstAngleIsTheSlowIndex) {
  CmapGrid grid{24, {}};
  for (int i = 0; i < 24; ++i)
    for (int j = 0; j < 24; ++j) grid.energy.push_back(std::cos(-pi + 2 * pi * i / 24));
  const auto value = evaluate(grid, cmap_coefficients(grid), 1.0, -2.0);
  EXPECT_NEAR(value.energy, std::cos(1.0), 1e-4);  // spline error (2 pi/24)^4/384 = 1.2e-5, fourth derivative 1
  EXPECT_NEAR(value.slope_phi, -std::sin(1.0), 1e-3);
  EXPECT_NEAR(value.slope_psi, 0, 1e-12);
}

TEST(Cmap, RefusesGridsThatDoNotFit) {
  EXPECT_THROW(cmap_coefficients({24, std::vector<double>(575, 0.0)}), InputError);
  EXPECT_THROW(cmap_coefficients({3, std::vector<double>(9, 0.0)}), InputError);
  EXPECT_THROW(cmap_coefficients({-4, std::vector<double>(16, 0.0)}), InputError);
  std::vector<double> bad(16, 0.0);
  bad[5] = std::nan("");
  EXPECT_THROW(cmap_coefficients({4, bad}), InputError);
}

}  // namespace
}  // namespace uplift

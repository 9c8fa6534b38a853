#include "uplift/core/random.hpp"

#include <Random123/philox.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "uplift/core/philox.hpp"

namespace uplift {
namespace {

TEST(Philox, AgreesWithRandom123) {
  // Counters and keys of every kind: zeros, ones, and bits from a multiplicative walk.
  std::uint32_t s = 1;
  const auto next = [&] { return s = s * 1664525u + 1013904223u; };
  for (int n = 0; n < 1000; ++n) {
    r123::Philox4x32::ctr_type counter = {{next(), next(), next(), next()}};
    r123::Philox4x32::key_type key = {{next(), next()}};
    if (n == 0) counter = {{0, 0, 0, 0}}, key = {{0, 0}};
    if (n == 1) counter = {{~0u, ~0u, ~0u, ~0u}}, key = {{~0u, ~0u}};
    const auto expected = r123::Philox4x32()(counter, key);
    const auto got = philox_bits(Words4<std::uint32_t>{counter[0], counter[1], counter[2], counter[3]}, key[0], key[1]);
    EXPECT_EQ(got.a, expected[0]);
    EXPECT_EQ(got.b, expected[1]);
    EXPECT_EQ(got.c, expected[2]);
    EXPECT_EQ(got.d, expected[3]);
  }
}

TEST(Noise, EveryKeyGivesItsOwnDeviate) {
  std::set<double> seen;
  int drawn = 0;
  const auto draw = [&](std::uint64_t seed, NoisePurpose purpose, std::int64_t step, std::int64_t atom) {
    seen.insert(gaussian3(seed, purpose, step, atom).x);
    ++drawn;
  };
  for (std::int64_t k = 0; k < 40; ++k) {
    draw(7, NoisePurpose::langevin, 0, 1 + k);
    draw(7, NoisePurpose::langevin, 1ll << k, 0);
    draw(std::uint64_t{1} << k, NoisePurpose::initial_velocities, 0, 0);
    draw(7, NoisePurpose::barostat, k, 0);
  }
  draw(7, NoisePurpose::langevin, 0, 1ll << 35);  // beyond the low word of the index
  EXPECT_EQ(static_cast<int>(seen.size()), drawn);
  const Vec3d a = gaussian3(1, NoisePurpose::langevin, 2, 3), b = gaussian3(1, NoisePurpose::langevin, 2, 3);
  EXPECT_EQ(a.x, b.x);
  EXPECT_EQ(a.z, b.z);
}

/// A stage with several draws a step, and the next with one or another number, draw nothing twice.
TEST(Noise, DrawsOfAStepHaveKeysOfTheirOwn) {
  std::set<std::int64_t> seen;
  for (std::int64_t step = 0; step < 1000; ++step)
    for (int substep = 0; substep < (step < 500 ? 3 : 1); ++substep) EXPECT_TRUE(seen.insert(noise_step(step, substep)).second);
  EXPECT_EQ(noise_step(12345, 0), 12345);
}

TEST(Noise, SineAndCosineOfATurn) {
  double worst = 0;
  for (int i = 0; i <= 100000; ++i) {
    const double u = i * 1e-5;
    const auto got = sine_cosine_of_turn(u);
    worst = std::max(
        {worst, std::abs(got.sine - std::sin(2 * constants::pi * u)), std::abs(got.cosine - std::cos(2 * constants::pi * u))});
  }
  EXPECT_LT(worst, 4e-11);
}

TEST(Noise, MomentsOfTheNormalDistribution) {
  // n deviates: the mean is off by 1/sqrt(n), the variance by sqrt(2/n), the fourth moment by sqrt(96/n); five sigma each.
  const int atoms = 200000;
  double m1 = 0, m2 = 0, m4 = 0, cross_xy = 0, cross_xz = 0, cross_atoms = 0, last = 0, largest = 0;
  for (int i = 0; i < atoms; ++i) {
    const Vec3d g = gaussian3(2026, NoisePurpose::langevin, 17, i);
    for (double u : {g.x, g.y, g.z}) {
      m1 += u;
      m2 += u * u;
      m4 += u * u * u * u;
      largest = std::max(largest, std::abs(u));
    }
    cross_xy += g.x * g.y;
    cross_xz += g.x * g.z;
    cross_atoms += g.x * last;
    last = g.z;
  }
  const double n = 3.0 * atoms;
  EXPECT_LT(std::abs(m1 / n), 5 / std::sqrt(n));
  EXPECT_LT(std::abs(m2 / n - 1), 5 * std::sqrt(2 / n));
  EXPECT_LT(std::abs(m4 / n - 3), 5 * std::sqrt(96 / n));
  for (double c : {cross_xy, cross_xz, cross_atoms}) EXPECT_LT(std::abs(c / atoms), 5 / std::sqrt(static_cast<double>(atoms)));
  EXPECT_GT(largest, 4.0);  // of 600,000 about 38 lie beyond four sigma
  EXPECT_LT(largest, 6.8);
}

TEST(Noise, DistributionFunction) {
  // Kolmogorov and Smirnov: with n draws the largest deviation exceeds 2/sqrt(n) with probability 7e-4.
  const int n = 100000;
  std::multiset<double> sorted;
  for (int i = 0; i < n; ++i) sorted.insert(gaussian3(5, NoisePurpose::langevin, i, 99).y);
  double worst = 0;
  int k = 0;
  for (double u : sorted) {
    const double expected = 0.5 * std::erfc(-u / std::sqrt(2.0));
    worst =
        std::max({worst, std::abs(expected - static_cast<double>(k) / n), std::abs(expected - static_cast<double>(k + 1) / n)});
    ++k;
  }
  EXPECT_LT(worst, 2 / std::sqrt(static_cast<double>(n)));
}

TEST(Noise, UniformStaysInside) {
  double mean = 0;
  const int n = 100000;
  for (int i = 0; i < n; ++i) {
    const double u = uniform(3, NoisePurpose::barostat, i, 0);
    ASSERT_GT(u, 0);
    ASSERT_LT(u, 1);
    mean += u / n;
  }
  EXPECT_LT(std::abs(mean - 0.5), 5 / std::sqrt(12.0 * n));
  EXPECT_GT(open_unit(0u), 0);
  EXPECT_LT(open_unit(~0u), 1);
}

}  // namespace
}  // namespace uplift

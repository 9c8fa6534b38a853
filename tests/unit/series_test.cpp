// Statistics of correlated series: inefficiency, blocks for the bootstrap, weights.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "uplift/core/constants.hpp"
#include "uplift/sampling/series.hpp"

namespace uplift {
namespace {

std::vector<double> autoregressive(std::size_t n, double rho, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  std::vector<double> x(n);
  double v = normal(generator);
  for (double& one : x) one = v = rho * v + std::sqrt(1 - rho * rho) * normal(generator);
  return x;
}

TEST(Series, InefficiencyOfAnAutoregressiveProcess) {
  for (double rho : {0.0, 0.5, 0.9, 0.99}) {
    const double exact = (1 + rho) / (1 - rho);
    // A quarter of a million frames are 1256 correlation times of the slowest: its g is known to 15 % or better.
    EXPECT_NEAR(statistical_inefficiency(autoregressive(250000, rho, 3)), exact, 0.15 * exact) << rho;
  }
  EXPECT_EQ(statistical_inefficiency(std::vector<double>(100, 3.0)), 1);
}

TEST(Series, BlocksStayInTheirGroupAndFillIt) {
  const std::vector<std::size_t> starts{0, 20, 34};
  const Blocks apart(starts, {0, 1}, 3), together(starts, {7, 7}, 3);
  EXPECT_NEAR(apart.number(), 14 / 3.0, 1e-12);
  int of_first = 0;
  for (int replicate = 0; replicate < 40; ++replicate) {
    const auto chosen = apart.resample(5, replicate);
    ASSERT_EQ(chosen.size(), 34u);
    for (std::size_t k = 0; k < 34; ++k) EXPECT_EQ(chosen[k] < 20, k < 20);
    for (std::size_t k = 0; k + 1 < 20; ++k)
      if (k % 3 != 2) {
        EXPECT_EQ(chosen[k + 1], (chosen[k] + 1) % 20);
      }
    const auto mixed = together.resample(5, replicate);
    ASSERT_EQ(mixed.size(), 34u);
    for (std::size_t k = 0; k + 1 < 34; ++k)
      if (k % 3 != 2) {
        EXPECT_EQ(mixed[k] < 20, mixed[k + 1] < 20);  // a block is of one series
      }
    of_first += static_cast<int>(std::count_if(mixed.begin(), mixed.end(), [](std::size_t i) { return i < 20; }));
  }
  EXPECT_NEAR(of_first, 40 * 20, 120);  // by size: 460 blocks, three frames each, deviation 32
  EXPECT_NE(apart.resample(5, 0), apart.resample(5, 1));
  EXPECT_EQ(apart.resample(5, 3), apart.resample(5, 3));
  // A block as long as its series would always bring the same frames: there are four of them at least, or whole series.
  EXPECT_NEAR(Blocks({0, 100}, {0}, 1000).number(), 4, 1e-12);
  EXPECT_NEAR(Blocks({0, 10, 20, 30, 40, 50, 60}, {0, 0, 0, 0, 0, 0}, 1000).number(), 6, 1e-12);
  EXPECT_LT(Blocks({0, 1}, {0}, 10).number(), 2);
}

TEST(Series, RunsThatStayApartAreWorthAFrameEach) {
  const std::vector<double> noise = autoregressive(8000, 0.5, 4);
  std::vector<std::span<const double>> mixed, apart;
  std::vector<double> moved = noise;
  for (std::size_t k = 0; k < 4; ++k) {
    for (std::size_t i = 0; i < 2000; ++i) moved[2000 * k + i] += k < 2 ? 5 : -5;
    mixed.emplace_back(noise.data() + 2000 * k, 2000);
    apart.emplace_back(moved.data() + 2000 * k, 2000);
  }
  EXPECT_NEAR(statistical_inefficiency(mixed), 3, 0.6);  // (1 + rho)/(1 - rho); each by itself is known to 0.3
  EXPECT_GT(statistical_inefficiency(apart), 1000);
  EXPECT_LT(statistical_inefficiency(apart), 2000);
}

TEST(Series, BlocksOfReplicasThatExchangedAreOfTheSameTimes) {
  // Two ensembles of two temperatures each, and a run by itself: 0 and 2 exchanged, 1 and 3, too.
  const Blocks blocks({0, 20, 40, 60, 80, 90}, {0, 0, 1, 1, 2}, 5, {7, 8, 7, 8, -1});
  std::vector<int> seen(5, 0);
  for (int replicate = 0; replicate < 20; ++replicate) {
    const auto chosen = blocks.resample(3, replicate);
    ASSERT_EQ(chosen.size(), 90u);
    std::vector<int> times(80, 0);
    for (std::size_t i : chosen) {
      ++seen[i / 20];
      if (i < 80) ++times[i];
    }
    for (std::size_t k = 0; k < 40; ++k) EXPECT_EQ(times[k], times[k + 40]) << k;
  }
  EXPECT_EQ(seen[0], seen[2]);
  EXPECT_EQ(seen[1], seen[3]);
  EXPECT_EQ(seen[4], 200);
  EXPECT_NEAR(seen[0], 400, 160);          // 8 blocks of five from either, twenty times: deviation 32
  EXPECT_NEAR(blocks.number(), 5, 1e-12);  // of the run by itself, where they are as short as two
}

TEST(Series, WeightsOfAnySizeAreSafe) {
  EXPECT_NEAR(log_sum_exp(std::vector<double>{1000, 1000 + std::log(3.0)}), 1000 + std::log(4.0), 1e-12);
  EXPECT_NEAR(effective_frames(std::vector<double>{900, 900, 900}), 3, 1e-9);
  EXPECT_NEAR(effective_frames(std::vector<double>{900, 0, 0}), 1, 1e-9);
  EXPECT_NEAR(largest_share(std::vector<double>{0, 0, 0, 0}), 0.25, 1e-12);
}

TEST(Series, AnharmonicityOfKnownShapes) {
  std::mt19937_64 generator(9);
  std::normal_distribution<double> normal(50, 7);
  std::uniform_real_distribution<double> uniform(3, 4);
  std::vector<double> gaussian, box;
  for (int n = 0; n < 200000; ++n) {
    gaussian.push_back(normal(generator));
    box.push_back(uniform(generator));
  }
  EXPECT_NEAR(anharmonicity(gaussian), 0, 0.005);  // bins of a fifth of the deviation add h^2/24 = 0.002
  EXPECT_NEAR(anharmonicity(box), 0.5 * std::log(2 * constants::pi * std::exp(1.0) / 12), 0.003);
  EXPECT_TRUE(std::isnan(anharmonicity(std::vector<double>(10, 1.0))));
}

}  // namespace
}  // namespace uplift

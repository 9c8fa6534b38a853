#include "physics/pme/bspline.hpp"

#include <gtest/gtest.h>

#include "oracle/ewald.hpp"
#include "uplift/backend/pme_setup.hpp"

namespace uplift {
namespace {

constexpr double epsilon = 2.3e-16;

template <int order>
void compare_with_truncated_powers() {
  for (double w : {0.0, 1e-9, 0.1, 0.25, 0.5, 0.77, 0.999999}) {
    const auto b = physics::bspline_weights<order>(w);
    double sum = 0, slope = 0;
    for (int j = 0; j < order; ++j) {
      const double u = w + order - 1 - j;
      // Truncated powers cancel: terms up to order^order / order!, below 500 for order 6, of rounding epsilon each.
      EXPECT_NEAR(b.value[j], oracle::cardinal_bspline(order, u), 2000 * epsilon) << order << " " << w << " " << j;
      EXPECT_NEAR(b.derivative[j], oracle::cardinal_bspline(order - 1, u) - oracle::cardinal_bspline(order - 1, u - 1),
                  2000 * epsilon);
      sum += b.value[j];
      slope += b.derivative[j];
      EXPECT_GE(b.value[j], 0);
    }
    EXPECT_NEAR(sum, 1, 4 * order * epsilon);
    EXPECT_NEAR(slope, 0, 4 * order * epsilon);
    const auto single = physics::bspline_weights<order>(static_cast<float>(w));
    for (int j = 0; j < order; ++j) EXPECT_NEAR(static_cast<double>(single.value[j]), b.value[j], 4 * order * 6e-8);
  }
}

TEST(Bspline, MatchesTruncatedPowers) {
  compare_with_truncated_powers<4>();
  compare_with_truncated_powers<5>();
  compare_with_truncated_powers<6>();
}

TEST(Bspline, ModuliVanishNowhere) {
  for (int order : {4, 5, 6})
    for (int n : {6, 7, 8, 63, 64, 315}) {
      const auto m = spline_moduli(order, n);
      EXPECT_NEAR(m[0], 1, 10 * epsilon);
      for (int k = 1; k < n; ++k) {
        EXPECT_GE(m[static_cast<std::size_t>(k)], 1e-7) << order << " " << n << " " << k;
        EXPECT_NEAR(m[static_cast<std::size_t>(k)], m[static_cast<std::size_t>(n - k)], 1e-13);
      }
    }
  const auto odd = spline_moduli(5, 64);  // M_5 alternates to nothing at half the mesh: the mean of the neighbours instead
  EXPECT_DOUBLE_EQ(odd[32], (odd[31] + odd[33]) / 2);
  // M_4(1..3) = 1/6, 4/6, 1/6: at half the mesh (1/3)^2.
  EXPECT_NEAR(spline_moduli(4, 64)[32], 1.0 / 9, 10 * epsilon);
}

}  // namespace
}  // namespace uplift

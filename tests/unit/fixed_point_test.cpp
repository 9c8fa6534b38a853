#include "uplift/core/fixed_point.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace uplift {
namespace {

TEST(FixedPoint, RoundsToItsUnit) {
  for (double value : {0.0, 1.0, -1.0, 0.3, -0.3, 12345.678, -9.87654321e6}) {
    EXPECT_NEAR(from_fixed(fixed_force(value)), value, 0.5 * fixed_unit * (1 + std::abs(value) * 1e-6)) << value;
    EXPECT_EQ(fixed_force(-value), -fixed_force(value)) << value;
    EXPECT_EQ(fixed_whole(value), fixed_energy(value)) << value;
  }
}

TEST(FixedPoint, CutsContributionsOff) {
  EXPECT_EQ(from_fixed(fixed_force(1e30)), force_clamp);
  EXPECT_EQ(from_fixed(fixed_force(-1e30)), -force_clamp);
  EXPECT_EQ(from_fixed(fixed_energy(std::numeric_limits<double>::infinity())), energy_clamp);
  EXPECT_EQ(from_fixed(fixed_force(std::numeric_limits<double>::quiet_NaN())), force_clamp);
  EXPECT_TRUE(beyond_limit(std::numeric_limits<double>::quiet_NaN()));
}

TEST(FixedPoint, WholeNumbersGoRoundAndComeBack) {
  for (double large : {1.5e9, -3.1e9, 7.7e10, 0x1p31, -0x1p31}) {
    const std::uint64_t sum =
        static_cast<std::uint64_t>(fixed_whole(large)) + static_cast<std::uint64_t>(fixed_whole(1000.25 - large));
    EXPECT_NEAR(from_fixed(static_cast<Fixed>(sum)), 1000.25, std::abs(large) * 1e-15) << large;
  }
  EXPECT_EQ(fixed_whole(std::numeric_limits<double>::quiet_NaN()), std::numeric_limits<Fixed>::min());
}

}  // namespace
}  // namespace uplift

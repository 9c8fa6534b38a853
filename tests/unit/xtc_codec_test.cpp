// Positions of an XTC file come back as they were, whatever the scale of their differences.
#include "io/frames/xtc_codec.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "uplift/core/random.hpp"

namespace uplift::xtc {
namespace {

std::vector<Grid> walk(int atoms, double step, int seed) {
  std::vector<Grid> x;
  Vec3d here{0, 0, 0};
  for (int i = 0; i < atoms; ++i) {
    here += step * gaussian3(static_cast<std::uint64_t>(seed), NoisePurpose::langevin, 0, i);
    x.push_back({static_cast<std::int32_t>(here.x), static_cast<std::int32_t>(here.y), static_cast<std::int32_t>(here.z)});
  }
  return x;
}

TEST(XtcCodec, EveryScaleComesBack) {
  for (double step = 0.1; step < 5e7; step *= 1.7)
    for (const int atoms : {1, 2, 3, 10, 300}) {
      const std::vector<Grid> x = walk(atoms, step, atoms);
      std::vector<Grid> y(x.size());
      unpack(pack(x), y);
      ASSERT_EQ(x, y) << atoms << " atoms, steps of " << step;
    }
}

TEST(XtcCodec, CoincidingAndExtremeAtomsComeBack) {
  const std::int32_t far = 1 << 30;
  for (const std::vector<Grid>& x : {std::vector<Grid>(50, Grid{5, -5, 0}),
                                     {{-far, -far, -far}, {far, far, far}, {0, 0, 0}, {far, -far, 1}},
                                     {{0, 0, 0}, {4, 0, 0}, {0, 0, 0}, {-4, 0, 0}, {3, 3, 3}}}) {
    std::vector<Grid> y(x.size());
    unpack(pack(x), y);
    EXPECT_EQ(x, y);
  }
}

TEST(XtcCodec, DamageIsFound) {
  const std::vector<Grid> x = walk(100, 30, 1);
  const Packed whole = pack(x);
  std::vector<Grid> y(x.size());
  for (std::size_t cut = 0; cut < whole.bits.size(); cut += 7) {
    Packed p = whole;
    p.bits.resize(cut);
    EXPECT_THROW(unpack(p, y), std::runtime_error) << cut;
  }
  for (const std::int32_t small : {-1, 0, 8, 73, 1000}) {
    Packed p = whole;
    p.small = small;
    EXPECT_THROW(unpack(p, y), std::runtime_error) << small;
  }
  Packed p = whole;
  std::swap(p.low, p.high);
  EXPECT_THROW(unpack(p, y), std::runtime_error);
}

}  // namespace
}  // namespace uplift::xtc

#include <gtest/gtest.h>

#include <cmath>

#include "uplift/backend/cpu/force_term.hpp"
#include "uplift/backend/pme_setup.hpp"
#include "uplift/core/error.hpp"

namespace uplift {
namespace {

const Box box = make_box({6.2, 6.2, 6.2}, {M_PI / 2, M_PI / 2, M_PI / 2});

TEST(PmeParameters, FromTolerance) {
  ForceSettings s;
  const PmeParameters p = resolve_pme(s, box);
  // sqrt(-ln(1e-3)) / 0.9 = 2.92029 /nm; 2 x 2.92029 x 6.2 / (3 x 5e-4^0.2) = 55.2: 56 = 7 x 8.
  EXPECT_NEAR(p.alpha, 2.92029, 1e-5);
  EXPECT_EQ(p.grid, (std::array<int, 3>{56, 56, 56}));
  EXPECT_EQ(p.order, 5);
}

TEST(PmeParameters, HigherOrdersNeedCoarserMeshes) {
  ForceSettings s;
  int previous = 1 << 30;
  for (int order : {4, 5, 6}) {
    s.pme.order = order;
    const PmeParameters p = resolve_pme(s, box);
    EXPECT_LT(p.grid[0], previous);
    previous = p.grid[0];
  }
}

TEST(PmeParameters, SkewedBoxesCountEdgeLengths) {
  const double angle = 109.4712206 * M_PI / 180;
  const PmeParameters p = resolve_pme({}, make_box({6.2, 6.2, 6.2}, {angle, angle, angle}));
  EXPECT_EQ(p.grid, (std::array<int, 3>{56, 56, 56}));
}

TEST(PmeParameters, SizesAreThoseThatTransformsDoQuickly) {
  // 2 x 2.92029 / (3 x 5e-4^0.2) = 8.9 points a nm. cuFFT takes 1.6 to 1.9 times as long for 52, 75 and 98 as for what comes
  // next.
  const auto size = [](double edge) {
    return resolve_pme({}, make_box({edge, edge, edge}, {M_PI / 2, M_PI / 2, M_PI / 2})).grid[0];
  };
  for (const auto& [wanted, taken] :
       {std::pair(52, 54), std::pair(75, 80), std::pair(98, 99), std::pair(91, 96), std::pair(110, 110)})
    EXPECT_EQ(size((wanted - 0.5) / 8.9038), taken) << wanted;
}

TEST(PmeParameters, ExplicitValuesAreTakenAsTheyAre) {
  ForceSettings s;
  s.pme.alpha = 3.47;
  s.pme.grid = {{61, 62, 17}};
  const PmeParameters p = resolve_pme(s, box);
  EXPECT_EQ(p.alpha, 3.47);
  EXPECT_EQ(p.grid, *s.pme.grid);
}

TEST(PmeParameters, RefusesNonsense) {
  const auto refused = [](auto change, Box b = box) {
    ForceSettings s;
    change(s);
    EXPECT_THROW(resolve_pme(s, b), InputError);
  };
  refused([](ForceSettings&) {}, Box{});
  refused([](ForceSettings& s) { s.pme.order = 3; });
  refused([](ForceSettings& s) { s.pme.order = 7; });
  refused([](ForceSettings& s) { s.pme.alpha = 3; });
  refused([](ForceSettings& s) { s.pme.grid = {{64, 64, 64}}; });
  refused([](ForceSettings& s) { s.pme.tolerance = 0; });
  refused([](ForceSettings& s) { s.pme.tolerance = 0.5; });
  refused([](ForceSettings& s) { s.pme.tolerance = std::nan(""); });
  refused([](ForceSettings& s) { s.cutoff = 0; });
  refused([](ForceSettings& s) { s.cutoff = 1e-9; });
  const auto grid = [&](double alpha, std::array<int, 3> g) {
    refused([&](ForceSettings& s) {
      s.pme.alpha = alpha;
      s.pme.grid = g;
    });
  };
  grid(0, {64, 64, 64});
  grid(std::nan(""), {64, 64, 64});
  grid(3, {64, 4, 64});
  grid(3, {64, -64, -64});
  grid(3, {2000, 2000, 2000});
}

TEST(PmeParameters, NothingWithoutPme) {
  ForceSettings s;
  s.nonbonded = NonbondedMethod::no_cutoff;
  EXPECT_EQ(resolve_pme(s, Box{}).order, 0);
}

}  // namespace
}  // namespace uplift

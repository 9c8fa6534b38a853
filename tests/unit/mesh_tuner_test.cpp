// How many ranks transform the mesh: which ones they are, and how many are tried.
#include "domain/mesh_tuner.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "uplift/backend/mesh_share.hpp"

namespace uplift {
namespace {

TEST(MeshShare, PartsAreAsLargeAndEvenlySpaced) {
  for (int ranks : {1, 2, 3, 8, 13, 1024})
    for (int transforming = 1; transforming <= ranks; transforming += 1 + transforming / 7) {
      const MeshShare share{ranks, transforming};
      const int points = transforming + 100;
      int busy = 0, last = -1;
      EXPECT_EQ(share.first(points, 0), 0);
      EXPECT_EQ(share.first(points, ranks), points);
      for (int r = 0; r < ranks; ++r) {
        const int count = share.count(points, r);
        if (count == 0) continue;
        EXPECT_GE(count, points / transforming);
        EXPECT_LE(count, points / transforming + 1);
        EXPECT_LE(r - last, (ranks + transforming - 1) / transforming) << ranks << " " << transforming;
        last = r;
        ++busy;
      }
      EXPECT_EQ(busy, transforming) << ranks;
    }
}

/// What is settled on, and what was tried in turn, where n ranks take time(n).
std::pair<int, std::vector<int>> settle(int ranks, const std::function<int(int)>& time, int wanted = 0) {
  MeshTuner tuner(ranks, wanted);
  std::vector<int> tried;
  while (!tuner.settled()) {
    if (tried.empty() || tried.back() != tuner.ranks()) tried.push_back(tuner.ranks());
    tuner.note(time(tuner.ranks()));
  }
  const int found = tuner.ranks();
  tuner.note(1);
  EXPECT_EQ(tuner.ranks(), found) << "settled";
  return {found, tried};
}

TEST(MeshTuner, TakesWhatIsQuickest) {
  const auto [found, tried] = settle(16, [](int n) { return 1000 + 100 * (n - 4) * (n - 4); });
  EXPECT_EQ(found, 4);
  EXPECT_EQ(tried, (std::vector<int>{16, 8, 4, 2, 1}));
  EXPECT_EQ(settle(6, [](int n) { return n; }), (std::pair(1, std::vector<int>{6, 3, 2, 1})));
  EXPECT_EQ(settle(2, [](int n) { return n == 1 ? 900 : 1000; }).first, 1);
}

TEST(MeshTuner, StaysWithAllRanksUnlessFewerAreClearlyQuicker) {
  EXPECT_EQ(settle(8, [](int n) { return n == 8 ? 1000 : 980; }).first, 8);
  EXPECT_EQ(settle(8, [](int) { return 1000; }).first, 8);
}

TEST(MeshTuner, IsNotMisledByWhatElseGoesOn) {
  // Two of three times other programs were in the way.
  int count = 0;
  const auto disturbed = [&](int n) { return (n == 2 ? 800 : 1000) * (count++ % 3 == 1 ? 1 : 5); };
  EXPECT_EQ(settle(4, disturbed).first, 2);
}

TEST(MeshTuner, TriesNothingWhereThereIsNoChoice) {
  const auto never = [](int) { return 1; };
  EXPECT_EQ(settle(1, never), (std::pair(1, std::vector<int>{})));
  EXPECT_EQ(settle(8, never, 3), (std::pair(3, std::vector<int>{})));
  EXPECT_EQ(settle(8, never, 30).first, 8);
}

}  // namespace
}  // namespace uplift

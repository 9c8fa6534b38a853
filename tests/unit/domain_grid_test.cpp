// Domains of ranks: how many along each direction, and how narrow walls may make them.
#include "domain/grid.hpp"

#include <gtest/gtest.h>

#include "uplift/backend/atom_groups.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"

namespace uplift {
namespace {

constexpr double reach = 1.1;
const Vec3d right{constants::pi / 2, constants::pi / 2, constants::pi / 2};

Box cube(double edge) { return make_box({edge, edge, edge}, right); }

TEST(DomainGrid, CutsAreAsTheBoxAllows) {
  EXPECT_EQ(DomainGrid(cube(6), 1, reach).counts(), (std::array{1, 1, 1}));
  EXPECT_EQ(DomainGrid(cube(6), 8, reach).counts(), (std::array{2, 2, 2}));
  EXPECT_EQ(DomainGrid(make_box({12, 3, 3}, right), 4, reach).counts(), (std::array{4, 1, 1}));
  EXPECT_EQ(DomainGrid(cube(2.3), 3, reach).counts(), (std::array{3, 1, 1})) << "three are beside each other, however narrow";
}

TEST(DomainGrid, TwoDomainsAreNotNarrowerThanForcesReach) {
  // Atoms at both ends of one domain would reach each other round the far side of the other.
  EXPECT_THROW(DomainGrid(cube(2.3), 2, reach), InputError);
  EXPECT_NO_THROW(DomainGrid(cube(2.8), 2, reach));
}

TEST(DomainGrid, LeavesRoomForLargeGroups) {
  EXPECT_NO_THROW(DomainGrid(cube(2.8), 2, reach, 0.29));
  EXPECT_THROW(DomainGrid(cube(2.8), 2, reach, 0.31), InputError);
  EXPECT_NO_THROW(DomainGrid(cube(2.8), 2, reach, 0)) << "some room is always left";
  EXPECT_THROW(DomainGrid(cube(2.6), 2, reach, 0), InputError);
}

TEST(DomainGrid, GroupsAreAsLargeAsTheyCanTurn) {
  const Box box = cube(3);
  // Two groups, of 0.2 nm across a face of the box, and of 0.3; a third that is smaller.
  const std::vector<Vec3d> x{{0.1, 1, 1}, {2.9, 1, 1}, {1, 1, 1}, {1, 1.1, 1}, {1, 1.3, 1}, {2, 2, 2}, {2, 2.1, 2}};
  EXPECT_NEAR(overhang_of_groups({0, 0, 2, 2, 2, 5, 5}, x, box), 0.5, 1e-12);
  EXPECT_EQ(overhang_of_groups({0, 1, 2, 3, 4, 5, 6}, x, box), 0);
}

std::string refusal(const Box& box, int ranks) {
  try {
    const DomainGrid grid(box, ranks, reach);
  } catch (const InputError& e) {
    return e.what();
  }
  return "";
}

TEST(DomainGrid, ARefusalNamesRanksThatFit) {
  // A prime number of ranks must lie in a row, where more of them may be stacked.
  EXPECT_NE(refusal(cube(5), 5).find("start 4 or 6 ranks"), std::string::npos) << refusal(cube(5), 5);
  EXPECT_NE(refusal(cube(2.3), 2).find("start 1 or 3 ranks"), std::string::npos) << refusal(cube(2.3), 2);
  EXPECT_NE(refusal(cube(2.3), 100).find("start 27 ranks"), std::string::npos) << refusal(cube(2.3), 100);
}

TEST(DomainGrid, WallsFollowWorkWithinBounds) {
  for (const auto& [edge, ranks] : {std::pair{2.8, 2}, std::pair{4.0, 2}, std::pair{9.0, 4}}) {
    const Box box = make_box({edge, 2, 2}, right);
    DomainGrid grid(box, ranks, reach);
    ASSERT_EQ(grid.counts()[0], ranks);
    std::vector<std::int64_t> work(static_cast<std::size_t>(ranks), 1);
    work[0] = 1000;
    const double before = grid.high(0, 0) - grid.low(0, 0);
    for (int k = 0; k < 200; ++k) {
      grid.balance(work, box, reach + 0.5);
      ASSERT_GE(grid.narrowest(0) * edge, reach + 0.25 - 1e-9) << edge << " nm, " << ranks << " domains, shift " << k;
    }
    if (edge > 3) {
      EXPECT_LT(grid.high(0, 0) - grid.low(0, 0), before);
    }
  }
}

}  // namespace
}  // namespace uplift

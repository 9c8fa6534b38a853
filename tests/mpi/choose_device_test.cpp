#include "uplift/domain/choose_device.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "uplift/core/error.hpp"

namespace uplift {
namespace {

/// Of every rank of a machine, for replicas 0, 1, ... of each.
std::vector<std::vector<int>> taken(std::vector<int> devices, int there, int ranks, int replicas) {
  std::vector<std::vector<int>> all;
  for (int place = 0; place < ranks; ++place) {
    std::vector<int>& own = all.emplace_back();
    for (int turn = 0; turn < replicas; ++turn) {
      ComputeSettings compute;
      compute.devices = devices;
      compute.turn = turn;
      own.push_back(choose_device(compute, there, {place, ranks}));
    }
  }
  return all;
}

using Devices = std::vector<std::vector<int>>;

TEST(ChooseDevice, RanksAndReplicasTakeThemInTurns) {
  EXPECT_EQ(taken({}, 4, 4, 1), (Devices{{0}, {1}, {2}, {3}}));
  EXPECT_EQ(taken({}, 2, 3, 1), (Devices{{0}, {1}, {0}}));
  EXPECT_EQ(taken({}, 4, 1, 6), (Devices{{0, 1, 2, 3, 0, 1}}));
  EXPECT_EQ(taken({}, 4, 2, 2), (Devices{{0, 2}, {1, 3}}));
  EXPECT_EQ(taken({3, 1}, 4, 3, 1), (Devices{{3}, {1}, {3}}));
}

TEST(ChooseDevice, ThoseThatAreNotThereAreRefused) {
  EXPECT_THROW(taken({}, 0, 1, 1), InputError);
  EXPECT_THROW(taken({0, 2}, 2, 1, 1), InputError);
}

}  // namespace
}  // namespace uplift

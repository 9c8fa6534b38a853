// What the engine asks of MPI, on as many ranks as this is started with (tests/mpi/CMakeLists.txt: 1 to 4).
#include "uplift/domain/communicator.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "mpi/ranks.hpp"

const uplift::Communicator* all = nullptr;

namespace {

using uplift::Communicator;

TEST(Communicator, NumbersItsRanks) {
  std::vector<std::int64_t> seen(static_cast<std::size_t>(all->size()), 0);
  seen[static_cast<std::size_t>(all->rank())] = 1;
  all->sum(std::span(seen));
  EXPECT_EQ(seen, std::vector<std::int64_t>(seen.size(), 1));
  EXPECT_EQ(all->root(), all->rank() == 0);
}

TEST(Communicator, BroadcastsValuesVectorsAndText) {
  const int from = all->size() - 1;
  double value = all->rank() == from ? 2.5 : 0;
  all->broadcast(value, from);
  EXPECT_EQ(value, 2.5);
  std::vector<int> list = all->rank() == from ? std::vector{1, 2, 3} : std::vector{9};
  all->broadcast(list, from);
  EXPECT_EQ(list, (std::vector{1, 2, 3}));
  std::string text = all->rank() == from ? "halo" : "another";
  all->broadcast(text, from);
  EXPECT_EQ(text, "halo");
  std::vector<int> none;
  all->broadcast(none);
  EXPECT_TRUE(none.empty());
}

TEST(Communicator, ReducesToTheSameEverywhere) {
  const std::int64_t n = all->size(), r = all->rank();
  std::vector<std::int64_t> sums{r + 1, std::int64_t{1} << 60};
  all->sum(std::span(sums).first(1));
  EXPECT_EQ(sums[0], n * (n + 1) / 2);
  std::int64_t most = r, least = r;
  all->maximum(std::span(&most, 1));
  all->minimum(std::span(&least, 1));
  EXPECT_EQ(most, n - 1);
  EXPECT_EQ(least, 0);
  double high = 0.5 * static_cast<double>(r), sum = 1;
  all->maximum(std::span(&high, 1));
  all->sum(std::span(&sum, 1));
  EXPECT_EQ(high, 0.5 * static_cast<double>(n - 1));
  EXPECT_EQ(sum, static_cast<double>(n));
}

TEST(Communicator, GathersWhatDiffersInLength) {
  std::vector<int> own(static_cast<std::size_t>(all->rank()), all->rank());
  const auto lists = all->gather(std::span<const int>(own));
  if (!all->root()) {
    EXPECT_TRUE(lists.empty());
    return;
  }
  ASSERT_EQ(lists.size(), static_cast<std::size_t>(all->size()));
  for (std::size_t k = 0; k < lists.size(); ++k) EXPECT_EQ(lists[k], std::vector<int>(k, static_cast<int>(k)));
}

TEST(Communicator, SendsRoundARing) {
  if (all->size() == 1) GTEST_SKIP() << "needs two ranks";
  const int next = (all->rank() + 1) % all->size(), last = (all->rank() + all->size() - 1) % all->size();
  const std::vector<double> own(5, all->rank());
  std::vector<double> got(5, -1);
  auto receive = all->start_receive(std::as_writable_bytes(std::span(got)), last, 3);
  auto send = all->start_send(std::as_bytes(std::span(own)), next, 3);
  receive.wait();
  send.wait();
  EXPECT_EQ(got, std::vector<double>(5, last));
  if (all->root()) all->send(std::span<const double>(own), next);
  if (all->rank() == 1) {
    EXPECT_EQ(all->receive<double>(0), std::vector<double>(5, 0));
  }
}

TEST(Communicator, SplitsIntoGroups) {
  const int colour = all->rank() % 2;
  const Communicator part = all->split(colour);
  EXPECT_EQ(part.size(), (all->size() + 1 - colour) / 2);
  EXPECT_EQ(part.rank(), all->rank() / 2);
  std::int64_t sum = all->rank();
  part.sum(std::span(&sum, 1));
  std::int64_t expected = 0;
  for (int r = colour; r < all->size(); r += 2) expected += r;
  EXPECT_EQ(sum, expected);
  EXPECT_EQ(all->node().size(), all->size());  // tests run on one machine
  all->barrier();
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const uplift::MpiSession mpi(argc, argv);
  all = &mpi.world();
  int failed = RUN_ALL_TESTS();
  std::int64_t any = failed;
  all->maximum(std::span(&any, 1));
  return static_cast<int>(any);
}

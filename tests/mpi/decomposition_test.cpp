// Messages between domains: what is on its way, what comes late, and what may be done until then.
#include "domain/decomposition.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cmath>
#include <memory>
#include <numbers>
#include <random>
#include <thread>

#include "mpi/ranks.hpp"
#include "uplift/core/at.hpp"

namespace uplift {
namespace {

using namespace std::chrono_literals;

constexpr auto late = 80ms;
const double half_late = 0.5 * std::chrono::duration<double>(late).count();

/// Atoms at random, the same ones on every rank, shared out; then moved at home.
struct Moved {
  Box box = make_box({4, 4, 4}, {std::numbers::pi / 2, std::numbers::pi / 2, std::numbers::pi / 2});
  System system;
  std::vector<Vec3d> x, target;
  std::unique_ptr<Decomposition> link;

  Moved() {
    std::mt19937 random(3);
    std::uniform_real_distribution<double> u(0, 1);
    for (int i = 0; i < 2000; ++i) x.push_back(box.position({u(random), u(random), u(random)}));
    system.topology.atoms.resize(x.size());
    link = std::make_unique<Decomposition>(system, *all);
    link->adopt(x, box, 0.8);
    for (const Vec3d& r : x) target.push_back(r + Vec3d{u(random), u(random), u(random)});
    link->share().for_home([&](int i) { x[at(i)] = target[at(i)]; });
  }
  PhaseTime phase(const char* name) const {
    for (const PhaseTime& p : link->phases())
      if (p.name == name) return p;
    ADD_FAILURE() << name;
    return {};
  }
};

TEST(Decomposition, HaloIsNotANumberWhileItsPositionsAreOnTheirWay) {
  if (all->size() == 1) GTEST_SKIP() << "needs two ranks";
  Moved s;
  ASSERT_FALSE(s.link->share().halo.empty());
  s.link->start_forward(s.x);
  for (int i : s.link->share().halo)
    for (double u : {s.x[at(i)].x, s.x[at(i)].y, s.x[at(i)].z}) EXPECT_TRUE(std::isnan(u));
  s.link->share().for_home([&](int i) { EXPECT_EQ(s.x[at(i)], s.target[at(i)]); });
  s.link->finish_forward(s.x);
  s.link->share().for_local([&](int i) { EXPECT_EQ(s.x[at(i)], s.target[at(i)]); });
}

TEST(Decomposition, WaitsForPositionsThatComeLateAndCountsIt) {
  if (all->size() == 1) GTEST_SKIP() << "needs two ranks";
  Moved s;
  double most = 0;  // other programs may take the core of one who should wait now and then
  for (int attempt = 0; attempt < 5 && most < half_late; ++attempt) {
    const PhaseTime before = s.phase("halo positions");
    const double waited = s.link->waited();
    all->barrier();
    if (all->root()) std::this_thread::sleep_for(late);
    s.link->start_forward(s.x);
    s.link->finish_forward(s.x);
    s.link->share().for_local([&](int i) { EXPECT_EQ(s.x[at(i)], s.target[at(i)]); });
    EXPECT_EQ(s.phase("halo positions").calls, before.calls + 1);  // of the two halves together
    most = s.phase("halo positions").seconds - before.seconds;
    EXPECT_GE(s.link->waited() - waited, 0.999 * most);
    all->maximum(std::span(&most, 1));
  }
  EXPECT_GT(most, half_late);
}

TEST(Decomposition, WorkBetweenTheHalvesIsNoWaiting) {
  if (all->size() != 2) GTEST_SKIP() << "needs two ranks";
  Moved s;
  const double before = s.phase("halo positions").seconds;
  double least = 1;  // other programs may take the core now and then
  for (int attempt = 0; attempt < 5 && least > half_late; ++attempt) {
    const double start = s.phase("halo positions").seconds;
    all->barrier();
    if (all->root()) std::this_thread::sleep_for(late);
    s.link->start_forward(s.x);
    if (!all->root()) std::this_thread::sleep_for(2 * late);  // what would be worked out meanwhile
    s.link->finish_forward(s.x);
    s.link->share().for_local([&](int i) { EXPECT_EQ(s.x[at(i)], s.target[at(i)]); });
    std::int64_t worst = static_cast<std::int64_t>(1e9 * (s.phase("halo positions").seconds - start));
    if (all->root()) worst = 0;  // it has to wait for nobody's work, but may lose its core
    all->maximum(std::span(&worst, 1));
    least = std::min(least, 1e-9 * static_cast<double>(worst));
  }
  EXPECT_LT(least, half_late);
  EXPECT_GE(s.phase("halo positions").seconds, before);
}

TEST(Decomposition, ForcesAddedAtHomeWhileOthersAreOnTheirWayCount) {
  if (all->size() == 1) GTEST_SKIP() << "needs two ranks";
  Moved s;
  std::vector<Fixed> force(3 * s.x.size(), 0);
  std::vector<std::int64_t> ranks_with(s.x.size(), 0);  // that have the atom at home or in the halo
  s.link->share().for_local([&](int i) {
    ranks_with[at(i)] = 1;
    for (std::size_t c = 0; c < 3; ++c) force[3 * at(i) + c] = 1;
  });
  all->sum(std::span(ranks_with));
  if (all->root()) std::this_thread::sleep_for(late / 4);
  s.link->start_reverse(force);
  s.link->share().for_home([&](int i) {
    for (std::size_t c = 0; c < 3; ++c) force[3 * at(i) + c] += 100;
  });
  s.link->finish_reverse(force);
  s.link->share().for_home([&](int i) {
    for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(force[3 * at(i) + c], 100 + ranks_with[at(i)]);
  });
  for (int i : s.link->share().halo) EXPECT_EQ(force[3 * at(i)], 0);
}

/// Packed forces of two arrays leave on each rank at another place among messages that all ranks exchange meanwhile.
TEST(Decomposition, PackedForcesLeaveWhenTheyLike) {
  if (all->size() == 1) GTEST_SKIP() << "needs two ranks";
  Moved s;
  const std::size_t halo = s.link->share().halo.size(), sent = s.link->sent().size();
  using Force = std::array<Fixed, 3>;
  for (int trial = 0; trial < 4; ++trial) {
    std::vector<Force> out(2 * halo), in(2 * sent);
    for (std::size_t k = 0; k < halo; ++k)
      for (std::size_t array = 0; array < 2; ++array)
        out[2 * k + array] = {s.link->share().halo[k], static_cast<Fixed>(array), all->rank()};
    const auto leave = [&] {
      s.link->start_reverse_packed(std::as_bytes(std::span(out)), std::as_writable_bytes(std::span(in)), 2);
    };
    const int moment = (trial + all->rank()) % 4;  // so many rounds come before
    for (int round = 0; round < 4; ++round) {
      if (round == moment) leave();
      std::vector<int> own(at(all->size()), 10 * round + all->rank()), got(at(all->size()), -1);
      std::vector<std::span<const std::byte>> send(at(all->size()));
      std::vector<std::span<std::byte>> receive(at(all->size()));
      for (int r = 0; r < all->size(); ++r) {
        if (r == all->rank()) continue;
        send[at(r)] = std::as_bytes(std::span(&own[at(r)], 1));
        receive[at(r)] = std::as_writable_bytes(std::span(&got[at(r)], 1));
      }
      s.link->exchange_packed(send, receive);
      for (int r = 0; r < all->size(); ++r) EXPECT_EQ(got[at(r)], r == all->rank() ? -1 : 10 * round + r);
      EXPECT_FALSE(s.link->any(false));
    }
    s.link->finish_packed();
    for (std::size_t k = 0; k < sent; ++k)
      for (std::size_t array = 0; array < 2; ++array) {
        EXPECT_EQ(in[2 * k + array][0], s.link->sent()[k]);
        EXPECT_EQ(in[2 * k + array][1], static_cast<Fixed>(array));
        EXPECT_NE(in[2 * k + array][2], all->rank());
      }
  }
}

TEST(Decomposition, ExchangesWhetherLengthsAreKnownOrNot) {
  if (all->size() == 1) GTEST_SKIP() << "needs two ranks";
  Moved s;
  const int n = all->size(), own = all->rank();
  std::vector<std::vector<std::byte>> send(at(n));
  std::vector<std::int64_t> coming(at(n));
  for (int r = 0; r < n; ++r) {  // nothing from rank 0 to itself
    send[at(r)].assign(at(1000 * (r + 2 * own)), static_cast<std::byte>(own + 1));
    coming[at(r)] = 1000 * (own + 2 * r);
  }
  for (bool known : {false, true}) {
    all->barrier();
    if (all->root()) std::this_thread::sleep_for(late / 4);
    const auto got = known ? s.link->exchange(send, coming) : s.link->exchange(send);
    ASSERT_EQ(got.size(), at(n));
    for (int r = 0; r < n; ++r)
      EXPECT_EQ(got[at(r)], std::vector<std::byte>(at(1000 * (own + 2 * r)), static_cast<std::byte>(r + 1))) << "from " << r;
  }
}

/// From one migration to the next, messages of the mesh that take longer the more ranks transform it, by the root's clock.
TEST(Decomposition, FindsOutHowManyRanksTransformTheMeshBest) {
  if (all->size() == 1) GTEST_SKIP() << "needs two ranks";
  Moved s;
  std::int64_t now = 1000;
  s.link = std::make_unique<Decomposition>(s.system, *all, 0, [&] { return now; });
  s.x = s.target;
  s.link->adopt(s.x, s.box, 0.8);
  const auto carried = reinterpret_cast<std::byte*>(s.x.data());
  const auto transforming = [&] { return s.link->mesh(100).transforming; };
  const auto use = [&](int rounds) {
    const std::vector<std::span<const std::byte>> send(at(all->size()));
    const std::vector<std::span<std::byte>> receive(at(all->size()));
    for (int k = 0; k < rounds; ++k) {
      now += all->root() ? 1000 * transforming() : 2000;
      s.link->exchange_packed(send, receive);
    }
    s.link->migrate(s.x, std::span(&carried, 1), s.box, 0.8);
    std::int64_t one = transforming(), sum = one;
    all->sum(std::span(&sum, 1));
    EXPECT_EQ(sum, one * all->size()) << "all go the same way";
  };
  EXPECT_EQ(transforming(), all->size());
  EXPECT_EQ(s.link->mesh(1).transforming, 1) << "no more than can";
  for (int k = 0; k < 10; ++k) use(8);
  EXPECT_EQ(transforming(), all->size()) << "times of so few messages tell nothing";
  std::vector<int> tried{all->size()};
  for (int k = 0; k < 9; ++k) {  // three trials each of three numbers at most
    use(24);
    if (transforming() != tried.back()) tried.push_back(transforming());
  }
  const std::vector<int> expected[] = {{2, 1}, {3, 2, 1}, {4, 2, 1}};
  EXPECT_EQ(tried, expected[at(all->size() - 2)]);
  EXPECT_EQ(s.link->traffic().mesh_ranks, 1);
}

}  // namespace
}  // namespace uplift

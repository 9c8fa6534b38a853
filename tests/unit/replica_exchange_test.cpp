// Replica exchange: the rule keeps the joint distribution, the schedule counts attempts, walkers are followed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/random.hpp"
#include "uplift/sampling/replica_exchange.hpp"

namespace uplift {
namespace {

double beta(double t) { return 1 / (constants::boltzmann * t); }

/// ln of the weight of a pair of configurations: isothermal-isobaric, written out from the definition.
double log_weight(const ExchangeState& a, const ExchangeState& b) {
  return -beta(a.temperature) * (a.potential + a.pressure * a.volume) -
         beta(b.temperature) * (b.potential + b.pressure * b.volume);
}

ExchangeState with(const ExchangeState& place, const ExchangeState& configuration) {
  return {place.temperature, place.pressure, configuration.potential, configuration.volume};
}

TEST(ReplicaExchange, SwapsAreInDetailedBalance) {
  for (int n = 0; n < 200; ++n) {
    const auto u = [&](int k) { return uniform(7, NoisePurpose::initial_velocities, n, k); };
    const ExchangeState a{280 + 60 * u(0), 5 * u(1), -100 + 20 * u(2), 20 + 5 * u(3)},
        b{280 + 60 * u(4), 5 * u(5), -100 + 20 * u(6), 20 + 5 * u(7)};
    const double forth = exchange_probability(a, b), back = exchange_probability(with(a, b), with(b, a));
    EXPECT_NEAR(std::log(forth / back), log_weight(with(a, b), with(b, a)) - log_weight(a, b), 1e-10);
    EXPECT_DOUBLE_EQ(std::max(forth, back), 1) << "of two opposite moves one is always taken";
  }
}

TEST(ReplicaExchange, NoiseIsOfThePairAndTheStepAlone) {
  // A pair of states whose swap is taken half of the time.
  const double d = std::log(2.0) / (beta(300) - beta(330));
  std::vector<ExchangeState> states(9, {300, 0, 0, 0});
  for (int k = 0; k < 9; ++k) states[at(k)] = {k % 2 ? 330.0 : 300.0, 0, k % 2 ? d : 0, 0};
  int taken = 0, tried = 0;
  for (int n = 1; n <= 2000; ++n) {
    const auto round = decide_exchanges(states, n, 50 * n, 3);
    EXPECT_EQ(round, decide_exchanges(states, n, 50 * n, 3));
    for (int k = 0; k < 8; ++k) {
      EXPECT_EQ(round[at(k)] == ExchangeOutcome::not_tried, k % 2 == n % 2) << "neighbours take turns";
      tried += round[at(k)] != ExchangeOutcome::not_tried;
      taken += round[at(k)] == ExchangeOutcome::accepted;
    }
  }
  // Binomial: 8000 tries, standard deviation 44.7.
  EXPECT_EQ(tried, 8000);
  EXPECT_NEAR(taken, 4000, 4 * 44.8);
}

TEST(ReplicaExchange, HarmonicReplicasKeepTheirDistributions) {
  // Energies of f harmonic degrees of freedom at kT: a gamma distribution, mean f kT / 2. Between attempts replicas are drawn
  // anew with probability one half only, so that what exchanges bring stays for a while.
  constexpr int degrees = 12, rounds = 40000;
  const std::vector<double> temperatures{300, 360, 430, 520};
  const auto draw = [&](int k, int n) {
    return 0.5 * constants::boltzmann * temperatures[at(k)] * chi_squared(degrees, 5, NoisePurpose::bootstrap, n, 1000 * k);
  };
  std::vector<double> energy, sum(4, 0), squares(4, 0);
  for (int k = 0; k < 4; ++k) energy.push_back(draw(k, 0));
  ExchangeHistory history(4);
  for (int n = 1; n <= rounds; ++n) {
    std::vector<ExchangeState> states;
    for (int k = 0; k < 4; ++k) {
      if (uniform(5, NoisePurpose::barostat, n, k) < 0.5) energy[at(k)] = draw(k, n);
      states.push_back({temperatures[at(k)], 0, energy[at(k)], 0});
    }
    const auto round = decide_exchanges(states, n, n, 9);
    history.add(round);
    for (int k = 0; k < 3; ++k)
      if (round[at(k)] == ExchangeOutcome::accepted) std::swap(energy[at(k)], energy[at(k + 1)]);
    for (int k = 0; k < 4; ++k) {
      sum[at(k)] += energy[at(k)];
      squares[at(k)] += energy[at(k)] * energy[at(k)];
    }
  }
  for (int k = 0; k < 4; ++k) {
    const double kt = constants::boltzmann * temperatures[at(k)], mean = degrees * kt / 2, variance = degrees * kt * kt / 2;
    // An energy is forgotten in about two rounds: statistical inefficiency at most 3 (drawn anew) and less with exchanges.
    const double error = std::sqrt(3 * variance / rounds);
    EXPECT_NEAR(sum[at(k)] / rounds, mean, 4 * error) << temperatures[at(k)];
    EXPECT_NEAR(squares[at(k)] / rounds - std::pow(sum[at(k)] / rounds, 2), variance,
                4 * variance * std::sqrt(3 * (2 + 12.0 / degrees) / rounds));
  }
  for (const auto& p : history.pairs()) {
    EXPECT_EQ(p.tried, rounds / 2);
    EXPECT_GT(p.accepted, p.tried / 4);
  }
}

TEST(ReplicaExchange, ScheduleCountsAttempts) {
  const ExchangeSchedule s{50, 120, 400};
  std::vector<std::int64_t> steps;
  for (std::int64_t n = -10; n <= 500; ++n) {
    if (s.due(n)) steps.push_back(n);
    const auto before =
        static_cast<std::int64_t>(std::count_if(steps.begin(), steps.end(), [&](std::int64_t m) { return m <= n; }));
    if (n < 400) {
      EXPECT_EQ(s.attempts(n), before) << n;
    }
  }
  EXPECT_EQ(steps, (std::vector<std::int64_t>{150, 200, 250, 300, 350})) << "none before 120 steps, none at the end";
  EXPECT_FALSE((ExchangeSchedule{50, 0, 400}.due(0))) << "nor at the beginning";
  EXPECT_TRUE((ExchangeSchedule{50, 0, 400}.due(50)));
  EXPECT_TRUE((ExchangeSchedule{50, 100, 400}.due(100)));
  EXPECT_FALSE((ExchangeSchedule{50, 100, 400}.due(50)));
}

TEST(ReplicaExchange, HistoryFollowsWalkers) {
  using enum ExchangeOutcome;
  ExchangeHistory h(3);
  const std::vector<std::vector<ExchangeOutcome>> rounds{
      {accepted, not_tried}, {not_tried, accepted}, {refused, not_tried}, {not_tried, accepted}, {accepted, not_tried}};
  for (const auto& r : rounds) h.add(r);
  // 0 goes up to the top in two rounds, and back to the bottom in two.
  EXPECT_EQ(h.walkers(), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(h.round_trips(), (std::vector<std::int64_t>{1, 0, 0}));
  EXPECT_EQ(h.pairs()[0].tried, 3);
  EXPECT_EQ(h.pairs()[0].accepted, 2);
  EXPECT_EQ(h.pairs()[1].accepted, 2);
  EXPECT_EQ(h.rounds(), 5);
}

TEST(ReplicaExchange, TwoReplicasTryEveryTime) {
  EXPECT_EQ(exchange_pairs(1, 2), std::vector<int>{0});
  EXPECT_EQ(exchange_pairs(2, 2), std::vector<int>{0});
  EXPECT_EQ(exchange_pairs(1, 5), (std::vector<int>{0, 2}));
  EXPECT_EQ(exchange_pairs(2, 5), (std::vector<int>{1, 3}));
}

TEST(ReplicaExchange, SeedsDifferAndCanBeWritten) {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t seed : {0ull, 1ull, 2026ull})
    for (int r = 0; r < 1000; ++r) {
      const std::uint64_t s = replica_seed(seed, r);
      EXPECT_LT(s, std::uint64_t{1} << 63);
      seeds.insert(s);
    }
  EXPECT_EQ(seeds.size(), 3000u);
}

}  // namespace
}  // namespace uplift

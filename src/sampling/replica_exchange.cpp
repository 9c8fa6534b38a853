#include "uplift/sampling/replica_exchange.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "uplift/core/assert.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/random.hpp"

namespace uplift {

std::int64_t ExchangeSchedule::attempts(std::int64_t passed) const {
  const std::int64_t first = std::max<std::int64_t>(every, (after + every - 1) / every * every);
  return passed < first ? 0 : (passed - first) / every + 1;
}

double exchange_probability(const ExchangeState& a, const ExchangeState& b) {
  const double beta_a = 1 / (constants::boltzmann * a.temperature), beta_b = 1 / (constants::boltzmann * b.temperature);
  const double d =
      (beta_a - beta_b) * (b.potential - a.potential) + (beta_a * a.pressure - beta_b * b.pressure) * (b.volume - a.volume);
  return d <= 0 ? 1 : std::exp(-d);
}

std::vector<int> exchange_pairs(std::int64_t attempt, int replicas) {
  std::vector<int> lower;
  for (int k = replicas > 2 && attempt % 2 == 0 ? 1 : 0; k + 1 < replicas; k += 2) lower.push_back(k);
  return lower;
}

std::vector<ExchangeOutcome> decide_exchanges(std::span<const ExchangeState> states, std::int64_t attempt, std::int64_t step,
                                              std::uint64_t seed) {
  const int replicas = static_cast<int>(states.size());
  std::vector<ExchangeOutcome> round(at(std::max(0, replicas - 1)), ExchangeOutcome::not_tried);
  for (int k : exchange_pairs(attempt, replicas)) {
    const double u = uniform(seed, NoisePurpose::replica_exchange, step, k);
    const bool taken = u < exchange_probability(states[at(k)], states[at(k + 1)]);
    round[at(k)] = taken ? ExchangeOutcome::accepted : ExchangeOutcome::refused;
  }
  return round;
}

ExchangeHistory::ExchangeHistory(int replicas)
    : walkers_(at(replicas)),
      pairs_(at(replicas - 1)),
      first_end_(at(replicas), 0),
      last_end_(at(replicas), 0),
      trips_(at(replicas), 0) {
  std::iota(walkers_.begin(), walkers_.end(), 0);
  note_ends();
}

void ExchangeHistory::add(std::span<const ExchangeOutcome> round) {
  UPLIFT_EXPECT(round.size() == pairs_.size());
  ++rounds_;
  for (std::size_t k = 0; k < round.size(); ++k) {
    if (round[k] == ExchangeOutcome::not_tried) continue;
    ++pairs_[k].tried;
    if (round[k] != ExchangeOutcome::accepted) continue;
    ++pairs_[k].accepted;
    std::swap(walkers_[k], walkers_[k + 1]);
  }
  note_ends();
}

/// A trip is complete when a walker comes back to the end that it was at first, having been at the other.
void ExchangeHistory::note_ends() {
  for (const auto& [walker, end] : {std::pair{walkers_.front(), -1}, std::pair{walkers_.back(), 1}}) {
    int& first = first_end_[at(walker)];
    int& last = last_end_[at(walker)];
    if (first == 0) first = end;
    if (end == first && last == -first) ++trips_[at(walker)];
    last = end;
  }
}

std::uint64_t replica_seed(std::uint64_t seed, int replica) {
  const auto bits = noise_bits(seed, NoisePurpose::replica_seed, 0, replica);
  return (static_cast<std::uint64_t>(bits.a & 0x7fffffffu) << 32) | bits.b;
}

}  // namespace uplift

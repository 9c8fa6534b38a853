#pragma once
// Temperature replica exchange: Sugita and Okamoto, Chem. Phys. Lett. 314, 141 (1999). Replicas keep their temperatures and
// swap configurations, so that what a replica writes is one ensemble. Attempts are rounds of disjoint pairs of neighbours, the
// even and the odd ones in turn.
#include <cstdint>
#include <span>
#include <vector>

namespace uplift {

/// When a stage attempts to exchange. `passed`: steps since it began.
struct ExchangeSchedule {
  std::int64_t every = 1;   ///< steps
  std::int64_t after = 0;   ///< no attempt before so many steps
  std::int64_t length = 0;  ///< of the stage: none at its end, where the state goes on to the next one
  bool due(std::int64_t passed) const { return passed < length && attempts(passed) > attempts(passed - 1); }
  /// Attempts at up to `passed` steps; that of `passed` itself, if any, is the last.
  std::int64_t attempts(std::int64_t passed) const;
};

/// What decides an exchange: temperature [K], target pressure [kJ/mol/nm^3; 0 at constant volume], potential energy [kJ/mol],
/// volume [nm^3].
struct ExchangeState {
  double temperature = 0, pressure = 0, potential = 0, volume = 0;
};

/// Probability of a swap of the configurations of `a` and `b`: min(1, exp(-D)), D = (beta_a - beta_b)(U_b - U_a) +
/// (beta_a P_a - beta_b P_b)(V_b - V_a). At constant pressure: Okabe, Kawata, Okamoto and Mikami, Chem. Phys. Lett. 335, 435
/// (2001). Velocities that follow by sqrt(T_new/T_old) take the kinetic energies out of it.
double exchange_probability(const ExchangeState& a, const ExchangeState& b);

/// Lower members of the pairs that round `attempt` (from 1) tries. Two replicas are a pair in every round.
std::vector<int> exchange_pairs(std::int64_t attempt, int replicas);

enum class ExchangeOutcome : std::int32_t { not_tried = -1, refused = 0, accepted = 1 };

/// One round: what becomes of each pair of neighbours [replicas - 1]. The noise of a pair depends on `seed`, `step` and the
/// pair alone.
std::vector<ExchangeOutcome> decide_exchanges(std::span<const ExchangeState> states, std::int64_t attempt, std::int64_t step,
                                              std::uint64_t seed);

/// Where the configurations have been. A walker is a configuration that goes from replica to replica, named by the replica that
/// it began in.
class ExchangeHistory {
 public:
  explicit ExchangeHistory(int replicas);
  void add(std::span<const ExchangeOutcome> round);
  std::int64_t rounds() const { return rounds_; }
  const std::vector<int>& walkers() const { return walkers_; }  ///< [replicas] which one is there now
  struct Pair {
    std::int64_t tried = 0, accepted = 0;
  };
  const std::vector<Pair>& pairs() const { return pairs_; }  ///< [replicas - 1]
  /// [walkers] from the lowest temperature to the highest and back, or the other way round.
  const std::vector<std::int64_t>& round_trips() const { return trips_; }

 private:
  void note_ends();
  std::int64_t rounds_ = 0;
  std::vector<int> walkers_;
  std::vector<Pair> pairs_;
  std::vector<int> first_end_, last_end_;  ///< [walkers] -1 lowest, 1 highest, 0 neither yet
  std::vector<std::int64_t> trips_;
};

/// Seed of a replica (from 0) of a run with `seed`. Below 2^63, so that it can stand in an input.
std::uint64_t replica_seed(std::uint64_t seed, int replica);

}  // namespace uplift

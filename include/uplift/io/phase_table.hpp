#pragma once
// Where the time went: the table at the end of a run.
#include <cstdint>
#include <string>
#include <vector>

#include "uplift/backend/backend.hpp"

namespace uplift {

struct RunTiming {
  std::vector<PhaseTime> phases;  ///< of the backend ("pairs", "PME" ...), "output" and "checkpoints" of the run
  double wall = 0;                ///< [s] of the whole run, by the clock
  std::int64_t steps = 0;         ///< of dynamics
  double simulated = 0;           ///< [ps]
};

/// Those of `now` less what they had `before`, without the ones that were not called in between.
std::vector<PhaseTime> phases_since(const std::vector<PhaseTime>& before, std::vector<PhaseTime> now);
/// One row a phase, longest first, with calls, seconds, percentage of the wall time and time a call; then what is not accounted
/// for, the total, and ns/day. Followed by a line of advice for what is obviously slow.
std::string phase_table(const RunTiming& timing);
/// The advice alone: empty when nothing stands out.
std::vector<std::string> phase_advice(const RunTiming& timing);

}  // namespace uplift

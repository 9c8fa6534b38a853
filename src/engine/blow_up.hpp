#pragma once
#include <cstdint>
#include <string>

#include "uplift/backend/backend.hpp"

namespace uplift {

/// Where in the run a look is taken.
struct Moment {
  std::int64_t step;
  double time;               ///< [ps]
  std::string text() const;  ///< "step 1200 (2.4 ps)"
};

/// Throws SimulationError when a force or the temperature is beyond what a simulation has, naming the atom, the kind of force,
/// its nearest neighbour and what usually cures it. `target`: temperature that is wanted [K].
void check_for_blow_up(const System& system, Backend& backend, const Moment& moment, double target);

/// The same for a stage that failed by itself (`why`: a constraint that could not be met): adds where and the largest force.
[[noreturn]] void report_failure(const System& system, Backend& backend, const Moment& moment, const std::string& why);
[[noreturn]] void report_failure(const System& system, const WorstForce& worst, const Moment& moment, const std::string& why);

}  // namespace uplift

#pragma once
#include <memory>
#include <vector>

#include "uplift/backend/backend.hpp"
#include "uplift/model/descent_memory.hpp"
#include "uplift/model/settings.hpp"

namespace uplift {

/// What a minimisation did.
struct MinimizeResult {
  int steps = 0;  ///< evaluations of the forces
  bool converged = false;
  double energy = 0;                       ///< [kJ/mol]
  std::vector<Backend::WorstForce> worst;  ///< the largest force components that remain, largest first, of up to three atoms
};

/// L-BFGS (Liu and Nocedal, Math. Program. 45, 503 (1989)), positions kept on the constraints; along the forces while nothing
/// is known of the curvature. Ends by force, or by steps: evaluations of the forces.
class Minimization {
 public:
  /// From `start`, or going on with the same bits from where `memory` was made, at the positions and with the list of `start`.
  /// Throws SimulationError.
  Minimization(const System& system, Backend& backend, const State& start, const MinimizeSettings& settings,
               const DescentMemory* memory = nullptr);
  ~Minimization();

  bool finished() const;
  void advance();  ///< along one direction, as far as it is better: eight evaluations at most
  int steps() const { return steps_; }
  /// [kJ/mol]; infinity where atoms overlap so much that energies cannot be added up.
  double energy() const;
  double largest_force() const { return largest_; }  ///< component [kJ/mol/nm]

  MinimizeResult result() const;
  State state() const;  ///< the best so far, with the velocities of `start`
  // What another one goes on from with the same bits.
  State checkpoint_state() const;
  DescentMemory memory() const;

 private:
  class Curvature;
  void take(const Descent::Attempt& attempt);
  bool better(const Descent::Attempt& next, double slope) const;

  Backend& backend_;
  MinimizeSettings settings_;
  State start_;
  std::unique_ptr<Descent> descent_;
  std::unique_ptr<Curvature> curvature_;
  int steps_ = 0;
  double energy_ = 0, largest_ = 0, worst_ = 0, squared_ = 0;  ///< of the best, as of Descent::Attempt
  double first_step_;                                          ///< along the force, as long as there is no curvature [nm]
};

/// From `state`, which becomes the result.
MinimizeResult minimize(const System& system, Backend& backend, State& state, const MinimizeSettings& settings);

}  // namespace uplift

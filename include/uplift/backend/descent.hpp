#pragma once
// What a minimisation asks of a backend: vectors of all atoms stay where the positions are, and only a few numbers come out.
#include <array>
#include <cstddef>
#include <span>

#include "uplift/model/descent_memory.hpp"
#include "uplift/model/state.hpp"

namespace uplift {

/// The best configuration so far with its forces, a direction to go, and what L-BFGS remembers: steps with the changes of the
/// gradient over them, in slots. Directions are sums of these vectors and of the force, so that their products with each other
/// are all that the method itself has to see (Chen, Wang and Zhou, NIPS 27, 1332 (2014)). Forces here are without what the
/// constraints take up, so that convergence can be seen; atoms without mass have none, and take no steps.
class Descent {
 public:
  static constexpr int slots = DescentMemory::most_slots, vectors = DescentMemory::vectors;
  static constexpr std::size_t step_of(int slot) { return static_cast<std::size_t>(slot); }
  static constexpr std::size_t change_of(int slot) { return static_cast<std::size_t>(slots + slot); }
  static constexpr std::size_t force_vector = 2 * slots;
  /// A number for every vector.
  using Row = std::array<double, vectors>;

  struct Attempt {
    double energy = 0;   ///< potential energy [kJ/mol]; not to be believed where `worst` is beyond force_limit
    double largest = 0;  ///< component of a force [kJ/mol/nm]
    double worst = 0;    ///< largest force on an atom, with what constraints take up [kJ/mol/nm]
    /// Products of this step, of the change of the gradient over it and of the new force with the vectors of `known` slots, of
    /// the attempt's own slot, and with the new force; 0 for others.
    Row step{}, change{}, force{};
  };

  virtual ~Descent() = default;
  /// Goes from the best configuration by `factor` times the direction, onto the constraints; step and change are put into
  /// `slot`. Throws SimulationError when a constraint cannot be met: the best one is still there.
  virtual Attempt attempt(double factor, int slot, std::span<const int> known) = 0;
  /// What was attempted last is the best from now on.
  virtual void take() = 0;
  /// The direction becomes the sum of `weights` times the vectors that are not weighed with 0; returns how far it moves the
  /// atom that it moves most [nm].
  virtual double aim(const Row& weights) = 0;

  virtual void download_positions(State& state) const = 0;  ///< x and box of the best
  virtual void download_force(std::vector<Vec3d>& force) const = 0;
  /// DescentMemory's vectors, for its slots; restore() comes before the first attempt.
  virtual void save(DescentMemory& memory) const = 0;
  virtual void restore(const DescentMemory& memory) = 0;
};

}  // namespace uplift

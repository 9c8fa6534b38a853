#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "uplift/backend/backend.hpp"

namespace uplift {

/// Changes the box every so many steps, molecules moving by their centres: Monte Carlo moves of the volume, or stochastic cell
/// rescaling (formulas and papers in kernels/physics/integrate). Edges change together or apart, as PressureSettings::coupling
/// says.
class Barostat {
 public:
  /// `memory`: of an earlier part of the run, or empty. `seed` keys the noise.
  Barostat(const System& system, const PressureSettings& settings, const DynamicsSettings& dynamics,
           const std::vector<double>& memory);

  bool due(std::int64_t step) const { return step % settings_.every == 0; }
  bool needs_virial() const { return settings_.barostat != BarostatKind::monte_carlo; }
  /// The backend holds forces and energies of the present positions, and the virial if it is needed. It will hold forces of the
  /// new ones, and energies and virial if they are `wanted` then: `forces` are the stages that compute them. What the change of
  /// the box does to the energy counts as State::heat. Throws SimulationError when the box becomes too small for the cutoff.
  void act(Backend& backend, std::span<const Stage> forces, double temperature, std::int64_t step, bool wanted);

  /// Sizes of the trial moves and their recent success: what a continuation needs.
  std::vector<double> memory() const;
  std::int64_t attempted() const { return attempted_; }  ///< Monte Carlo moves of this part of the run
  std::int64_t accepted() const { return accepted_; }

 private:
  /// Edges that change together, and the size of their trial moves [nm^3].
  struct Group {
    bool x, y, z;
    double size = 0;
    int tried = 0, taken = 0, windows = 0;
    int edges() const { return x + y + z; }
    Vec3d factors(double strain) const;  ///< of the edges, for a change of the logarithm of their product
  };

  void try_move(Backend& backend, std::span<const Stage> forces, double temperature, std::int64_t step, bool wanted);
  void rescale(Backend& backend, std::span<const Stage> forces, double temperature, std::int64_t step, bool wanted);
  double missing_motion(std::int64_t step) const;
  bool too_small(const Box& box) const;
  [[noreturn]] void stop(const std::string& what, const std::string& cure, std::int64_t step) const;

  const System& system_;
  PressureSettings settings_;
  std::uint64_t seed_;
  double timestep_, target_;  ///< the latter [kJ/mol/nm^3]
  double noise_rate_;         ///< at which Langevin's noise brings the centre's motion back [1/ps]
  int com_removal_every_;
  std::vector<Group> groups_;
  std::int64_t attempted_ = 0, accepted_ = 0, at_wall_ = 0;
};

}  // namespace uplift

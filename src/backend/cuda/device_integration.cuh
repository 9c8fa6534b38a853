#pragma once
// The moving part of the device backend: state in device memory, every stage of an integrator but the forces. Queues work and
// waits for nothing, but where it says so.
#include <cuda/device_buffer.cuh>
#include <cuda/integrate.cuh>

#include <array>

#include "uplift/model/system.hpp"

namespace uplift::UPLIFT_DEVICE {

/// Groups of atoms that moves keep together, in device memory.
class Units {
 public:
  explicit Units(const System& system);
  UnitsView view() const;
  const std::vector<Constraint>& constraints() const {
    return constraints_;
  }  ///< in the order that Shared::failed_constraint counts

 private:
  struct Lists {
    std::vector<int> atoms, first_constraint;
    std::vector<double> length;
  };
  std::vector<Constraint> constraints_;
  int count_[unit_kinds] = {};
  DeviceBuffer<int> atoms_[unit_kinds], first_constraint_[unit_kinds];
  DeviceBuffer<double> length_[unit_kinds];
  DeviceBuffer<physics::WaterShape<double>> shapes_;
  DeviceBuffer<int> group_start_, group_atoms_, bond_start_, bond_atoms_;
  DeviceBuffer<double> bond_length_;
};

class DeviceIntegration {
 public:
  DeviceIntegration(const System& system, double tolerance, cudaStream_t stream);

  void upload(const State& state);
  void download(State& state) const;  ///< waits
  const Box& box() const { return box_; }
  const Vec3d* positions() const { return x_.data(); }

  /// The number of the step whose stages come.
  void set_step(std::int64_t step);
  /// The device counts on by itself, on a stream that comes after the step's last moves and before the next step; and so does
  /// the host.
  void queue_end_of_step(cudaStream_t stream) { launch_end_step(shared_.data(), stream); }
  void step_has_ended() { ++step_; }
  void queue_bias(const TalliesView& tallies, double constants, const ApplyBias& stage, bool ends_step) {
    launch_bias(shared_.data(), tallies, constants, stage, ends_step, stream_);
  }
  /// The boosts, and the factors of each level's forces. Waits.
  BiasEnergies bias() const { return look().bias.energies; }
  std::array<LevelFactors, most_force_levels> factors() const;
  /// Any stage but ComputeForces and ApplyBias. Stages are gathered into as few kernels as may be: flush() queues what has been
  /// gathered.
  void run(const Stage& stage, const std::array<const Fixed*, most_force_levels>& levels);
  void flush();
  bool has_moves() const { return moves_.count > 0; }
  void spread_site_forces(const SumsView& sums, bool virial) {
    launch_spread_sites(atoms(), sites_view(), sums, virial, stream_);
  }

  /// Throws SimulationError when a constraint could not be met since the last upload. Waits.
  void check_constraints() const;
  double kinetic_energy();                                                                     ///< waits
  Backend::WorstForce worst_force(const std::array<const Fixed*, most_force_levels>& levels);  ///< waits

 private:
  AtomsView atoms() {
    return {static_cast<int>(x_.size()), x_.data(), v_.data(), saved_.data(), inverse_mass_.data(), mass_.data()};
  }
  SitesView sites_view() const {
    return {static_cast<int>(site_parameters_.size() / 3), site_atoms_.data(), site_parameters_.data()};
  }
  Shared look() const;
  Move& add(MoveKind kind);
  void add_kick(const Kick& stage, const std::array<const Fixed*, most_force_levels>& levels);
  void sum_kinetic();

  const System& system_;
  double tolerance_;
  cudaStream_t stream_;
  Box box_, kept_box_;
  double total_mass_ = 0;
  int degrees_of_freedom_;
  std::int64_t step_ = -1;  ///< that the device has
  Moves moves_{};
  Units units_;
  DeviceBuffer<Vec3d> x_, v_, saved_, kept_, kept_v_;
  DeviceBuffer<double> mass_, inverse_mass_;
  DeviceBuffer<int> molecule_start_, molecule_atoms_, site_atoms_;
  DeviceBuffer<double> site_parameters_;
  DeviceBuffer<Shared> shared_;
  DeviceBuffer<Fixed> sums_;
  DeviceBuffer<unsigned long long> worst_;
};

}  // namespace uplift::UPLIFT_DEVICE

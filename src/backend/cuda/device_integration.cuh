#pragma once
// The moving part of the device backend: state in device memory, every stage of an integrator but the forces.
#include <cuda/constrain.cuh>
#include <cuda/device_buffer.cuh>

#include <array>

#include "physics/integrate/nose_hoover.hpp"
#include "uplift/model/system.hpp"

namespace uplift::UPLIFT_DEVICE {

class DeviceIntegration {
 public:
  DeviceIntegration(const System& system, double tolerance, cudaStream_t stream);

  void upload(const State& state);
  void download(State& state) const;
  const Box& box() const { return box_; }
  const Vec3d* positions() const { return x_.data(); }
  AtomsView atoms() { return {static_cast<int>(x_.size()), x_.data(), v_.data(), inverse_mass_.data(), mass_.data()}; }

  /// Any stage but ComputeForces. Throws SimulationError when a constraint cannot be met, at the latest with check_constraints().
  void run(const Stage& stage, const std::array<const Fixed*, most_force_levels>& levels, std::int64_t step);
  void spread_site_forces(const SumsView& sums, bool virial) { launch_spread_sites(atoms(), sites_view(), sums, virial, stream_); }
  /// Throws SimulationError when a constraint could not be met since the last look.
  void check_constraints();
  double kinetic_energy() { return moments()[0]; }

 private:
  void add_constraints();
  SitesView sites_view() const { return {static_cast<int>(site_parameters_.size() / 3), site_atoms_.data(), site_parameters_.data()}; }
  WatersView waters_view() const { return {static_cast<int>(water_shapes_.size()), water_atoms_.data(), water_shapes_.data()}; }
  ConstraintsView constraints_view() const {
    return {static_cast<int>(group_start_.size()) - 1, group_start_.data(), constraint_atoms_.data(), constraint_length_.data()};
  }
  std::array<double, 4> moments();  ///< kinetic energy, momentum
  void kick(const Kick& stage, const std::array<const Fixed*, most_force_levels>& levels);
  void scale_velocities(double factor) { launch_transform_velocities(atoms(), factor, Vec3d{0, 0, 0}, stream_); }
  void rescale_velocities(const RescaleVelocities& stage, std::int64_t step);
  void move_chain(const MoveNoseHooverChain& stage);
  void remove_com_motion();

  const System& system_;
  double tolerance_;
  cudaStream_t stream_;
  Box box_, kept_box_;
  double heat_ = 0, total_mass_ = 0;
  int degrees_of_freedom_;
  physics::NoseHooverChain chain_;
  DeviceBuffer<Vec3d> x_, v_, saved_, kept_, kept_v_;
  DeviceBuffer<double> mass_, inverse_mass_;
  DeviceBuffer<int> molecule_start_, molecule_atoms_, site_atoms_, water_atoms_, group_start_, constraint_atoms_, failure_;
  DeviceBuffer<double> site_parameters_, constraint_length_;
  DeviceBuffer<physics::WaterShape<double>> water_shapes_;
  std::vector<Constraint> constraints_;  ///< as constraint_atoms_ has them
  DeviceBuffer<Fixed> sums_;
};

}  // namespace uplift::UPLIFT_DEVICE

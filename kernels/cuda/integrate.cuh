#pragma once
// Stages of an integrator on the device, one thread an atom or a molecule. State is double, in the input's order.
#include <cuda/sums.cuh>

#include "uplift/backend/backend.hpp"

namespace uplift::UPLIFT_DEVICE {

struct AtomsView {
  int count;
  Vec3d *x, *v;                ///< [count] nm, nm/ps
  const double* inverse_mass;  ///< [count] 1/Da; 0 for virtual sites
  const double* mass;          ///< [count] Da
};

/// Forces of every level, nullptr where there are none, and their weights.
struct LevelsView {
  const Fixed* force[most_force_levels];
  double weight[most_force_levels];
};
void launch_kick(const AtomsView& atoms, const LevelsView& levels, double dt, cudaStream_t stream);
void launch_drift(const AtomsView& atoms, double dt, cudaStream_t stream);
void launch_ornstein_uhlenbeck(const AtomsView& atoms, double decay, double spread, std::uint64_t seed, std::int64_t step, cudaStream_t stream);
/// v = factor v + shift, of atoms with mass.
void launch_transform_velocities(const AtomsView& atoms, double factor, const Vec3d& shift, cudaStream_t stream);
/// Adds to sums[0] the kinetic energy, to sums[1 ... 3] the momentum, in fixed point.
void launch_moments(const AtomsView& atoms, Fixed* sums, cudaStream_t stream);

struct MoleculesView {
  int count;
  const int* start;            ///< [count + 1]
  const int* atoms;            ///< [start[count]]
};
void launch_scale_box(const AtomsView& atoms, const MoleculesView& molecules, const ScaleBox& stage, cudaStream_t stream);

struct SitesView {
  int count;
  const int* atoms;            ///< [count][4] site and parents
  const double* parameters;    ///< [count][3] a, b, c
};
void launch_place_sites(const AtomsView& atoms, const SitesView& sites, cudaStream_t stream);
/// Forces on sites go to their parents; with `virial`, the virial becomes that of the parents' forces.
void launch_spread_sites(const AtomsView& atoms, const SitesView& sites, const SumsView& sums, bool virial, cudaStream_t stream);

}  // namespace uplift::UPLIFT_DEVICE

#pragma once
// Generalized Born on the device, in double: every atom looks at every other one, in three passes. Born integrals and radii;
// energies, forces at fixed radii and dE/dB; forces through the radii.
#include <cuda/sums.cuh>

#include "uplift/core/vec3.hpp"

namespace uplift::UPLIFT_DEVICE {

/// Per atom [count]; lengths in nm. Formulas: kernels/physics/gb.
struct GbView {
  int count;
  const double *rho, *scaled, *radius, *charge;  ///< the last times the root of the Coulomb constant
  const double *alpha, *beta, *gamma;
  bool tanh_form, surface;
  double inverse_in, inverse_out, kappa;
  double near2;      ///< from this r^2 on the far forms of the Born integral hold for every pair
  int radius_types;  ///< 0: no necks
  double neck_cut;
  const int* radius_type;
  const double *neck_distance, *neck_height;  ///< [types^2] at own type * types + other's type; heights times their scale
  // From pass to pass.
  double *born, *self_slope, *radius_slope, *integral_slope;
};

void launch_gb(const GbView& gb, const Vec3d* x, const SumsView& sums, Tally tally, cudaStream_t stream);

}  // namespace uplift::UPLIFT_DEVICE

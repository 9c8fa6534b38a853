#pragma once
// Order-free sums in device memory: 64-bit fixed point (uplift/core/fixed_point.hpp). Kernels add to them by adding.cuh.
#include <cuda/check.cuh>

#include "uplift/core/fixed_point.hpp"

namespace uplift::UPLIFT_DEVICE {

inline constexpr unsigned warp_lanes = 32;

/// What is added up besides forces, which have the same bits whatever it is.
struct Tally {
  bool energies = false, virial = false;
  bool any() const { return energies || virial; }
};

/// Totals of one level. Units 2^-32 kJ/mol/nm and 2^-32 kJ/mol.
struct SumsView {
  Fixed* force;   ///< [3 * atoms], x y z of each atom
  Fixed* energy;  ///< [energy_term_count]
  Fixed* virial;  ///< [9] row-major
};

}  // namespace uplift::UPLIFT_DEVICE

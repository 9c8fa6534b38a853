#pragma once
// Order-free sums: whatever crosses threads, tiles or ranks is added as a 64-bit integer, so the result has the same bits for
// any number of threads. One unit is 2^-32 of the quantity (kJ/mol/nm for forces, kJ/mol for energies and virials).
#include <cmath>
#include <cstdint>
#include <limits>

#include "uplift/core/macros.hpp"

namespace uplift {

inline constexpr double fixed_scale = 4294967296.0;  ///< 2^32
inline constexpr double fixed_unit = 1.0 / fixed_scale;
/// One contribution to a force is clamped to this magnitude [kJ/mol/nm], so that sums cannot wrap round; NaN becomes the clamp
/// too.
inline constexpr double force_clamp = 16777216.0;  ///< 2^24
/// A total force above this [kJ/mol/nm] means overlapping atoms or a run that has blown up: contributions may have been cut
/// off, and sums of energies may have wrapped round.
inline constexpr double force_limit = 8388608.0;  ///< 2^23
/// Of the largest force; not a number is beyond it, too.
inline bool beyond_limit(double largest_force) { return !(largest_force < force_limit); }
/// Where a sum of energies wraps round [kJ/mol].
inline constexpr double largest_energy = 0x1p63 * fixed_unit;
/// One contribution to an energy or virial is clamped to this magnitude [kJ/mol].
inline constexpr double energy_clamp = 1.0e9;

using Fixed = std::int64_t;

UPLIFT_HD Fixed fixed_clamped(double value, double clamp) {
  // NaN compares false and becomes +clamp. Written twice because nvcc makes the shortest code of the first form, and of the
  // second others code without branches: a processor would guess the sign of every other force wrong.
#if defined(__CUDA_ARCH__)
  return __double2ll_rn((value < clamp ? (value > -clamp ? value : -clamp) : clamp) * fixed_scale);
#else
  const double below = value < clamp ? value : clamp;
  const double bounded = below > -clamp ? below : -clamp;
  return static_cast<Fixed>(bounded * fixed_scale + std::copysign(0.5, bounded));
#endif
}
UPLIFT_HD Fixed fixed_force(double value) { return fixed_clamped(value, force_clamp); }
UPLIFT_HD Fixed fixed_energy(double value) { return fixed_clamped(value, energy_clamp); }
/// One number that may be larger than any sum: modulo 2^32, so that a sum of it and others is right whenever it fits.
inline Fixed fixed_whole(double value) {
  const double units = std::remainder(value, fixed_scale) * fixed_scale;
  if (!(std::abs(units) < 0x1p63)) return std::numeric_limits<Fixed>::min();
  return static_cast<Fixed>(units + std::copysign(0.5, units));
}
UPLIFT_HD double from_fixed(Fixed value) { return static_cast<double>(value) * fixed_unit; }

}  // namespace uplift

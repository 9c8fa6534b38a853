#pragma once
#include "physics/math.hpp"

namespace uplift::physics {

template <class T>
struct HarmonicBondResult {
  T energy;         ///< [kJ/mol]
  Vec3<T> force_i;  ///< on atom i [kJ/mol/nm]; atom j feels the opposite. Virial: r_ij (x) force_i
};

/// E = k/2 (r - r0)^2 (Cornell et al. 1995, eq. 1, with the factor 1/2 written out). Also the Urey-Bradley term.
/// r_ij = x_i - x_j [nm], r0 [nm], k [kJ/mol/nm^2]. Two atoms at one place feel no force.
template <class T>
UPLIFT_HD HarmonicBondResult<T> harmonic_bond(const Vec3<T>& r_ij, const T& r0, const T& k) {
  const T r2 = dot(r_ij, r_ij);
  const T inverse_r = rsqrt(max(r2, T(1e-20)));
  const T stretch = r2 * inverse_r - r0;
  const T tension = k * stretch;
  return {T(0.5) * tension * stretch, (-tension * inverse_r) * r_ij};
}

}  // namespace uplift::physics

#pragma once
#include "physics/math.hpp"

namespace uplift::physics {

template <class T>
struct Pair14Result {
  T lj, coulomb;    ///< [kJ/mol]
  Vec3<T> force_i;  ///< on atom i [kJ/mol/nm]; atom j feels the opposite. Virial: r_ij (x) force_i
};

/// E = qq/r + c12/r^12 - c6/r^6 between atoms three bonds apart (Cornell et al. 1995, eq. 1, scale factors included in the
/// parameters). r_ij = x_i - x_j [nm], qq = K q_i q_j [kJ nm/mol], c6 [kJ nm^6/mol], c12 [kJ nm^12/mol].
/// Below 0.003 nm, where the energy is beyond any meaning, r is held there so that float does not overflow.
template <class T>
UPLIFT_HD Pair14Result<T> pair14(const Vec3<T>& r_ij, const T& qq, const T& c6, const T& c12) {
  const T inverse_r = rsqrt(max(dot(r_ij, r_ij), T(1e-5)));
  const T inverse_r2 = inverse_r * inverse_r;
  const T inverse_r6 = inverse_r2 * inverse_r2 * inverse_r2;
  const T coulomb = qq * inverse_r;
  const T attraction = c6 * inverse_r6;
  const T repulsion = c12 * inverse_r6 * inverse_r6;
  const T force_over_r = (T(12.0) * repulsion - T(6.0) * attraction + coulomb) * inverse_r2;
  return {repulsion - attraction, coulomb, force_over_r * r_ij};
}

}  // namespace uplift::physics

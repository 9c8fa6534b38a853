#pragma once
#include "physics/math.hpp"

namespace uplift::physics {

template <class T>
struct HarmonicAngleResult {
  T energy;  ///< [kJ/mol]
  Vec3<T> force_i,
      force_k;  ///< on the ends [kJ/mol/nm]; the apex j feels -(force_i + force_k). Virial: r_ij (x) f_i + r_kj (x) f_k
};

/// E = k/2 (theta - theta0)^2 (Cornell et al. 1995, eq. 1, with the factor 1/2 written out).
/// r_ij = x_i - x_j and r_kj = x_k - x_j [nm], j the apex; theta0 [rad], k [kJ/mol/rad^2].
/// theta = atan2(|a x b|, a.b) keeps full accuracy at 0 and 180 degrees, where the arc cosine loses half its digits. The
/// gradient a x n / (a^2 |n|), n = a x b, stays bounded there; exactly on the line, where its direction is undefined, it is
/// zero.
template <class T>
UPLIFT_HD HarmonicAngleResult<T> harmonic_angle(const Vec3<T>& r_ij, const Vec3<T>& r_kj, const T& theta0, const T& k) {
  const Vec3<T> n = cross(r_ij, r_kj);
  const T n2 = dot(n, n);
  const T inverse_n = rsqrt(max(n2, T(1e-30)));
  const T theta = atan2(n2 * inverse_n, dot(r_ij, r_kj));
  const T difference = theta - theta0;
  const T slope = k * difference;
  const T along = slope * inverse_n;
  const T scale_i = along / max(dot(r_ij, r_ij), T(1e-20));
  const T scale_k = along / max(dot(r_kj, r_kj), T(1e-20));
  return {T(0.5) * slope * difference, scale_i * cross(n, r_ij), scale_k * cross(r_kj, n)};
}

}  // namespace uplift::physics

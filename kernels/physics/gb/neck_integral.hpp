#pragma once
#include "physics/math.hpp"

namespace uplift::physics {

template <class T>
struct NeckIntegral {
  T value;         ///< [1/nm]
  T slope_over_r;  ///< (d value/dr) / r [1/nm^3]
};

/// What the neck between two spheres adds to the Born integral (Mongan et al. 2007, eq. 6, written there in angstrom):
///   m0 / (1 + (x/a)^2 + 0.3 (x/a)^6),   x = r - d0,   a = 1 angstrom,   for r < reach, else nothing.
/// r, d0 and reach = R_i + R_j + 0.68 in nm, m0 in 1/nm.
template <class T>
UPLIFT_HD NeckIntegral<T> neck_integral(const T& r, const T& inverse_r, const T& reach, const T& d0, const T& m0) {
  const T x = T(10.0) * (r - d0);
  const T x2 = x * x;
  const T x4 = x2 * x2;
  const T inverse = reciprocal(madd(T(0.3) * x2, x4, T(1.0) + x2));
  const T value = select(r < reach, m0 * inverse, T(0.0));
  const T slope = T(-10.0) * value * inverse * x * madd(T(1.8), x4, T(2.0));
  return {value, slope * inverse_r};
}

}  // namespace uplift::physics

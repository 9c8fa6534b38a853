#pragma once
#include "physics/math.hpp"

namespace uplift::physics {

// I_ij: the integral of r^-4/(4 pi) over the sphere of radius s around atom j, outside the sphere of radius rho around atom i
// (Hawkins, Cramer and Truhlar 1996, eqs. 10 to 13; also Onufriev, Bashford and Case 2004, eq. 5), in 1/nm, lengths in nm:
//   I = 1/2 [1/L - 1/U + (r - s^2/r)(1/U^2 - 1/L^2)/4 + ln(L/U)/(2 r)],   U = r + s,   L = max(rho, |r - s|),   0 if U <= rho,
// and 1/rho - 1/L more when the sphere around j holds all of that around i (L = s - r). The slope dI/dr is that of the explicit
// r alone, since dI/dL and dI/dU vanish or cancel against the last term. s may be negative (sulfur in GBn2).

template <class T>
struct BornBounds {
  T inverse_lower, inverse_upper, logarithm;  ///< 1/L, 1/U [1/nm], ln(L/U)
};

template <class T>
UPLIFT_HD BornBounds<T> born_bounds(const T& r, const T& rho, const T& s) {
  const T lower = max(rho, abs(r - s));
  const T upper = max(rho, r + s);
  const T inverse_upper = reciprocal(upper);
  return {reciprocal(lower), inverse_upper, log(lower * inverse_upper)};
}

/// I_ij [1/nm] at any distance r > 0.
template <class T>
UPLIFT_HD T born_integral(const T& r, const T& inverse_r, const T& rho, const T& inverse_rho, const T& s) {
  const BornBounds<T> b = born_bounds(r, rho, s);
  const T squares = b.inverse_upper * b.inverse_upper - b.inverse_lower * b.inverse_lower;
  const T sum =
      b.inverse_lower - b.inverse_upper + T(0.25) * (r - s * s * inverse_r) * squares + T(0.5) * b.logarithm * inverse_r;
  const T engulfed = select(s - r > rho, inverse_rho - b.inverse_lower, T(0.0));
  return select(r + s > rho, madd(T(0.5), sum, engulfed), T(0.0));
}

/// (dI_ij/dr) / r [1/nm^3] at any distance r > 0.
template <class T>
UPLIFT_HD T born_integral_slope(const T& r, const T& inverse_r, const T& rho, const T& s) {
  const BornBounds<T> b = born_bounds(r, rho, s);
  const T squares = b.inverse_upper * b.inverse_upper - b.inverse_lower * b.inverse_lower;
  const T inverse_r2 = inverse_r * inverse_r;
  const T sum = T(0.25) * madd(s * s, inverse_r2, T(1.0)) * squares - T(0.5) * b.logarithm * inverse_r2;
  return select(r + s > rho, T(0.5) * sum * inverse_r, T(0.0));
}

// Spheres that do not overlap (r >= rho + |s|): with u = s/r the same integral is
//   I = [u/(1 - u^2) - artanh u] / (2 r) = u^3 P(u^2) / (2 r),      r dI/dr = -u^3 Q(u^2) / (2 r),
//   P(t) = sum over k >= 1 of 2k/(2k+1) t^(k-1),    Q(t) = sum of 2k (2k+2)/(2k+1) t^(k-1),
// which needs neither a root nor a logarithm and does not cancel. P and Q interpolated at the Chebyshev nodes of 0 <= t <= 1/4
// (r >= 2 |s|); relative errors 3e-8 and 2e-8 for float, 2e-17 for double.
inline constexpr double born_far_ratio = 2.0;  ///< the far forms hold for r >= born_far_ratio |s| and r >= rho + |s|

/// I_ij [1/nm] of a far pair; inverse_r2 = 1/r^2 [1/nm^2], s2 = s^2, half_s3 = s^3/2.
template <class T>
UPLIFT_HD T born_integral_far(const T& inverse_r2, const T& s2, const T& half_s3) {
  const T t = s2 * inverse_r2;
  T p;
  if constexpr (sizeof(typename AngleScalar<T>::type) == 4) {
    p = madd(T(2.4835277277125405f), t, T(0.28906119197314629f));
    p = madd(p, t, T(1.0264661873851288f));
    p = madd(p, t, T(0.87813498981453595f));
    p = madd(p, t, T(0.85760288478779241f));
    p = madd(p, t, T(0.79999271637669994f));
    p = madd(p, t, T(0.66666668529511599f));
  } else {
    p = madd(T(7.778682785097216), t, T(-6.8200619013137195));
    p = madd(p, t, T(5.4962728394908531));
    p = madd(p, t, T(-0.68607381373868262));
    p = madd(p, t, T(1.3605469604293835));
    p = madd(p, t, T(0.88279895844063309));
    p = madd(p, t, T(0.9559029517885987));
    p = madd(p, t, T(0.94043124799528763));
    p = madd(p, t, T(0.93337902415316904));
    p = madd(p, t, T(0.92307501143833461));
    p = madd(p, t, T(0.90909096109169947));
    p = madd(p, t, T(0.88888888803975657));
    p = madd(p, t, T(0.8571428571500985));
    p = madd(p, t, T(0.79999999999997569));
    p = madd(p, t, T(0.66666666666666668));
  }
  return half_s3 * inverse_r2 * inverse_r2 * p;
}

/// (dI_ij/dr) / r [1/nm^3] of a far pair.
template <class T>
UPLIFT_HD T born_integral_far_slope(const T& inverse_r2, const T& s2, const T& half_s3) {
  const T t = s2 * inverse_r2;
  T q;
  if constexpr (sizeof(typename AngleScalar<T>::type) == 4) {
    q = madd(T(58.900342610380284f), t, T(-6.0836550232802826f));
    q = madd(q, t, T(17.839507534248745f));
    q = madd(q, t, T(10.298700119707942f));
    q = madd(q, t, T(8.9291280817096649f));
    q = madd(q, t, T(6.8558583899913468f));
    q = madd(q, t, T(4.8000154594436549f));
    q = madd(q, t, T(2.6666666364078141f));
  } else {
    q = madd(T(348.74714287990426), t, T(-367.15293448234317));
    q = madd(q, t, T(283.35538011515658));
    q = madd(q, t, T(-74.897620918318079));
    q = madd(q, t, T(52.786239090179278));
    q = madd(q, t, T(17.553634252229856));
    q = madd(q, t, T(21.712254929230175));
    q = madd(q, t, T(18.869586304569058));
    q = madd(q, t, T(16.946933193747825));
    q = madd(q, t, T(14.933030748339127));
    q = madd(q, t, T(12.923087868184927));
    q = madd(q, t, T(10.909090650071306));
    q = madd(q, t, T(8.8888888925851924));
    q = madd(q, t, T(6.8571428571152245));
    q = madd(q, t, T(4.8000000000000815));
    q = madd(q, t, T(2.6666666666666666));
  }
  return -(half_s3 * inverse_r2 * inverse_r2 * inverse_r2 * q);
}

}  // namespace uplift::physics

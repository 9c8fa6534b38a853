#pragma once
// The few functions that every formula may use on its T. Scalars are given here; SIMD packs and dual numbers bring their own
// overloads, found by argument-dependent look-up. select(mask, yes, no) stands in for `if`, so that formulas have no branches.
#include <cmath>

#include "uplift/core/macros.hpp"
#include "uplift/core/vec3.hpp"

namespace uplift::physics {

UPLIFT_HD float madd(float a, float b, float c) { return a * b + c; }
UPLIFT_HD double madd(double a, double b, double c) { return a * b + c; }
UPLIFT_HD float msub(float a, float b, float c) { return a * b - c; }
UPLIFT_HD double msub(double a, double b, double c) { return a * b - c; }
UPLIFT_HD float nmadd(float a, float b, float c) { return c - a * b; }
UPLIFT_HD double nmadd(double a, double b, double c) { return c - a * b; }
UPLIFT_HD float select(bool m, float yes, float no) { return m ? yes : no; }
UPLIFT_HD double select(bool m, double yes, double no) { return m ? yes : no; }
#if defined(__CUDA_ARCH__)
/// Within 2 units in the last place (PTX ISA, rsqrt); of numbers below 1e-38 infinity. ::rsqrtf() spends four more instructions
/// on those.
UPLIFT_HD float rsqrt(float a) {
  float r;
  asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(a));
  return r;
}
UPLIFT_HD double rsqrt(double a) { return ::rsqrt(a); }
/// 1/a within 1 unit in the last place and 2^a within 2 (PTX ISA, rcp and ex2): an instruction each.
UPLIFT_HD float reciprocal(float a) {
  float r;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(a));
  return r;
}
UPLIFT_HD float exp2(float a) {
  float r;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(a));
  return r;
}
#else
UPLIFT_HD float reciprocal(float a) { return 1.0f / a; }
UPLIFT_HD float exp2(float a) { return std::exp2(a); }
UPLIFT_HD float rsqrt(float a) { return 1.0f / std::sqrt(a); }
UPLIFT_HD double rsqrt(double a) { return 1.0 / std::sqrt(a); }
#endif
UPLIFT_HD double reciprocal(double a) { return 1.0 / a; }
UPLIFT_HD double exp2(double a) { return std::exp2(a); }
UPLIFT_HD float sqrt(float a) { return std::sqrt(a); }
UPLIFT_HD double sqrt(double a) { return std::sqrt(a); }
UPLIFT_HD float abs(float a) { return std::fabs(a); }
UPLIFT_HD double abs(double a) { return std::fabs(a); }
UPLIFT_HD float min(float a, float b) { return a < b ? a : b; }
UPLIFT_HD double min(double a, double b) { return a < b ? a : b; }
UPLIFT_HD float max(float a, float b) { return a > b ? a : b; }
UPLIFT_HD double max(double a, double b) { return a > b ? a : b; }
UPLIFT_HD float round(float a) { return std::nearbyint(a); }
UPLIFT_HD double round(double a) { return std::nearbyint(a); }

// ---- angle functions of the bonded terms
// --------------------------------------------------------------------------------------

/// The number type behind T: T itself for float and double, T::Scalar for packs and dual numbers.
template <class T>
struct AngleScalar {
  using type = typename T::Scalar;
};
template <>
struct AngleScalar<float> {
  using type = float;
};
template <>
struct AngleScalar<double> {
  using type = double;
};

/// atan(t) for |t| <= tan(pi/8): t + t z p(z), z = t^2, p interpolating at the Chebyshev nodes of the interval. Relative error
/// of the polynomial itself: 2.5e-9 for float, 1.9e-19 for double.
template <class T>
UPLIFT_HD T atan_eighth(const T& t) {
  const T z = t * t;
  T p;
  if constexpr (sizeof(typename AngleScalar<T>::type) == 4) {
    p = madd(T(-0.064517188693589581f), z, T(0.10743668324830098f));
    p = madd(p, z, T(-0.14263949753605724f));
    p = madd(p, z, T(0.19999540314957969f));
    p = madd(p, z, T(-0.33333331760434556f));
  } else {
    p = madd(T(0.016284375050043394), z, T(-0.03456931506332609));
    p = madd(p, z, T(0.045515447340221617));
    p = madd(p, z, T(-0.052304436406869477));
    p = madd(p, z, T(0.058789275544738068));
    p = madd(p, z, T(-0.066664247602005201));
    p = madd(p, z, T(0.076922963680422971));
    p = madd(p, z, T(-0.090909087532591129));
    p = madd(p, z, T(0.11111111105150588));
    p = madd(p, z, T(-0.14285714285659778));
    p = madd(p, z, T(0.19999999999999804));
    p = madd(p, z, T(-0.33333333333333333));
  }
  return madd(t * z, p, t);
}

/// The angle of the point (x, y) from the x axis, in (-pi, pi] [rad]; atan2(0, 0) = 0, and the sign of a zero is not looked at.
/// Absolute error below 4e-7 (float) and 7e-16 (double); relative error below 4 epsilon for x > 0.
/// Argument reduction: first octant by symmetry, then atan(u) = pi/4 + atan((u - 1)/(u + 1)) above tan(pi/8).
template <class T>
UPLIFT_HD T atan2(const T& y, const T& x) {
  using S = typename AngleScalar<T>::type;
  const T zero(S(0)), ax = abs(x), ay = abs(y);
  const T low = min(ax, ay);
  const T high = max(max(ax, ay), T(S(1e-37)));
  const auto upper = low > T(S(0.41421356237309503)) * high;
  const T t = select(upper, low - high, low) / select(upper, low + high, high);
  T angle = atan_eighth(t) + select(upper, T(S(0.78539816339744828)), zero);
  angle = select(ay > ax, T(S(1.5707963267948966)) - angle, angle);
  angle = select(x < zero, T(S(3.1415926535897931)) - angle, angle);
  return select(y < zero, -angle, angle);
}

/// The largest whole number not above a.
template <class T>
UPLIFT_HD T floor_of(const T& a) {
  const T nearest = round(a);
  return nearest - select(nearest > a, T(typename AngleScalar<T>::type(1)), T(typename AngleScalar<T>::type(0)));
}

// ---- exponentials and reciprocals of generalized Born
// --------------------------------------------------------------------------

UPLIFT_HD float exp(float a) { return std::exp(a); }
UPLIFT_HD double exp(double a) { return std::exp(a); }
UPLIFT_HD float log(float a) { return std::log(a); }
UPLIFT_HD double log(double a) { return std::log(a); }
/// 1/a; packs bring a cheaper one.
template <class T>
UPLIFT_HD T reciprocal(const T& a) {
  return T(1.0) / a;
}

}  // namespace uplift::physics

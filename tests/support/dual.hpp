#pragma once
// Dual numbers: a value with its exact derivatives by N variables, carried through any formula that is a template on its
// number.
#include <array>
#include <cmath>
#include <cstddef>

#include "uplift/core/vec3.hpp"

namespace uplift::test {

template <int N>
struct Dual {
  using Scalar = double;
  double value = 0;
  std::array<double, N> gradient{};

  Dual() = default;
  Dual(double v) : value(v) {}  // NOLINT: constants mix freely with duals
  /// The variable number `which`, with that value.
  static Dual variable(double v, int which) {
    Dual d(v);
    d.gradient[static_cast<std::size_t>(which)] = 1;
    return d;
  }
  /// f(a) from the value and slope of f there, and f(a, b) likewise.
  static Dual chain(double f, double slope, const Dual& a) {
    Dual d(f);
    for (std::size_t n = 0; n < N; ++n) d.gradient[n] = slope * a.gradient[n];
    return d;
  }
  static Dual chain(double f, double slope_a, const Dual& a, double slope_b, const Dual& b) {
    Dual d(f);
    for (std::size_t n = 0; n < N; ++n) d.gradient[n] = slope_a * a.gradient[n] + slope_b * b.gradient[n];
    return d;
  }

  friend Dual operator+(const Dual& a, const Dual& b) { return chain(a.value + b.value, 1, a, 1, b); }
  friend Dual operator-(const Dual& a, const Dual& b) { return chain(a.value - b.value, 1, a, -1, b); }
  friend Dual operator*(const Dual& a, const Dual& b) { return chain(a.value * b.value, b.value, a, a.value, b); }
  friend Dual operator/(const Dual& a, const Dual& b) {
    const double q = a.value / b.value;
    return chain(q, 1 / b.value, a, -q / b.value, b);
  }
  friend Dual operator-(const Dual& a) { return chain(-a.value, -1, a); }
  Dual& operator+=(const Dual& b) { return *this = *this + b; }
  Dual& operator-=(const Dual& b) { return *this = *this - b; }
  Dual& operator*=(const Dual& b) { return *this = *this * b; }
  friend bool operator<(const Dual& a, const Dual& b) { return a.value < b.value; }
  friend bool operator>(const Dual& a, const Dual& b) { return a.value > b.value; }
  friend bool operator<=(const Dual& a, const Dual& b) { return a.value <= b.value; }
  friend bool operator>=(const Dual& a, const Dual& b) { return a.value >= b.value; }

  friend Dual madd(const Dual& a, const Dual& b, const Dual& c) { return a * b + c; }
  friend Dual msub(const Dual& a, const Dual& b, const Dual& c) { return a * b - c; }
  friend Dual nmadd(const Dual& a, const Dual& b, const Dual& c) { return c - a * b; }
  friend Dual select(bool m, const Dual& yes, const Dual& no) { return m ? yes : no; }
  friend Dual sqrt(const Dual& a) {
    const double r = std::sqrt(a.value);
    return chain(r, 0.5 / r, a);
  }
  friend Dual rsqrt(const Dual& a) {
    const double r = 1 / std::sqrt(a.value);
    return chain(r, -0.5 * r / a.value, a);
  }
  friend Dual abs(const Dual& a) { return a.value < 0 ? -a : a; }
  friend Dual min(const Dual& a, const Dual& b) { return a < b ? a : b; }
  friend Dual max(const Dual& a, const Dual& b) { return a > b ? a : b; }
  friend Dual round(const Dual& a) { return Dual(std::nearbyint(a.value)); }
  friend Dual exp(const Dual& a) {
    const double e = std::exp(a.value);
    return chain(e, e, a);
  }
  friend Dual log(const Dual& a) { return chain(std::log(a.value), 1 / a.value, a); }
  friend Dual cos(const Dual& a) { return chain(std::cos(a.value), -std::sin(a.value), a); }
  friend Dual sin(const Dual& a) { return chain(std::sin(a.value), std::cos(a.value), a); }
  friend Dual acos(const Dual& a) { return chain(std::acos(a.value), -1 / std::sqrt(1 - a.value * a.value), a); }
  friend Dual atan2(const Dual& y, const Dual& x) {
    const double r2 = x.value * x.value + y.value * y.value;
    return chain(std::atan2(y.value, x.value), x.value / r2, y, -y.value / r2, x);
  }
  friend Dual erfc(const Dual& a) {
    return chain(std::erfc(a.value), -1.1283791670955126 * std::exp(-a.value * a.value), a);  // 2/sqrt(pi)
  }
};

/// Position number `atom` as three variables of a function of N/3 positions.
template <int N>
Vec3<Dual<N>> dual_position(const Vec3d& x, int atom) {
  return {Dual<N>::variable(x.x, 3 * atom), Dual<N>::variable(x.y, 3 * atom + 1), Dual<N>::variable(x.z, 3 * atom + 2)};
}
/// Minus the gradient by that position: the force of a potential energy.
template <int N>
Vec3d dual_force(const Dual<N>& energy, int atom) {
  const auto at = static_cast<std::size_t>(3 * atom);
  return {-energy.gradient[at], -energy.gradient[at + 1], -energy.gradient[at + 2]};
}

}  // namespace uplift::test

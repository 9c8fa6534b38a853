#pragma once
#include <array>

#include "uplift/core/macros.hpp"

namespace uplift {

/// Three components of T: float, double, an integer, a SIMD pack or a dual number.
template <class T>
struct Vec3 {
  T x, y, z;
  bool operator==(const Vec3&) const = default;
};
using Vec3d = Vec3<double>;
using Vec3f = Vec3<float>;

template <class T>
UPLIFT_HD Vec3<T> operator+(const Vec3<T>& a, const Vec3<T>& b) {
  return {a.x + b.x, a.y + b.y, a.z + b.z};
}
template <class T>
UPLIFT_HD Vec3<T> operator-(const Vec3<T>& a, const Vec3<T>& b) {
  return {a.x - b.x, a.y - b.y, a.z - b.z};
}
template <class T>
UPLIFT_HD Vec3<T> operator-(const Vec3<T>& a) {
  return {-a.x, -a.y, -a.z};
}
template <class T>
UPLIFT_HD Vec3<T> operator*(const T& s, const Vec3<T>& a) {
  return {s * a.x, s * a.y, s * a.z};
}
template <class T>
UPLIFT_HD Vec3<T> operator*(const Vec3<T>& a, const T& s) {
  return {s * a.x, s * a.y, s * a.z};
}
template <class T>
UPLIFT_HD Vec3<T>& operator+=(Vec3<T>& a, const Vec3<T>& b) {
  return a = a + b;
}
template <class T>
UPLIFT_HD Vec3<T>& operator-=(Vec3<T>& a, const Vec3<T>& b) {
  return a = a - b;
}
template <class T>
UPLIFT_HD T dot(const Vec3<T>& a, const Vec3<T>& b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}
template <class T>
UPLIFT_HD Vec3<T> cross(const Vec3<T>& a, const Vec3<T>& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

}  // namespace uplift

#pragma once
// Constraints that share one central atom: a heavy atom and its hydrogens. Positions by Newton's method on all arms at once
// (M-SHAKE: Kraeutler, van Gunsteren and Huenenberger, J. Comput. Chem. 22, 501 (2001), eqs 10 to 14), which squares the error
// at each step; velocities, whose equations are linear (RATTLE: Andersen, J. Comput. Phys. 52, 24 (1983), eq A10), in one.
#include "physics/math.hpp"

namespace uplift::physics {

template <class T, int arms>
struct StarShape {
  T inverse_mass_centre;  ///< [1/Da]
  T inverse_mass[arms];   ///< [1/Da]
  T length2[arms];        ///< squared lengths [nm^2]
};
template <class T, int arms>
struct Star {
  Vec3<T> centre;
  Vec3<T> arm[arms];
};
template <class T, int arms>
struct StarStep {
  Star<T, arms> star;
  T worst;  ///< largest error that the step met, before it corrected it
};

/// Solves m y = b into b, by elimination. Matrices of stars have their largest elements on the diagonal.
template <class T, int n>
UPLIFT_HD void solve(T (&m)[n][n], T (&b)[n]) {
  T inverse[n];
  UPLIFT_UNROLL
  for (int k = 0; k < n; ++k) {
    inverse[k] = T(1.0) / m[k][k];
    UPLIFT_UNROLL
    for (int r = k + 1; r < n; ++r) {
      const T f = m[r][k] * inverse[k];
      UPLIFT_UNROLL
      for (int c = k + 1; c < n; ++c) m[r][c] = nmadd(f, m[k][c], m[r][c]);
      b[r] = nmadd(f, b[k], b[r]);
    }
  }
  UPLIFT_UNROLL
  for (int k = n - 1; k >= 0; --k) {
    UPLIFT_UNROLL
    for (int c = k + 1; c < n; ++c) b[k] = nmadd(m[k][c], b[c], b[k]);
    b[k] = b[k] * inverse[k];
  }
}

/// Impulses `size` along `direction` on the arms, and back on the centre.
template <class T, int arms>
UPLIFT_HD void push_apart(const StarShape<T, arms>& shape, const Vec3<T> (&direction)[arms], const T (&size)[arms],
                          Star<T, arms>& star) {
  UPLIFT_UNROLL
  for (int k = 0; k < arms; ++k) {
    star.arm[k] -= (size[k] * shape.inverse_mass[k]) * direction[k];
    star.centre += (size[k] * shape.inverse_mass_centre) * direction[k];
  }
}

/// One step of Newton's method. `reference`: arms less centre before the time step, which met the constraints. worst: relative
/// error of a length.
template <class T, int arms>
UPLIFT_HD StarStep<T, arms> shake_step(const StarShape<T, arms>& shape, const Vec3<T> (&reference)[arms], Star<T, arms> x) {
  T worst(0.0), m[arms][arms], size[arms];
  UPLIFT_UNROLL
  for (int k = 0; k < arms; ++k) {
    const Vec3<T> d = x.arm[k] - x.centre;
    const T error = T(0.5) * (dot(d, d) - shape.length2[k]);
    worst = max(worst, abs(error) / shape.length2[k]);
    size[k] = error;
    UPLIFT_UNROLL
    for (int l = 0; l < arms; ++l)
      m[k][l] = (k == l ? shape.inverse_mass_centre + shape.inverse_mass[k] : shape.inverse_mass_centre) * dot(d, reference[l]);
  }
  solve(m, size);
  push_apart(shape, reference, size, x);
  return {x, worst};
}

/// `direction`: arms less centre. worst: relative rate of a length before [1/ps].
template <class T, int arms>
UPLIFT_HD StarStep<T, arms> rattle(const StarShape<T, arms>& shape, const Vec3<T> (&direction)[arms], Star<T, arms> v) {
  T worst(0.0), m[arms][arms], size[arms];
  UPLIFT_UNROLL
  for (int k = 0; k < arms; ++k) {
    size[k] = dot(direction[k], v.arm[k] - v.centre);
    UPLIFT_UNROLL
    for (int l = 0; l < arms; ++l)
      m[k][l] = (k == l ? shape.inverse_mass_centre + shape.inverse_mass[k] : shape.inverse_mass_centre) *
                dot(direction[k], direction[l]);
    worst = max(worst, abs(size[k]) / shape.length2[k]);
  }
  solve(m, size);
  push_apart(shape, direction, size, v);
  return {v, worst};
}

}  // namespace uplift::physics

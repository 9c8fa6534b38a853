#pragma once
#include "physics/math.hpp"

namespace uplift::physics {

/// Energy and -dE/dr / r of a pair: the force on i is force_over_r times (x_i - x_j).
template <class T>
struct PairTerm {
  T energy, force_over_r;
};

/// E = c12/r^12 - c6/r^6, from 1/r^2.
template <class T>
UPLIFT_HD PairTerm<T> lennard_jones(const T& inverse_r2, const T& c6, const T& c12) {
  const T r6 = inverse_r2 * inverse_r2 * inverse_r2;
  const T attraction = c6 * r6, repulsion = c12 * r6 * r6;
  return {repulsion - attraction, (T(12) * repulsion - T(6) * attraction) * inverse_r2};
}

/// The same from half the sum of diameters (sigma) and the product of sqrt(4 epsilon): Lorentz and Berthelot's rules.
template <class T>
UPLIFT_HD PairTerm<T> lennard_jones_combined(const T& inverse_r2, const T& half_sigma_i, const T& half_sigma_j, const T& root_i,
                                             const T& root_j) {
  const T sigma = half_sigma_i + half_sigma_j;
  const T s2 = sigma * sigma * inverse_r2, s6 = s2 * s2 * s2;
  const T e6 = root_i * root_j * s6;
  return {msub(e6, s6, e6), e6 * msub(T(12), s6, T(6)) * inverse_r2};
}

/// The same with the roots' product times six, and so the energy: it costs the force nothing.
template <class T>
UPLIFT_HD PairTerm<T> lennard_jones_sixfold(const T& inverse_r2, const T& half_sigma_i, const T& half_sigma_j,
                                            const T& six_root_i, const T& root_j) {
  const T sigma = half_sigma_i + half_sigma_j;
  const T s2 = sigma * sigma * inverse_r2, s6 = s2 * s2 * s2;
  const T e6 = six_root_i * root_j * s6, energy = msub(e6, s6, e6);
  return {energy, madd(T(2), energy, e6) * inverse_r2};
}

/// The same from the roots of c6 and of c12 of both atoms: geometric rules.
template <class T>
UPLIFT_HD PairTerm<T> lennard_jones_geometric(const T& inverse_r2, const T& root6_i, const T& root6_j, const T& root12_i,
                                              const T& root12_j) {
  return lennard_jones(inverse_r2, root6_i * root6_j, root12_i * root12_j);
}

/// Switches a term off between r_on and r_off: S = 1 - 10 x^3 + 15 x^4 - 6 x^5, x = (r - r_on)/(r_off - r_on), so that energy,
/// force and its slope are continuous (as in the OpenMM theory guide).
template <class T>
UPLIFT_HD PairTerm<T> switched(const PairTerm<T>& p, const T& r, const T& inverse_r, const T& r_on, const T& inverse_width) {
  const T x = max((r - r_on) * inverse_width, T(0)), x2 = x * x;
  const T s = nmadd(x2 * x, madd(x, msub(T(6), x, T(15)), T(10)), T(1));
  const T u = x - x2, fall = T(30) * inverse_width * inverse_r * (u * u);  // -S'/r: S' = -30 x^2 (1 - x)^2 dx/dr
  return {p.energy * s, madd(p.energy, fall, p.force_over_r * s)};
}

}  // namespace uplift::physics

#pragma once
// Coulomb of two charges whose product times the Coulomb constant is 1: energies [1/nm] and forces over distances [1/nm^3] are
// to be multiplied by that product [kJ nm/mol], in one operation with the sum that they go into.
#include <cmath>

#include "physics/pair/lennard_jones.hpp"
#include "uplift/core/constants.hpp"

namespace uplift::physics {

template <class T>
UPLIFT_HD PairTerm<T> coulomb_plain(const T& inverse_r) {
  return {inverse_r, inverse_r * inverse_r * inverse_r};
}

/// Reaction field: E = 1/r + k r^2 - c, Tironi, Sperb, Smith and van Gunsteren, J. Chem. Phys. 102, 5451 (1995).
template <class T>
UPLIFT_HD PairTerm<T> coulomb_reaction_field(const T& r2, const T& inverse_r, const T& k, const T& c) {
  return {inverse_r + k * r2 - c, inverse_r * inverse_r * inverse_r - T(2) * k};
}

/// Polynomial in t = r^2 scale - 1 on [-1, 1] (t = -1 at r = 0, 1 at the range's end); coefficients from the highest, an even
/// number of them. Odd and even powers by Horner's rule in t^2: two chains half as long, which a processor works on side by
/// side.
template <class T, class C>
UPLIFT_HD T polynomial(const T& t, const C* coefficient, int count) {
  const T t2 = t * t;
  T odd(coefficient[0]), even(coefficient[1]);
  for (int k = 2; k < count; k += 2) {
    odd = madd(odd, t2, T(coefficient[k]));
    even = madd(even, t2, T(coefficient[k + 1]));
  }
  return madd(odd, t, even);
}

/// The smooth part erf(alpha r)/r of the Ewald direct sum and its derivative over r, as polynomials in r^2 fitted once for the
/// range in use (Essmann et al., J. Chem. Phys. 103, 8577 (1995), eq. 2.3, has the erfc form):
///   energy   erf(alpha r)/r                                                  [1/nm]
///   force    erf(alpha r)/r^3 - 2 alpha/sqrt(pi) exp(-alpha^2 r^2)/r^2       [1/nm^3]
template <class C>
struct ErfTable {
  static constexpr int most = 48;
  /// In single precision the energy has two terms less than its derivative: it converges faster, and what it loses (5e-7 of its
  /// value at r = 0) is little in a sum of rounded terms. A boosted step sums it for every pair.
  static constexpr int energy_count(int force_count) { return sizeof(C) == 4 ? force_count - 2 : force_count; }
  C scale;    ///< t = scale r^2 - 1
  int count;  ///< terms of the force
  C energy[most], force[most];
};

/// Pair within the cutoff: erfc(alpha r)/r, from the coefficients of an ErfTable.
template <class T, class C>
UPLIFT_HD PairTerm<T> coulomb_ewald(const T& r2, const T& inverse_r, const C& scale, const C* energy, int energy_count,
                                    const C* force, int force_count) {
  const T t = madd(r2, T(scale), T(-1));
  return {inverse_r - polynomial(t, energy, energy_count),
          msub(inverse_r * inverse_r, inverse_r, polynomial(t, force, force_count))};
}
/// `terms`: the table's count where it is known when compiling, else 0; less `zeros`, its leading coefficients that are known
/// to be 0.
template <int terms = 0, int zeros = 0, class T, class C>
UPLIFT_HD PairTerm<T> coulomb_ewald(const T& r2, const T& inverse_r, const ErfTable<C>& table) {
  const int count = terms > 0 ? terms : table.count;
  return coulomb_ewald(r2, inverse_r, table.scale, table.energy + zeros, table.energy_count(count), table.force + zeros, count);
}

/// The same two functions in sixteen pieces of equal width in r^2, each a short polynomial: where one instruction looks up
/// sixteen numbers (AVX-512), that takes less than half the multiplications of a polynomial over the whole range. The energy is
/// the integral of the force: dE/d(r^2) = -F/2.
struct ErfPieces {
  static constexpr int pieces = 16, most = 6;
  float scale;                       ///< place = r^2 scale - 1/2 is nearest to the number of the piece
  int count;                         ///< terms of the force; 0: no such number is accurate enough
  float force[most][pieces];         ///< coefficients of u, the place's distance to the piece's middle, from the highest
  float integral[most + 1][pieces];  ///< of the force over u, with one term more: erf(alpha r)/r is this times -unit
  float unit;                        ///< 1/(2 scale)
};

/// erfc(x) = exp(-x^2) h(u) with u = 1/(1 + p x) and a polynomial h: the form of Abramowitz and Stegun's 7.1.26, fitted to the
/// range in use.
template <class C>
struct ErfcSeries {
  static constexpr int count = 7;
  static constexpr double p = 0.38;
  C slope;     ///< p alpha [1/nm]
  C exponent;  ///< -alpha^2 / ln 2 [1/nm^2]
  C gaussian;  ///< 2 alpha/sqrt(pi) [1/nm]
  C h[count];  ///< coefficients, from the highest
};

/// Pair within the cutoff as coulomb_ewald(), from a series: where a reciprocal and a power of two are an instruction each, as
/// on GPUs, energy and force together cost what the polynomial of the force alone does.
template <class T, class C>
UPLIFT_HD PairTerm<T> coulomb_ewald_series(const T& r2, const T& inverse_r, const ErfcSeries<C>& series) {
  const T u = reciprocal(madd(r2 * inverse_r, T(series.slope), T(1)));
  const T gaussian = exp2(r2 * T(series.exponent));
  T h(series.h[0]);
  for (int k = 1; k < series.count; ++k) h = madd(h, u, T(series.h[k]));
  const T energy = h * gaussian * inverse_r;
  return {energy, inverse_r * inverse_r * madd(gaussian, T(series.gaussian), energy)};
}

/// The smooth part itself, at any distance: erf(alpha r)/r [1/nm].
UPLIFT_HD double erf_over_r(double alpha, double r) {
  const double z = alpha * r;
  if (z < 1e-4) return 2 * alpha / std::sqrt(constants::pi) * (1 - z * z / 3);
  return std::erf(z) / r;
}
/// erf(alpha r)/r^3 - 2 alpha/sqrt(pi) exp(-alpha^2 r^2)/r^2 [1/nm^3].
UPLIFT_HD double erf_force_over_r(double alpha, double r) {
  const double z = alpha * r, root = 2 / std::sqrt(constants::pi);
  if (z < 0.3) {  // the two terms cancel: power series, sum of (-1)^k 2 (k+1) z^(2k) / ((2k+3) (k+1)!)
    double sum = 0, power = 1, factorial = 1;
    for (int k = 0; k < 14; ++k) {
      factorial *= k + 1;
      sum += (k % 2 ? -1 : 1) * 2.0 * (k + 1) * power / ((2 * k + 3) * factorial);
      power *= z * z;
    }
    return alpha * alpha * alpha * root * sum;
  }
  return (std::erf(z) / r - alpha * root * std::exp(-z * z)) / (r * r);
}

}  // namespace uplift::physics

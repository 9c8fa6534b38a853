#pragma once
#include "physics/pair/coulomb.hpp"

namespace uplift {

/// What rounding leaves of a polynomial: a little more than its last bits. Terms beyond that would add nothing but time.
template <class C>
inline constexpr double erf_accuracy = sizeof(C) == 4 ? 3e-8 : 5e-15;

/// Polynomials for the smooth part of the Ewald direct sum on 0 <= r <= reach [nm], by Chebyshev interpolation; as many terms
/// as leave an error below `accuracy` of the value at r = 0. Throws InputError when alpha * reach is too large for that.
template <class C>
physics::ErfTable<C> make_erf_table(double alpha, double reach, double accuracy = erf_accuracy<C>);

/// The same, and all of the pair's force and energy with it, from a series in single precision: within 6e-7 of qq/r and qq/r^3.
physics::ErfcSeries<float> make_erfc_series(double alpha, double reach);

/// The same in pieces, in single precision. Has no terms where alpha * reach is too large for that.
physics::ErfPieces make_erf_pieces(double alpha, double reach);

}  // namespace uplift

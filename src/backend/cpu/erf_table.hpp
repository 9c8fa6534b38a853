#pragma once
#include "physics/pair/coulomb.hpp"

namespace uplift::cpu {

/// Polynomials for the smooth part of the Ewald direct sum on 0 <= r <= reach [nm], by Chebyshev interpolation; as many terms as leave
/// an error below `accuracy` of the value at r = 0. Throws InputError when alpha * reach is too large for that.
template <class C>
physics::ErfTable<C> make_erf_table(double alpha, double reach, double accuracy);

/// erf(alpha r)/r and erf(alpha r)/r^3 - 2 alpha/sqrt(pi) exp(-alpha^2 r^2)/r^2 at any distance, by the library's erf.
double erf_over_r(double alpha, double r);
double erf_force_over_r(double alpha, double r);

}  // namespace uplift::cpu

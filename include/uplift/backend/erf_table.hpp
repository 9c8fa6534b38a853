#pragma once
#include "physics/pair/coulomb.hpp"

namespace uplift {

/// Polynomials for the smooth part of the Ewald direct sum on 0 <= r <= reach [nm], by Chebyshev interpolation; as many terms
/// as leave an error below `accuracy` of the value at r = 0. Throws InputError when alpha * reach is too large for that.
template <class C>
physics::ErfTable<C> make_erf_table(double alpha, double reach, double accuracy);

}  // namespace uplift

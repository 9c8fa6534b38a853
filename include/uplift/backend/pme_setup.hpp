#pragma once
// What every backend settles before it can run PME.
#include <vector>

#include "uplift/backend/backend.hpp"

namespace uplift {

/// alpha, grid and order for a box: as given, or from the tolerance (direct-space error at the cutoff, grid from the error estimate).
PmeParameters resolve_pme(const ForceSettings& settings, const Box& box);

/// |1/b(k)|^2 of Essmann 1995, eq. 4.4: squared modulus of the transform of a spline sampled on n points. Where it vanishes
/// (odd orders at k = n/2) it is the mean of its neighbours, as in Essmann's and OpenMM's programs.
std::vector<double> spline_moduli(int order, int n);

}  // namespace uplift

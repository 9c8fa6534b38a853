#pragma once
// What every backend settles before it can run PME.
#include <vector>

#include "uplift/backend/backend.hpp"

namespace uplift {

/// alpha, grid and order for a box: as given, or from the tolerance (direct-space error at the cutoff, grid from the error
/// estimate).
PmeParameters resolve_pme(const ForceSettings& settings, const Box& box);

/// How many units of an integer mesh one charge makes: a power of two, so that scaling rounds nothing. 64-bit integers hold all
/// charges
/// (`absolute`: the sum of their magnitudes) on one point. 32-bit ones, for single precision, hold 32 of the `largest` (a
/// spline leaves at most 0.3 of a charge on one point, so that is 100 like charges in one place) and, for coarse meshes, eight
/// times the mean of all charges taken positive. What is rounded off grows with what they hold; see MixedFollowsDouble.
double integer_mesh_scale(double absolute, double largest, double points, bool narrow);

/// |1/b(k)|^2 of Essmann 1995, eq. 4.4: squared modulus of the transform of a spline sampled on n points. Where it vanishes
/// (odd orders at k = n/2) it is the mean of its neighbours, as in Essmann's and OpenMM's programs.
std::vector<double> spline_moduli(int order, int n);

}  // namespace uplift

#pragma once
// Constraints by plain iteration in long double, from the definitions alone.
#include <vector>

#include "uplift/core/vec3.hpp"

namespace uplift::oracle {

struct Rod {
  int i, j;
  double length;  ///< [nm]
};

/// Moves x along the rods' directions in `before` (divided by the masses) until every length is met to 1e-15: the Lagrange
/// multipliers of SHAKE, by Newton's method on all of them at once.
void constrain_positions(const std::vector<Rod>& rods, const std::vector<double>& mass, const std::vector<Vec3d>& before,
                         std::vector<Vec3d>& x);
/// Removes velocities along the rods: one linear solve.
void constrain_velocities(const std::vector<Rod>& rods, const std::vector<double>& mass, const std::vector<Vec3d>& x,
                          std::vector<Vec3d>& v);

}  // namespace uplift::oracle

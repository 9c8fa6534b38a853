#pragma once
#include "uplift/core/macros.hpp"
#include "uplift/core/vec3.hpp"

namespace uplift::physics {

/// What the scaling of a box does to every atom of a molecule: x += shift [nm], v += change [nm/ps].
struct MoleculeChange {
  Vec3d shift, change;
};
/// The centre of mass goes along with the box, edges by `factor`, and its velocity the other way. `centre` and `momentum` are
/// sums over atoms of x and v times masses [Da nm, Da nm/ps], `mass` > 0 [Da].
UPLIFT_HD MoleculeChange scaled_molecule(const Vec3d& factor, double mass, const Vec3d& centre, const Vec3d& momentum) {
  const double per_mass = 1 / mass;
  return {per_mass * (Vec3d{factor.x * centre.x, factor.y * centre.y, factor.z * centre.z} - centre),
          per_mass * (Vec3d{momentum.x / factor.x, momentum.y / factor.y, momentum.z / factor.z} - momentum)};
}

}  // namespace uplift::physics

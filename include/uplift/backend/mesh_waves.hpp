#pragma once
// The mesh of PME as kernels take it.
#include <array>

#include "physics/pme/influence.hpp"
#include "uplift/backend/backend.hpp"

namespace uplift {

/// The mesh's reciprocal vectors in a box. `moduli`: spline_moduli of each direction, where its user has them.
inline physics::MeshWaves mesh_waves(const Box& box, const PmeParameters& pme, const std::array<const double*, 3>& moduli) {
  return {box.a.x,
          box.b.x,
          box.b.y,
          box.c.x,
          box.c.y,
          box.c.z,
          {pme.grid[0], pme.grid[1], pme.grid[2]},
          pme.alpha,
          {moduli[0], moduli[1], moduli[2]}};
}

}  // namespace uplift

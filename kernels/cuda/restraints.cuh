#pragma once
// Position restraints on the device: one thread a restraint.
#include <cuda/sums.cuh>

#include "physics/bonded/nearest_image.hpp"

namespace uplift::UPLIFT_DEVICE {

struct RestraintsView {
  int count;
  const int* atoms;     ///< [count]
  const Vec3d* centre;  ///< [count] fractions of the present box, or [nm]
  const Vec3d* arm;     ///< [count] reference less centre [nm]
  const double* k;      ///< [count] kJ/mol/nm^2
  bool fractions;       ///< what `centre` has
};
void launch_restraints(const RestraintsView& restraints, const Vec3d* x, const physics::ImageCell& cell, const SumsView& sums,
                       Tally tally, cudaStream_t stream);

}  // namespace uplift::UPLIFT_DEVICE

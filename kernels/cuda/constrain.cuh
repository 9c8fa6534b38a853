#pragma once
// Constraints on the device, in double: one thread a rigid water (SETTLE) or a group of constraints that share atoms (SHAKE and RATTLE, sweep
// after sweep in the order of the input).
#include <cuda/integrate.cuh>

#include "physics/constrain/settle.hpp"

namespace uplift::UPLIFT_DEVICE {

struct WatersView {
  int count;
  const int* atoms;                              ///< [count][3] oxygen, hydrogens
  const physics::WaterShape<double>* shape;      ///< [count]
};
struct ConstraintsView {
  int groups;
  const int* start;                              ///< [groups + 1]
  const int* atoms;                              ///< [constraints][2]
  const double* length;                          ///< [constraints] nm
};

/// x onto the constraints that `before` met, v += displacement/dt. `failure[0]`: lowest water, `failure[1]`: lowest constraint that cannot be met;
/// left alone when all are.
void launch_constrain_positions(const AtomsView& atoms, const WatersView& waters, const ConstraintsView& constraints, const Vec3d* before, double dt,
                                double tolerance, int* failure, cudaStream_t stream);
/// Removes velocity along every constraint, as of the positions `at`.
void launch_constrain_velocities(const AtomsView& atoms, const WatersView& waters, const ConstraintsView& constraints, const Vec3d* at, double tolerance,
                                 int* failure, cudaStream_t stream);

}  // namespace uplift::UPLIFT_DEVICE

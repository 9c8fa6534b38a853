#include <cuda/adding.cuh>
#include <cuda/restraints.cuh>

#include "physics/bonded/position_restraint.hpp"
#include "uplift/model/energies.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

constexpr unsigned block_threads = 128;

__device__ Vec3d position_of(const physics::ImageCell& cell, const Vec3d& s) {
  return {s.x * cell.ax + s.y * cell.bx + s.z * cell.cx, s.y * cell.by + s.z * cell.cy, s.z * cell.cz};
}

__global__ void __launch_bounds__(block_threads)
    restraints_kernel(RestraintsView restraints, const Vec3d* x, physics::ImageCell cell, SumsView sums, Tally tally) {
  const int n = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  double energy = 0;
  Virial virial;
  if (n < restraints.count) {
    const Vec3d arm = restraints.arm[n];
    const Vec3d centre = restraints.fractions ? position_of(cell, restraints.centre[n]) : restraints.centre[n];
    const Vec3d d = physics::nearest_image(cell, x[restraints.atoms[n]] - (centre + arm));
    const auto result = physics::position_restraint(d, restraints.k[n]);
    add_force(sums, restraints.atoms[n], result.force);
    energy = result.energy;
    virial.add(d + arm, result.force);
  }
  if (tally.energies) add_of_warp(sums.energy + static_cast<int>(EnergyTerm::restraint), energy);
  if (tally.virial) virial.flush(sums);
}

}  // namespace

void launch_restraints(const RestraintsView& restraints, const Vec3d* x, const physics::ImageCell& cell, const SumsView& sums,
                       Tally tally, cudaStream_t stream) {
  if (restraints.count > 0)
    UPLIFT_LAUNCH(restraints_kernel, cuda::cover(restraints.count, block_threads), stream, restraints, x, cell, sums, tally);
}

}  // namespace uplift::UPLIFT_DEVICE

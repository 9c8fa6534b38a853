#include <cuda/constrain.cuh>

#include "physics/constrain/shake.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

constexpr unsigned block_threads = 128;
constexpr int most_sweeps = 1000;

__device__ int thread_number() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }
__device__ bool finite(const Vec3d& a) { return a.x - a.x == 0 && a.y - a.y == 0 && a.z - a.z == 0; }

__device__ physics::WaterSites<double> sites(const Vec3d* x, const int* a) { return {x[a[0]], x[a[1]], x[a[2]]}; }

__global__ void __launch_bounds__(block_threads)
    settle_positions_kernel(AtomsView atoms, WatersView waters, const Vec3d* before, double per_dt, int* failure) {
  const int w = thread_number();
  if (w >= waters.count) return;
  const int* a = waters.atoms + 3 * w;
  const auto moved = sites(atoms.x, a), done = physics::settle_positions(waters.shape[w], sites(before, a), moved);
  if (!finite(done.o) || !finite(done.h1) || !finite(done.h2)) {
    atomicMin(failure, w);
    return;
  }
  atoms.v[a[0]] += per_dt * (done.o - moved.o);
  atoms.v[a[1]] += per_dt * (done.h1 - moved.h1);
  atoms.v[a[2]] += per_dt * (done.h2 - moved.h2);
  atoms.x[a[0]] = done.o;
  atoms.x[a[1]] = done.h1;
  atoms.x[a[2]] = done.h2;
}

__global__ void __launch_bounds__(block_threads) settle_velocities_kernel(AtomsView atoms, WatersView waters, const Vec3d* at) {
  const int w = thread_number();
  if (w >= waters.count) return;
  const int* a = waters.atoms + 3 * w;
  const auto v = physics::settle_velocities(waters.shape[w], sites(at, a), sites(atoms.v, a));
  atoms.v[a[0]] = v.o;
  atoms.v[a[1]] = v.h1;
  atoms.v[a[2]] = v.h2;
}

/// One constraint as a star of one arm: the same sweep as everywhere.
__device__ physics::StarShape<double, 1> shape_of(const AtomsView& atoms, const int* a, double length) {
  return {atoms.inverse_mass[a[0]], {atoms.inverse_mass[a[1]]}, {length * length}};
}

__global__ void __launch_bounds__(block_threads)
    shake_kernel(AtomsView atoms, ConstraintsView constraints, const Vec3d* before, double per_dt, double tolerance, int* failure) {
  const int g = thread_number();
  if (g >= constraints.groups) return;
  const int first = constraints.start[g], last = constraints.start[g + 1];
  for (int sweep = 0; sweep < most_sweeps; ++sweep) {
    double worst = 0;
    for (int c = first; c < last; ++c) {
      const int* a = constraints.atoms + 2 * c;
      const Vec3d reference[1] = {before[a[1]] - before[a[0]]};
      const physics::Star<double, 1> was{atoms.x[a[0]], {atoms.x[a[1]]}};
      const auto swept = physics::shake_sweep(shape_of(atoms, a, constraints.length[c]), reference, was);
      worst = swept.worst > worst || swept.worst != swept.worst ? swept.worst : worst;
      atoms.x[a[0]] = swept.star.centre;
      atoms.x[a[1]] = swept.star.arm[0];
      atoms.v[a[0]] += per_dt * (swept.star.centre - was.centre);
      atoms.v[a[1]] += per_dt * (swept.star.arm[0] - was.arm[0]);
    }
    if (worst <= tolerance) return;
    if (worst != worst) break;
  }
  atomicMin(failure, first);
}

__global__ void __launch_bounds__(block_threads)
    rattle_kernel(AtomsView atoms, ConstraintsView constraints, const Vec3d* at, double tolerance, int* failure) {
  const int g = thread_number();
  if (g >= constraints.groups) return;
  const int first = constraints.start[g], last = constraints.start[g + 1];
  for (int sweep = 0; sweep < most_sweeps; ++sweep) {
    double worst = 0;
    for (int c = first; c < last; ++c) {
      const int* a = constraints.atoms + 2 * c;
      const Vec3d direction[1] = {at[a[1]] - at[a[0]]};
      const auto swept = physics::rattle_sweep(shape_of(atoms, a, constraints.length[c]), direction, {atoms.v[a[0]], {atoms.v[a[1]]}});
      worst = swept.worst > worst || swept.worst != swept.worst ? swept.worst : worst;
      atoms.v[a[0]] = swept.star.centre;
      atoms.v[a[1]] = swept.star.arm[0];
    }
    if (worst <= tolerance) return;
    if (worst != worst) break;
  }
  atomicMin(failure, first);
}

}  // namespace

using cuda::cover;

void launch_constrain_positions(const AtomsView& atoms, const WatersView& waters, const ConstraintsView& constraints, const Vec3d* before, double dt,
                                double tolerance, int* failure, cudaStream_t stream) {
  if (waters.count > 0) UPLIFT_LAUNCH(settle_positions_kernel, cover(waters.count, block_threads), stream, atoms, waters, before, 1 / dt, failure);
  if (constraints.groups > 0)
    UPLIFT_LAUNCH(shake_kernel, cover(constraints.groups, block_threads), stream, atoms, constraints, before, 1 / dt, tolerance, failure + 1);
}
void launch_constrain_velocities(const AtomsView& atoms, const WatersView& waters, const ConstraintsView& constraints, const Vec3d* at, double tolerance,
                                 int* failure, cudaStream_t stream) {
  if (waters.count > 0) UPLIFT_LAUNCH(settle_velocities_kernel, cover(waters.count, block_threads), stream, atoms, waters, at);
  if (constraints.groups > 0)
    UPLIFT_LAUNCH(rattle_kernel, cover(constraints.groups, block_threads), stream, atoms, constraints, at, tolerance, failure + 1);
}

}  // namespace uplift::UPLIFT_DEVICE

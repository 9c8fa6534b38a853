#pragma once
// What kernels add to sums, lane by lane without atomics inside a warp.
#include <cuda/launch.cuh>
#include <cuda/sums.cuh>

#include "uplift/core/vec3.hpp"

namespace uplift::UPLIFT_DEVICE {

inline constexpr unsigned all_lanes = 0xffffffffu;

__device__ inline void add(Fixed* to, Fixed value) {
  atomicAdd(reinterpret_cast<unsigned long long*>(to), static_cast<unsigned long long>(value));
}
__device__ inline void add_force(const SumsView& sums, int atom, const Vec3d& f) {
  Fixed* to = sums.force + 3 * static_cast<std::ptrdiff_t>(atom);
  add(to, fixed_force(f.x));
  add(to + 1, fixed_force(f.y));
  add(to + 2, fixed_force(f.z));
}

/// The sum over the lanes of a whole warp, in lane 0. Integers: in any order. Like add() it may wrap round, where atoms
/// overlap.
__device__ inline Fixed warp_sum(Fixed value) {
  auto sum = static_cast<unsigned long long>(value);
  for (unsigned offset = warp_lanes / 2; offset > 0; offset /= 2) sum += __shfl_down_sync(all_lanes, sum, offset);
  return static_cast<Fixed>(sum);
}
/// Adds what every lane has. Every lane of the warp must call it.
__device__ inline void add_of_warp(Fixed* to, double value) {
  const Fixed sum = warp_sum(fixed_energy(value));
  if (threadIdx.x % warp_lanes == 0 && sum != 0) add(to, sum);
}

/// Sum of r (x) f, row-major.
struct Virial {
  double w[9] = {};
  __device__ void add(const Vec3d& r, const Vec3d& f) {
    const double a[3] = {r.x, r.y, r.z}, b[3] = {f.x, f.y, f.z};
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < 9; ++k) w[k] += a[k / 3] * b[k % 3];
  }
  /// Adds what every lane has. Every lane of the warp must call it.
  __device__ void flush(const SumsView& sums) const {
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < 9; ++k) add_of_warp(sums.virial + k, w[k]);
  }
};

}  // namespace uplift::UPLIFT_DEVICE

#pragma once
// What sorting atoms (sort_atoms.cu) and listing pairs (pair_list.cu) share: sums over the threads of a block, and extents of
// atoms as bounds.
#include <cuda/pair_forces.cuh>
#include <cuda/pair_list.cuh>

namespace uplift::UPLIFT_DEVICE {

/// Of the threads of a block: the sum of what those before this one have, and of all.
struct Before {
  int sum, all;
};
/// The sum of what this lane has and those before it.
__device__ inline int up_to(int value) {
  for (unsigned step = 1; step < warp_lanes; step *= 2) {
    const int other = __shfl_up_sync(all_lanes, value, step);
    value += threadIdx.x % warp_lanes >= step ? other : 0;
  }
  return value;
}
/// `in_warp`: the sum of what the lanes before this one have. `of_warp` [32] in shared memory.
__device__ inline Before across_warps(int in_warp, int value, int* of_warp) {
  const unsigned lane = threadIdx.x % warp_lanes, warp = threadIdx.x / warp_lanes;
  __syncthreads();  // nobody reads the sums of the last time any more
  if (lane == warp_lanes - 1) of_warp[warp] = in_warp + value;
  __syncthreads();
  const unsigned warps = blockDim.x / warp_lanes;
  if (warps <= 8) {
    Before before{in_warp, 0};
    for (unsigned w = 0; w < warps; ++w) {
      before.sum += w < warp ? of_warp[w] : 0;
      before.all += of_warp[w];
    }
    return before;
  }
  if (warp == 0) of_warp[lane] = up_to(lane < warps ? of_warp[lane] : 0);
  __syncthreads();
  return {in_warp + (warp > 0 ? of_warp[warp - 1] : 0), of_warp[warp_lanes - 1]};
}
__device__ inline Before sum_before(int value, int* of_warp) { return across_warps(up_to(value) - value, value, of_warp); }
__device__ inline Before count_before(bool counts, int* of_warp) {
  const unsigned votes = __ballot_sync(all_lanes, counts);
  return across_warps(__popc(votes & ((1u << threadIdx.x % warp_lanes) - 1)), counts, of_warp);
}

inline constexpr float far_away = 1e15f;  // from all that has atoms

__device__ inline ClusterBounds bounds_of(const ShareView& share, const ListExtent& extent) {
  if (extent.low[0] > extent.high[0]) return {0, 0, 0, -far_away, -far_away, -far_away, 0, 0};
  float middle[3], half[3];
  for (int d = 0; d < 3; ++d) {
    const float unit = share.open[d] ? 0x1p-31f : 0x1p-32f;
    half[d] = 0.5f * unit * static_cast<float>(extent.high[d] - extent.low[d]);
    middle[d] = unit * static_cast<float>(extent.low[d]) + half[d];
  }
  return {middle[0], middle[1], middle[2], half[0], half[1], half[2], extent.every, extent.any};
}

}  // namespace uplift::UPLIFT_DEVICE

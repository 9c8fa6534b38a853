#pragma once
// One site of the pair list put where its atom is now, and how far that is, for kernels that do so (placing.cuh).
#include <cuda/pair_forces.cuh>
#include <cuda/placing.cuh>

namespace uplift::UPLIFT_DEVICE {

/// The site of an atom at r; `most` is widened by how far that is from where the lists have it. A slot below 0 has no site.
template <class real>
__device__ void place(const Placing<real>& to, int slot, const Vec3d& r, ListState::Moved& most) {
  if (slot < 0) return;
  const PairSite<real> listed = to.list_sites[slot];
  PairSite<real> site = listed;  // with its charge
  const Vec3d s = fraction_of(to.box, r);
  set(site.x, s.x);
  set(site.y, s.y);
  set(site.z, s.z);
  to.sites[slot] = site;
  const auto widen = [&](unsigned& largest, const PairSite<real>& then) {
    const real x = difference(site.x, then.x), y = difference(site.y, then.y), z = difference(site.z, then.z);
    const real dx = unfused(to.unit[0], x) + unfused(to.unit[1], y) + unfused(to.unit[2], z),
               dy = unfused(to.unit[3], y) + unfused(to.unit[4], z), dz = unfused(to.unit[5], z);
    const auto squared = static_cast<float>(unfused(dx, dx) + unfused(dy, dy) + unfused(dz, dz));
    const auto bits = static_cast<unsigned>(__float_as_int(squared));  // in the order of the numbers: none is negative
    largest = bits > largest ? bits : largest;
  };
  widen(most.list, listed);
  widen(most.prune, to.prune_sites[slot]);
}

/// The largest of a warp.
__device__ inline unsigned warp_max(unsigned value) {
  for (unsigned offset = warp_lanes / 2; offset > 0; offset /= 2) {
    const unsigned other = __shfl_xor_sync(all_lanes, value, static_cast<int>(offset));
    value = other > value ? other : value;
  }
  return value;
}
/// Takes down how far the atoms of this warp have moved. Every lane must call it, and one thread of the grid is the `first`.
template <class real>
__device__ void note(const Placing<real>& to, ListState::Moved own, bool first) {
  own = {warp_max(own.list), warp_max(own.prune)};
  if (threadIdx.x % warp_lanes != 0) return;
  const int use = to.state->to_use;
  // All warps in turn would keep the one place of a maximum busy for longer than all else takes; most are below it.
  ListState::Moved& most = to.state->moved[use];
  if (own.list > cuda::glance(&most.list)) atomicMax(&most.list, own.list);
  if (own.prune > cuda::glance(&most.prune)) atomicMax(&most.prune, own.prune);
  if (!first) return;
  to.state->in_use = use;
  to.state->moved[1 - use] = {0, 0};
}

}  // namespace uplift::UPLIFT_DEVICE

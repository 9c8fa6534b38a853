#pragma once
// What several ranks that share a system need of the device: atoms packed for messages and taken out of them, and how far atoms
// have moved. An atom's record is 24 bytes: a position, a velocity or a force.
#include <cuda/sums.cuh>

#include "uplift/core/vec3.hpp"

namespace uplift::UPLIFT_DEVICE {

struct AtomRecord {
  long long word[3];
};

/// Some atoms, by their numbers; null: the first `count`.
struct AtomList {
  int count;
  const int* atom;
  __device__ int operator[](int n) const { return atom ? atom[n] : n; }
};

/// Every `stride`-th record is written.
void launch_pack(const AtomList& atoms, const void* from, AtomRecord* to, cudaStream_t stream, int stride = 1);
void launch_unpack(const AtomList& atoms, const AtomRecord* from, void* to, cudaStream_t stream);
/// Adds forces of every `stride`-th record; an atom may be several times in the list.
void launch_add_packed(const AtomList& atoms, const AtomRecord* from, Fixed* force, cudaStream_t stream, int stride);
/// Raises `moved` to the bits of the largest squared displacement from `since`, scaled `by` that, [nm^2] in single precision
/// and rounded up a little.
void launch_displacement(const AtomList& atoms, const Vec3d* x, const Vec3d* since, const Vec3d& by, unsigned* moved,
                         cudaStream_t stream);

}  // namespace uplift::UPLIFT_DEVICE

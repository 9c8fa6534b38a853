#pragma once
// Parts of a mesh that several ranks share: what one rank has spread, and where it belongs on another's planes.
#include <cuda/pme.cuh>

namespace uplift::UPLIFT_DEVICE {

/// Planes of one rank's window that are another's to transform, packed as [planes][length of y][length of z].
struct MeshBlock {
  int planes;
  const int* plane;         ///< [planes] which ones they are of the slab [its planes][ny][nz]
  int start[2], length[2];  ///< of the window along y and z
  int n[2];                 ///< points of the whole mesh along y and z
  int points() const { return planes * length[0] * length[1]; }
};

template <class Integer>
void launch_add_block(const MeshBlock& block, const Integer* packed, Integer* slab, cudaStream_t stream);
template <class T>
void launch_take_block(const MeshBlock& block, const T* slab, T* packed, cudaStream_t stream);

}  // namespace uplift::UPLIFT_DEVICE

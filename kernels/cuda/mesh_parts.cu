#include <cuda/adding.cuh>
#include <cuda/mesh_parts.cuh>

namespace uplift::UPLIFT_DEVICE {
namespace {

constexpr unsigned block_threads = 128;

__device__ int thread_number() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }
__device__ int wrapped(int k, int n) { return k < n ? k : k - n; }

/// Where a packed point is in the slab.
__device__ int place(const MeshBlock& b, int i) {
  const int z = wrapped(b.start[1] + i % b.length[1], b.n[1]);
  const int y = wrapped(b.start[0] + i / b.length[1] % b.length[0], b.n[0]);
  return (b.plane[i / (b.length[1] * b.length[0])] * b.n[0] + y) * b.n[1] + z;
}

template <class Integer>
__global__ void __launch_bounds__(block_threads)
    add_block_kernel(MeshBlock block, int points, const Integer* packed, Integer* slab) {
  const int i = thread_number();
  if (i < points) slab[place(block, i)] += packed[i];  // a point of the slab is once in a block
}

template <class T>
__global__ void __launch_bounds__(block_threads) take_block_kernel(MeshBlock block, int points, const T* slab, T* packed) {
  const int i = thread_number();
  if (i < points) packed[i] = slab[place(block, i)];
}

}  // namespace

using cuda::cover;

template <class Integer>
void launch_add_block(const MeshBlock& block, const Integer* packed, Integer* slab, cudaStream_t stream) {
  if (const int points = block.points(); points > 0)
    UPLIFT_LAUNCH(add_block_kernel<Integer>, cover(points, block_threads), stream, block, points, packed, slab);
}
template <class T>
void launch_take_block(const MeshBlock& block, const T* slab, T* packed, cudaStream_t stream) {
  if (const int points = block.points(); points > 0)
    UPLIFT_LAUNCH(take_block_kernel<T>, cover(points, block_threads), stream, block, points, slab, packed);
}

template void launch_add_block<std::int32_t>(const MeshBlock&, const std::int32_t*, std::int32_t*, cudaStream_t);
template void launch_add_block<Fixed>(const MeshBlock&, const Fixed*, Fixed*, cudaStream_t);
template void launch_take_block<float>(const MeshBlock&, const float*, float*, cudaStream_t);
template void launch_take_block<double>(const MeshBlock&, const double*, double*, cudaStream_t);

}  // namespace uplift::UPLIFT_DEVICE

#include <cuda/adding.cuh>
#include <cuda/halo.cuh>

namespace uplift::UPLIFT_DEVICE {
namespace {

constexpr unsigned block_threads = 128;

__device__ int thread_number() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }

__global__ void __launch_bounds__(block_threads)
    pack_kernel(AtomList atoms, const AtomRecord* from, AtomRecord* to, int stride) {
  const int n = thread_number();
  if (n < atoms.count) to[static_cast<std::ptrdiff_t>(n) * stride] = from[atoms[n]];
}

__global__ void __launch_bounds__(block_threads) unpack_kernel(AtomList atoms, const AtomRecord* from, AtomRecord* to) {
  const int n = thread_number();
  if (n < atoms.count) to[atoms[n]] = from[n];
}

__global__ void __launch_bounds__(block_threads)
    add_packed_kernel(AtomList atoms, const AtomRecord* from, Fixed* force, int stride) {
  const int n = thread_number();
  if (n >= atoms.count) return;
  Fixed* to = force + 3 * static_cast<std::ptrdiff_t>(atoms[n]);
  const AtomRecord& f = from[static_cast<std::ptrdiff_t>(n) * stride];
  for (int c = 0; c < 3; ++c)
    if (f.word[c] != 0) add(to + c, static_cast<Fixed>(f.word[c]));
}

__global__ void __launch_bounds__(block_threads)
    displacement_kernel(AtomList atoms, const Vec3d* x, const Vec3d* since, Vec3d by, unsigned* moved) {
  const int n = thread_number();
  unsigned most = 0;
  if (n < atoms.count) {
    const Vec3d now = x[atoms[n]], then = since[atoms[n]],
                d{now.x - by.x * then.x, now.y - by.y * then.y, now.z - by.z * then.z};
    // Of floats that are not negative, bits have the order of the numbers; not-a-number is above all.
    most = static_cast<unsigned>(__float_as_int(static_cast<float>(1.0001 * dot(d, d)))) & 0x7fffffffu;
  }
  for (unsigned offset = warp_lanes / 2; offset > 0; offset /= 2) {
    const unsigned other = __shfl_xor_sync(all_lanes, most, static_cast<int>(offset));
    most = other > most ? other : most;
  }
  if (threadIdx.x % warp_lanes == 0 && most > 0) atomicMax(moved, most);
}

}  // namespace

using cuda::cover;

void launch_pack(const AtomList& atoms, const void* from, AtomRecord* to, cudaStream_t stream, int stride) {
  if (atoms.count > 0)
    UPLIFT_LAUNCH(pack_kernel, cover(atoms.count, block_threads), stream, atoms, static_cast<const AtomRecord*>(from), to,
                  stride);
}
void launch_unpack(const AtomList& atoms, const AtomRecord* from, void* to, cudaStream_t stream) {
  if (atoms.count > 0)
    UPLIFT_LAUNCH(unpack_kernel, cover(atoms.count, block_threads), stream, atoms, from, static_cast<AtomRecord*>(to));
}
void launch_add_packed(const AtomList& atoms, const AtomRecord* from, Fixed* force, cudaStream_t stream, int stride) {
  if (atoms.count > 0) UPLIFT_LAUNCH(add_packed_kernel, cover(atoms.count, block_threads), stream, atoms, from, force, stride);
}
void launch_displacement(const AtomList& atoms, const Vec3d* x, const Vec3d* since, const Vec3d& by, unsigned* moved,
                         cudaStream_t stream) {
  if (atoms.count > 0)
    UPLIFT_LAUNCH(displacement_kernel, cover(atoms.count, block_threads), stream, atoms, x, since, by, moved);
}

}  // namespace uplift::UPLIFT_DEVICE

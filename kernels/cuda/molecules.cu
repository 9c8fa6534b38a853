#include <cuda/adding.cuh>
#include <cuda/molecules.cuh>

namespace uplift::UPLIFT_DEVICE {
namespace {

constexpr unsigned block_threads = 128;

__device__ Vec3d product(const Vec3d& a, const Vec3d& b) { return {a.x * b.x, a.y * b.y, a.z * b.z}; }

/// Of atoms start, start + stride, ... before `end` of a molecule.
struct Part {
  double mass;
  Vec3d centre, momentum;

  __device__ void add(const AtomsView& atoms, const int* list, int start, int end, int stride) {
    for (int k = start; k < end; k += stride) {
      const int i = list[k];
      mass += atoms.mass[i];
      centre += atoms.mass[i] * atoms.x[i];
      momentum += atoms.mass[i] * atoms.v[i];
    }
  }
};
__device__ Part operator+(const Part& a, const Part& b) {
  return {a.mass + b.mass, a.centre + b.centre, a.momentum + b.momentum};
}

__device__ Vec3d moment(const AtomsView& atoms, const int* list, int start, int end, int stride, const Vec3d& centre,
                        const LevelsView& levels, const Shared* shared) {
  Vec3d sum{0, 0, 0};
  for (int k = start; k < end; k += stride) sum += product(atoms.x[list[k]] - centre, force_of(levels, shared, list[k]));
  return sum;
}

__device__ void add_to(Fixed* sums, const Vec3d& part) {
  add(sums, fixed_energy(part.x));
  add(sums + 1, fixed_energy(part.y));
  add(sums + 2, fixed_energy(part.z));
}

__device__ int number_of(const MoleculesView& molecules, int n) { return molecules.molecule ? molecules.molecule[n] : n; }

__global__ void __launch_bounds__(block_threads)
    small_molecules_kernel(AtomsView atoms, MoleculesView molecules, LevelsView levels, const Shared* shared, Fixed* sums) {
  const int n = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  Vec3d own{0, 0, 0};
  if (n < molecules.count) {
    const int m = number_of(molecules, n), start = molecules.start[m], end = molecules.start[m + 1];
    Part whole{0, {0, 0, 0}, {0, 0, 0}};
    whole.add(atoms, molecules.atoms, start, end, 1);
    if (whole.mass > 0) {
      const double per_mass = 1 / whole.mass;
      own = per_mass * product(whole.momentum, whole.momentum) -
            moment(atoms, molecules.atoms, start, end, 1, per_mass * whole.centre, levels, shared);
    }
  }
  add_of_warp(sums, own.x);
  add_of_warp(sums + 1, own.y);
  add_of_warp(sums + 2, own.z);
}

/// The sum of what all threads of a block have, for all of them, in one order.
template <class T>
__device__ T block_sum(T* room, const T& own) {
  room[threadIdx.x] = own;
  for (unsigned half = block_threads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) room[threadIdx.x] = room[threadIdx.x] + room[threadIdx.x + half];
  }
  __syncthreads();
  return room[0];
}

__global__ void __launch_bounds__(block_threads)
    large_molecules_kernel(AtomsView atoms, MoleculesView molecules, LevelsView levels, const Shared* shared, Fixed* sums) {
  UPLIFT_SHARED(Part[block_threads], parts);
  UPLIFT_SHARED(Vec3d[block_threads], moments);
  const int m = number_of(molecules, static_cast<int>(blockIdx.x)), first = molecules.start[m], end = molecules.start[m + 1],
            start = first + static_cast<int>(threadIdx.x), stride = static_cast<int>(block_threads);
  Part own{0, {0, 0, 0}, {0, 0, 0}};
  own.add(atoms, molecules.atoms, start, end, stride);
  const Part whole = block_sum<Part>(parts, own);
  if (!(whole.mass > 0)) return;  // for all threads alike
  const double per_mass = 1 / whole.mass;
  const Vec3d inner =
      block_sum<Vec3d>(moments, moment(atoms, molecules.atoms, start, end, stride, per_mass * whole.centre, levels, shared));
  if (threadIdx.x == 0) add_to(sums, per_mass * product(whole.momentum, whole.momentum) - inner);
}

}  // namespace

void launch_molecular_sums(const AtomsView& atoms, const MoleculesBySize& molecules, const LevelsView& levels,
                           const Shared* shared, Fixed* sums, cudaStream_t stream) {
  if (molecules.small.count > 0)
    UPLIFT_LAUNCH(small_molecules_kernel, cuda::cover(molecules.small.count, block_threads), stream, atoms, molecules.small,
                  levels, shared, sums);
  if (molecules.large.count > 0)
    UPLIFT_LAUNCH(large_molecules_kernel, (cuda::LaunchShape{static_cast<unsigned>(molecules.large.count), block_threads}),
                  stream, atoms, molecules.large, levels, shared, sums);
}

}  // namespace uplift::UPLIFT_DEVICE

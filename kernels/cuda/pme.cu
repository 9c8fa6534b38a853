#include <cuda/adding.cuh>
#include <cuda/pme.cuh>

#include "uplift/model/energies.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

constexpr unsigned block_threads = 128;

__device__ int thread_number() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }

template <class T>
__global__ void __launch_bounds__(block_threads) to_real_kernel(MeshInteger<T>* grid, T* real, int points, double unit) {
  const int i = thread_number();
  if (i >= points) return;
  real[i] = static_cast<T>(static_cast<double>(grid[i]) * unit);
  grid[i] = 0;
}

struct Wave {
  int kx, ky, kz;
};
__device__ Wave wave_of(const physics::MeshWaves& w, const MeshRows& rows, int i) {
  const int half = w.n[2] / 2 + 1;
  return {i / half / rows.count, rows.first + i / half % rows.count, i % half};
}
UPLIFT_HD int waves_in(const physics::MeshWaves& w, const MeshRows& rows) { return w.n[0] * rows.count * (w.n[2] / 2 + 1); }

template <class T>
__global__ void __launch_bounds__(block_threads) influence_kernel(physics::MeshWaves waves, MeshRows rows, T* table) {
  const int i = thread_number();
  if (i >= waves_in(waves, rows)) return;
  const Wave k = wave_of(waves, rows, i);
  table[i] = static_cast<T>(waves.influence(k.kx, k.ky, k.kz));
}

template <class T, class Complex>
__global__ void __launch_bounds__(block_threads)
    convolve_kernel(physics::MeshWaves waves, MeshRows rows, const T* table, Complex* mesh, SumsView sums, Tally tally) {
  const int i = thread_number();
  double energy = 0;
  physics::Symmetric w{0, 0, 0, 0, 0, 0};
  if (i < waves_in(waves, rows)) {
    const Complex q = mesh[i];
    const T influence = table[i];
    mesh[i] = {q.x * influence, q.y * influence};
    if (tally.energies || tally.virial) {
      const Wave k = wave_of(waves, rows, i);
      // Points between the planes kz = 0 and n/2 stand for their mirror images, too.
      const double weight = k.kz == 0 || 2 * k.kz == waves.n[2] ? 0.5 : 1;
      const double s2 =
          weight * (static_cast<double>(q.x) * static_cast<double>(q.x) + static_cast<double>(q.y) * static_cast<double>(q.y));
      energy = s2 * static_cast<double>(influence);
      if (tally.virial) w = waves.virial(k.kx, k.ky, k.kz);
      w = {s2 * w.xx, s2 * w.xy, s2 * w.xz, s2 * w.yy, s2 * w.yz, s2 * w.zz};
    }
  }
  if (tally.energies) add_of_warp(sums.energy + static_cast<int>(EnergyTerm::coulomb_reciprocal), energy);
  if (!tally.virial) return;
  const double all[9] = {w.xx, w.xy, w.xz, w.xy, w.yy, w.yz, w.xz, w.yz, w.zz};
  for (int k = 0; k < 9; ++k) add_of_warp(sums.virial + k, all[k]);
}

}  // namespace

using cuda::cover;

template <class T>
void launch_to_real(MeshInteger<T>* grid, T* real, int points, double scale, cudaStream_t stream) {
  UPLIFT_LAUNCH(to_real_kernel<T>, cover(points, block_threads), stream, grid, real, points, 1 / scale);
}
template <class T>
void launch_influence(const physics::MeshWaves& waves, const MeshRows& rows, T* table, cudaStream_t stream) {
  UPLIFT_LAUNCH(influence_kernel<T>, cover(waves_in(waves, rows), block_threads), stream, waves, rows, table);
}
template <class T, class Complex>
void launch_convolve(const physics::MeshWaves& waves, const MeshRows& rows, const T* table, Complex* mesh, const SumsView& sums,
                     Tally tally, cudaStream_t stream) {
  UPLIFT_LAUNCH((convolve_kernel<T, Complex>), cover(waves_in(waves, rows), block_threads), stream, waves, rows, table, mesh,
                sums, tally);
}
template void launch_to_real<float>(std::int32_t*, float*, int, double, cudaStream_t);
template void launch_to_real<double>(Fixed*, double*, int, double, cudaStream_t);
template void launch_influence<float>(const physics::MeshWaves&, const MeshRows&, float*, cudaStream_t);
template void launch_influence<double>(const physics::MeshWaves&, const MeshRows&, double*, cudaStream_t);
template void launch_convolve<float, float2>(const physics::MeshWaves&, const MeshRows&, const float*, float2*, const SumsView&,
                                             Tally, cudaStream_t);
template void launch_convolve<double, double2>(const physics::MeshWaves&, const MeshRows&, const double*, double2*,
                                               const SumsView&, Tally, cudaStream_t);

}  // namespace uplift::UPLIFT_DEVICE

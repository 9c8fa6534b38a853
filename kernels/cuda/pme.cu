#include <cuda/pme.cuh>

#include "physics/pme/bspline.hpp"
#include "uplift/model/energies.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

constexpr unsigned block_threads = 128;

__device__ int thread_number() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }

/// Where a charge lies on the mesh: its first point in each direction, and how far it is beyond.
template <class T>
struct Place {
  int point[3];
  T beyond[3];
};
template <class T>
__device__ Place<T> place(const MeshView& mesh, const Vec3d& x) {
  Place<T> p;
  for (int d = 0; d < 3; ++d) {
    const double s = (mesh.row[d][0] * x.x + mesh.row[d][1] * x.y + mesh.row[d][2] * x.z) / mesh.n[d];
    double u = (s - std::floor(s)) * mesh.n[d];
    if (!(u >= 0 && u < mesh.n[d])) u = 0;  // rounded up to a whole box, or not a number
    p.point[d] = static_cast<int>(u);
    p.beyond[d] = static_cast<T>(u - p.point[d]);
  }
  return p;
}
__device__ int wrapped(int k, int n) { return k < n ? k : k - n; }

template <int order, class T>
__global__ void __launch_bounds__(block_threads) spread_kernel(ChargesView charges, const Vec3d* x, MeshView mesh, Fixed* grid) {
  const int c = thread_number();
  if (c >= charges.count) return;
  const Place<T> p = place<T>(mesh, x[charges.atom[c]]);
  const auto bx = physics::bspline_weights<order>(p.beyond[0]), by = physics::bspline_weights<order>(p.beyond[1]), bz = physics::bspline_weights<order>(p.beyond[2]);
  const T q = static_cast<T>(charges.charge[c]);
  for (int ix = 0; ix < order; ++ix)
    for (int iy = 0; iy < order; ++iy) {
      const int row = (wrapped(p.point[0] + ix, mesh.n[0]) * mesh.n[1] + wrapped(p.point[1] + iy, mesh.n[1])) * mesh.n[2];
      const T weight = q * bx.value[ix] * by.value[iy];
      for (int iz = 0; iz < order; ++iz)
        add(grid + row + wrapped(p.point[2] + iz, mesh.n[2]), static_cast<Fixed>(__double2ll_rn(static_cast<double>(weight * bz.value[iz]) * mesh.scale)));
    }
}

template <class T>
__global__ void __launch_bounds__(block_threads) to_real_kernel(Fixed* grid, T* real, int points, double unit) {
  const int i = thread_number();
  if (i >= points) return;
  real[i] = static_cast<T>(static_cast<double>(grid[i]) * unit);
  grid[i] = 0;
}

struct Wave {
  int kx, ky, kz;
};
__device__ Wave wave_of(const physics::MeshWaves& w, int i) {
  const int half = w.n[2] / 2 + 1;
  return {i / half / w.n[1], i / half % w.n[1], i % half};
}
__device__ int waves_in(const physics::MeshWaves& w) { return w.n[0] * w.n[1] * (w.n[2] / 2 + 1); }

template <class T>
__global__ void __launch_bounds__(block_threads) influence_kernel(physics::MeshWaves waves, T* table) {
  const int i = thread_number();
  if (i >= waves_in(waves)) return;
  const Wave k = wave_of(waves, i);
  table[i] = static_cast<T>(waves.influence(k.kx, k.ky, k.kz));
}

template <class T, class Complex>
__global__ void __launch_bounds__(block_threads) convolve_kernel(physics::MeshWaves waves, const T* table, Complex* mesh, SumsView sums, bool tally) {
  const int i = thread_number();
  double energy = 0;
  physics::Symmetric w{0, 0, 0, 0, 0, 0};
  if (i < waves_in(waves)) {
    const Complex q = mesh[i];
    const T influence = table[i];
    mesh[i] = {q.x * influence, q.y * influence};
    if (tally) {
      const Wave k = wave_of(waves, i);
      // Points between the planes kz = 0 and n/2 stand for their mirror images, too.
      const double weight = k.kz == 0 || 2 * k.kz == waves.n[2] ? 0.5 : 1;
      const double s2 = weight * (static_cast<double>(q.x) * static_cast<double>(q.x) + static_cast<double>(q.y) * static_cast<double>(q.y));
      energy = s2 * static_cast<double>(influence);
      w = waves.virial(k.kx, k.ky, k.kz);
      w = {s2 * w.xx, s2 * w.xy, s2 * w.xz, s2 * w.yy, s2 * w.yz, s2 * w.zz};
    }
  }
  if (!tally) return;
  add_of_warp(sums.energy + static_cast<int>(EnergyTerm::coulomb_reciprocal), energy);
  const double all[9] = {w.xx, w.xy, w.xz, w.xy, w.yy, w.yz, w.xz, w.yz, w.zz};
  for (int k = 0; k < 9; ++k) add_of_warp(sums.virial + k, all[k]);
}

template <int order, class T>
__global__ void __launch_bounds__(block_threads)
    gather_kernel(ChargesView charges, const Vec3d* x, MeshView mesh, const T* potential, SumsView sums) {
  const int c = thread_number();
  if (c >= charges.count) return;
  const Place<T> p = place<T>(mesh, x[charges.atom[c]]);
  const auto bx = physics::bspline_weights<order>(p.beyond[0]), by = physics::bspline_weights<order>(p.beyond[1]), bz = physics::bspline_weights<order>(p.beyond[2]);
  T along_x = 0, along_y = 0, along_z = 0;
  for (int ix = 0; ix < order; ++ix)
    for (int iy = 0; iy < order; ++iy) {
      const int row = (wrapped(p.point[0] + ix, mesh.n[0]) * mesh.n[1] + wrapped(p.point[1] + iy, mesh.n[1])) * mesh.n[2];
      T value = 0, slope = 0;
      for (int iz = 0; iz < order; ++iz) {
        const T phi = potential[row + wrapped(p.point[2] + iz, mesh.n[2])];
        value += bz.value[iz] * phi;
        slope += bz.derivative[iz] * phi;
      }
      along_x += bx.derivative[ix] * by.value[iy] * value;
      along_y += bx.value[ix] * by.derivative[iy] * value;
      along_z += bx.value[ix] * by.value[iy] * slope;
    }
  const double g[3] = {static_cast<double>(along_x), static_cast<double>(along_y), static_cast<double>(along_z)}, q = charges.charge[c];
  const auto force = [&](int k) { return -q * (mesh.row[0][k] * g[0] + mesh.row[1][k] * g[1] + mesh.row[2][k] * g[2]); };
  add_force(sums, charges.atom[c], {force(0), force(1), force(2)});
}

}  // namespace

using cuda::cover;

template <class T>
void launch_spread(int order, const ChargesView& charges, const Vec3d* x, const MeshView& mesh, Fixed* grid, cudaStream_t stream) {
  const cuda::LaunchShape shape = cover(charges.count, block_threads);
  if (order == 4)
    UPLIFT_LAUNCH((spread_kernel<4, T>), shape, stream, charges, x, mesh, grid);
  else if (order == 5)
    UPLIFT_LAUNCH((spread_kernel<5, T>), shape, stream, charges, x, mesh, grid);
  else
    UPLIFT_LAUNCH((spread_kernel<6, T>), shape, stream, charges, x, mesh, grid);
}
template <class T>
void launch_to_real(Fixed* grid, T* real, int points, double scale, cudaStream_t stream) {
  UPLIFT_LAUNCH(to_real_kernel<T>, cover(points, block_threads), stream, grid, real, points, 1 / scale);
}
template <class T>
void launch_influence(const physics::MeshWaves& waves, T* table, cudaStream_t stream) {
  UPLIFT_LAUNCH(influence_kernel<T>, cover(waves.n[0] * waves.n[1] * (waves.n[2] / 2 + 1), block_threads), stream, waves, table);
}
template <class T, class Complex>
void launch_convolve(const physics::MeshWaves& waves, const T* table, Complex* mesh, const SumsView& sums, bool tally, cudaStream_t stream) {
  UPLIFT_LAUNCH((convolve_kernel<T, Complex>), cover(waves.n[0] * waves.n[1] * (waves.n[2] / 2 + 1), block_threads), stream, waves, table, mesh, sums, tally);
}
template <class T>
void launch_gather(int order, const ChargesView& charges, const Vec3d* x, const MeshView& mesh, const T* potential, const SumsView& sums, cudaStream_t stream) {
  const cuda::LaunchShape shape = cover(charges.count, block_threads);
  if (order == 4)
    UPLIFT_LAUNCH((gather_kernel<4, T>), shape, stream, charges, x, mesh, potential, sums);
  else if (order == 5)
    UPLIFT_LAUNCH((gather_kernel<5, T>), shape, stream, charges, x, mesh, potential, sums);
  else
    UPLIFT_LAUNCH((gather_kernel<6, T>), shape, stream, charges, x, mesh, potential, sums);
}

template void launch_spread<float>(int, const ChargesView&, const Vec3d*, const MeshView&, Fixed*, cudaStream_t);
template void launch_spread<double>(int, const ChargesView&, const Vec3d*, const MeshView&, Fixed*, cudaStream_t);
template void launch_to_real<float>(Fixed*, float*, int, double, cudaStream_t);
template void launch_to_real<double>(Fixed*, double*, int, double, cudaStream_t);
template void launch_influence<float>(const physics::MeshWaves&, float*, cudaStream_t);
template void launch_influence<double>(const physics::MeshWaves&, double*, cudaStream_t);
template void launch_convolve<float, float2>(const physics::MeshWaves&, const float*, float2*, const SumsView&, bool, cudaStream_t);
template void launch_convolve<double, double2>(const physics::MeshWaves&, const double*, double2*, const SumsView&, bool, cudaStream_t);
template void launch_gather<float>(int, const ChargesView&, const Vec3d*, const MeshView&, const float*, const SumsView&, cudaStream_t);
template void launch_gather<double>(int, const ChargesView&, const Vec3d*, const MeshView&, const double*, const SumsView&, cudaStream_t);

}  // namespace uplift::UPLIFT_DEVICE

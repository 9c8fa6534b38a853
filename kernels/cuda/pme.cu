#include <cuda/pme.cuh>

#include "physics/pme/bspline.hpp"
#include "uplift/model/energies.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

constexpr unsigned block_threads = 128;

__device__ int thread_number() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }

/// Where a charge lies in the window: its first point in each direction, and how far it is beyond.
template <class T>
struct Place {
  int point[3];
  T beyond[3];
  bool inside = true;
};
template <int order, class T>
__device__ Place<T> place(const MeshView& mesh, const Vec3d& x) {
  Place<T> p;
  for (int d = 0; d < 3; ++d) {
    const double s = mesh.row[d][0] * x.x + mesh.row[d][1] * x.y + mesh.row[d][2] * x.z;
    double u = (s - std::floor(s)) * mesh.n[d];
    if (!(u >= 0 && u < mesh.n[d])) u = 0;  // rounded up to a whole box, or not a number
    const int point = static_cast<int>(u), first = point - mesh.window.start[d];
    p.beyond[d] = static_cast<T>(u - point);
    p.point[d] = first < 0 ? first + mesh.n[d] : first;
    p.inside = p.inside && (mesh.window.length[d] == mesh.n[d] || p.point[d] + order <= mesh.window.length[d]);
  }
  return p;
}
__device__ int wrapped(int k, int n) { return k < n ? k : k - n; }

/// Where planes along x and rows along y of the window begin, in points.
__device__ int plane_of(const MeshView& mesh, int x) {
  return wrapped(x, mesh.n[0]) * (mesh.window.length[1] * mesh.window.length[2]);
}
__device__ int row_of(const MeshView& mesh, int y) { return wrapped(y, mesh.n[1]) * mesh.window.length[2]; }

/// `order` lanes work on one charge, each on one of its mesh points along z, which lie side by side in memory: what they read
/// or add at a time is one or two sectors a charge, not one a lane. The last lanes of a warp may be left over.
template <int order>
struct Lanes {
  static constexpr int charges_of_warp = static_cast<int>(warp_lanes) / order;
  int lane = static_cast<int>(threadIdx.x % warp_lanes), group = lane / order, height = lane % order;
  int charge = thread_number() / static_cast<int>(warp_lanes) * charges_of_warp + group;
  __device__ bool active(int count) const { return group < charges_of_warp && charge < count; }
};
template <int order>
cuda::LaunchShape shape_for(int charges) {
  const int warps = (charges + Lanes<order>::charges_of_warp - 1) / Lanes<order>::charges_of_warp;
  return cuda::cover(warps * static_cast<int>(warp_lanes), block_threads);
}
/// array[k], for a k that is not known when compiling, of an array in registers.
template <int order, class T>
__device__ T pick(const T (&array)[order], int k) {
  T value = array[0];
  UPLIFT_DEVICE_UNROLL
  for (int n = 1; n < order; ++n) value = k == n ? array[n] : value;
  return value;
}

__device__ void put(std::int32_t* to, float value, double scale) {
  atomicAdd(to, __float2int_rn(value * static_cast<float>(scale)));
}
__device__ void put(Fixed* to, double value, double scale) { add(to, static_cast<Fixed>(__double2ll_rn(value * scale))); }

template <int order, class T>
__global__ void __launch_bounds__(block_threads)
    spread_kernel(ChargesView charges, const Vec3d* x, MeshView mesh, MeshInteger<T>* grid) {
  const Lanes<order> lanes;
  if (!lanes.active(charges.count)) return;
  const Place<T> p = place<order, T>(mesh, x[charges.atom[lanes.charge]]);
  if (!p.inside) return;
  const auto bx = physics::bspline_weights<order>(p.beyond[0]), by = physics::bspline_weights<order>(p.beyond[1]),
             bz = physics::bspline_weights<order>(p.beyond[2]);
  const T q = static_cast<T>(charges.charge[lanes.charge]) * pick(bz.value, lanes.height);
  MeshInteger<T>* column = grid + wrapped(p.point[2] + lanes.height, mesh.n[2]);
  UPLIFT_DEVICE_UNROLL
  for (int ix = 0; ix < order; ++ix) {
    MeshInteger<T>* plane = column + plane_of(mesh, p.point[0] + ix);
    const T weight = q * bx.value[ix];
    UPLIFT_DEVICE_UNROLL
    for (int iy = 0; iy < order; ++iy) put(plane + row_of(mesh, p.point[1] + iy), weight * by.value[iy], mesh.scale);
  }
}

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

template <int order, class T>
__global__ void __launch_bounds__(block_threads, 4)
    gather_kernel(ChargesView charges, const Vec3d* x, MeshView mesh, const T* potential, SumsView sums) {
  const Lanes<order> lanes;
  const bool active = lanes.active(charges.count);
  T along[3] = {0, 0, 0};
  Place<T> p;
  if (active) p = place<order, T>(mesh, x[charges.atom[lanes.charge]]);
  if (active && p.inside) {
    const auto bx = physics::bspline_weights<order>(p.beyond[0]), by = physics::bspline_weights<order>(p.beyond[1]),
               bz = physics::bspline_weights<order>(p.beyond[2]);
    const T* column = potential + wrapped(p.point[2] + lanes.height, mesh.n[2]);
    T sum = 0;  // over x and y: of the potential, and in `along` of its slopes
    UPLIFT_DEVICE_UNROLL
    for (int ix = 0; ix < order; ++ix) {
      const T* plane = column + plane_of(mesh, p.point[0] + ix);
      T value = 0, slope = 0;
      UPLIFT_DEVICE_UNROLL
      for (int iy = 0; iy < order; ++iy) {
        const T phi = plane[row_of(mesh, p.point[1] + iy)];
        value += by.value[iy] * phi;
        slope += by.derivative[iy] * phi;
      }
      sum += bx.value[ix] * value;
      along[0] += bx.derivative[ix] * value;
      along[1] += bx.value[ix] * slope;
    }
    const T weight = pick(bz.value, lanes.height);
    along[0] *= weight;
    along[1] *= weight;
    along[2] = pick(bz.derivative, lanes.height) * sum;
  }
  // One height after the other, so that the sum has one order.
  T total[3] = {0, 0, 0};
  UPLIFT_DEVICE_UNROLL
  for (int k = 0; k < order; ++k)
    for (int d = 0; d < 3; ++d)
      total[d] += __shfl_sync(all_lanes, along[d], (lanes.group < Lanes<order>::charges_of_warp ? lanes.group : 0) * order + k);
  if (!active || lanes.height >= 3) return;
  // Three lanes a charge have one component each.
  const double q = charges.charge[lanes.charge];
  double slope = 0;
  UPLIFT_DEVICE_UNROLL
  for (int d = 0; d < 3; ++d) {
    const double(&row)[3] = mesh.row[d];
    slope += mesh.n[d] * (lanes.height == 0 ? row[0] : lanes.height == 1 ? row[1] : row[2]) * static_cast<double>(total[d]);
  }
  add(sums.force + 3 * static_cast<std::ptrdiff_t>(charges.atom[lanes.charge]) + lanes.height, fixed_force(-q * slope));
}

}  // namespace

using cuda::cover;

template <class T>
void launch_spread(int order, const ChargesView& charges, const Vec3d* x, const MeshView& mesh, MeshInteger<T>* grid,
                   cudaStream_t stream) {
  if (order == 4)
    UPLIFT_LAUNCH((spread_kernel<4, T>), shape_for<4>(charges.count), stream, charges, x, mesh, grid);
  else if (order == 5)
    UPLIFT_LAUNCH((spread_kernel<5, T>), shape_for<5>(charges.count), stream, charges, x, mesh, grid);
  else
    UPLIFT_LAUNCH((spread_kernel<6, T>), shape_for<6>(charges.count), stream, charges, x, mesh, grid);
}
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
template <class T>
void launch_gather(int order, const ChargesView& charges, const Vec3d* x, const MeshView& mesh, const T* potential,
                   const SumsView& sums, cudaStream_t stream) {
  if (order == 4)
    UPLIFT_LAUNCH((gather_kernel<4, T>), shape_for<4>(charges.count), stream, charges, x, mesh, potential, sums);
  else if (order == 5)
    UPLIFT_LAUNCH((gather_kernel<5, T>), shape_for<5>(charges.count), stream, charges, x, mesh, potential, sums);
  else
    UPLIFT_LAUNCH((gather_kernel<6, T>), shape_for<6>(charges.count), stream, charges, x, mesh, potential, sums);
}

template void launch_spread<float>(int, const ChargesView&, const Vec3d*, const MeshView&, std::int32_t*, cudaStream_t);
template void launch_spread<double>(int, const ChargesView&, const Vec3d*, const MeshView&, Fixed*, cudaStream_t);
template void launch_to_real<float>(std::int32_t*, float*, int, double, cudaStream_t);
template void launch_to_real<double>(Fixed*, double*, int, double, cudaStream_t);
template void launch_influence<float>(const physics::MeshWaves&, const MeshRows&, float*, cudaStream_t);
template void launch_influence<double>(const physics::MeshWaves&, const MeshRows&, double*, cudaStream_t);
template void launch_convolve<float, float2>(const physics::MeshWaves&, const MeshRows&, const float*, float2*, const SumsView&,
                                             Tally, cudaStream_t);
template void launch_convolve<double, double2>(const physics::MeshWaves&, const MeshRows&, const double*, double2*,
                                               const SumsView&, Tally, cudaStream_t);
template void launch_gather<float>(int, const ChargesView&, const Vec3d*, const MeshView&, const float*, const SumsView&,
                                   cudaStream_t);
template void launch_gather<double>(int, const ChargesView&, const Vec3d*, const MeshView&, const double*, const SumsView&,
                                    cudaStream_t);

}  // namespace uplift::UPLIFT_DEVICE

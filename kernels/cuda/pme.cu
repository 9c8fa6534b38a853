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
  bool inside;  ///< all that its spline reaches lies in the window
};
template <int order, class T>
__device__ Place<T> place(const MeshView& mesh, const Vec3d& x) {
  Place<T> p;
  p.inside = true;
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
__device__ int within(int k, int n) { return k < 0 ? k + n : wrapped(k, n); }

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

__device__ std::int32_t in_units(float value, double scale) { return __float2int_rn(value * static_cast<float>(scale)); }
__device__ Fixed in_units(double value, double scale) { return static_cast<Fixed>(__double2ll_rn(value * scale)); }
__device__ void put(std::int32_t* to, std::int32_t value) { atomicAdd(to, value); }
__device__ void put(Fixed* to, Fixed value) { add(to, value); }

/// A block spreads so many charges, which lie close together as a rule, into a piece of the mesh in its shared memory, and then
/// that into the mesh: a tenth of the additions in memory. Where they lie too far apart it adds to the mesh at once.
constexpr int tile_charges = 64, tile_points = 4096;
constexpr unsigned tile_threads = 192;

/// Where the tile lies: its first point (not below -n), and its size.
struct Tile {
  int first[3], size[3];
};

/// Adds what this lane has of one charge: `column` and, from there, the planes and rows that its spline reaches.
template <int order, class T, class PlaneOf, class RowOf, class To>
__device__ void spread_one(const Place<T>& p, T charge, int height, double scale, PlaneOf&& plane_of, RowOf&& row_of,
                           To* column) {
  const auto bx = physics::bspline_weights<order>(p.beyond[0]), by = physics::bspline_weights<order>(p.beyond[1]),
             bz = physics::bspline_weights<order>(p.beyond[2]);
  const T q = charge * pick(bz.value, height);
  UPLIFT_DEVICE_UNROLL
  for (int ix = 0; ix < order; ++ix) {
    To* plane = column + plane_of(ix);
    const T weight = q * bx.value[ix];
    UPLIFT_DEVICE_UNROLL
    for (int iy = 0; iy < order; ++iy) put(plane + row_of(iy), in_units(weight * by.value[iy], scale));
  }
}

template <int order, class T>
__global__ void __launch_bounds__(tile_threads)
    spread_kernel(ChargesView charges, const Vec3d* x, MeshView mesh, MeshInteger<T>* grid) {
  UPLIFT_SHARED(MeshInteger<T>[tile_points], points);
  UPLIFT_SHARED(Place<T>[tile_charges], places);
  UPLIFT_SHARED(T[tile_charges], values);
  UPLIFT_SHARED(int[3], low);
  UPLIFT_SHARED(int[3], high);
  constexpr int of_warp = Lanes<order>::charges_of_warp, warps = static_cast<int>(tile_threads / warp_lanes);
  const int t = static_cast<int>(threadIdx.x), begin = static_cast<int>(blockIdx.x) * tile_charges,
            here = charges.count - begin < tile_charges ? charges.count - begin : tile_charges;
  if (t < here) {
    const int atom = charges.atom[begin + t];
    places[t] = place<order, T>(mesh, x[atom]);
    values[t] = places[t].inside ? static_cast<T>(charges.charge[atom]) : 0;
  }
  if (t < 3) {
    low[t] = 1 << 24;
    high[t] = -(1 << 24);
  }
  __syncthreads();
  // As seen from the first: nearest images, where the window goes round the cell.
  const Place<T>& origin = places[0];
  if (t < here && values[t] != 0) {
    UPLIFT_DEVICE_UNROLL
    for (int d = 0; d < 3; ++d) {
      const int n = mesh.n[d];
      int from = places[t].point[d] - origin.point[d];
      if (mesh.window.length[d] == n) from += 2 * from >= n ? -n : 2 * from < -n ? n : 0;
      atomicMin(&low[d], from);
      atomicMax(&high[d], from);
    }
  }
  __syncthreads();
  Tile tile;
  UPLIFT_DEVICE_UNROLL
  for (int d = 0; d < 3; ++d) {
    tile.first[d] = origin.point[d] + low[d];
    tile.size[d] = high[d] - low[d] + order;
  }
  if (high[0] < low[0]) return;  // no charges
  const int rows = tile.size[0] * tile.size[1];
  bool tiled = rows * tile.size[2] <= tile_points;
  UPLIFT_DEVICE_UNROLL
  for (int d = 0; d < 3; ++d) tiled = tiled && tile.size[d] <= mesh.n[d];
  if (tiled)
    for (int k = t; k < rows * tile.size[2]; k += static_cast<int>(tile_threads)) points[k] = 0;
  __syncthreads();

  const int warp = t / static_cast<int>(warp_lanes), group = t % static_cast<int>(warp_lanes) / order,
            height = t % static_cast<int>(warp_lanes) % order;
  for (int k = warp * of_warp + group; group < of_warp && k < here; k += warps * of_warp) {
    if (values[k] == 0) continue;
    const Place<T>& p = places[k];
    if (tiled) {
      int at[3];
      UPLIFT_DEVICE_UNROLL
      for (int d = 0; d < 3; ++d) {
        at[d] = p.point[d] - tile.first[d];
        at[d] += at[d] < 0 ? mesh.n[d] : at[d] >= mesh.n[d] ? -mesh.n[d] : 0;
      }
      spread_one<order>(
          p, values[k], height, mesh.scale, [&](int ix) { return (at[0] + ix) * tile.size[1] * tile.size[2]; },
          [&](int iy) { return (at[1] + iy) * tile.size[2]; }, points + at[2] + height);
    } else {
      spread_one<order>(
          p, values[k], height, mesh.scale, [&](int ix) { return plane_of(mesh, p.point[0] + ix); },
          [&](int iy) { return row_of(mesh, p.point[1] + iy); }, grid + wrapped(p.point[2] + height, mesh.n[2]));
    }
  }
  if (!tiled) return;
  __syncthreads();
  // Half a warp a row.
  constexpr int half = static_cast<int>(warp_lanes) / 2, halves = static_cast<int>(tile_threads) / half;
  for (int row = t / half; row < rows; row += halves) {
    const int ix = row / tile.size[1], iy = row - ix * tile.size[1];
    MeshInteger<T>* to =
        grid + plane_of(mesh, within(tile.first[0] + ix, mesh.n[0])) + row_of(mesh, within(tile.first[1] + iy, mesh.n[1]));
    for (int z = t % half; z < tile.size[2]; z += half)
      if (const MeshInteger<T> value = points[row * tile.size[2] + z]; value != 0)
        put(to + within(tile.first[2] + z, mesh.n[2]), value);
  }
}
template <int order, class T>
void launch_spread_of(const ChargesView& charges, const Vec3d* x, const MeshView& mesh, MeshInteger<T>* grid,
                      cudaStream_t stream) {
  const auto blocks = static_cast<unsigned>((charges.count + tile_charges - 1) / tile_charges);
  if (blocks > 0)
    UPLIFT_LAUNCH((spread_kernel<order, T>), (cuda::LaunchShape{blocks, tile_threads}), stream, charges, x, mesh, grid);
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
  const int atom = active ? charges.atom[lanes.charge] : 0;
  T along[3] = {0, 0, 0};
  Place<T> p;
  if (active) p = place<order, T>(mesh, x[atom]);
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
  const double q = charges.charge[atom];
  if (q == 0) return;
  double slope = 0;
  UPLIFT_DEVICE_UNROLL
  for (int d = 0; d < 3; ++d) {
    const double(&row)[3] = mesh.row[d];
    slope += mesh.n[d] * (lanes.height == 0 ? row[0] : lanes.height == 1 ? row[1] : row[2]) * static_cast<double>(total[d]);
  }
  add(sums.force + 3 * static_cast<std::ptrdiff_t>(atom) + lanes.height, fixed_force(-q * slope));
}

}  // namespace

using cuda::cover;

template <class T>
void launch_spread(int order, const ChargesView& charges, const Vec3d* x, const MeshView& mesh, MeshInteger<T>* grid,
                   cudaStream_t stream) {
  if (order == 4)
    launch_spread_of<4, T>(charges, x, mesh, grid, stream);
  else if (order == 5)
    launch_spread_of<5, T>(charges, x, mesh, grid, stream);
  else
    launch_spread_of<6, T>(charges, x, mesh, grid, stream);
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

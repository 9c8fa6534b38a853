// Charges and the mesh: spreading and gathering.
#include <cuda/adding.cuh>
#include <cuda/pme.cuh>

#include "physics/pme/bspline.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

/// A block has so many charges, and a thread for each direction of each. Order and neighbourhood are the caller's.
constexpr int block_charges = 64;
constexpr unsigned block_threads = 3 * block_charges;
constexpr int block_warps = static_cast<int>(block_threads / warp_lanes);

__device__ int wrapped(int k, int n) { return k < n ? k : k - n; }
__device__ int within(int k, int n) { return k < 0 ? k + n : wrapped(k, n); }

/// Where planes along x and rows along y of the window begin, in points.
__device__ int plane_of(const MeshView& mesh, int x) {
  return wrapped(x, mesh.n[0]) * (mesh.window.length[1] * mesh.window.length[2]);
}
__device__ int row_of(const MeshView& mesh, int y) { return wrapped(y, mesh.n[1]) * mesh.window.length[2]; }

/// Splines of a block's charges, in its shared memory.
template <int order, class T, bool with_slopes>
struct Splines {
  int point[3][block_charges];  ///< first of the window that is reached
  T weight[3][order][block_charges];
  T slope[with_slopes ? 3 : 1][with_slopes ? order : 1][block_charges];  ///< of the weight, in units of the mesh spacing
  double charge[block_charges];  ///< 0: does not count, or not all that the spline reaches lies in the window
};

/// Splines of the charges from `first` on. Every thread of the block must call it.
template <int order, class T, bool with_slopes>
__device__ void prepare(const ChargesView& charges, int first, const Vec3d* x, const MeshView& mesh,
                        Splines<order, T, with_slopes>& splines) {
  const int k = static_cast<int>(threadIdx.x) % block_charges, d = static_cast<int>(threadIdx.x) / block_charges;
  const bool there = first + k < charges.count;
  const int atom = there ? charges.atom[first + k] : 0;
  if (d == 0) splines.charge[k] = there ? charges.charge[atom] : 0;
  __syncthreads();
  if (!there) return;
  // d is the same for a warp, but the compiler does not know: arrays are not indexed by it.
  const auto of = [d](const auto& array) { return d == 0 ? array[0] : d == 1 ? array[1] : array[2]; };
  const auto part = [&](int c) { return d == 0 ? mesh.row[0][c] : d == 1 ? mesh.row[1][c] : mesh.row[2][c]; };
  const Vec3d r = x[atom];
  const int n = of(mesh.n), length = of(mesh.window.length);
  const double s = part(0) * r.x + part(1) * r.y + part(2) * r.z;
  double u = (s - std::floor(s)) * n;
  if (!(u >= 0 && u < n)) u = 0;  // rounded up to a whole box, or not a number
  const int whole = static_cast<int>(u);
  int point = whole - of(mesh.window.start);
  point += point < 0 ? n : 0;
  const auto b = physics::bspline_weights<order>(static_cast<T>(u - whole));
  splines.point[d][k] = point;
  UPLIFT_DEVICE_UNROLL
  for (int j = 0; j < order; ++j) {
    splines.weight[d][j][k] = b.value[j];
    if (with_slopes) splines.slope[d][j][k] = b.derivative[j];
  }
  if (length < n && point + order > length) splines.charge[k] = 0;
}

/// `order` lanes work on one charge, each on one of its mesh points along z, which lie side by side in memory: what they read
/// or add at a time is one or two sectors a charge, not one a lane. The last lanes of a warp may be left over.
template <int order>
struct Lanes {
  static constexpr int charges_of_warp = static_cast<int>(warp_lanes) / order, stride = block_warps * charges_of_warp;
  int lane = static_cast<int>(threadIdx.x % warp_lanes), group = lane / order, height = lane % order;
  int first = static_cast<int>(threadIdx.x / warp_lanes) * charges_of_warp + group;  ///< charge, and then every `stride`th
  bool idle = group >= charges_of_warp;
};

__device__ std::int32_t nearest(float value) { return __float2int_rn(value); }
__device__ Fixed nearest(double value) { return static_cast<Fixed>(__double2ll_rn(value)); }
__device__ void put(std::int32_t* to, std::int32_t value) { atomicAdd(to, value); }
__device__ void put(Fixed* to, Fixed value) { add(to, value); }

/// Adds what this lane has of charge k: `column` and, from there, the planes and rows that the spline reaches.
template <int order, class T, class Integer, class Plane, class Row>
__device__ void spread_one(const Splines<order, T, false>& splines, int k, int height, double scale, Integer* column,
                           Plane&& plane_at, Row&& row_at) {
  const T q = static_cast<T>(splines.charge[k] * scale) * splines.weight[2][height][k];
  T by[order];
  int row[order];
  UPLIFT_DEVICE_UNROLL
  for (int iy = 0; iy < order; ++iy) {
    by[iy] = splines.weight[1][iy][k];
    row[iy] = row_at(iy);
  }
  UPLIFT_DEVICE_UNROLL
  for (int ix = 0; ix < order; ++ix) {
    Integer* plane = column + plane_at(ix);
    const T weight = q * splines.weight[0][ix][k];
    UPLIFT_DEVICE_UNROLL
    for (int iy = 0; iy < order; ++iy) put(plane + row[iy], nearest(weight * by[iy]));
  }
}

/// Charges that lie close together, as they do as a rule, are spread into a piece of the mesh of so many points in shared
/// memory, and that is added to the mesh: a tenth of the additions in memory. Others are added to the mesh at once.
constexpr int tile_points = 4096, most_tile = 64;  // points in all, and along x or y

template <int order, class T>
__global__ void __launch_bounds__(block_threads)
    spread_kernel(ChargesView charges, const Vec3d* x, MeshView mesh, MeshInteger<T>* grid) {
  UPLIFT_SHARED(MeshInteger<T>[tile_points], points);
  using Own = Splines<order, T, false>;
  UPLIFT_SHARED(Own, splines);
  UPLIFT_SHARED(int[3], low);
  UPLIFT_SHARED(int[3], high);
  UPLIFT_SHARED(int[most_tile], plane);
  UPLIFT_SHARED(int[most_tile], row);
  const int t = static_cast<int>(threadIdx.x), begin = static_cast<int>(blockIdx.x) * block_charges;
  if (t < 3) {
    low[t] = 1 << 24;
    high[t] = -(1 << 24);
  }
  prepare(charges, begin, x, mesh, splines);
  __syncthreads();
  // As seen from the first: nearest images, where the window goes round the cell.
  if (splines.charge[t % block_charges] != 0) {
    const int d = t / block_charges, n = d == 0 ? mesh.n[0] : d == 1 ? mesh.n[1] : mesh.n[2];
    const int length = d == 0 ? mesh.window.length[0] : d == 1 ? mesh.window.length[1] : mesh.window.length[2];
    int from = splines.point[d][t % block_charges] - splines.point[d][0];
    if (length == n) from += 2 * from >= n ? -n : 2 * from < -n ? n : 0;
    atomicMin(&low[d], from);
    atomicMax(&high[d], from);
  }
  __syncthreads();
  if (high[0] < low[0]) return;  // no charges
  int first[3], size[3];
  UPLIFT_DEVICE_UNROLL
  for (int d = 0; d < 3; ++d) {
    first[d] = splines.point[d][0] + low[d];
    size[d] = high[d] - low[d] + order;
  }
  const int rows = size[0] * size[1];
  const bool tiled = rows * size[2] <= tile_points && size[0] <= most_tile && size[1] <= most_tile && size[0] <= mesh.n[0] &&
                     size[1] <= mesh.n[1] && size[2] <= mesh.n[2];
  if (tiled)
    for (int k = t; k < rows * size[2]; k += static_cast<int>(block_threads)) points[k] = 0;
  __syncthreads();

  const Lanes<order> lanes;
  for (int k = lanes.first; !lanes.idle && k < block_charges; k += Lanes<order>::stride) {
    if (splines.charge[k] == 0) continue;
    int at[3];
    UPLIFT_DEVICE_UNROLL
    for (int d = 0; d < 3; ++d) {
      at[d] = splines.point[d][k] - (tiled ? first[d] : 0);
      at[d] += at[d] < 0 ? mesh.n[d] : at[d] >= mesh.n[d] ? -mesh.n[d] : 0;
    }
    if (tiled)
      spread_one(
          splines, k, lanes.height, mesh.scale, points + at[2] + lanes.height,
          [&](int ix) { return (at[0] + ix) * size[1] * size[2]; }, [&](int iy) { return (at[1] + iy) * size[2]; });
    else
      spread_one(
          splines, k, lanes.height, mesh.scale, grid + wrapped(at[2] + lanes.height, mesh.n[2]),
          [&](int ix) { return plane_of(mesh, at[0] + ix); }, [&](int iy) { return row_of(mesh, at[1] + iy); });
  }
  if (!tiled) return;
  if (t < size[0]) plane[t] = plane_of(mesh, within(first[0] + t, mesh.n[0]));
  if (t < size[1]) row[t] = row_of(mesh, within(first[1] + t, mesh.n[1]));
  __syncthreads();
  // Half a warp a row.
  constexpr int half = static_cast<int>(warp_lanes) / 2, halves = static_cast<int>(block_threads) / half;
  int ix = 0, iy = t / half;
  const auto settle = [&] {
    for (; iy >= size[1]; iy -= size[1]) ++ix;
  };
  for (settle(); ix < size[0]; iy += halves, settle()) {
    const MeshInteger<T>* from = points + (ix * size[1] + iy) * size[2];
    MeshInteger<T>* to = grid + plane[ix] + row[iy];
    for (int z = t % half; z < size[2]; z += half)
      if (const MeshInteger<T> value = from[z]; value != 0) put(to + within(first[2] + z, mesh.n[2]), value);
  }
}

template <int order, class T>
__global__ void __launch_bounds__(block_threads)
    gather_kernel(ChargesView charges, const Vec3d* x, MeshView mesh, const T* potential, SumsView sums) {
  using Own = Splines<order, T, true>;
  UPLIFT_SHARED(Own, splines);
  const int begin = static_cast<int>(blockIdx.x) * block_charges;
  prepare(charges, begin, x, mesh, splines);
  __syncthreads();
  const Lanes<order> lanes;
  for (int base = 0; base < block_charges; base += Lanes<order>::stride) {
    const int k = base + lanes.first;
    const bool active = !lanes.idle && k < block_charges && splines.charge[k] != 0;
    T along[3] = {0, 0, 0};
    if (active) {
      const T* column = potential + wrapped(splines.point[2][k] + lanes.height, mesh.n[2]);
      T by[order], dy[order];
      int row[order];
      UPLIFT_DEVICE_UNROLL
      for (int iy = 0; iy < order; ++iy) {
        by[iy] = splines.weight[1][iy][k];
        dy[iy] = splines.slope[1][iy][k];
        row[iy] = row_of(mesh, splines.point[1][k] + iy);
      }
      T sum = 0;  // over x and y: of the potential, and in `along` of its slopes
      UPLIFT_DEVICE_UNROLL
      for (int ix = 0; ix < order; ++ix) {
        const T* plane = column + plane_of(mesh, splines.point[0][k] + ix);
        T value = 0, slope = 0;
        UPLIFT_DEVICE_UNROLL
        for (int iy = 0; iy < order; ++iy) {
          const T phi = plane[row[iy]];
          value += by[iy] * phi;
          slope += dy[iy] * phi;
        }
        const T bx = splines.weight[0][ix][k];
        sum += bx * value;
        along[0] += splines.slope[0][ix][k] * value;
        along[1] += bx * slope;
      }
      const T weight = splines.weight[2][lanes.height][k];
      along[0] *= weight;
      along[1] *= weight;
      along[2] = splines.slope[2][lanes.height][k] * sum;
    }
    // One height after the other, so that the sum has one order.
    T total[3] = {0, 0, 0};
    UPLIFT_DEVICE_UNROLL
    for (int j = 0; j < order; ++j)
      for (int d = 0; d < 3; ++d) total[d] += __shfl_sync(all_lanes, along[d], (lanes.idle ? 0 : lanes.group) * order + j);
    if (!active || lanes.height >= 3) continue;
    // Three lanes a charge have one component each.
    double slope = 0;
    UPLIFT_DEVICE_UNROLL
    for (int d = 0; d < 3; ++d) {
      const double(&row)[3] = mesh.row[d];
      slope += mesh.n[d] * (lanes.height == 0 ? row[0] : lanes.height == 1 ? row[1] : row[2]) * static_cast<double>(total[d]);
    }
    add(sums.force + 3 * static_cast<std::ptrdiff_t>(charges.atom[begin + k]) + lanes.height,
        fixed_force(-splines.charge[k] * slope));
  }
}

cuda::LaunchShape shape_for(const ChargesView& charges) {
  return {cuda::cover(charges.count, block_charges).blocks, block_threads};
}

}  // namespace

template <class T>
void launch_spread(int order, const ChargesView& charges, const Vec3d* x, const MeshView& mesh, MeshInteger<T>* grid,
                   cudaStream_t stream) {
  const cuda::LaunchShape shape = shape_for(charges);
  if (order == 4)
    UPLIFT_LAUNCH((spread_kernel<4, T>), shape, stream, charges, x, mesh, grid);
  else if (order == 5)
    UPLIFT_LAUNCH((spread_kernel<5, T>), shape, stream, charges, x, mesh, grid);
  else
    UPLIFT_LAUNCH((spread_kernel<6, T>), shape, stream, charges, x, mesh, grid);
}
template <class T>
void launch_gather(int order, const ChargesView& charges, const Vec3d* x, const MeshView& mesh, const T* potential,
                   const SumsView& sums, cudaStream_t stream) {
  const cuda::LaunchShape shape = shape_for(charges);
  if (order == 4)
    UPLIFT_LAUNCH((gather_kernel<4, T>), shape, stream, charges, x, mesh, potential, sums);
  else if (order == 5)
    UPLIFT_LAUNCH((gather_kernel<5, T>), shape, stream, charges, x, mesh, potential, sums);
  else
    UPLIFT_LAUNCH((gather_kernel<6, T>), shape, stream, charges, x, mesh, potential, sums);
}

template void launch_spread<float>(int, const ChargesView&, const Vec3d*, const MeshView&, std::int32_t*, cudaStream_t);
template void launch_spread<double>(int, const ChargesView&, const Vec3d*, const MeshView&, Fixed*, cudaStream_t);
template void launch_gather<float>(int, const ChargesView&, const Vec3d*, const MeshView&, const float*, const SumsView&,
                                   cudaStream_t);
template void launch_gather<double>(int, const ChargesView&, const Vec3d*, const MeshView&, const double*, const SumsView&,
                                    cudaStream_t);

}  // namespace uplift::UPLIFT_DEVICE

#include <cuda/list_bounds.cuh>
#include <cuda/place_site.cuh>

namespace uplift::UPLIFT_DEVICE {
namespace {

constexpr unsigned block_threads = 128;
constexpr unsigned count_threads = 1024;

__device__ int thread_number() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }

using Place = ListPlace;
/// Along an open direction places are between -1/2 and 3/2.
__device__ std::uint32_t coordinate(const ShareView& share, int atom, int d, double fraction) {
  return share.open[d] ? lattice(0.5 * (share.place(atom, d, fraction) + 0.5)) : lattice(fraction);
}
template <class real>
__device__ Place place_of(const ListView<real>& list, const Vec3d& r, int atom) {
  const Vec3d s = fraction_of(list.box, r);
  return {coordinate(list.share, atom, 0, s.x), coordinate(list.share, atom, 1, s.y), coordinate(list.share, atom, 2, s.z)};
}
__device__ int part(const ShareView& share, int d, std::uint32_t coordinate, int parts) {
  const std::uint64_t beyond = coordinate > share.low[d] ? coordinate - share.low[d] : 0;
  const auto cell = static_cast<int>((beyond * share.scale[d]) >> 32);
  return cell < parts ? cell : parts - 1;
}

/// Zone by zone, and there columns one after the other as a plough goes, up and down in turns.
template <class real>
__device__ int cell_of(const ListView<real>& list, const Place& p, int atom) {
  const CellGrid& grid = list.grid;
  const int cx = part(list.share, 0, p.x, grid.nx), row = part(list.share, 1, p.y, grid.ny),
            cy = cx % 2 ? grid.ny - 1 - row : row;
  const int column = (list.share.zone_of(atom) * grid.nx + cx) * grid.ny + cy, up = part(list.share, 2, p.z, grid.nz);
  return column * grid.nz + (column % 2 ? grid.nz - 1 - up : up);
}

template <class real>
__device__ PairSite<real> site_of(const ListView<real>& list, const Vec3d& r, int atom) {
  PairSite<real> site;
  const Vec3d s = fraction_of(list.box, r);
  set(site.x, s.x);
  set(site.y, s.y);
  set(site.z, s.z);
  site.charge = static_cast<real>(std::sqrt(constants::coulomb) * list.pairs.charge[atom]);
  return site;
}

template <class real>
__global__ void __launch_bounds__(block_threads)
    place_kernel(Placing<real> to, const int* atom_of_slot, int slots, const Vec3d* x) {
  const int slot = thread_number(), atom = slot < slots ? atom_of_slot[slot] : -1;
  ListState::Moved moved{0, 0};
  if (atom >= 0) place(to, slot, x[atom], moved);
  note(to, moved, slot == 0);
}

/// By one thread.
template <class real>
__global__ void limits_kernel(ListView<real> list, ListBuffers buffers, bool restored) {
  ListState& state = *list.state;
  for (int k = 0; k < 6 && restored; ++k) state.list_box[k] = state.prune_box[k] = list.box_now[k];
  const auto smallest = [&](const double(&then)[6]) {  // of the edges' factors
    double least = list.box_now[0] / then[0];
    for (int k : {3, 5}) least = list.box_now[k] / then[k] < least ? list.box_now[k] / then[k] : least;
    return least;
  };
  state.limits[state.to_use] = {buffers.limit(buffers.outer, smallest(state.list_box)),
                                buffers.limit(buffers.inner, smallest(state.prune_box))};
}

/// Of no atoms.
__device__ ListExtent nothing() { return {{~0u, ~0u, ~0u}, {0, 0, 0}, ~0u, 0}; }

/// Where each cell begins, by the threads of one block. Leaves the counts at zero.
template <class real>
__device__ void scan(const ListView<real>& list, int* of_warp) {
  const int t = static_cast<int>(threadIdx.x), cells = list.cells();
  constexpr int at_once = 4;
  int start = 0;
  for (int first = at_once * t; first - at_once * t < cells; first += at_once * static_cast<int>(count_threads)) {
    int count[at_once], sum = 0;
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < at_once; ++k) sum += count[k] = first + k < cells ? list.cell_count[first + k] : 0;
    const Before before = sum_before(sum, of_warp);
    int place = start + before.sum;
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < at_once; ++k) {
      if (first + k >= cells) break;
      list.cell_start[first + k] = place;
      list.cell_count[first + k] = 0;
      place += count[k];
    }
    start += before.all;
  }
  for (int stack = t; stack < list.stacks(); stack += static_cast<int>(count_threads)) list.extent_of_stack[stack] = nothing();
  if (t > 0) return;
  list.cell_start[cells] = list.share.listed;
  list.state->counted = 0;
  list.state->rows = 0;
  ++list.state->builds;
}

/// Atoms of each cell; the block that is ready last works out where cells begin.
template <class real>
__global__ void __launch_bounds__(count_threads) count_kernel(ListView<real> list, const Vec3d* x, bool forced) {
  UPLIFT_SHARED(int[warp_lanes], of_warp);
  UPLIFT_SHARED(bool, last);
  if (!list.rebuild(forced)) return;
  const int n = thread_number();
  if (n < list.share.listed) {
    const int atom = list.share[n];
    atomicAdd(&list.cell_count[cell_of(list, place_of(list, x[atom], atom), atom)], 1);
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();  // counts are there before it is said so,
    last = atomicAdd(&list.state->counted, 1) == static_cast<int>(gridDim.x) - 1;
    __threadfence();  // and those of others are seen after they have said so
  }
  __syncthreads();
  if (!last) return;
  scan(list, of_warp);
}

template <class real>
__global__ void __launch_bounds__(block_threads) scatter_kernel(ListView<real> list, const Vec3d* x, bool forced) {
  if (!list.rebuild(forced)) return;
  const int n = thread_number();
  if (n >= list.share.listed) return;
  const int atom = list.share[n];
  const Place place = place_of(list, x[atom], atom);
  const int cell = cell_of(list, place, atom), to = list.cell_start[cell] + atomicAdd(&list.cell_count[cell], 1);
  list.unordered[to] = {atom, cell, place.z};
}

/// Puts the atoms of slots from `first_slot` on into `atom`, by the threads of one block: within cells by height, as the column
/// goes, then by number, so that the order that threads came in is gone. Cells that begin or end in other supers are put in
/// order by those as well.
template <class real>
__device__ void order(const ListView<real>& list, int first_slot, int* atom) {
  const int t = static_cast<int>(threadIdx.x), listed = list.share.listed;
  const int last_slot = first_slot + super_atoms < listed ? first_slot + super_atoms - 1 : listed - 1;
  const int begin = list.cell_start[list.unordered[first_slot].cell], end = list.cell_start[list.unordered[last_slot].cell + 1];
  for (int n = begin + t; n < end; n += super_atoms) {
    const ListedAtom own = list.unordered[n];
    const int first = list.cell_start[own.cell], last = list.cell_start[own.cell + 1];
    const bool down = own.cell / list.grid.nz % 2;
    int slot = first;
    for (int k = first; k < last; ++k) {
      const ListedAtom other = list.unordered[k];
      slot += (down ? other.height > own.height : other.height < own.height) ||
              (other.height == own.height && other.atom < own.atom);
    }
    if (slot >= first_slot && slot <= last_slot) atom[slot - first_slot] = own.atom;
    if (n == first && first >= first_slot) list.cell_count[own.cell] = 0;
  }
}

/// The place in order of `key` among the threads of a group of `size`; ties by atom.
__device__ int rank_in_group(const std::uint32_t* key, const int* atom, int size) {
  const int t = static_cast<int>(threadIdx.x), first = t / size * size;
  int rank = first;
  for (int k = first; k < first + size; ++k) rank += key[k] < key[t] || (key[k] == key[t] && atom[k] < atom[t]);
  return rank;
}

__device__ void widen(ListExtent& to, const ListExtent& by) {
  for (int d = 0; d < 3; ++d) {
    to.low[d] = by.low[d] < to.low[d] ? by.low[d] : to.low[d];
    to.high[d] = by.high[d] > to.high[d] ? by.high[d] : to.high[d];
  }
  to.every &= by.every;
  to.any |= by.any;
}
/// Those of some atoms together.
template <class real>
__device__ std::uint64_t marks(const ListView<real>& list, const std::uint64_t* of_type, const int* atom, int atoms) {
  std::uint64_t all = 0;
  for (int k = 0; k < atoms; ++k)
    if (atom[k] < list.pairs.atoms) all |= of_type[list.pairs.type[atom[k]]];
  return all;
}
/// The direction in which the group of `size` that this thread is in is longest.
template <class real>
__device__ int longest(const ListView<real>& list, const std::uint32_t (*place)[super_atoms], int size) {
  const int first = static_cast<int>(threadIdx.x) / size * size;
  int along = 0;
  float most = -1;
  for (int d = 0; d < 3; ++d) {
    std::uint32_t low = place[d][first], high = low;
    for (int k = first + 1; k < first + size; ++k) {
      low = place[d][k] < low ? place[d][k] : low;
      high = place[d][k] > high ? place[d][k] : high;
    }
    const float length = list.length[d] * static_cast<float>(high - low);
    if (length > most) {
      most = length;
      along = d;
    }
  }
  return along;
}
/// One block a super: 64 atoms that follow each other, halved along y, then x, then where eight are longest, until clusters of
/// four are left. (All three halvings by length would give 0.2 % fewer pairs of clusters again.)
template <class real>
__global__ void __launch_bounds__(super_atoms) split_kernel(ListView<real> list, const Vec3d* x, bool forced) {
  UPLIFT_SHARED(std::uint32_t[3][super_atoms], place);
  UPLIFT_SHARED(int[super_atoms], atom);
  UPLIFT_SHARED(ListExtent[clusters_j], extent);
  if (!list.rebuild(forced)) return;
  const int t = static_cast<int>(threadIdx.x), super = static_cast<int>(blockIdx.x), slot = super * super_atoms + t;
  order(list, super * super_atoms, atom);
  __syncthreads();
  int own = slot < list.share.listed ? atom[t] : list.pairs.atoms + t;  // fillers: after every atom
  __syncthreads();
  Place at = own < list.pairs.atoms ? place_of(list, x[own], own) : Place{~0u, ~0u, ~0u};
  int to = t;
  for (int step = 0; step < 4; ++step) {
    place[0][to] = at.x;
    place[1][to] = at.y;
    place[2][to] = at.z;
    atom[to] = own;
    __syncthreads();
    if (step == 3) break;
    const int size[3] = {32, 16, 8}, along = step == 2 ? longest(list, place, size[step]) : 1 - step;
    own = atom[t];
    at = {place[0][t], place[1][t], place[2][t]};
    to = rank_in_group(place[along], atom, size[step]);
    __syncthreads();
  }
  own = atom[t];
  list.atom_of_slot[slot] = own < list.pairs.atoms ? own : -1;
  PairSite<real> site{};
  TabledLj tabled{0};
  if (own < list.pairs.atoms) {
    list.slot_of_atom[own] = slot;
    list.list_x[own] = x[own];
    if (list.share.zone) list.places[slot] = {place[0][t], place[1][t], place[2][t]};
    site = site_of(list, x[own], own);
    tabled.type = list.pairs.type[own];
  }
  list.sites[slot] = site;
  list.list_sites[slot] = site;
  list.tabled_lj[slot] = tabled;
  if (list.ruled_lj) list.ruled_lj[slot] = list.ruled_lj_of_type[tabled.type];
  if (t < clusters_j) {
    ListExtent four = nothing();
    for (int k = t * cluster_j; k < (t + 1) * cluster_j; ++k) {
      if (atom[k] >= list.pairs.atoms) continue;
      const auto zone = static_cast<unsigned>(list.share.zone_of(atom[k]));
      widen(four, {{place[0][k], place[1][k], place[2][k]}, {place[0][k], place[1][k], place[2][k]}, zone, zone});
    }
    extent[t] = four;
    list.bounds_j[super * clusters_j + t] = bounds_of(list.share, four);
    if (list.own_mark) list.marks_j[super * clusters_j + t] = marks(list, list.own_mark, atom + t * cluster_j, cluster_j);
  }
  __syncthreads();
  if (t < clusters_i) {
    ListExtent eight = extent[2 * t];
    widen(eight, extent[2 * t + 1]);
    list.bounds_i[super * clusters_i + t] = bounds_of(list.share, eight);
    if (list.own_mark) list.marks_i[super * clusters_i + t] = marks(list, list.partner_marks, atom + t * cluster_i, cluster_i);
  }
  if (t != static_cast<int>(warp_lanes)) return;
  ListExtent all = nothing();
  for (const ListExtent& four : extent) widen(all, four);
  list.bounds_super[super] = bounds_of(list.share, all);
  ListExtent& stack = list.extent_of_stack[super / supers_of_stack];
  for (int d = 0; d < 3; ++d) {
    atomicMin(&stack.low[d], all.low[d]);
    atomicMax(&stack.high[d], all.high[d]);
  }
  atomicAnd(&stack.every, all.every);
  atomicOr(&stack.any, all.any);
}

}  // namespace

using cuda::cover;

template <class real>
void launch_place(const ListView<real>& list, const Placing<real>& to, const Vec3d* x, cudaStream_t stream) {
  const int slots = list.supers * super_atoms;
  UPLIFT_LAUNCH(place_kernel<real>, cover(slots, block_threads), stream, to, list.atom_of_slot, slots, x);
}

template <class real>
void launch_limits(const ListView<real>& list, const ListBuffers& buffers, bool restored, cudaStream_t stream) {
  UPLIFT_LAUNCH(limits_kernel<real>, (cuda::LaunchShape{1, 1}), stream, list, buffers, restored);
}

template <class real>
void launch_sort_atoms(const ListView<real>& list, const Vec3d* x, bool forced, cudaStream_t stream) {
  UPLIFT_LAUNCH(count_kernel<real>, cover(list.share.listed, count_threads), stream, list, x, forced);
  UPLIFT_LAUNCH(scatter_kernel<real>, cover(list.share.listed, block_threads), stream, list, x, forced);
  UPLIFT_LAUNCH(split_kernel<real>, (cuda::LaunchShape{static_cast<unsigned>(list.supers), super_atoms}), stream, list, x,
                forced);
}

template void launch_place<float>(const ListView<float>&, const Placing<float>&, const Vec3d*, cudaStream_t);
template void launch_place<double>(const ListView<double>&, const Placing<double>&, const Vec3d*, cudaStream_t);
template void launch_limits<float>(const ListView<float>&, const ListBuffers&, bool, cudaStream_t);
template void launch_limits<double>(const ListView<double>&, const ListBuffers&, bool, cudaStream_t);
template void launch_sort_atoms<float>(const ListView<float>&, const Vec3d*, bool, cudaStream_t);
template void launch_sort_atoms<double>(const ListView<double>&, const Vec3d*, bool, cudaStream_t);

}  // namespace uplift::UPLIFT_DEVICE

#include <cuda/pair_list.cuh>

namespace uplift::UPLIFT_DEVICE {
namespace {

constexpr unsigned block_threads = 128;
constexpr unsigned count_threads = 1024, list_threads = 256;

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

/// Is the interaction of the atoms in these slots this rank's? (RankShare::takes)
template <class real>
__device__ bool takes(const ListView<real>& list, int slot_i, int slot_j) {
  const ShareView& share = list.share;
  if (!share.zone) return true;
  if ((share.zone[list.atom_of_slot[slot_i]] & share.zone[list.atom_of_slot[slot_j]]) != 0) return false;
  const Place a = list.places[slot_i], b = list.places[slot_j];
  const auto apart = [](bool open, std::uint32_t from, std::uint32_t to) {
    return open && (from > to ? from - to : to - from) >= 1u << 30;
  };
  return !apart(share.open[0], a.x, b.x) && !apart(share.open[1], a.y, b.y) && !apart(share.open[2], a.z, b.z);
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
struct UnitBox {
  real a[6];
};

/// Bits of the largest of a warp; of floats that are not negative, bits have the order of the numbers.
__device__ unsigned warp_max(unsigned value) {
  for (unsigned offset = warp_lanes / 2; offset > 0; offset /= 2) {
    const unsigned other = __shfl_xor_sync(all_lanes, value, static_cast<int>(offset));
    value = other > value ? other : value;
  }
  return value;
}

template <class real>
__global__ void __launch_bounds__(block_threads) place_kernel(ListView<real> list, UnitBox<real> unit, const Vec3d* x) {
  const int slot = thread_number();
  const int atom = slot < list.supers * super_atoms ? list.atom_of_slot[slot] : -1;
  unsigned since_list = 0, since_prune = 0;
  if (atom >= 0) {
    const PairSite<real> site = site_of(list, x[atom], atom);
    const auto squared = [&](const PairSite<real>& then) {
      const Vec3<real> d = displacement(unit.a, site, then);
      return static_cast<unsigned>(__float_as_int(static_cast<float>(dot(d, d))));
    };
    since_list = squared(list.list_sites[slot]);
    since_prune = squared(list.prune_sites[slot]);
    list.sites[slot] = site;
  }
  since_list = warp_max(since_list);
  since_prune = warp_max(since_prune);
  if (threadIdx.x % warp_lanes != 0) return;
  const int use = list.state->to_use;
  // All warps in turn would keep the one place of a maximum busy for longer than all else takes; most are below it.
  ListState::Moved& most = list.state->moved[use];
  if (since_list > most.list) atomicMax(&most.list, since_list);
  if (since_prune > most.prune) atomicMax(&most.prune, since_prune);
  if (slot > 0) return;
  list.state->in_use = use;
  list.state->moved[1 - use] = {0, 0};
}

/// Of no atoms.
__device__ ListExtent nothing() { return {{~0u, ~0u, ~0u}, {0, 0, 0}, ~0u, 0}; }

/// Of the threads of a block: the sum of what those before this one have, and of all.
struct Before {
  int sum, all;
};
/// The sum of what this lane has and those before it.
__device__ int up_to(int value) {
  for (unsigned step = 1; step < warp_lanes; step *= 2) {
    const int other = __shfl_up_sync(all_lanes, value, step);
    value += threadIdx.x % warp_lanes >= step ? other : 0;
  }
  return value;
}
/// `in_warp`: the sum of what the lanes before this one have. `of_warp` [32] in shared memory.
__device__ Before across_warps(int in_warp, int value, int* of_warp) {
  const unsigned lane = threadIdx.x % warp_lanes, warp = threadIdx.x / warp_lanes;
  __syncthreads();  // nobody reads the sums of the last time any more
  if (lane == warp_lanes - 1) of_warp[warp] = in_warp + value;
  __syncthreads();
  const unsigned warps = blockDim.x / warp_lanes;
  if (warps <= 8) {
    Before before{in_warp, 0};
    for (unsigned w = 0; w < warps; ++w) {
      before.sum += w < warp ? of_warp[w] : 0;
      before.all += of_warp[w];
    }
    return before;
  }
  if (warp == 0) of_warp[lane] = up_to(lane < warps ? of_warp[lane] : 0);
  __syncthreads();
  return {in_warp + (warp > 0 ? of_warp[warp - 1] : 0), of_warp[warp_lanes - 1]};
}
__device__ Before sum_before(int value, int* of_warp) { return across_warps(up_to(value) - value, value, of_warp); }
__device__ Before count_before(bool counts, int* of_warp) {
  const unsigned votes = __ballot_sync(all_lanes, counts);
  return across_warps(__popc(votes & ((1u << threadIdx.x % warp_lanes) - 1)), counts, of_warp);
}

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
  list.state->most_entries = 0;
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
  __threadfence();  // counts are there before it is said so
  __syncthreads();
  if (threadIdx.x == 0) last = atomicAdd(&list.state->counted, 1) == static_cast<int>(gridDim.x) - 1;
  __syncthreads();
  if (!last) return;
  __threadfence();
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
    if (n == first) list.cell_count[own.cell] = 0;
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
constexpr float far_away = 1e15f;  // from all that has atoms

__device__ ClusterBounds bounds_of(const ShareView& share, const ListExtent& extent) {
  if (extent.low[0] > extent.high[0]) return {0, 0, 0, -far_away, -far_away, -far_away, 0, 0};
  float middle[3], half[3];
  for (int d = 0; d < 3; ++d) {
    const float unit = share.open[d] ? 0x1p-31f : 0x1p-32f;
    half[d] = 0.5f * unit * static_cast<float>(extent.high[d] - extent.low[d]);
    middle[d] = unit * static_cast<float>(extent.low[d]) + half[d];
  }
  return {middle[0], middle[1], middle[2], half[0], half[1], half[2], extent.every, extent.any};
}

/// One block a super: 64 atoms that follow each other, halved along y, then x, then z until clusters of four are left.
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
    const int along[3] = {1, 0, 2}, size[3] = {32, 16, 8};
    own = atom[t];
    at = {place[0][t], place[1][t], place[2][t]};
    to = rank_in_group(place[along[step]], atom, size[step]);
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
  }
  __syncthreads();
  if (t < clusters_i) {
    ListExtent eight = extent[2 * t];
    widen(eight, extent[2 * t + 1]);
    list.bounds_i[super * clusters_i + t] = bounds_of(list.share, eight);
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

/// Can atoms of two extents be in reach of each other, and is a pair of theirs this rank's? `alone`: one rank has all pairs.
template <bool alone, class real>
__device__ bool may_meet(const ListView<real>& list, const ClusterBounds& a, const ClusterBounds& b) {
  const auto gap = [](bool open, float from, float to, float half) {
    const float d = from - to, apart = std::fabs(open ? d : d - std::nearbyint(d)) - half;
    return apart > 0 ? apart : 0;
  };
  const bool* open = list.share.open;
  const float x = list.length[0] * gap(!alone && open[0], a.x, b.x, a.half_x + b.half_x),
              y = list.length[1] * gap(!alone && open[1], a.y, b.y, a.half_y + b.half_y),
              z = list.length[2] * gap(!alone && open[2], a.z, b.z, a.half_z + b.half_z);
  if (!alone && (a.every & b.every) != 0) return false;
  return list.brick ? x * x + y * y + z * z <= list.reach * list.reach : x <= list.reach && y <= list.reach && z <= list.reach;
}

/// May this rank have some pairs of two clusters, but not all? Pairs half a box apart along an open direction are another's.
template <class real>
__device__ bool shared_out(const ListView<real>& list, const ClusterBounds& a, const ClusterBounds& b) {
  if ((a.any & b.any) != 0) return true;
  const float apart[3] = {std::fabs(a.x - b.x) + a.half_x + b.half_x, std::fabs(a.y - b.y) + a.half_y + b.half_y,
                          std::fabs(a.z - b.z) + a.half_z + b.half_z};
  for (int d = 0; d < 3; ++d)
    if (list.share.open[d] && apart[d] >= 0.49f) return true;
  return false;
}

/// The entry of cluster j among `count`, or -1.
__device__ int find(const int* js, int count, int j) {
  int low = 0, high = count;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (js[middle] < j)
      low = middle + 1;
    else
      high = middle;
  }
  return low < count && js[low] == j ? low : -1;
}

/// f(entry, slot in the super, slot in the cluster of four) of every excluded pair that the list of a super has.
template <class real, class F>
__device__ void for_exclusions(const ListView<real>& list, int super, const int* js, int count, F&& f) {
  constexpr int at_once = static_cast<int>(list_threads) / super_atoms;
  const int k = static_cast<int>(threadIdx.x) / at_once, atom = list.atom_of_slot[super * super_atoms + k];
  if (atom < 0) return;
  for (int e = list.pairs.exclusion_start[atom] + static_cast<int>(threadIdx.x) % at_once;
       e < list.pairs.exclusion_start[atom + 1]; e += at_once) {
    const int slot = list.slot_of_atom[list.pairs.exclusions[e]];
    const int entry = find(js, count, slot / cluster_j);
    if (slot >= 0 && entry >= 0) f(entry, k, slot % cluster_j);
  }
}

/// One block a super: its clusters of four that may come near, and which of their pairs count. Stacks of supers first, then
/// supers, then clusters: at each stage those that may come near, in their order.
template <bool alone, class real>
__global__ void __launch_bounds__(list_threads, 4) list_kernel(ListView<real> list, bool forced) {
  UPLIFT_SHARED(ClusterBounds[clusters_i], own);
  UPLIFT_SHARED(int[list_threads], near_stacks);
  UPLIFT_SHARED(int[list_threads], near_supers);
  UPLIFT_SHARED(int[warp_lanes], of_warp);
  UPLIFT_SHARED(int, first_row);
  UPLIFT_DYNAMIC_SHARED(int, js);  // [capacity] of the entries
  if (!list.rebuild(forced)) return;
  const int super = static_cast<int>(blockIdx.x), t = static_cast<int>(threadIdx.x), lanes = static_cast<int>(warp_lanes),
            threads = static_cast<int>(list_threads), words = list.capacity / lanes;
  auto* special = reinterpret_cast<unsigned*>(js + list.capacity);  // [words] bit per entry: has pairs that do not interact
  int* rows_before = js + list.capacity + words;                    // [words] rows of the words before
  if (t < clusters_i) own[t] = list.bounds_i[super * clusters_i + t];
  for (int w = t; w < words; w += threads) special[w] = 0;
  __syncthreads();
  const ClusterBounds whole = list.bounds_super[super];
  ListEntry* entries = list.entries + static_cast<std::ptrdiff_t>(super) * list.capacity;
  const auto note_special = [&](int entry) { atomicOr(&special[entry / lanes], 1u << (entry % lanes)); };
  int count = 0;
  const auto take = [&](int other, int j) {  // of all threads together; other < 0: nothing
    unsigned mask = 0;
    bool some = false;
    if (other >= 0) {
      const ClusterBounds four = list.bounds_j[other * clusters_j + j];
      const int last = other == super ? (cluster_j * (j + 1) - 2) / cluster_i : clusters_i;  // of which no pair comes twice
      UPLIFT_DEVICE_UNROLL
      for (int c = 0; c < clusters_i; ++c) {
        const bool meet = c <= last && may_meet<alone>(list, own[c], four);
        mask |= meet ? 1u << c : 0;
        if (!alone) some = some || (meet && shared_out(list, own[c], four));
      }
    }
    const Before found = count_before(mask != 0, of_warp);
    const int to = count + found.sum;
    if (mask != 0 && to < list.capacity) {
      js[to] = other * clusters_j + j;
      entries[to] = {other * clusters_j + j, -1, mask, mask};
      if (some) note_special(to);
    }
    count += found.all;
  };
  for (int base = 0; base < list.stacks(); base += threads) {
    const bool stack_near =
        base + t < list.stacks() && may_meet<alone>(list, whole, bounds_of(list.share, list.extent_of_stack[base + t]));
    const Before stack = count_before(stack_near, of_warp);
    if (stack_near) near_stacks[stack.sum] = base + t;
    __syncthreads();
    for (int k = 0; k < stack.all * supers_of_stack; k += threads) {
      const int number = (k + t) / supers_of_stack;
      const int candidate =
          number < stack.all ? near_stacks[number] * supers_of_stack + (k + t) % supers_of_stack : list.supers;
      const bool super_near =
          candidate < list.supers && list.owns(super, candidate) && may_meet<alone>(list, whole, list.bounds_super[candidate]);
      const Before found = count_before(super_near, of_warp);
      if (super_near) near_supers[found.sum] = candidate;
      __syncthreads();
      for (int n = 0; n < found.all * clusters_j; n += threads) {
        const int item = n + t;
        take(item < found.all * clusters_j ? near_supers[item / clusters_j] : -1, item % clusters_j);
      }
    }
  }
  if (t == 0) atomicMax(&list.state->most_entries, count);
  count = count < list.capacity ? count : list.capacity;
  if (t == 0) list.entry_count[super] = count;
  __syncthreads();

  const bool fillers = list.supers * super_atoms > list.share.listed;
  for (int e = t; e < count; e += threads)
    if (js[e] / clusters_j == super || (fillers && (super == list.supers - 1 || js[e] / clusters_j == list.supers - 1)))
      note_special(e);
  for_exclusions(list, super, js, count, [&](int entry, int, int) { note_special(entry); });
  __syncthreads();
  if (t == 0) {
    int needed = 0;
    for (int w = 0; w < words; ++w) {
      rows_before[w] = needed;
      needed += __popc(special[w]);
    }
    const int row = atomicAdd(&list.state->rows, needed);
    first_row = row + needed > list.row_capacity ? -1 : row;
  }
  __syncthreads();
  if (first_row < 0) return;                                                    // the host finds it out
  const int lane = t % lanes, slot_i = super * super_atoms + lane % cluster_i;  // and every eighth from there
  unsigned atoms_i = 0;
  for (int c = 0; c < clusters_i; ++c) atoms_i |= list.atom_of_slot[slot_i + c * cluster_i] >= 0 ? 1u << c : 0;
  const auto row_of = [&](int e) {
    return first_row + rows_before[e / lanes] + __popc(special[e / lanes] & ((1u << (e % lanes)) - 1));
  };
  for (int e = t / lanes; e < count; e += threads / lanes) {
    if ((special[e / lanes] & 1u << (e % lanes)) == 0) continue;
    const int slot_j = js[e] * cluster_j + lane / cluster_i, row = row_of(e);
    unsigned bits = list.atom_of_slot[slot_j] >= 0 ? atoms_i : 0;
    if (js[e] / clusters_j == super || !alone)
      for (int c = 0; c < clusters_i; ++c)
        if ((js[e] / clusters_j == super && slot_i + c * cluster_i >= slot_j) || !takes(list, slot_i + c * cluster_i, slot_j))
          bits &= ~(1u << c);
    list.rows[static_cast<std::ptrdiff_t>(row) * lanes + lane] = static_cast<std::uint8_t>(bits);
    if (lane == 0) entries[e].row = row;
  }
  __syncthreads();
  for_exclusions(list, super, js, count, [&](int entry, int i, int j) {
    const std::ptrdiff_t byte = static_cast<std::ptrdiff_t>(row_of(entry)) * lanes + j * cluster_i + i % cluster_i;
    atomicAnd(reinterpret_cast<unsigned*>(list.rows) + byte / 4, ~(1u << (8 * (byte % 4) + i / cluster_i)));
  });
}

}  // namespace

using cuda::cover;

template <class real>
void launch_place(const ListView<real>& list, const real* unit_box, const Vec3d* x, cudaStream_t stream) {
  UnitBox<real> unit;
  for (int k = 0; k < 6; ++k) unit.a[k] = unit_box[k];
  UPLIFT_LAUNCH(place_kernel<real>, cover(list.supers * super_atoms, block_threads), stream, list, unit, x);
}

template <class real>
void launch_rebuild(const ListView<real>& list, const Vec3d* x, bool forced, cudaStream_t stream) {
  const auto supers = static_cast<unsigned>(list.supers);
  UPLIFT_LAUNCH(count_kernel<real>, cover(list.share.listed, count_threads), stream, list, x, forced);
  UPLIFT_LAUNCH(scatter_kernel<real>, cover(list.share.listed, block_threads), stream, list, x, forced);
  UPLIFT_LAUNCH(split_kernel<real>, (cuda::LaunchShape{supers, super_atoms}), stream, list, x, forced);
  const std::size_t room =
      static_cast<std::size_t>(list.capacity + 2 * (list.capacity / static_cast<int>(warp_lanes))) * sizeof(int);
  const cuda::LaunchShape shape{supers, list_threads, room};
  if (list.share.zone)
    UPLIFT_LAUNCH((list_kernel<false, real>), shape, stream, list, forced);
  else
    UPLIFT_LAUNCH((list_kernel<true, real>), shape, stream, list, forced);
}

template void launch_place<float>(const ListView<float>&, const float*, const Vec3d*, cudaStream_t);
template void launch_place<double>(const ListView<double>&, const double*, const Vec3d*, cudaStream_t);
template void launch_rebuild<float>(const ListView<float>&, const Vec3d*, bool, cudaStream_t);
template void launch_rebuild<double>(const ListView<double>&, const Vec3d*, bool, cudaStream_t);

}  // namespace uplift::UPLIFT_DEVICE

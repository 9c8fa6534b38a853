#include <cuda/list_bounds.cuh>

namespace uplift::UPLIFT_DEVICE {
namespace {

constexpr unsigned list_threads = 256;

/// Is the interaction of the atoms in these slots, which have some, this rank's? (RankShare::takes)
template <class real>
__device__ bool takes(const ListView<real>& list, int slot_i, int slot_j) {
  const ShareView& share = list.share;
  if (!share.zone) return true;
  if ((share.zone[list.atom_of_slot[slot_i]] & share.zone[list.atom_of_slot[slot_j]]) != 0) return false;
  const ListPlace a = list.places[slot_i], b = list.places[slot_j];
  const auto apart = [](bool open, std::uint32_t from, std::uint32_t to) {
    return open && (from > to ? from - to : to - from) >= 1u << 30;
  };
  return !apart(share.open[0], a.x, b.x) && !apart(share.open[1], a.y, b.y) && !apart(share.open[2], a.z, b.z);
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
  UPLIFT_SHARED(std::uint64_t[clusters_i], own_marks);
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
  if (t < clusters_i) own_marks[t] = list.own_mark ? list.marks_i[super * clusters_i + t] : 0;
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
      unsigned exceptions = 0;
      if (list.own_mark) {
        const std::uint64_t marks = list.marks_j[other * clusters_j + j];
        for (int c = 0; c < clusters_i; ++c) exceptions |= (own_marks[c] & marks) != 0 ? mask & 1u << c : 0;
      }
      entries[to] = {other * clusters_j + j, -1, mask, static_cast<std::uint16_t>(mask),
                     static_cast<std::uint16_t>(exceptions)};
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
  if (t == 0) atomicMax(&list.state->most.entries, count);
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
    atomicMax(&list.state->most.rows, row + needed);
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
        if ((bits & 1u << c) != 0 &&
            ((js[e] / clusters_j == super && slot_i + c * cluster_i >= slot_j) || !takes(list, slot_i + c * cluster_i, slot_j)))
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

template <class real>
void launch_rebuild(const ListView<real>& list, const Vec3d* x, bool forced, cudaStream_t stream) {
  launch_sort_atoms(list, x, forced, stream);
  const std::size_t room =
      static_cast<std::size_t>(list.capacity + 2 * (list.capacity / static_cast<int>(warp_lanes))) * sizeof(int);
  const cuda::LaunchShape shape{static_cast<unsigned>(list.supers), list_threads, room};
  if (list.share.zone)
    UPLIFT_LAUNCH((list_kernel<false, real>), shape, stream, list, forced);
  else
    UPLIFT_LAUNCH((list_kernel<true, real>), shape, stream, list, forced);
}

template void launch_rebuild<float>(const ListView<float>&, const Vec3d*, bool, cudaStream_t);
template void launch_rebuild<double>(const ListView<double>&, const Vec3d*, bool, cudaStream_t);

}  // namespace uplift::UPLIFT_DEVICE

#pragma once
// The pair kernel and what launches it: floating sums within clusters in cluster_pairs.cu, sums of integers in
// exact_cluster_pairs.cu.
#include <cuda/pair_list.cuh>

namespace uplift::UPLIFT_DEVICE {
namespace {  // of each source that includes this: kernels of one's own

constexpr int warps = 4, entries_per_warp = list_group / warps;
constexpr unsigned block_threads = warps * warp_lanes;
static_assert(entries_per_warp <= static_cast<int>(warp_lanes) && cluster_i * cluster_j == static_cast<int>(warp_lanes));

enum class Wanted { forces, tally, forces_and_energies, virial };
constexpr bool has_forces(Wanted wanted) { return wanted == Wanted::forces || wanted == Wanted::forces_and_energies; }

template <class real>
__device__ Vec3<real> sum_over(Vec3<real> f, int bits) {
  f.x += __shfl_xor_sync(all_lanes, f.x, bits);
  f.y += __shfl_xor_sync(all_lanes, f.y, bits);
  f.z += __shfl_xor_sync(all_lanes, f.z, bits);
  return f;
}
template <class real>
__device__ real component(const Vec3<real>& f, int k) {
  return k == 0 ? f.x : k == 1 ? f.y : f.z;
}

template <class real>
__device__ Fixed in_fixed(real force) {
  return fixed_force(static_cast<double>(force));
}
__device__ inline Fixed in_fixed(Fixed force) { return force; }

/// A block has a super and one group of its entries, a warp a quarter of them. Lane 8 b + a has atom a of each of the super's
/// clusters of eight in turn and atom b of a cluster of four. Each kind of result has a kernel of its own from this one source.
template <class real, CoulombForm form, int erf_terms, Wanted wanted, bool exact>
__global__ void __launch_bounds__(block_threads)
    cluster_pairs_kernel(ListView<real> list, PairParameters<real> p, SumsView sums, bool forced) {
  UPLIFT_SHARED(PairSite<real>[super_atoms], own);
  using Sum = std::conditional_t<exact, Fixed, real>;  // of forces
  UPLIFT_SHARED(Sum[warps][3 * super_atoms], part);
  const int groups = list.capacity / list_group, super = static_cast<int>(blockIdx.x) / groups,
            group = static_cast<int>(blockIdx.x) % groups;
  const int count = list.entry_count[super];
  if (group * list_group >= count) return;
  const int thread = static_cast<int>(threadIdx.x), warp = thread / static_cast<int>(warp_lanes),
            lane = thread % static_cast<int>(warp_lanes);
  const int a = lane % cluster_i, b = lane / cluster_i;
  const bool pruning = has_forces(wanted) && list.prune(forced);
  if (thread < super_atoms) {
    own[thread] = list.sites[super * super_atoms + thread];
    if (pruning && group == 0) list.prune_sites[super * super_atoms + thread] = own[thread];
  }
  if (pruning && blockIdx.x == 0 && thread == 0) ++list.state->prunes;
  __syncthreads();

  const int first = group * list_group + warp * entries_per_warp;
  ListEntry* entries = list.entries + static_cast<std::ptrdiff_t>(super) * list.capacity + first;
  const bool has_entry = lane < entries_per_warp && first + lane < count;
  ListEntry mine = has_entry ? entries[lane] : ListEntry{0, -1, 0, 0};
  const unsigned clusters = pruning ? mine.outer : mine.inner;
  const real prune_reach2 = static_cast<real>(list.prune_reach * list.prune_reach);
  Vec3<Sum> force_i[clusters_i];
  for (int c = 0; c < clusters_i; ++c) force_i[c] = {0, 0, 0};
  std::conditional_t<exact, ExactPairTally, PairTally> tally;
  real lj = 0, coulomb = 0;
  for (unsigned todo = __ballot_sync(all_lanes, clusters != 0); todo != 0; todo &= todo - 1) {
    const int entry = __ffs(static_cast<int>(todo)) - 1;
    const int j = __shfl_sync(all_lanes, mine.j, entry), row = __shfl_sync(all_lanes, mine.row, entry);
    const unsigned mask = __shfl_sync(all_lanes, clusters, entry);
    const PairSite<real> site_j = list.sites[j * cluster_j + b];
    unsigned kept = 0;
    Vec3<Sum> force_j{0, 0, 0};
    UPLIFT_DEVICE_UNROLL
    for (int c = 0; c < clusters_i; ++c) {
      if ((mask >> c & 1) == 0) continue;
      const PairSite<real> site_i = own[c * cluster_i + a];
      const Vec3<real> d = displacement(p.a, site_i, site_j);
      const real r2 = dot(d, d);
      if (r2 < prune_reach2) kept |= 1u << c;
      const unsigned interact = row < 0 ? all_lanes : list.rows[static_cast<std::ptrdiff_t>(row) * clusters_i + c];
      if (!(r2 < p.cutoff2) || (interact >> lane & 1) == 0) continue;
      const PairForce<real> f = pair_force<form, erf_terms>(p, r2, site_i, site_j);
      if constexpr (!has_forces(wanted)) {
        tally.add(d, f);
      } else if constexpr (exact) {
        if constexpr (wanted == Wanted::forces_and_energies) tally.add_energies(f);
        const Vec3<Fixed> force = whole_force(f.force_over_r * d);
        force_i[c] += force;
        force_j -= force;
      } else {
        if constexpr (wanted == Wanted::forces_and_energies) {
          lj += f.lj;
          coulomb += f.coulomb;
        }
        force_i[c] += f.force_over_r * d;
        force_j -= f.force_over_r * d;
      }
    }
    if constexpr (has_forces(wanted)) {
      if (pruning) {
        kept = __reduce_or_sync(all_lanes, kept);
        if (lane == entry) mine.inner = kept;
      }
      for (int bits = 1; bits < cluster_i; bits *= 2) force_j = sum_over(force_j, bits);
      const int atom = list.atom_of_slot[j * cluster_j + b];
      if (a < 3 && atom >= 0) add(sums.force + 3 * static_cast<std::ptrdiff_t>(atom) + a, in_fixed(component(force_j, a)));
    }
  }
  if constexpr (wanted == Wanted::forces_and_energies && !exact) {
    tally.lj = static_cast<double>(lj);
    tally.coulomb = static_cast<double>(coulomb);
  }
  if constexpr (wanted == Wanted::tally || wanted == Wanted::forces_and_energies) tally.flush_energies(sums);
  if constexpr (!has_forces(wanted)) {
    tally.flush_virial(sums);
  } else {
    if (pruning && has_entry) entries[lane].inner = mine.inner;
    UPLIFT_DEVICE_UNROLL
    for (int c = 0; c < clusters_i; ++c) {
      const Vec3<Sum> f = sum_over(sum_over(force_i[c], cluster_i), 2 * cluster_i);
      if (b < 3) part[warp][3 * (c * cluster_i + a) + b] = component(f, b);
    }
    __syncthreads();
    for (int k = thread; k < 3 * super_atoms; k += static_cast<int>(block_threads)) {
      Fixed sum = 0;
      for (int w = 0; w < warps; ++w) sum += in_fixed(part[w][k]);
      const int atom = list.atom_of_slot[super * super_atoms + k / 3];
      if (atom >= 0) add(sums.force + 3 * static_cast<std::ptrdiff_t>(atom) + k % 3, sum);
    }
  }
}

/// What to launch with a list.
struct Wish {
  bool forced, with_energies;
  Tally tally;
};

template <bool exact, class real, CoulombForm form, int erf_terms>
void launch_form(const ListView<real>& list, const PairParameters<real>& p, const SumsView& sums, const Wish& wish,
                 cudaStream_t stream) {
  const cuda::LaunchShape shape{static_cast<unsigned>(list.supers * (list.capacity / list_group)), block_threads};
  if (wish.with_energies)
    UPLIFT_LAUNCH((cluster_pairs_kernel<real, form, erf_terms, Wanted::forces_and_energies, exact>), shape, stream, list, p,
                  sums, wish.forced);
  else
    UPLIFT_LAUNCH((cluster_pairs_kernel<real, form, erf_terms, Wanted::forces, exact>), shape, stream, list, p, sums,
                  wish.forced);
  if (wish.tally.virial && wish.with_energies)
    UPLIFT_LAUNCH((cluster_pairs_kernel<real, form, erf_terms, Wanted::virial, exact>), shape, stream, list, p, sums,
                  wish.forced);
  else if (wish.tally.any() && !wish.with_energies)
    UPLIFT_LAUNCH((cluster_pairs_kernel<real, form, erf_terms, Wanted::tally, exact>), shape, stream, list, p, sums,
                  wish.forced);
}

template <bool exact, class real>
void launch_pairs(CoulombForm form, const ListView<real>& list, const PairParameters<real>& p, const SumsView& sums,
                  const Wish& wish, cudaStream_t stream) {
  if (form != CoulombForm::ewald)
    launch_form<exact, real, CoulombForm::reaction_field, 0>(list, p, sums, wish, stream);
  else if (sizeof(real) == 4 && p.erf.count == fixed_erf_terms)
    launch_form<exact, real, CoulombForm::ewald, sizeof(real) == 4 ? fixed_erf_terms : 0>(list, p, sums, wish, stream);
  else
    launch_form<exact, real, CoulombForm::ewald, 0>(list, p, sums, wish, stream);
}

}  // namespace
}  // namespace uplift::UPLIFT_DEVICE

#pragma once
// The pair kernel and what launches it: floating sums within clusters in cluster_pairs.cu, sums of integers in
// exact_cluster_pairs.cu.
//
// Issue slots are what it costs: every instruction of the inner loop is executed some ten million times a step for 24,000
// atoms. benchmarks/kernel_instructions.py counts them.
#include <cuda/pair_forces.cuh>
#include <cuda/pair_list.cuh>

#include <type_traits>

namespace uplift::UPLIFT_DEVICE {
namespace {  // of each source that includes this: kernels of one's own

constexpr int warps = 4, entries_per_warp = list_group / warps, lanes = static_cast<int>(warp_lanes);
constexpr unsigned block_threads = warps * warp_lanes;
static_assert(entries_per_warp <= lanes && cluster_i * cluster_j == lanes);

enum class Wanted { forces, tally, forces_and_energies, virial };
constexpr bool has_forces(Wanted wanted) { return wanted == Wanted::forces || wanted == Wanted::forces_and_energies; }

/// What a kernel is compiled for. `erf_terms` 0: as many as the table has.
template <class Real, CoulombForm coulomb_form, int terms>
struct General {
  using real = Real;
  using Lj = TabledLj;
  static constexpr LjKind kind = LjKind::table;
  static constexpr CoulombForm coulomb = coulomb_form;
  static constexpr int erf_terms = terms;
  static constexpr bool brick = false, may_switch = true, usual = false;
  static __device__ Lj lj(const ListView<real>& list, int slot) { return list.tabled_lj[slot]; }
};
/// Mixed precision, PME with usual settings, Lorentz and Berthelot's rules, no switching.
template <bool rectangular, int terms>
struct Everyday {
  using real = float;
  using Lj = RuledLj<float>;
  static constexpr LjKind kind = LjKind::lorentz_berthelot;
  static constexpr CoulombForm coulomb = CoulombForm::ewald;
  static constexpr int erf_terms = terms;
  static constexpr bool brick = rectangular, may_switch = false, usual = true;
  static __device__ Lj lj(const ListView<real>& list, int slot) { return list.ruled_lj[slot]; }
};
/// The same in any cell, switching or not, with rules of other force fields.
template <LjKind lj_kind>
struct Ruled {
  using real = float;
  using Lj = RuledLj<float>;
  static constexpr LjKind kind = lj_kind;
  static constexpr CoulombForm coulomb = CoulombForm::ewald;
  static constexpr int erf_terms = common_erf_terms;
  static constexpr bool brick = false, may_switch = true, usual = true;
  static __device__ Lj lj(const ListView<real>& list, int slot) { return list.ruled_lj[slot]; }
};
struct Excepted : Ruled<LjKind::exceptions> {
  using Lj = ExceptedLj<float>;
  static __device__ Lj lj(const ListView<real>& list, int slot) { return {list.ruled_lj[slot], list.tabled_lj[slot].type}; }
};

/// Blocks that a multiprocessor is to have room for, which limits registers (to 512 divided by it): without it some of these
/// spill, or have room for fewer. 0: as the compiler likes best, which makes the shortest code of the others.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
constexpr unsigned resident_with_energies = 7;  // eight would spill there
#else
constexpr unsigned resident_with_energies = 8;
#endif
template <class Model, Wanted wanted, bool exact>
constexpr unsigned resident_blocks = sizeof(typename Model::real) == 8 ? 4
                                     : exact                           ? (Model::may_switch || wanted != Wanted::forces ? 4 : 5)
                                     : !Model::may_switch ? (wanted == Wanted::forces_and_energies ? resident_with_energies : 0)
                                     : Model::usual && wanted == Wanted::forces ? 7
                                                                                : 6;

/// Adds two values of this lane and of lane ^ bits: the lane without that bit gets the sum of the first, the other of the
/// second.
template <class T>
__device__ T halve(T first, T second, int lane, int bits) {
  const bool upper = (lane & bits) != 0;
  const T other = __shfl_xor_sync(all_lanes, upper ? first : second, bits);
  return (upper ? second : first) + other;
}
template <class T>
__device__ Vec3<T> halve(const Vec3<T>& first, const Vec3<T>& second, int lane, int bits) {
  return {halve(first.x, second.x, lane, bits), halve(first.y, second.y, lane, bits), halve(first.z, second.z, lane, bits)};
}
/// Sum over the eight lanes that share a j atom; lanes 0, 1 and 2 of them get x, y and z.
template <class T>
__device__ T sum_for_j(const Vec3<T>& f, int lane) {
  static_assert(cluster_i == 8);
  const T xy = halve(f.x, f.y, lane, 1), z = f.z + __shfl_xor_sync(all_lanes, f.z, 1);
  const T one = halve(xy, z, lane, 2);
  return one + __shfl_xor_sync(all_lanes, one, 4);
}
/// Sums over the four lanes that share i atoms. This lane gets those of cluster first_summed(b) and the next.
template <class T>
__device__ void sum_for_i(const Vec3<T> (&f)[clusters_i], int lane, Vec3<T> (&sum)[2]) {
  static_assert(cluster_j == 4 && clusters_i == 8);
  Vec3<T> half[4];
  UPLIFT_DEVICE_UNROLL
  for (int c = 0; c < 4; ++c) half[c] = halve(f[c], f[c + 4], lane, cluster_i);
  UPLIFT_DEVICE_UNROLL
  for (int c = 0; c < 2; ++c) sum[c] = halve(half[c], half[c + 2], lane, 2 * cluster_i);
}
__device__ int first_summed(int b) { return 4 * (b & 1) + (b & 2); }

__device__ inline Fixed in_fixed(float force) { return whole(force, static_cast<float>(force_clamp)); }
__device__ inline Fixed in_fixed(double force) { return whole(force, force_clamp); }
__device__ inline Fixed in_fixed(Fixed force) { return force; }

/// For the next evaluation, by one thread, while others look at what this one goes by.
template <class real>
__device__ void note_lists(const ListView<real>& list, bool listed, bool pruned) {
  ListState& state = *list.state;
  const ListState::Limits& now = state.limits[state.in_use];
  state.limits[1 - state.in_use] = {listed ? list.limits.list : now.list, pruned ? list.limits.prune : now.prune};
  if (pruned) ++state.prunes;
  for (int k = 0; k < 6; ++k) {
    if (listed) state.list_box[k] = list.box_now[k];
    if (pruned) state.prune_box[k] = list.box_now[k];
  }
}

/// One rank works out all pairs at once.
struct Whole {};
template <bool exact>
using PartOf = std::conditional_t<exact, ListPart, Whole>;

/// A block has a super and one group of its entries, a warp every fourth of them. Lane 8 b + a has atom a of each of the
/// super's clusters of eight in turn and atom b of a cluster of four. Each kind of result has a kernel of its own from this one
/// source.
template <class Model, Wanted wanted, bool exact>
__global__ void __launch_bounds__(block_threads, resident_blocks<Model, wanted, exact>)
    cluster_pairs_kernel(ListView<typename Model::real> list, PairParameters<typename Model::real> p, SumsView sums,
                         Renewal renewal, [[maybe_unused]] PartOf<exact> part) {
  using real = typename Model::real;
  using Lj = typename Model::Lj;
  using Sum = std::conditional_t<exact, Fixed, real>;  // of forces
  UPLIFT_SHARED(PairSite<real>[super_atoms], own);
  UPLIFT_SHARED(Lj[super_atoms], own_lj);
  const int groups = list.capacity / list_group, super = static_cast<int>(blockIdx.x) / groups,
            first = static_cast<int>(blockIdx.x) % groups * list_group;
  const int count = list.entry_count[super];
  const int thread = static_cast<int>(threadIdx.x), warp = thread / lanes, lane = thread % lanes;
  const int a = lane % cluster_i, b = lane / cluster_i;
  const bool listed = has_forces(wanted) && list.rebuild(renewal.list),
             pruning = has_forces(wanted) && (listed || list.prune(renewal.prune));
  // Also where nothing is listed, as some ranks have it, or these atoms would look as if they had moved, and all prune again.
  if (pruning && first == 0 && thread < super_atoms)
    list.prune_sites[super * super_atoms + thread] = list.sites[super * super_atoms + thread];
  if (blockIdx.x == 0 && thread == 0) {
    if (has_forces(wanted)) note_lists(list, listed, pruning);
    list.state->to_use = 1 - list.state->in_use;
  }
  if (first >= count) return;
  // The part inside is the first entries of the supers at home.
  [[maybe_unused]] int home_fours = 0;
  if constexpr (exact) {
    home_fours = super < part.home ? part.home * clusters_j : 0;
    const int last = first + list_group < count ? first + list_group - 1 : count - 1;
    const unsigned entry =
        static_cast<unsigned>(super) * static_cast<unsigned>(list.capacity) + static_cast<unsigned>(part.inside ? first : last);
    if ((list.entries[entry].j < home_fours) != part.inside) return;
  }
  if (thread < super_atoms) {
    own[thread] = list.sites[super * super_atoms + thread];
    own_lj[thread] = Model::lj(list, super * super_atoms + thread);
  }
  __syncthreads();

  // Entries in turns: neighbours in the list have about as many pairs, and warps that end together hold no room for one.
  const int place = first + lane * warps + warp;
  const unsigned own_entry = static_cast<unsigned>(super) * static_cast<unsigned>(list.capacity) + static_cast<unsigned>(place);
  bool has_entry = lane < entries_per_warp && place < count;
  ListEntry mine = has_entry ? list.entries[own_entry] : ListEntry{0, -1, 0, 0, 0};
  if constexpr (exact)
    if ((mine.j < home_fours) != part.inside) {
      has_entry = false;
      mine.outer = mine.inner = mine.exceptions = 0;
    }
  constexpr bool exceptions = Model::kind == LjKind::exceptions;
  const unsigned wanted_clusters = pruning ? mine.outer : mine.inner;
  const unsigned clusters =
      exceptions ? wanted_clusters | static_cast<unsigned>(mine.exceptions) << clusters_i : wanted_clusters;
  Vec3<Sum> force_i[clusters_i];
  for (int c = 0; c < clusters_i; ++c) force_i[c] = {0, 0, 0};
  std::conditional_t<exact, ExactPairTally, PairTally> tally;
  FewPairs<real> few;
  const PairSite<real>* sites_i = own + a;
  const Lj* lj_i = own_lj + a;

  const auto work = [&](auto prunes) {
    for (unsigned todo = __ballot_sync(all_lanes, wanted_clusters != 0); todo != 0; todo &= todo - 1) {
      const int entry = __ffs(static_cast<int>(todo)) - 1;
      const int j = __shfl_sync(all_lanes, mine.j, entry) * cluster_j + b;
      const unsigned mask = __shfl_sync(all_lanes, clusters, entry);
      const int row = __shfl_sync(all_lanes, mine.row, entry);
      const PairSite<real> site_j = list.sites[j];
      const Lj lj_j = Model::lj(list, j);
      [[maybe_unused]] const int atom_j = list.atom_of_slot[j];
      unsigned kept = 0;
      [[maybe_unused]] bool met = false;  // has anything of it a pair in reach? The same for all lanes
      [[maybe_unused]] Vec3<Sum> force_j{0, 0, 0};
      // `masked`: not every pair interacts.
      const auto meet = [&](auto masked, unsigned interact) {
        UPLIFT_DEVICE_UNROLL
        for (int c = 0; c < clusters_i; ++c) {
          if ((mask & 1u << c) == 0) continue;
          const PairSite<real> site_i = sites_i[c * cluster_i];
          const Vec3<real> d = displacement<Model::brick>(p.a, site_i, site_j);
          const real r2 = dot(d, d);
          if (prunes && r2 < list.prune_reach2) kept |= 1u << c;
          const bool in = (!masked || (interact & 1u << c) != 0) && r2 < p.cutoff2;
          if (!__any_sync(all_lanes, in)) continue;
          met = true;
          // Lanes that are out work along. What they get, a number or not, is left out.
          constexpr bool by_series = wanted != Wanted::forces && Model::usual;
          const PairForce<real> f = pair_force<Model::coulomb, Model::kind, Model::erf_terms, Model::may_switch, by_series>(
              p, r2, site_i.charge * site_j.charge, lj_i[c * cluster_i], lj_j,
              exceptions && (mask & 1u << (c + clusters_i)) != 0);
          if constexpr (!has_forces(wanted)) {
            if constexpr (exact)
              if (in) tally.add(d, f);
            if constexpr (!exact)
              if (in) few.add(d, f);
          } else {
            const real scale = in ? f.force_over_r : 0;
            if constexpr (exact) {
              if (wanted == Wanted::forces_and_energies && in) tally.add_energies(f);
              const Vec3<Fixed> force = whole_force(scale * d);
              force_i[c] += force;
              force_j -= force;
            } else {
              if (wanted == Wanted::forces_and_energies && in) few.add_energies(f);
              force_i[c] += scale * d;
              force_j -= scale * d;
            }
          }
        }
      };
      if (Model::usual && !exact && has_forces(wanted) && !prunes && row < 0)
        meet(std::false_type{}, 0xffu);
      else
        meet(std::true_type{}, row < 0 ? 0xffu : list.rows[static_cast<std::ptrdiff_t>(row) * lanes + lane]);
      if constexpr (has_forces(wanted)) {
        if (prunes) {
          kept = __reduce_or_sync(all_lanes, kept);
          if (lane == entry) mine.inner = static_cast<std::uint16_t>(kept);
        }
        if (!met) continue;
        const Sum total = sum_for_j(force_j, lane);
        if (a < 3 && atom_j >= 0) add(sums.force + 3 * static_cast<std::ptrdiff_t>(atom_j) + a, in_fixed(total));
      } else if constexpr (!exact) {
        tally.add(few);
        few = {};
      }
    }
  };
  if (pruning)
    work(std::true_type{});
  else
    work(std::false_type{});

  if constexpr (wanted == Wanted::forces_and_energies && !exact) tally.add(few);
  if constexpr (wanted == Wanted::tally || wanted == Wanted::forces_and_energies) tally.flush_energies(sums);
  if constexpr (!has_forces(wanted)) {
    tally.flush_virial(sums);
  } else {
    if (pruning && has_entry) list.entries[own_entry].inner = mine.inner;
    Vec3<Sum> sum[2];
    sum_for_i(force_i, lane, sum);
    // Each warp by itself: more additions than one for all of them, but no warp waits for the block's last.
    UPLIFT_DEVICE_UNROLL
    for (int c = 0; c < 2; ++c) {
      const int atom = list.atom_of_slot[super * super_atoms + (first_summed(b) + c) * cluster_i + a];
      if (atom < 0) continue;
      Fixed* to = sums.force + 3 * static_cast<std::ptrdiff_t>(atom);
      add(to, in_fixed(sum[c].x));
      add(to + 1, in_fixed(sum[c].y));
      add(to + 2, in_fixed(sum[c].z));
    }
  }
}

/// What to launch with a list.
struct Wish {
  Renewal renewal;
  bool with_energies;
  Tally tally;
  ListPart part{0, false};
};

template <bool exact, class Model, Wanted wanted>
void launch(const ListView<typename Model::real>& list, const PairParameters<typename Model::real>& p, const SumsView& sums,
            const Wish& wish, cudaStream_t stream) {
  PartOf<exact> part;
  if constexpr (exact) part = wish.part;
  const cuda::LaunchShape shape{static_cast<unsigned>(list.supers * (list.capacity / list_group)), block_threads};
  UPLIFT_LAUNCH((cluster_pairs_kernel<Model, wanted, exact>), shape, stream, list, p, sums, wish.renewal, part);
}

/// Forces by one model, and by another all that has energies.
template <bool exact, class Model, class WithEnergies = Model>
void launch_models(const ListView<typename Model::real>& list, const PairParameters<typename Model::real>& p,
                   const SumsView& sums, const Wish& wish, cudaStream_t stream) {
  if (wish.with_energies)
    launch<exact, WithEnergies, Wanted::forces_and_energies>(list, p, sums, wish, stream);
  else
    launch<exact, Model, Wanted::forces>(list, p, sums, wish, stream);
  if (wish.tally.virial && wish.with_energies)
    launch<exact, WithEnergies, Wanted::virial>(list, p, sums, wish, stream);
  else if (wish.tally.any() && !wish.with_energies)
    launch<exact, WithEnergies, Wanted::tally>(list, p, sums, wish, stream);
}
/// Energies come from a series, whatever the number of terms.
template <bool exact, bool brick>
void launch_everyday(const ListView<float>& list, const PairParameters<float>& p, const SumsView& sums, const Wish& wish,
                     cudaStream_t stream) {
  using Common = Everyday<brick, common_erf_terms>;
  if (p.erf_terms <= usual_erf_terms)
    launch_models<exact, Everyday<brick, usual_erf_terms>, Common>(list, p, sums, wish, stream);
  else
    launch_models<exact, Common>(list, p, sums, wish, stream);
}

template <bool exact, class real>
void launch_pairs(CoulombForm form, const ListView<real>& list, const PairParameters<real>& p, const SumsView& sums,
                  const Wish& wish, cudaStream_t stream) {
  if (form != CoulombForm::ewald) {
    using Any = General<real, CoulombForm::reaction_field, 0>;
    return launch_models<exact, Any>(list, p, sums, wish, stream);
  }
  using Any = General<real, CoulombForm::ewald, 0>;
  if constexpr (sizeof(real) == 4) {
    const auto by = [&]<class Model>(Model) { launch_models<exact, Model>(list, p, sums, wish, stream); };
    if (p.erf_terms <= common_erf_terms) {
      if (p.kind == LjKind::exceptions) return by(Excepted{});
      if (p.kind == LjKind::geometric) return by(Ruled<LjKind::geometric>{});
      if (p.kind == LjKind::lorentz_berthelot && p.switching) return by(Ruled<LjKind::lorentz_berthelot>{});
      if (p.kind == LjKind::lorentz_berthelot)
        return list.brick ? launch_everyday<exact, true>(list, p, sums, wish, stream)
                          : launch_everyday<exact, false>(list, p, sums, wish, stream);
    }
    if (p.erf_terms <= fixed_erf_terms) return by(General<real, CoulombForm::ewald, fixed_erf_terms>{});
  }
  launch_models<exact, Any>(list, p, sums, wish, stream);
}

}  // namespace
}  // namespace uplift::UPLIFT_DEVICE

#pragma once
// Which clusters of atoms may interact, found and kept on the device without a word from the host. Atoms are sorted in space
// into supers of 64: eight clusters of eight that force loops take as i, or sixteen of four that they take as j. The outer list
// of a super has every cluster of four within the cutoff and a generous buffer, with a bit for each of its eight clusters; the
// inner list is the same entries with fewer bits, pruned to a thin buffer by the distances of atoms. Each is renewed before any
// atom has moved half of its buffer.
//
// Kernels of a rebuild are queued before every evaluation and return at once when there is nothing to do, so that no one waits
// for a decision. All that they write is a function of positions and box alone, whatever the order of threads.
#include <cuda/pairs.cuh>

#include <bit>

#include "physics/pair/listing.hpp"
#include "uplift/core/open_place.hpp"

namespace uplift::UPLIFT_DEVICE {

/// A warp has a lane for each of 8 x 4 pairs, and an entry of a super's list is one cluster of four (j) for all of the super's
/// own eight clusters of eight (i), which stay where they are from entry to entry. On the CPU (cpu/pair_kernels.hpp) it is the
/// other way round: i has four atoms, j eight.
inline constexpr int cluster_i = 8, cluster_j = 4, super_atoms = 64;
inline constexpr int clusters_i = super_atoms / cluster_i, clusters_j = super_atoms / cluster_j;
inline constexpr int list_group = 64;  ///< entries that one block of the pair kernel takes; lists have room for a multiple

struct alignas(16) ListEntry {
  int j;                            ///< cluster of four
  int row;                          ///< of ListView::rows, or -1: every pair interacts
  unsigned outer;                   ///< bit c: the super's cluster c
  std::uint16_t inner, exceptions;  ///< the same; of those of the outer list, which may have pairs that are exceptions (LjKind)
};

/// Extent of a cluster in fractions of the box; half_x < 0: no atoms.
struct ClusterBounds {
  float x, y, z, half_x, half_y, half_z;
  unsigned every, any;  ///< bits of zones that every atom, or any, has
};

/// The extent of many atoms, as places (ListPlace); low above high: there are none.
struct ListExtent {
  std::uint32_t low[3], high[3];
  unsigned every, any;  ///< as of ClusterBounds
};
/// Supers that follow each other stand on top of each other, as a rule.
inline constexpr int supers_of_stack = 32;

/// Where an atom lies when pairs are listed: fractions of the box in units of 2^-32, or along open directions places from -1/2
/// on in units of 2^-31.
struct ListPlace {
  std::uint32_t x, y, z;
};

/// Which atoms are listed, and which of their pairs: on one rank all; else those of a RankShare, told by zones and by places
/// without a period along open directions.
struct ShareView {
  int listed;                ///< atoms
  const int* atom;           ///< [listed], or null: all
  const std::uint8_t* zone;  ///< [atoms], or null: one rank
  int zones;                 ///< all are below
  bool open[3];
  double middle[3], upper[3];  ///< fractions of the box, as of RankShare
  // Cells: coordinates from `low` on, times `scale`, divided by 2^32.
  std::uint32_t low[3];
  std::uint64_t scale[3];

  __device__ int operator[](int n) const { return atom ? atom[n] : n; }
  __device__ int zone_of(int a) const { return zone ? zone[a] : 0; }
  /// RankShare::place
  __device__ double place(int a, int d, double fraction) const {
    return open_place(fraction, middle[d], (zone[a] >> d & 1) ? upper[d] : 0.0);
  }
};

/// While atoms are sorted.
struct ListedAtom {
  int atom, cell;
  std::uint32_t height;  ///< ListPlace::z
};

/// Shared by kernels of one evaluation and the next. What every block looks at comes first, in one line of the cache.
struct alignas(64) ListState {
  /// Bits of the largest squared displacement [nm^2] since, against a box that was scaled. Evaluations take the two places in
  /// turns, so that one is cleared while the other is in use: `to_use` is the next evaluation's, which makes it the one
  /// `in_use` where it places sites.
  struct Moved {
    unsigned list, prune;
  } moved[2];
  /// The largest that lists are good for, in the same places; negative: for nothing any more.
  struct Limits {
    float list, prune;
  } limits[2];
  int to_use, in_use;
  int counted;  ///< blocks that have counted their atoms
  int rows;     ///< used
  /// Of any super, and together, more than there is room for included, in all lists since the host began to count: one that had
  /// no room may be followed by one that has before anybody looks.
  struct Most {
    int entries, rows;
  } most;
  int builds, prunes;                ///< so far
  double list_box[6], prune_box[6];  ///< when atoms were listed, when pruned (ListView::box_now)
};

/// Cells of about eight atoms, in columns as wide as a super; neighbours in this order are neighbours in space.
struct CellGrid {
  int nx, ny, nz;
  __host__ __device__ int count() const { return nx * ny * nz; }
};

template <class real>
struct Placing;
template <class real>
struct ListView {
  PairsView pairs;
  BoxView box;
  float length[3];  ///< of fractions, for bounds: edges, or widths where the box is not a brick [nm]
  bool brick;
  CellGrid grid;
  int supers, capacity, row_capacity;
  double box_now[6];         ///< a.x, b.x, c.x, b.y, c.y, c.z [nm]
  float reach;               ///< [nm]
  float prune_reach2;        ///< [nm^2]
  ListState::Limits limits;  ///< of lists that are made now
  ShareView share;
  int* atom_of_slot;                                  ///< [64 supers], -1: filler, the last ones
  int* slot_of_atom;                                  ///< [atoms]; -1: not listed
  PairSite<real>*sites, *list_sites, *prune_sites;    ///< [64 supers] now, when listed, when pruned
  TabledLj* tabled_lj;                                ///< [64 supers]
  RuledLj<real>* ruled_lj;                            ///< [64 supers], or null
  const RuledLj<real>* ruled_lj_of_type;              ///< [types], or null
  Vec3d* list_x;                                      ///< [atoms] when listed [nm]
  ListPlace* places;                                  ///< [64 supers] when listed; of several ranks
  const std::uint64_t *own_mark, *partner_marks;      ///< [types] of ExceptionMarks, or null: no exceptions
  std::uint64_t *marks_i, *marks_j;                   ///< [8 supers] of partners, [16 supers] own
  ClusterBounds *bounds_i, *bounds_j, *bounds_super;  ///< [8 supers], [16 supers], [supers]
  ListExtent* extent_of_stack;                        ///< [stacks]
  int *cell_count, *cell_start;                       ///< [cells + 1]; counts are zero between builds
  ListedAtom* unordered;                              ///< [atoms] cell by cell
  ListEntry* entries;                                 ///< [supers][capacity], j ascending
  int* entry_count;                                   ///< [supers]
  std::uint8_t*
      rows;  ///< [row_capacity][32], bit c of byte `lane`: atom lane % 8 of cluster c and atom lane / 8 of the four interact
  ListState* state;

  __device__ bool rebuild(bool forced) const { return forced || !(number(moved().list) <= state->limits[state->in_use].list); }
  __device__ bool prune(bool forced) const { return forced || !(number(moved().prune) <= state->limits[state->in_use].prune); }
  __device__ const ListState::Moved& moved() const { return state->moved[state->in_use]; }
  __host__ __device__ int stacks() const { return (supers + supers_of_stack - 1) / supers_of_stack; }
  __host__ __device__ int cells() const { return share.zones * grid.count(); }
  __device__ static float number(unsigned bits) { return std::bit_cast<float>(bits); }
  /// Every pair of supers has one home, and each about as many.
  __device__ static bool owns(int i, int j) { return i == j || ((i < j) == ((i + j) % 2 == 0)); }
};

/// What a list and its pruning are for: pairs within the cutoff, of atoms that move by half of the buffers. A buffer is wider
/// than what it is good for by `rounding` [nm].
struct ListBuffers {
  double cutoff, outer, inner, rounding;

  /// The square of how far atoms may move before a pair is missed [nm^2], in a box of which some edge is `smallest` times as
  /// long as when pairs were listed, and none less: two that were beyond cutoff and buffer then are beyond that much of it.
  __host__ __device__ float limit(double buffer, double smallest) const {
    const double half = 0.5 * physics::list_slack(cutoff, buffer, smallest) - rounding;
    return half > 0 ? static_cast<float>(half * half) : -1.0f;
  }
};
/// In another box: how far atoms may move from now on. `restored`: of a list that was made in this one, by itself.
template <class real>
void launch_limits(const ListView<real>& list, const ListBuffers& buffers, bool restored, cudaStream_t stream);
/// What is done whatever atoms have done: pairs are listed anew, and pruned anew.
struct Renewal {
  bool list, prune;
};

/// Sites as of x, and how far they are from those of the lists (placing.cuh). For lists that were built.
template <class real>
void launch_place(const ListView<real>& list, const Placing<real>& to, const Vec3d* x, cudaStream_t stream);
/// Atoms in the order of cells, clusters and their bounds: the first part of launch_rebuild().
template <class real>
void launch_sort_atoms(const ListView<real>& list, const Vec3d* x, bool forced, cudaStream_t stream);
/// Sorts atoms and lists clusters anew when some atom has moved too far, or when `forced`.
template <class real>
void launch_rebuild(const ListView<real>& list, const Vec3d* x, bool forced, cudaStream_t stream);
/// Forces of all pairs in the cutoff; prunes on the way when some atom has moved too far, or where it must. Energies come with
/// the forces if `with_energies`; what else of `tally` is wanted has a kernel of its own, so that forces have the same bits
/// with it and without.
template <class real>
void launch_cluster_pairs(CoulombForm form, const ListView<real>& list, const PairParameters<real>& parameters, Renewal renewal,
                          const SumsView& sums, bool with_energies, Tally tally, cudaStream_t stream);
/// A part of the pairs of a rank. Supers with atoms at home alone come first, `home` of them: pairs among these can be worked
/// out before positions of the halo have come (`inside`), and all others afterwards. Each part is pruned for itself, with a
/// state and sites of its own when it was.
struct ListPart {
  int home;
  bool inside;
};
/// The same, but that each pair becomes an integer before it is added to others: sums do not depend on clusters, nor on how
/// pairs are shared out. The list of the part inside has the supers at home alone.
template <class real>
void launch_exact_cluster_pairs(CoulombForm form, const ListView<real>& list, const PairParameters<real>& parameters,
                                ListPart part, Renewal renewal, const SumsView& sums, bool with_energies, Tally tally,
                                cudaStream_t stream);

}  // namespace uplift::UPLIFT_DEVICE

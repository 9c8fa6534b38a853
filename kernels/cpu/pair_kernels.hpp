#pragma once
// Nonbonded pairs on the CPU: clusters of four atoms (i) against clusters of eight (j), one 4 x 8 block of pairs an entry of
// the list.
//
//        j0 j1 j2 j3 j4 j5 j6 j7        AVX-512, float: rows i0 and i1 share a register, i2 and i3 the next
//   i0 |  .  .  .  .  .  .  .  .        AVX2, float, and AVX-512, double: a row a register
//   i1 |  .  .  .  .  .  .  .  .        narrower: a row is several registers
//   i2 |  .  .  .  .  .  .  .  .
//   i3 |  .  .  .  .  .  .  .  .        bit 8 i + j of an entry's mask: the pair interacts
#include <cstdint>

#include "cpu/cpu_isa.hpp"
#include "physics/pair/coulomb.hpp"

namespace uplift::cpu {

/// The j atoms are the lanes of a register, as many as AVX2 has floats, and an i atom is a row. On a device
/// (cuda/pair_list.cuh), where a pair is a lane, it is the other way round: i has eight atoms, j four.
inline constexpr int cluster_i = 4, cluster_j = 8;

/// Where Lennard-Jones parameters of a pair come from (LjRules): rules, rules or the table where it has the pair, the table.
enum class LjForm : int { lorentz_berthelot, geometric, exceptions, table };
enum class CoulombForm : int { plain, reaction_field, ewald };

struct PairEntry {
  std::int32_t j;  ///< cluster of eight
  std::uint32_t mask;
};

/// Positions as the pair loop sees them. Mixed: 32-bit fractions of the period, differences exact and periodic by overflow.
/// Double: fractions in [0, 1), the nearest image by rounding.
template <class real>
struct PairCoordinate;
template <>
struct PairCoordinate<float> {
  using type = std::int32_t;
};
template <>
struct PairCoordinate<double> {
  using type = double;
};

template <class real>
struct PairParameters {
  real a[6];  ///< displacement from fractions: x = a0 u + a1 v + a2 w, y = a3 v + a4 w, z = a5 w [nm a unit]
  bool triclinic, periodic;
  real cutoff2;  ///< [nm^2]; infinite without a cutoff
  bool switching;
  real switch_on, switch_inverse_width;
  real rf_k, rf_c;
  int lj_types;
  const real* c6;   ///< [lj_types^2]
  const real* c12;  ///< with exceptions below 0 for pairs that follow the rules
  physics::ErfTable<real> erf;
  physics::ErfPieces pieces;  ///< used instead of the table where it has terms, in mixed precision with AVX-512
  bool boosted;               ///< energies and virial go with the forces of PairTally::boost
};

/// One entry a slot; slots beyond the atoms of a cluster are fillers, masked everywhere.
template <class real>
struct PairSlots {
  const typename PairCoordinate<real>::type *x, *y, *z;
  const real* charge;                ///< times sqrt of the Coulomb constant
  const real *lj_first, *lj_second;  ///< of LjRules
  const std::int32_t* type;
  const std::uint8_t*
      half_lj;  ///< one entry an i cluster: its last two atoms have no Lennard-Jones parameters (water's hydrogens)
};

/// What is added up besides forces. For a boost, which wants energies at every step, they are worked out together with forces,
/// which then have bits of their own.
enum class PairTally : int { none, energies, boost, energies_and_virial };
/// Of one i cluster.
struct PairSums {
  double lj, coulomb, virial[6];  ///< virial xx yy zz xy xz yz
};

template <class real>
struct PairOps {
  /// Sums that a force consists of until flush(): room for a cluster of eight is 3 x 8 x this.
  int sums_a_force;
  /// Forces of one i cluster against its entries, added to `force` of both: for each cluster of eight, x of its slots (as
  /// often as there are sums), then y, then z [kJ/mol/nm]. `sums` is written as far as `tally` says, or farther.
  void (*pairs)(const PairParameters<real>&, const PairSlots<real>&, int i_cluster, const PairEntry* entries, int count, LjForm,
                CoulombForm, real* force, PairTally tally, PairSums* sums);
  /// Moves the forces of some clusters of eight into fixed point, unit 2^-32 kJ/mol/nm, in the same order, and leaves zeros
  /// behind.
  void (*flush)(const std::int32_t* clusters, int count, real* force, std::int64_t* fixed);
  /// Keeps the entries with a pair closer than sqrt(reach2); returns how many.
  int (*prune)(const PairParameters<real>&, const PairSlots<real>&, int i_cluster, const PairEntry* entries, int count,
               real reach2, PairEntry* kept);
  /// qq erf(alpha r)/r of excluded pairs, from displacements; count is a multiple of 16 or padded with zero charges.
  void (*excluded)(const physics::ErfTable<real>&, const real* dx, const real* dy, const real* dz, const real* qq, int count,
                   real* force_over_r, real* energy);
};

/// Boxes round clusters, edges along the axes of the cell: centres and half widths, fractions of the cell.
struct ClusterBounds {
  const float *x, *y, *z, *half_x, *half_y, *half_z;  ///< half widths are negative for clusters of fillers
};

/// Lower bounds of distances between boxes. Rectangular cell: along each axis a fraction times the edge; otherwise the largest
/// of the fractions times the cell's width across that axis.
struct NearParameters {
  float length[3];
  float period[3];  ///< 1, or 0 for a direction that is cut into domains, where coordinates do not wrap round
  bool rectangular;
  float reach;  ///< [nm], with room for the rounding of float
};

struct PairKernels {
  PairOps<float> mixed;
  PairOps<double> double_;
  /// Of the j clusters first to last - 1, lists in `out` those that may have an atom within reach of i cluster `i`, nearest
  /// images taken; returns how many. Arrays may be read, and `out` written, 16 beyond.
  int (*near)(const NearParameters&, const ClusterBounds& bounds_i, int i, const ClusterBounds& bounds_j, int first, int last,
              std::int32_t* out);
};

}  // namespace uplift::cpu

UPLIFT_DECLARE_KERNELS(PairKernels, pair_kernels)

namespace uplift::cpu {

/// Those of one precision.
template <class real>
const PairOps<real>& select_pair_ops() {
  if constexpr (sizeof(real) == 4)
    return select_pair_kernels().mixed;
  else
    return select_pair_kernels().double_;
}

}  // namespace uplift::cpu

#pragma once
// The pair loop whose sums are the same whichever way atoms are put into clusters, tasks and ranks: what a pair contributes
// becomes an integer before anything is added to it. Several ranks use it. It is less accurate in mixed precision than the loop
// of pair_kernels.hpp, and slower, so one rank does not.
#include "cpu/pair_kernels.hpp"

namespace uplift::cpu {

/// Contributions are rounded to multiples of a power of two by adding 1.5 times 2^(bits of the mantissa): the low bits of the
/// sum are the integer. That costs nothing, being a fused multiply-add in place of a product, and holds below `most` units; the
/// few that are larger (atoms that all but overlap) take a road of their own, in 64-bit integers.
template <class real>
struct PairLattice;
template <>
struct PairLattice<float> {
  using Integer = std::int32_t;
  static constexpr int force = 11, lj = 14, coulomb = 10;  ///< units are 2^-n kJ/mol/nm, kJ/mol; virial as forces
  /// Many small Coulomb energies of both signs make a large sum: what the unit above leaves of one, in this one.
  static constexpr int coulomb_rest = 26;
  static constexpr float magic = 0x1.8p23f, most = 0x1.ffp21f;
};
template <>
struct PairLattice<double> {
  using Integer = std::int64_t;
  static constexpr int force = 32, lj = 32, coulomb = 32;
  static constexpr double magic = 0x1.8p52, most = 0x1.ffp50;
};
/// Largest force of a pair that the lattice holds, with the virial that belongs to it [kJ/mol/nm]. `cutoff`: of a periodic
/// system.
template <class real>
constexpr real lattice_limit(double cutoff) {
  return PairLattice<real>::most / static_cast<real>(std::int64_t{1} << PairLattice<real>::force) /
         static_cast<real>(cutoff > 1 ? cutoff : 1);
}

template <class real>
struct ExactPairParameters : PairParameters<real> {
  real limit;  ///< lattice_limit()
};

/// Of one i cluster, in fixed point (uplift/core/fixed_point.hpp).
struct ExactPairSums {
  std::int64_t lj, coulomb, virial[6];  ///< virial xx yy zz xy xz yz
};

template <class real>
struct ExactPairOps {
  using Integer = typename PairLattice<real>::Integer;
  /// As PairOps::pairs, `force` in units of 2^-PairLattice::force kJ/mol/nm; forces too large for it go to `fixed`, in the same
  /// order.
  void (*pairs)(const ExactPairParameters<real>&, const PairSlots<real>&, int i_cluster, const PairEntry* entries, int count,
                LjForm, CoulombForm, Integer* force, std::int64_t* fixed, PairTally tally, ExactPairSums* sums);
  /// As PairOps::flush.
  void (*flush)(const std::int32_t* clusters, int count, Integer* force, std::int64_t* fixed);
};

struct ExactPairKernels {
  ExactPairOps<float> mixed;
  ExactPairOps<double> double_;
};

}  // namespace uplift::cpu

UPLIFT_DECLARE_KERNELS(ExactPairKernels, exact_pair_kernels)

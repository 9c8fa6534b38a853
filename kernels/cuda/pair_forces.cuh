#pragma once
// Places of atoms, and the force of one pair and what it adds to energies and virial, for all kernels of nonbonded pairs.
#include <cuda/adding.cuh>
#include <cuda/pairs.cuh>

#include "uplift/model/energies.hpp"

namespace uplift::UPLIFT_DEVICE {

/// A fraction of the box, wrapped into it, in units of 2^-32; not a number becomes 0, and the blow-up check finds the atom.
__device__ inline std::uint32_t lattice(double fraction) {
  const double u = fraction - std::floor(fraction);
  return static_cast<std::uint32_t>(u >= 0 && u < 1 ? static_cast<std::uint64_t>(u * 0x1p32 + 0.5) : 0);
}
/// A product that is rounded by itself, whatever it is added to: for what several kernels must work out to the same bits.
template <class T>
__device__ T unfused(T a, T b) {
#if defined(__CUDACC__)
  if constexpr (sizeof(T) == 4)
    return __fmul_rn(a, b);
  else
    return __dmul_rn(a, b);
#else
  return a * b;
#endif
}
/// a b + c, rounded once. Where c is a product too, a compiler may fuse either one.
template <class T>
__device__ T fused(T a, T b, T c) {
#if defined(__CUDACC__)
  if constexpr (sizeof(T) == 4)
    return __fmaf_rn(a, b, c);
  else
    return __fma_rn(a, b, c);
#else
  return a * b + c;
#endif
}
__device__ inline Vec3d fraction_of(const BoxView& box, const Vec3d& r) {
  const double sz = unfused(r.z, box.inverse_cz), sy = unfused(r.y - unfused(sz, box.cy), box.inverse_by);
  return {unfused(r.x - unfused(sy, box.bx) - unfused(sz, box.cx), box.inverse_ax), sy, sz};
}
__device__ inline void set(std::int32_t& to, double fraction) { to = static_cast<std::int32_t>(lattice(fraction)); }
__device__ inline void set(double& to, double fraction) { to = fraction == fraction ? fraction - std::floor(fraction) : 0; }

/// Difference of two coordinates, in [-1/2, 1/2] of the box.
__device__ inline float difference(std::int32_t a, std::int32_t b) {
  return static_cast<float>(static_cast<std::int32_t>(static_cast<std::uint32_t>(a) - static_cast<std::uint32_t>(b)));
}
__device__ inline double difference(double a, double b) {
  const double d = a - b;
  return d - std::nearbyint(d);
}
/// `brick`: the box is known to be rectangular.
template <bool brick = false, class real>
__device__ Vec3<real> displacement(const real* a, const PairSite<real>& i, const PairSite<real>& j) {
  const real ux = difference(i.x, j.x), uy = difference(i.y, j.y), uz = difference(i.z, j.z);
  if constexpr (brick) return {a[0] * ux, a[3] * uy, a[5] * uz};
  return {a[0] * ux + a[1] * uy + a[2] * uz, a[3] * uy + a[4] * uz, a[5] * uz};
}

/// `excepted`: the pair may be an exception of the rules.
template <LjKind, class real>
__device__ physics::PairTerm<real> lennard_jones(const PairParameters<real>& p, real inverse_r2, TabledLj i, TabledLj j, bool) {
  const LennardJones<real> table = p.lj[i.type * p.types + j.type];
  return physics::lennard_jones(inverse_r2, table.c6, table.c12);
}
template <LjKind kind, class real>
__device__ physics::PairTerm<real> lennard_jones(const PairParameters<real>&, real inverse_r2, const RuledLj<real>& i,
                                                 const RuledLj<real>& j, bool) {
  if constexpr (kind == LjKind::geometric)
    return physics::lennard_jones_geometric(inverse_r2, i.first, j.first, i.second, j.second);
  return physics::lennard_jones_combined(inverse_r2, i.first, j.first, i.second, j.second);
}
template <LjKind, class real>
__device__ physics::PairTerm<real> lennard_jones(const PairParameters<real>& p, real inverse_r2, const ExceptedLj<real>& i,
                                                 const ExceptedLj<real>& j, bool excepted) {
  if (excepted) {
    const LennardJones<real> table = p.exceptions[i.type * p.types + j.type];
    if (!(table.c12 < 0)) return physics::lennard_jones(inverse_r2, table.c6, table.c12);
  }
  return lennard_jones<LjKind::lorentz_berthelot>(p, inverse_r2, i.ruled, j.ruled, false);
}

template <class real>
struct PairForce {
  real lj, coulomb, force_over_r;
};
/// Of two sites at a squared distance r2 below the cutoff's; qq is the product of their charges. `erf_terms`: as many of
/// the table are used, the last; 0: as many as it says; `by_series`: the series instead; `excepted`: as of lennard_jones().
/// What the caller does not use costs nothing.
template <CoulombForm form, LjKind kind, int erf_terms = 0, bool may_switch = true, bool by_series = false, class real,
          class Lj>
__device__ PairForce<real> pair_force(const PairParameters<real>& p, real r2, real qq, const Lj& lj_i, const Lj& lj_j,
                                      bool excepted = false) {
  const real inverse_r = physics::rsqrt(r2), inverse_r2 = inverse_r * inverse_r;
  physics::PairTerm<real> lj = lennard_jones<kind>(p, inverse_r2, lj_i, lj_j, excepted);
  if (may_switch && p.switching) lj = physics::switched(lj, r2 * inverse_r, inverse_r, p.switch_on, p.switch_inverse_width);
  physics::PairTerm<real> coulomb;  // to be multiplied by qq
  if constexpr (form == CoulombForm::ewald && by_series)
    coulomb = physics::coulomb_ewald_series(r2, inverse_r, p.series);
  else if constexpr (form == CoulombForm::ewald)
    coulomb = physics::coulomb_ewald < erf_terms, erf_terms == 0 ? 0 : fixed_erf_terms - erf_terms > (r2, inverse_r, p.erf);
  else if constexpr (form == CoulombForm::reaction_field)
    coulomb = physics::coulomb_reaction_field(r2, inverse_r, p.rf_k, p.rf_c);
  else
    coulomb = physics::coulomb_plain(inverse_r);
  // Compilers make loops of their own for pairs that are not switched, but not of each loop: for sm_120 one that prunes fused
  // the other product than one that does not. Where nothing is ever switched all are alike, and `fused` costs a spill.
  const real force_over_r =
      may_switch ? fused(qq, coulomb.force_over_r, lj.force_over_r) : physics::madd(qq, coulomb.force_over_r, lj.force_over_r);
  return {lj.energy, qq * coulomb.energy, force_over_r};
}

/// Energy and the six different components of the virial of so few pairs that they can be added up as they are.
template <class real>
struct FewPairs {
  real lj = 0, coulomb = 0, virial[6] = {0, 0, 0, 0, 0, 0};  ///< xx yy zz xy xz yz
  __device__ void add_energies(const PairForce<real>& f) {
    lj += f.lj;
    coulomb += f.coulomb;
  }
  __device__ void add(const Vec3<real>& d, const PairForce<real>& f) {
    add_energies(f);
    const Vec3<real> force = f.force_over_r * d;
    virial[0] += force.x * d.x;
    virial[1] += force.y * d.y;
    virial[2] += force.z * d.z;
    virial[3] += force.x * d.y;
    virial[4] += force.x * d.z;
    virial[5] += force.y * d.z;
  }
};
/// The same of many.
struct PairTally {
  double lj = 0, coulomb = 0, virial[6] = {0, 0, 0, 0, 0, 0};
  template <class real>
  __device__ void add(const FewPairs<real>& few) {
    lj += static_cast<double>(few.lj);
    coulomb += static_cast<double>(few.coulomb);
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < 6; ++k) virial[k] += static_cast<double>(few.virial[k]);
  }
  template <class real>
  __device__ void add(const Vec3<real>& d, const PairForce<real>& f) {
    lj += static_cast<double>(f.lj);
    coulomb += static_cast<double>(f.coulomb);
    const double x = static_cast<double>(d.x), y = static_cast<double>(d.y), z = static_cast<double>(d.z),
                 s = static_cast<double>(f.force_over_r);
    const double more[6] = {s * x * x, s * y * y, s * z * z, s * x * y, s * x * z, s * y * z};
    for (int k = 0; k < 6; ++k) virial[k] += more[k];
  }
  /// Adds `share` of it. Every lane of the warp must call these.
  __device__ void flush_energies(const SumsView& sums, double share = 1) const {
    add_of_warp(sums.energy + static_cast<int>(EnergyTerm::lj), share * lj);
    add_of_warp(sums.energy + static_cast<int>(EnergyTerm::coulomb_direct), share * coulomb);
  }
  __device__ void flush_virial(const SumsView& sums, double share = 1) const {
    const int place[6] = {0, 4, 8, 1, 2, 5}, mirror[6] = {-1, -1, -1, 3, 6, 7};
    for (int k = 0; k < 6; ++k) {
      add_of_warp(sums.virial + place[k], share * virial[k]);
      if (mirror[k] >= 0) add_of_warp(sums.virial + mirror[k], share * virial[k]);
    }
  }
};

/// A contribution as an integer: sums of these are the same in any order, so that pairs may be shared out anyhow.
/// Not a number becomes the clamp, as in fixed_clamped().
__device__ inline Fixed whole(float value, float clamp) {
  return static_cast<Fixed>(__float2ll_rn(std::fmax(std::fmin(value, clamp), -clamp) * 0x1p32f));
}
__device__ inline Fixed whole(double value, double clamp) {
  return static_cast<Fixed>(__double2ll_rn(std::fmax(std::fmin(value, clamp), -clamp) * 0x1p32));
}
template <class real>
__device__ Vec3<Fixed> whole_force(const Vec3<real>& f) {
  constexpr auto clamp = static_cast<real>(force_clamp);
  return {whole(f.x, clamp), whole(f.y, clamp), whole(f.z, clamp)};
}
template <class real>
__device__ Fixed whole_energy(real e) {
  return whole(e, static_cast<real>(energy_clamp));
}

/// As PairTally, pair by pair in integers.
struct ExactPairTally {
  Fixed lj = 0, coulomb = 0, virial[6] = {0, 0, 0, 0, 0, 0};  ///< xx yy zz xy xz yz
  template <class real>
  __device__ void add_energies(const PairForce<real>& f) {
    lj += whole_energy(f.lj);
    coulomb += whole_energy(f.coulomb);
  }
  template <class real>
  __device__ void add(const Vec3<real>& d, const PairForce<real>& f) {
    add_energies(f);
    const double x = static_cast<double>(d.x), y = static_cast<double>(d.y), z = static_cast<double>(d.z),
                 s = static_cast<double>(f.force_over_r);
    const double more[6] = {s * x * x, s * y * y, s * z * z, s * x * y, s * x * z, s * y * z};
    for (int k = 0; k < 6; ++k) virial[k] += whole_energy(more[k]);
  }
  __device__ static void flush(Fixed* to, Fixed value) {
    const Fixed sum = warp_sum(value);
    if (threadIdx.x % warp_lanes == 0 && sum != 0) UPLIFT_DEVICE::add(to, sum);
  }
  /// Every lane of the warp must call these.
  __device__ void flush_energies(const SumsView& sums) const {
    flush(sums.energy + static_cast<int>(EnergyTerm::lj), lj);
    flush(sums.energy + static_cast<int>(EnergyTerm::coulomb_direct), coulomb);
  }
  __device__ void flush_virial(const SumsView& sums) const {
    const int place[6] = {0, 4, 8, 1, 2, 5}, mirror[6] = {-1, -1, -1, 3, 6, 7};
    for (int k = 0; k < 6; ++k) {
      flush(sums.virial + place[k], virial[k]);
      if (mirror[k] >= 0) flush(sums.virial + mirror[k], virial[k]);
    }
  }
};

}  // namespace uplift::UPLIFT_DEVICE

// See the diagram in pair_kernels.hpp. Arithmetic is in physics/pair; here are loads, masks and sums.
#include <algorithm>

#include "cpu/pair_terms.hpp"
#include "uplift/core/fixed_point.hpp"

namespace uplift::cpu::UPLIFT_ISA {
namespace {

/// Where the sums of a cluster of eight begin: rows that share a register have sums of their own until flush().
template <class real>
UPLIFT_HD std::ptrdiff_t sums_place(int cluster) {
  return force_place(cluster) * Shape<real>::rows;
}

/// Takes a register of forces on i atoms from those of j atoms.
template <class real>
UPLIFT_HD void subtract(Pack<real, typename Shape<real>::Tag> f, real* to) {
  const typename Shape<real>::Tag d;
  hn::StoreU(hn::Sub(hn::LoadU(d, to), f.v), d, to);
}

/// Adds f d to two sums, of which the second may only begin. A product for each sum, since fused it costs no more than the
/// addition.
template <class P>
UPLIFT_HD void add_product(P f, P d, P& a, P& b, bool begins) {
#if HWY_NATIVE_FMA
  a = madd(f, d, a);
  b = begins ? f * d : madd(f, d, b);
#else
  const P product = f * d;
  a += product;
  b = begins ? product : b + product;
#endif
}

/// Sums of the rows of a register: one number an i atom.
template <class real>
UPLIFT_HD void row_sums(Pack<real, typename Shape<real>::Tag> f, real* out) {
  const typename Shape<real>::Tag d;
  if constexpr (Shape<real>::rows == 2) {
    const hn::Half<decltype(d)> half;
    out[0] = hn::GetLane(hn::SumOfLanes(half, hn::LowerHalf(half, f.v)));
    out[1] = hn::GetLane(hn::SumOfLanes(half, hn::UpperHalf(half, f.v)));
  } else {
    out[0] = f.sum();
  }
}

/// Sum of all lanes in double.
template <class real>
UPLIFT_HD double total(Pack<real, typename Shape<real>::Tag> f) {
  alignas(64) real lane[Shape<real>::width];
  f.store(lane);
  double sum = 0;
  for (real x : lane) sum += static_cast<double>(x);
  return sum;
}

template <class real, LjForm lj_form, CoulombForm form, bool triclinic, PairTally tally, int erf_terms, bool switching,
          bool half_lj>
void pair_loop(const PairParameters<real>& p, const PairSlots<real>& s, int i_cluster, const PairEntry* entries, int count,
               real* force, PairSums* sums) {
  using S = Shape<real>;
  using P = typename S::P;
  const int i0 = i_cluster * cluster_i;
  IAtoms<real, lj_form> i_atoms(p, s, i0);
  const bool sixfold = lj_form == LjForm::lorentz_berthelot && for_boost<tally>(p) && !(switching && p.switching);
  if constexpr (lj_form == LjForm::lorentz_berthelot)
    if (sixfold)
      for (auto& root : i_atoms.lj_second) root *= P(real(6));
  const Constants<real, erf_terms, tally> constants(p);
  const P zero(real(0));
  P fi[S::groups][3];
  for (auto& f : fi) f[0] = f[1] = f[2] = zero;
  P e_lj = zero, e_coulomb = zero, w[6] = {zero, zero, zero, zero, zero, zero};

  for (int k = 0; k < count; ++k) {
    const int j0 = entries[k].j * cluster_j;
    const std::uint32_t mask = entries[k].mask;
    for (int h = 0; h < S::parts; ++h) {
      const JAtoms<real, lj_form> j_atoms(s, j0 + h * S::chunk);
      P fj[3];
#pragma GCC unroll 4
      for (int g = 0; g < S::groups; ++g) {
        const bool without_lj = half_lj && g >= S::groups / 2;
        const auto [in, r, inverse, qq, lj, coulomb] =
            pair_terms<form, triclinic, switching>(constants, i_atoms, g, j_atoms, h, mask, without_lj, sixfold);
        const P f(hn::IfThenElseZero(in, madd(qq, coulomb.force_over_r, lj.force_over_r).v));
        add_product(f, r.x, fi[g][0], fj[0], g == 0);
        add_product(f, r.y, fi[g][1], fj[1], g == 0);
        add_product(f, r.z, fi[g][2], fj[2], g == 0);
        if constexpr (tally != PairTally::none) {
          // The sum inside the choice: AVX-512 has one instruction for both.
          if (!without_lj) e_lj = select(in, e_lj + lj.energy, e_lj);
          e_coulomb = select(in, madd(qq, coulomb.energy, e_coulomb), e_coulomb);
        }
        if constexpr (tally == PairTally::energies_and_virial) {
          const P fx = f * r.x, fy = f * r.y, fz = f * r.z;
          w[0] = madd(fx, r.x, w[0]);
          w[1] = madd(fy, r.y, w[1]);
          w[2] = madd(fz, r.z, w[2]);
          w[3] = madd(fx, r.y, w[3]);
          w[4] = madd(fx, r.z, w[4]);
          w[5] = madd(fy, r.z, w[5]);
        }
      }
      real* to = force + sums_place<real>(entries[k].j) + h * S::chunk;
      for (int c = 0; c < 3; ++c) subtract<real>(fj[c], to + c * cluster_j * S::rows);
    }
  }
  real* to = force + sums_place<real>(i0 / cluster_j) + i0 % cluster_j;
  for (int g = 0; g < S::groups; ++g)
    for (int c = 0; c < 3; ++c) {
      real row[2];
      row_sums<real>(fi[g][c], row);
      for (int r = 0; r < S::rows; ++r) to[c * cluster_j * S::rows + S::rows * g + r] += row[r];
    }
  if constexpr (tally != PairTally::none) {
    sums->lj = total<real>(e_lj) / (sixfold ? 6 : 1);
    sums->coulomb = total<real>(e_coulomb);
  }
  if constexpr (tally == PairTally::energies_and_virial) {
    for (int c = 0; c < 6; ++c) sums->virial[c] = total<real>(w[c]);
  }
}

template <class real>
void flush(const std::int32_t* clusters, int count, real* force, std::int64_t* fixed) {
  constexpr int values = 3 * cluster_j, rows = Shape<real>::rows;
  for (int k = 0; k < count; ++k) {
    real* const sums = force + sums_place<real>(clusters[k]);
    real* from = sums;
    if constexpr (rows == 2) {  // both rows into the first
      const hn::CappedTag<real, cluster_j> d;
      for (int c = 0; c < 3; ++c)
        hn::StoreU(hn::Add(hn::LoadU(d, sums + 2 * c * cluster_j), hn::LoadU(d, sums + (2 * c + 1) * cluster_j)), d,
                   sums + c * cluster_j);
    }
    std::int64_t* to = fixed + force_place(clusters[k]);
    if constexpr (HWY_TARGET <= HWY_AVX3) {
      const hn::CappedTag<double, 8> d;
      const hn::Rebind<std::int64_t, decltype(d)> di;
      const auto limit = hn::Set(d, force_clamp), scale = hn::Set(d, fixed_scale);
      for (int v = 0; v < values; v += 8) {
        hn::Vec<decltype(d)> f;
        if constexpr (sizeof(real) == 4)
          f = hn::PromoteTo(d, hn::LoadU(hn::CappedTag<float, 8>(), from + v));
        else
          f = hn::LoadU(d, from + v);
        f = hn::Max(hn::Min(f, limit), hn::Neg(limit));  // not a number becomes the limit
        hn::StoreU(hn::Add(hn::LoadU(di, to + v), hn::ConvertTo(di, hn::Mul(f, scale))), di, to + v);
      }
    } else {
      for (int v = 0; v < values; ++v) to[v] += fixed_force(static_cast<double>(from[v]));
    }
    std::fill_n(sums, values * rows, real(0));
  }
}

template <class real>
void pairs(const PairParameters<real>& p, const PairSlots<real>& s, int i, const PairEntry* e, int n, LjForm lj,
           CoulombForm form, real* f, PairTally tally, PairSums* sums) {
  with_variant<false>(
      p, lj, form, s.half_lj[i] != 0, tally,
      [&]<LjForm lj_form, CoulombForm coulomb, bool triclinic, PairTally wanted, int terms, bool switching, bool half>() {
        pair_loop<real, lj_form, coulomb, triclinic, wanted, terms, switching, half>(p, s, i, e, n, f, sums);
      });
}

template <class real, bool triclinic>
int prune_loop(const PairParameters<real>& p, const PairSlots<real>& s, int i_cluster, const PairEntry* entries, int count,
               real reach2, PairEntry* kept) {
  using S = Shape<real>;
  const typename S::CoordinateTag dc;
  const typename S::Tag d;
  const int i0 = i_cluster * cluster_i;
  const Cell<real> cell(p);
  typename S::CoordinateVec xi[S::groups][3];
  for (int g = 0; g < S::groups; ++g) {
    xi[g][0] = S::load_i(dc, s.x + i0, g);
    xi[g][1] = S::load_i(dc, s.y + i0, g);
    xi[g][2] = S::load_i(dc, s.z + i0, g);
  }
  int n = 0;
  for (int k = 0; k < count; ++k) {
    bool near = false;
    for (int h = 0; h < S::parts; ++h) {
      const int j = entries[k].j * cluster_j + h * S::chunk;
      const typename S::CoordinateVec xj[3] = {S::load_j(dc, s.x + j), S::load_j(dc, s.y + j), S::load_j(dc, s.z + j)};
      auto closest = hn::Set(d, real(1e30));
      for (int g = 0; g < S::groups; ++g) {
        const Displacement<real> r = displacement<real, triclinic>(cell, xi[g], xj);
        closest = hn::Min(closest, madd(r.x, r.x, madd(r.y, r.y, r.z * r.z)).v);
      }
      near = near || !hn::AllFalse(d, hn::Lt(closest, hn::Set(d, reach2)));
    }
    kept[n] = entries[k];  // kept may be entries: never ahead of what is read
    n += near;
  }
  return n;
}

template <class real>
int prune(const PairParameters<real>& p, const PairSlots<real>& s, int i, const PairEntry* e, int n, real reach2,
          PairEntry* kept) {
  return p.triclinic ? prune_loop<real, true>(p, s, i, e, n, reach2, kept)
                     : prune_loop<real, false>(p, s, i, e, n, reach2, kept);
}

template <class real>
void excluded(const physics::ErfTable<real>& table, const real* dx, const real* dy, const real* dz, const real* qq, int count,
              real* force_over_r, real* energy) {
  using P = Pack<real, hn::CappedTag<real, 16>>;
  for (int k = 0; k < count; k += P::width) {
    const P x = P::loadu(dx + k), y = P::loadu(dy + k), z = P::loadu(dz + k), q = P::loadu(qq + k);
    const P t = madd(madd(x, x, madd(y, y, z * z)), P(table.scale), P(real(-1)));
    (q * physics::polynomial(t, table.energy, table.energy_count(table.count))).storeu(energy + k);
    (q * physics::polynomial(t, table.force, table.count)).storeu(force_over_r + k);
  }
}

int near(const NearParameters& p, const ClusterBounds& bounds_i, int i, const ClusterBounds& bounds_j, int first, int last,
         std::int32_t* out) {
  using P = Pack<float, hn::CappedTag<float, 16>>;
  const hn::RebindToSigned<P::Tag> di;
  const P x(bounds_i.x[i]), y(bounds_i.y[i]), z(bounds_i.z[i]), hx(bounds_i.half_x[i]), hy(bounds_i.half_y[i]),
      hz(bounds_i.half_z[i]);
  const P zero(0.0f), reach(p.reach);
  const auto gap = [&](P d, P half, int k) {
    return max(abs(nmadd(P(p.period[k]), round(d), d)) - half, zero) * P(p.length[k]);
  };
  int n = 0;
  for (int j = first; j < last; j += P::width) {
    const P half_x = P::loadu(bounds_j.half_x + j);
    const P gx = gap(x - P::loadu(bounds_j.x + j), hx + half_x, 0);
    const P gy = gap(y - P::loadu(bounds_j.y + j), hy + P::loadu(bounds_j.half_y + j), 1);
    const P gz = gap(z - P::loadu(bounds_j.z + j), hz + P::loadu(bounds_j.half_z + j), 2);
    const auto within = p.rectangular ? madd(gx, gx, madd(gy, gy, gz * gz)) < reach * reach : max(gx, max(gy, gz)) < reach;
    const auto wanted =
        hn::And(hn::And(within, zero <= half_x), hn::RebindMask(P::Tag(), hn::Lt(hn::Iota(di, j), hn::Set(di, last))));
    // Not CompressStore: compressing into memory takes some hundred cycles on Zen 4.
    hn::StoreU(hn::Compress(hn::Iota(di, j), hn::RebindMask(di, wanted)), di, out + n);
    n += static_cast<int>(hn::CountTrue(di, hn::RebindMask(di, wanted)));
  }
  return n;
}

}  // namespace

extern const PairKernels pair_kernels;
const PairKernels pair_kernels = {{Shape<float>::rows, pairs<float>, flush<float>, prune<float>, excluded<float>},
                                  {Shape<double>::rows, pairs<double>, flush<double>, prune<double>, excluded<double>},
                                  near};

}  // namespace uplift::cpu::UPLIFT_ISA

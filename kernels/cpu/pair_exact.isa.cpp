// The pair loop of several ranks: what a pair contributes becomes an integer before anything is added to it.
#include <type_traits>

#include "cpu/pair_exact_kernels.hpp"
#include "cpu/pair_terms.hpp"
#include "uplift/core/fixed_point.hpp"

namespace uplift::cpu::UPLIFT_ISA {
namespace {

/// What adding the magic number leaves in the bits of a zero.
template <class real>
constexpr auto lattice_zero = sizeof(real) == 4 ? typename PairLattice<real>::Integer(0x4b400000)
                                                : static_cast<typename PairLattice<real>::Integer>(0x4338000000000000);

/// a b on the lattice, plus lattice_zero.
template <class real>
UPLIFT_HD typename Shape<real>::IntVec lattice(const typename Shape<real>::P& a, const typename Shape<real>::P& b) {
  return hn::BitCast(typename Shape<real>::IntTag(), madd(a, b, typename Shape<real>::P(PairLattice<real>::magic)).v);
}

/// Adds a register of j forces, its rows summed, to `to`.
template <class real>
UPLIFT_HD void add_rows(typename Shape<real>::IntVec f, typename Shape<real>::Int* to) {
  const hn::CappedTag<typename Shape<real>::Int, Shape<real>::chunk> d;
  if constexpr (Shape<real>::rows == 2) {
    const hn::Half<typename Shape<real>::IntTag> half;
    f = hn::Combine(typename Shape<real>::IntTag(), hn::Zero(half), hn::Add(hn::LowerHalf(half, f), hn::UpperHalf(half, f)));
    hn::StoreU(hn::Add(hn::LoadU(d, to), hn::LowerHalf(half, f)), d, to);
  } else {
    hn::StoreU(hn::Add(hn::LoadU(d, to), f), d, to);
  }
}

/// Sums of the rows of a register: one number an i atom.
template <class real>
UPLIFT_HD void row_sums(typename Shape<real>::IntVec f, typename Shape<real>::Int* out) {
  const typename Shape<real>::IntTag d;
  if constexpr (Shape<real>::rows == 2) {
    const hn::Half<decltype(d)> half;
    out[0] = hn::GetLane(hn::SumOfLanes(half, hn::LowerHalf(half, f)));
    out[1] = hn::GetLane(hn::SumOfLanes(half, hn::UpperHalf(half, f)));
  } else {
    out[0] = hn::GetLane(hn::SumOfLanes(d, f));
  }
}

/// Sum of all lanes, in units of 2^-32; `zeros` times lattice_zero is in each.
template <class real>
UPLIFT_HD std::int64_t total(typename Shape<real>::IntVec f, int zeros, int bits) {
  using Int = typename Shape<real>::Int;
  using Bits = std::make_unsigned_t<Int>;
  alignas(64) Int lane[Shape<real>::width];
  hn::Store(f, typename Shape<real>::IntTag(), lane);
  std::int64_t sum = 0;
  for (Int x : lane)
    sum += static_cast<Int>(static_cast<Bits>(x) - static_cast<Bits>(zeros) * static_cast<Bits>(lattice_zero<real>));
  return sum * (std::int64_t{1} << (32 - bits));
}

/// From the units that the loop has energies in, those of forces, to others.
template <class real>
constexpr real to_unit(int bits) {
  return static_cast<real>(std::int64_t{1} << bits) / static_cast<real>(std::int64_t{1} << PairLattice<real>::force);
}
/// Energies that the lattice holds, in the units that the loop has them in.
template <class real>
constexpr real energy_limit(int bits) {
  return PairLattice<real>::most / to_unit<real>(bits);
}

/// One register of pairs between i atoms (from slot i0, those of group g) and j atoms (from slot j).
template <class real>
struct PairBlock {
  using P = typename Shape<real>::P;
  int i0, g, j;
  P f, x, y, z, e_lj, e_coulomb;  ///< f: force over distance
};

/// The road of large contributions: lane by lane, in double and fixed point. `which` is 0 for other lanes.
template <class real, PairTally tally>
__attribute__((noinline)) void add_large(const PairBlock<real>& b, typename Shape<real>::P which, std::int64_t* fixed,
                                         ExactPairSums* sums) {
  using S = Shape<real>;
  using L = PairLattice<real>;
  alignas(64) real value[7][S::width];
  b.f.store(value[0]);
  b.x.store(value[1]);
  b.y.store(value[2]);
  b.z.store(value[3]);
  which.store(value[4]);
  if constexpr (tally != PairTally::none) {
    b.e_lj.store(value[5]);
    b.e_coulomb.store(value[6]);
  }
  constexpr double unit = 1.0 / static_cast<double>(std::int64_t{1} << L::force);
  for (int lane = 0; lane < S::width; ++lane) {
    if (value[4][lane] == 0) continue;
    const int i = b.i0 + (S::rows == 2 ? 2 * b.g + lane / cluster_j : b.g), j = b.j + lane % S::chunk;
    const double f = static_cast<double>(value[0][lane]) * unit;
    const double r[3] = {static_cast<double>(value[1][lane]), static_cast<double>(value[2][lane]),
                         static_cast<double>(value[3][lane])};
    double g[3];
    for (int c = 0; c < 3; ++c) {
      g[c] = f * r[c];
      const std::int64_t one = fixed_force(g[c]);
      fixed[force_place(i / cluster_j) + c * cluster_j + i % cluster_j] += one;
      fixed[force_place(j / cluster_j) + c * cluster_j + j % cluster_j] -= one;
    }
    if constexpr (tally != PairTally::none) {
      sums->lj += fixed_energy(static_cast<double>(value[5][lane]) * unit);
      sums->coulomb += fixed_energy(static_cast<double>(value[6][lane]) * unit);
    }
    if constexpr (tally == PairTally::energies_and_virial) {
      const double w[6] = {g[0] * r[0], g[1] * r[1], g[2] * r[2], g[0] * r[1], g[0] * r[2], g[1] * r[2]};
      for (int c = 0; c < 6; ++c) sums->virial[c] += fixed_energy(w[c]);
    }
  }
}

template <class real, LjForm lj_form, CoulombForm form, bool triclinic, PairTally tally, int erf_terms, bool switching,
          bool half_lj>
void pair_loop(const ExactPairParameters<real>& p, const PairSlots<real>& s, int i_cluster, const PairEntry* entries, int count,
               typename Shape<real>::Int* force, std::int64_t* fixed, ExactPairSums* sums) {
  using S = Shape<real>;
  using P = typename S::P;
  using L = PairLattice<real>;
  const typename S::Tag d;
  const typename S::IntTag di;
  const int i0 = i_cluster * cluster_i;

  // Forces and energies come in units of the lattice since i atoms bring its scale, a power of two, along.
  constexpr real unit = static_cast<real>(std::int64_t{1} << L::force);
  const P scale(unit);
  IAtoms<real, lj_form> i_atoms(p, s, i0);
  const Constants<real, erf_terms, tally> constants(p);
  for (int g = 0; g < S::groups; ++g) {
    i_atoms.q[g] = scale * i_atoms.q[g];
    if constexpr (lj_form == LjForm::lorentz_berthelot) i_atoms.lj_second[g] = scale * i_atoms.lj_second[g];
  }
  const P zero(real(0)), limit(p.limit * unit);
  typename S::IntVec fi[S::groups][3];
  for (auto& f : fi) f[0] = f[1] = f[2] = hn::Zero(di);
  typename S::IntVec e_lj = hn::Zero(di), e_coulomb = e_lj, e_rest = e_lj, w[6] = {e_lj, e_lj, e_lj, e_lj, e_lj, e_lj};
  if constexpr (tally != PairTally::none) *sums = {};

  for (int k = 0; k < count; ++k) {
    const int j0 = entries[k].j * cluster_j;
    const std::uint32_t mask = entries[k].mask;
    for (int h = 0; h < S::parts; ++h) {
      const int j = j0 + h * S::chunk;
      const JAtoms<real, lj_form> j_atoms(s, j);
      const auto zeros = hn::Set(
          di, static_cast<typename S::Int>(S::groups * static_cast<std::make_unsigned_t<typename S::Int>>(lattice_zero<real>)));
      typename S::IntVec fj[3] = {zeros, zeros, zeros};
#pragma GCC unroll 4
      for (int g = 0; g < S::groups; ++g) {
        const bool without_lj = half_lj && g >= S::groups / 2;
        auto [in, r, inverse, qq, lj, coulomb] =
            pair_terms<form, triclinic, switching>(constants, i_atoms, g, j_atoms, h, mask, without_lj);
        if constexpr (lj_form != LjForm::lorentz_berthelot) lj = {scale * lj.energy, scale * lj.force_over_r};
        P f(hn::IfThenElseZero(in, madd(qq, coulomb.force_over_r, lj.force_over_r).v));
        auto small = abs(f) < limit * inverse;  // false for not-a-number, too
        if constexpr (tally != PairTally::none) {
          lj.energy = select(in, lj.energy, zero);
          coulomb.energy = select(in, qq * coulomb.energy, zero);
          small = hn::And(small, hn::And(abs(lj.energy) < P(energy_limit<real>(L::lj)),
                                         abs(coulomb.energy) < P(energy_limit<real>(L::coulomb))));
        }
        if (!hn::AllTrue(d, small)) [[unlikely]] {
          add_large<real, tally>({i0, g, j, f, r.x, r.y, r.z, lj.energy, coulomb.energy}, select(small, zero, P(real(1))),
                                 fixed, sums);
          f = select(small, f, zero);
          if constexpr (tally != PairTally::none) {
            lj.energy = select(small, lj.energy, zero);
            coulomb.energy = select(small, coulomb.energy, zero);
          }
        }
        const typename S::IntVec fx = lattice<real>(f, r.x), fy = lattice<real>(f, r.y), fz = lattice<real>(f, r.z);
        fi[g][0] = hn::Add(fi[g][0], fx);
        fi[g][1] = hn::Add(fi[g][1], fy);
        fi[g][2] = hn::Add(fi[g][2], fz);
        fj[0] = hn::Sub(fj[0], fx);
        fj[1] = hn::Sub(fj[1], fy);
        fj[2] = hn::Sub(fj[2], fz);
        if constexpr (tally != PairTally::none) {
          if (!without_lj) e_lj = hn::Add(e_lj, lattice<real>(lj.energy, P(to_unit<real>(L::lj))));
          const P e = coulomb.energy, whole = madd(e, P(to_unit<real>(L::coulomb)), P(L::magic));
          e_coulomb = hn::Add(e_coulomb, hn::BitCast(di, whole.v));
          if constexpr (sizeof(real) == 4) {
            const P rest = madd(e, P(to_unit<real>(L::coulomb)), P(L::magic) - whole);
            e_rest = hn::Add(e_rest, lattice<real>(rest, P(real(1 << (L::coulomb_rest - L::coulomb)))));
          }
        }
        if constexpr (tally == PairTally::energies_and_virial) {
          const P gx = f * r.x, gy = f * r.y, gz = f * r.z;
          w[0] = hn::Add(w[0], lattice<real>(gx, r.x));
          w[1] = hn::Add(w[1], lattice<real>(gy, r.y));
          w[2] = hn::Add(w[2], lattice<real>(gz, r.z));
          w[3] = hn::Add(w[3], lattice<real>(gx, r.y));
          w[4] = hn::Add(w[4], lattice<real>(gx, r.z));
          w[5] = hn::Add(w[5], lattice<real>(gy, r.z));
        }
      }
      typename S::Int* to = force + force_place(entries[k].j) + h * S::chunk;
      for (int c = 0; c < 3; ++c) add_rows<real>(fj[c], to + c * cluster_j);
    }
  }
  using Bits = std::make_unsigned_t<typename S::Int>;
  // Out of every lane before lanes are added: their sum would not fit.
  const auto zeros =
      hn::Set(di, static_cast<typename S::Int>(static_cast<Bits>(count) * S::parts * static_cast<Bits>(lattice_zero<real>)));
  typename S::Int* to = force + force_place(i0 / cluster_j) + i0 % cluster_j;
  for (int g = 0; g < S::groups; ++g)
    for (int c = 0; c < 3; ++c) {
      typename S::Int row[2];
      row_sums<real>(hn::Sub(fi[g][c], zeros), row);
      for (int r = 0; r < S::rows; ++r) to[c * cluster_j + S::rows * g + r] += row[r];
    }
  if constexpr (tally != PairTally::none) {
    const int registers = count * S::parts * S::groups;
    sums->lj += total<real>(e_lj, half_lj ? registers / 2 : registers, L::lj);
    sums->coulomb += total<real>(e_coulomb, registers, L::coulomb);
    if constexpr (sizeof(real) == 4) sums->coulomb += total<real>(e_rest, registers, L::coulomb_rest);
    if constexpr (tally == PairTally::energies_and_virial)
      for (int c = 0; c < 6; ++c) sums->virial[c] += total<real>(w[c], registers, L::force);
  }
}

template <class real>
void flush(const std::int32_t* clusters, int count, typename Shape<real>::Int* force, std::int64_t* fixed) {
  constexpr int values = 3 * cluster_j, finer = 32 - PairLattice<real>::force;
  const hn::CappedTag<std::int64_t, 8> d;
  constexpr int lanes = static_cast<int>(hn::MaxLanes(d));
  const hn::Rebind<typename Shape<real>::Int, decltype(d)> narrow;
  for (int k = 0; k < count; ++k) {
    typename Shape<real>::Int* from = force + force_place(clusters[k]);
    std::int64_t* to = fixed + force_place(clusters[k]);
    for (int v = 0; v < values; v += lanes) {
      hn::Vec<decltype(d)> f;
      if constexpr (sizeof(real) == 4)
        f = hn::PromoteTo(d, hn::LoadU(narrow, from + v));
      else
        f = hn::LoadU(d, from + v);
      hn::StoreU(hn::Add(hn::LoadU(d, to + v), hn::ShiftLeft<finer>(f)), d, to + v);
    }
    for (int v = 0; v < values; ++v) from[v] = 0;
  }
}

template <class real>
void pairs(const ExactPairParameters<real>& p, const PairSlots<real>& s, int i, const PairEntry* e, int n, LjForm lj,
           CoulombForm form, typename Shape<real>::Int* f, std::int64_t* fixed, PairTally tally, ExactPairSums* sums) {
  with_variant<true>(
      p, lj, form, s.half_lj[i] != 0, tally,
      [&]<LjForm lj_form, CoulombForm coulomb, bool triclinic, PairTally wanted, int terms, bool switching, bool half>() {
        pair_loop<real, lj_form, coulomb, triclinic, wanted, terms, switching, half>(p, s, i, e, n, f, fixed, sums);
      });
}

}  // namespace

extern const ExactPairKernels exact_pair_kernels;
const ExactPairKernels exact_pair_kernels = {{pairs<float>, flush<float>}, {pairs<double>, flush<double>}};

}  // namespace uplift::cpu::UPLIFT_ISA

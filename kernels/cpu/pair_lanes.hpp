#pragma once
// How the pair kernels lay atoms out in registers (the diagram in pair_kernels.hpp): loads, nearest images and masks; and the
// Ewald sum in pieces. Only for *.isa.cpp files.
#include <type_traits>

#include "cpu/pair_kernels.hpp"
#include "cpu/simd.hpp"

namespace uplift::cpu::UPLIFT_ISA {
namespace {

template <class real>
struct Shape {
  using Tag = hn::CappedTag<real, 16>;
  using P = Pack<real, Tag>;
  static constexpr int width = P::width;
  static constexpr int rows = width > cluster_j ? width / cluster_j : 1;   // i atoms a register
  static constexpr int parts = width < cluster_j ? cluster_j / width : 1;  // registers a row
  static constexpr int groups = cluster_i / rows;
  static constexpr int chunk = cluster_j / parts;  // j atoms a register
  using Coordinate = typename PairCoordinate<real>::type;
  using CoordinateTag = hn::Rebind<Coordinate, Tag>;
  using CoordinateVec = hn::Vec<CoordinateTag>;
  using IntTag = hn::RebindToSigned<Tag>;
  using IntVec = hn::Vec<IntTag>;
  using Int = hn::TFromD<IntTag>;

  /// Eight (or fewer) j values, repeated for every row of the register.
  template <class D, class T>
  static UPLIFT_HD hn::Vec<D> load_j(D d, const T* p) {
    if constexpr (rows == 1) {
      return hn::LoadU(d, p);
    } else {
      return load_twice(d, p);
    }
  }
  static UPLIFT_HD IntVec load_types(const std::int32_t* p) {
    if constexpr (sizeof(real) == 4)
      return load_j(IntTag(), p);
    else
      return hn::PromoteTo(IntTag(), hn::LoadU(hn::Rebind<std::int32_t, IntTag>(), p));
  }
  /// i values of group g, each repeated along its row.
  template <class D, class T>
  static UPLIFT_HD hn::Vec<D> load_i(D d, const T* p, int g) {
    if constexpr (rows == 1) {
      return hn::Set(d, static_cast<hn::TFromD<D>>(p[g]));
    } else {
      const hn::Half<D> half;
      return hn::Combine(d, hn::Set(half, p[2 * g + 1]), hn::Set(half, p[2 * g]));
    }
  }
};

/// Where the forces of a cluster of eight begin.
UPLIFT_HD std::ptrdiff_t force_place(int cluster) { return static_cast<std::ptrdiff_t>(cluster) * 3 * cluster_j; }

template <class real>
struct Displacement {
  Pack<real, typename Shape<real>::Tag> x, y, z;
};

/// Difference of two coordinates as a fraction of the period in the nearest image, in units of the coordinate.
template <class real>
UPLIFT_HD auto difference(typename Shape<real>::CoordinateVec a, typename Shape<real>::CoordinateVec b, bool periodic) {
  using P = typename Shape<real>::P;
  if constexpr (sizeof(real) == 4) {
    (void)periodic;
    return P(hn::ConvertTo(typename Shape<real>::Tag(), hn::Sub(a, b)));
  } else {
    P d(hn::Sub(a, b));
    if (periodic) d = d - round(d);
    return d;
  }
}

/// One of PairParameters, spread over a register where it is used, which AVX-512 does on the way from memory, or before the
/// loop: else it would be spread again after each store.
template <class real>
class Constant {
 public:
  using P = typename Shape<real>::P;
  explicit UPLIFT_HD Constant(const real& value) : value_(value) {}
  UPLIFT_HD operator P() const { return P(value_); }

 private:
  std::conditional_t<(HWY_TARGET <= HWY_AVX3), const real&, P> value_;
};

/// The cell of PairParameters.
template <class real>
struct Cell {
  Constant<real> a[6];
  bool periodic;
  explicit UPLIFT_HD Cell(const PairParameters<real>& p)
      : a{Constant<real>(p.a[0]), Constant<real>(p.a[1]), Constant<real>(p.a[2]),
          Constant<real>(p.a[3]), Constant<real>(p.a[4]), Constant<real>(p.a[5])},
        periodic(p.periodic) {}
};

template <class real, bool triclinic>
UPLIFT_HD Displacement<real> displacement(const Cell<real>& cell, const typename Shape<real>::CoordinateVec xi[3],
                                          const typename Shape<real>::CoordinateVec xj[3]) {
  using P = typename Shape<real>::P;
  const auto& a = cell.a;
  const P u = difference<real>(xi[0], xj[0], cell.periodic), v = difference<real>(xi[1], xj[1], cell.periodic),
          w = difference<real>(xi[2], xj[2], cell.periodic);
  if constexpr (triclinic) {
    return {madd(P(a[0]), u, madd(P(a[1]), v, P(a[2]) * w)), madd(P(a[3]), v, P(a[4]) * w), P(a[5]) * w};
  } else {
    return {P(a[0]) * u, P(a[3]) * v, P(a[5]) * w};
  }
}

/// Lanes of group g, part h whose bit is set in the mask.
template <class real>
UPLIFT_HD auto mask_lanes(std::uint32_t mask, int g, int h) {
  using S = Shape<real>;
  typename S::IntTag d;
  alignas(64) static constexpr std::int32_t bit32[16] = {1,   2,   4,    8,    16,   32,   64,    128,
                                                         256, 512, 1024, 2048, 4096, 8192, 16384, 32768};
  alignas(64) static constexpr std::int64_t bit64[8] = {1, 2, 4, 8, 16, 32, 64, 128};
  const int shift = cluster_j * S::rows * g + S::chunk * h;
  const auto bits = hn::Set(d, static_cast<typename S::Int>((mask >> shift) & 0xffffu));
  if constexpr (sizeof(real) == 4)
    return hn::RebindMask(typename S::Tag(), hn::TestBit(bits, hn::Load(d, bit32)));
  else
    return hn::RebindMask(typename S::Tag(), hn::TestBit(bits, hn::Load(d, bit64)));
}

/// Whether the smooth part of the Ewald sum can be looked up in pieces.
template <class real>
constexpr bool in_pieces = has_lookup && sizeof(real) == 4;

/// Where r^2 is among the pieces: in which, and how far from its middle.
template <class P>
struct PiecePlace {
  P index, u;
  UPLIFT_HD PiecePlace(const P& r2, float scale) {
    const P place = madd(r2, P(scale), P(-0.5f)), magic(0x1.8p23f);
    index = place + magic;  // rounded: the lowest bits are the number of the piece
    u = place - (index - magic);
  }
};

/// Value of a function in pieces.
template <class P>
UPLIFT_HD P piecewise(const float (*coefficient)[physics::ErfPieces::pieces], int count, const PiecePlace<P>& at) {
  P sum = lookup(coefficient[0], at.index);
  for (int k = 1; k < count; ++k) sum = madd(sum, at.u, lookup(coefficient[k], at.index));
  return sum;
}

/// Integral and force of ErfPieces: the derivative of a polynomial comes with it by Horner's rule, for a sum a term.
template <class P>
UPLIFT_HD void piecewise_together(const physics::ErfPieces& pieces, int count, const PiecePlace<P>& at, P& integral, P& force) {
  force = lookup(pieces.integral[0], at.index);
  integral = madd(force, at.u, lookup(pieces.integral[1], at.index));
  for (int k = 2; k <= count; ++k) {
    force = madd(force, at.u, integral);
    integral = madd(integral, at.u, lookup(pieces.integral[k], at.index));
  }
}

/// Coefficients of ErfTable, a register each: a register or a place on the stack, which stores of the loop cannot touch. Read
/// from the parameters they would be spread over a register again after each store. `terms` 0: their number is not known.
template <class real, int terms>
struct ErfCoefficients {
  using P = typename Shape<real>::P;
  static constexpr int energy_terms = physics::ErfTable<real>::energy_count(terms);
  P scale, energy[energy_terms], force[terms];
  explicit UPLIFT_HD ErfCoefficients(const physics::ErfTable<real>& table) : scale(table.scale) {
    for (int k = 0; k < energy_terms; ++k) energy[k] = P(table.energy[k]);
    for (int k = 0; k < terms; ++k) force[k] = P(table.force[k]);
  }
  UPLIFT_HD physics::PairTerm<P> operator()(const P& r2, const P& inverse) const {
    return physics::coulomb_ewald(r2, inverse, scale, energy, energy_terms, force, terms);
  }
};
template <class real>
struct ErfCoefficients<real, 0> {
  using P = typename Shape<real>::P;
  const physics::ErfTable<real>& table;
  UPLIFT_HD physics::PairTerm<P> operator()(const P& r2, const P& inverse) const {
    return physics::coulomb_ewald(r2, inverse, table);
  }
};

/// Whether energies and forces are those that a boost goes by.
template <PairTally tally, class real>
UPLIFT_HD bool for_boost(const PairParameters<real>& p) {
  return tally == PairTally::boost || (tally == PairTally::energies_and_virial && p.boosted);
}

/// The Ewald sum of a register of pairs. `terms`: of the pieces where they are used, else of the table; 0: not known.
template <class real, int terms, PairTally tally>
struct EwaldSum {
  using P = typename Shape<real>::P;
  const physics::ErfPieces& pieces;
  ErfCoefficients<real, in_pieces<real> ? 0 : terms> table;
  bool together;
  explicit UPLIFT_HD EwaldSum(const PairParameters<real>& p) : pieces(p.pieces), table{p.erf}, together(for_boost<tally>(p)) {}

  UPLIFT_HD physics::PairTerm<P> operator()(const P& r2, const P& inverse) const {
    if constexpr (in_pieces<real>) {
      if (terms > 0 || pieces.count > 0) {
        const int count = terms > 0 ? terms : pieces.count;
        const PiecePlace<P> at(r2, pieces.scale);
        if (together) {
          P integral, force;
          piecewise_together(pieces, count, at, integral, force);
          return {madd(integral, P(pieces.unit), inverse), msub(inverse * inverse, inverse, force)};
        }
        return {madd(piecewise(pieces.integral, count + 1, at), P(pieces.unit), inverse),
                msub(inverse * inverse, inverse, piecewise(pieces.force, count, at))};
      }
    }
    return table(r2, inverse);
  }
};

}  // namespace
}  // namespace uplift::cpu::UPLIFT_ISA

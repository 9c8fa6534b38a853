#pragma once
// What both pair loops have in common: the terms of a register of pairs, and the choice among variants. Only for *.isa.cpp
// files.
#include <type_traits>

#include "cpu/pair_lanes.hpp"

namespace uplift::cpu::UPLIFT_ISA {
namespace {

constexpr bool has_rules(LjForm form) { return form != LjForm::table; }
constexpr bool has_table(LjForm form) { return form == LjForm::table || form == LjForm::exceptions; }

/// The four atoms of an i cluster, each repeated along its row.
template <class real, LjForm lj_form>
struct IAtoms {
  using S = Shape<real>;
  typename S::CoordinateVec x[S::groups][3];
  typename S::P q[S::groups], lj_first[S::groups], lj_second[S::groups];
  typename S::IntVec row_of_table[S::groups];  ///< of c6 and c12

  UPLIFT_HD IAtoms(const PairParameters<real>& p, const PairSlots<real>& s, int slot) {
    const typename S::Tag d;
    const typename S::CoordinateTag dc;
    for (int g = 0; g < S::groups; ++g) {
      x[g][0] = S::load_i(dc, s.x + slot, g);
      x[g][1] = S::load_i(dc, s.y + slot, g);
      x[g][2] = S::load_i(dc, s.z + slot, g);
      q[g] = typename S::P(S::load_i(d, s.charge + slot, g));
      if constexpr (has_rules(lj_form)) {
        lj_first[g] = typename S::P(S::load_i(d, s.lj_first + slot, g));
        lj_second[g] = typename S::P(S::load_i(d, s.lj_second + slot, g));
      }
      if constexpr (has_table(lj_form)) {
        const typename S::IntTag di;
        row_of_table[g] = hn::Mul(S::load_i(di, s.type + slot, g), hn::Set(di, p.lj_types));
      }
    }
  }
};

/// The j atoms of a register, repeated for every row of it.
template <class real, LjForm lj_form>
struct JAtoms {
  using S = Shape<real>;
  typename S::CoordinateVec x[3];
  typename S::P q, lj_first, lj_second;
  typename S::IntVec type;

  UPLIFT_HD JAtoms(const PairSlots<real>& s, int slot) {
    const typename S::Tag d;
    const typename S::CoordinateTag dc;
    x[0] = S::load_j(dc, s.x + slot);
    x[1] = S::load_j(dc, s.y + slot);
    x[2] = S::load_j(dc, s.z + slot);
    q = typename S::P(S::load_j(d, s.charge + slot));
    if constexpr (has_rules(lj_form)) {
      lj_first = typename S::P(S::load_j(d, s.lj_first + slot));
      lj_second = typename S::P(S::load_j(d, s.lj_second + slot));
    }
    if constexpr (has_table(lj_form)) type = S::load_types(s.type + slot);
  }
};

/// `sixfold`: i atoms bring the six, and energies come times six.
template <class real, LjForm lj_form>
UPLIFT_HD physics::PairTerm<typename Shape<real>::P> lennard_jones(const PairParameters<real>& p, bool sixfold,
                                                                   const typename Shape<real>::P& inverse2,
                                                                   const IAtoms<real, lj_form>& i, int group,
                                                                   const JAtoms<real, lj_form>& j) {
  using P = typename Shape<real>::P;
  if constexpr (lj_form == LjForm::lorentz_berthelot) {
    if (sixfold)
      return physics::lennard_jones_sixfold(inverse2, i.lj_first[group], j.lj_first, i.lj_second[group], j.lj_second);
    return physics::lennard_jones_combined(inverse2, i.lj_first[group], j.lj_first, i.lj_second[group], j.lj_second);
  }
  if constexpr (lj_form == LjForm::geometric)
    return physics::lennard_jones_geometric(inverse2, i.lj_first[group], j.lj_first, i.lj_second[group], j.lj_second);
  if constexpr (has_table(lj_form)) {
    const typename Shape<real>::Tag d;
    const auto pair = hn::Add(i.row_of_table[group], j.type);
    const P c12(hn::GatherIndex(d, p.c12, pair));
    const physics::PairTerm<P> listed = physics::lennard_jones(inverse2, P(hn::GatherIndex(d, p.c6, pair)), c12);
    if constexpr (lj_form == LjForm::table) return listed;
    // The same bits for a pair that follows the rules as where all do: with several ranks its neighbours may be others.
    const physics::PairTerm<P> ruled =
        physics::lennard_jones_combined(inverse2, i.lj_first[group], j.lj_first, i.lj_second[group], j.lj_second);
    const auto by_rules = c12 < P(real(0));
    return {select(by_rules, ruled.energy, listed.energy), select(by_rules, ruled.force_over_r, listed.force_over_r)};
  }
}

/// What of PairParameters a loop uses.
template <class real, int erf_terms, PairTally tally>
struct Constants {
  using P = typename Shape<real>::P;
  const PairParameters<real>& p;
  Cell<real> cell;
  EwaldSum<real, erf_terms, tally> ewald;
  Constant<real> cutoff2, switch_on, switch_inverse_width;
  explicit UPLIFT_HD Constants(const PairParameters<real>& parameters)
      : p(parameters),
        cell(p),
        ewald(p),
        cutoff2(p.cutoff2),
        switch_on(p.switch_on),
        switch_inverse_width(p.switch_inverse_width) {}
};

/// Of a register of pairs. What is not `in` is no number to be used.
template <class real>
struct PairTerms {
  using P = typename Shape<real>::P;
  typename P::Mask in;  ///< the pair interacts
  Displacement<real> r;
  P inverse;  ///< 1/r
  P qq;
  physics::PairTerm<P> lj, coulomb;  ///< Coulomb's to be multiplied by qq
};

/// `mask`: of the entry; `without_lj`: these i atoms have no Lennard-Jones parameters; `sixfold`: as of lennard_jones().
template <CoulombForm form, bool triclinic, bool switching, class real, int erf_terms, PairTally tally, LjForm lj_form>
UPLIFT_HD PairTerms<real> pair_terms(const Constants<real, erf_terms, tally>& constants, const IAtoms<real, lj_form>& i,
                                     int group, const JAtoms<real, lj_form>& j, int part, std::uint32_t mask, bool without_lj,
                                     bool sixfold = false) {
  using S = Shape<real>;
  using P = typename S::P;
  const PairParameters<real>& p = constants.p;
  PairTerms<real> t;
  t.r = displacement<real, triclinic>(constants.cell, i.x[group], j.x);
  const P r2 = madd(t.r.x, t.r.x, madd(t.r.y, t.r.y, t.r.z * t.r.z));
  t.in = r2 < P(constants.cutoff2);
  if (mask != 0xffffffffu) t.in = hn::And(t.in, mask_lanes<real>(mask, group, part));
  // At zero distance the force is not a number, which becomes its limit and is found as a blow-up.
  t.inverse = rsqrt(r2);
  const P inverse2 = t.inverse * t.inverse;
  t.lj = without_lj ? physics::PairTerm<P>{P(real(0)), P(real(0))} : lennard_jones(p, sixfold, inverse2, i, group, j);
  if (switching && p.switching)
    t.lj = physics::switched(t.lj, r2 * t.inverse, t.inverse, P(constants.switch_on), P(constants.switch_inverse_width));
  t.qq = i.q[group] * j.q;
  if constexpr (form == CoulombForm::ewald) t.coulomb = constants.ewald(r2, t.inverse);
  if constexpr (form == CoulombForm::reaction_field)
    t.coulomb = physics::coulomb_reaction_field(r2, t.inverse, P(p.rf_k), P(p.rf_c));
  if constexpr (form == CoulombForm::plain) t.coulomb = physics::coulomb_plain(t.inverse);
  return t;
}

/// Calls f<flags...>() with these as constants.
template <bool... known, class F>
void with_flags(const F& f) {
  f.template operator()<known...>();
}
template <bool... known, class F, class... More>
void with_flags(const F& f, bool flag, More... more) {
  flag ? with_flags<known..., true>(f, more...) : with_flags<known..., false>(f, more...);
}

/// Calls f<terms>() with the number of terms of the Ewald sum as a constant; false if nothing is compiled for this number.
template <class F>
bool with_erf_terms(const PairParameters<float>& p, const F& f) {
  if constexpr (in_pieces<float>) {
    if (p.pieces.count == 5) return f.template operator()<5>(), true;
    if (p.pieces.count == 6) return f.template operator()<6>(), true;
  } else {
    if (p.erf.count == 12) return f.template operator()<12>(), true;
    if (p.erf.count == 14) return f.template operator()<14>(), true;
  }
  return false;
}

/// Calls f<lj_form, form, triclinic, tally, erf_terms, switching, half_lj>() of the variant for these parameters. Mixed
/// precision with PME and rules has variants for the usual numbers of terms, and for i clusters with half the Lennard-Jones
/// pairs; all others take what is general. So many make compiling slow, with sanitizers minutes a file: `few` leaves out those
/// of settings that seldom meet.
template <bool few, LjForm lj_form, CoulombForm form, class real, class F>
void with_variant(const PairParameters<real>& p, bool half_lj, PairTally tally, const F& f) {
  constexpr PairTally none = PairTally::none, energies = PairTally::energies, boost = PairTally::boost,
                      all = PairTally::energies_and_virial;
  constexpr bool usual_rules = lj_form == LjForm::lorentz_berthelot;
  if constexpr (sizeof(real) == 4 && form == CoulombForm::ewald && (usual_rules || (lj_form == LjForm::geometric && !few))) {
    if (tally != all && !(few && tally == energies) && with_erf_terms(p, [&]<int terms>() {
          with_flags(
              [&]<bool triclinic, bool switching, bool half_wanted>() {
                constexpr bool half = half_wanted && !(switching && (few || !usual_rules));
                if (tally == none) f.template operator()<lj_form, form, triclinic, none, terms, switching, half>();
                if (tally == boost) f.template operator()<lj_form, form, triclinic, boost, terms, switching, half>();
                if constexpr (!few)
                  if (tally == energies) f.template operator()<lj_form, form, triclinic, energies, terms, switching, half>();
              },
              p.triclinic, p.switching, half_lj);
        }))
      return;
  }
  with_flags(
      [&]<bool triclinic>() {
        tally == none ? f.template operator()<lj_form, form, triclinic, none, 0, true, false>()
                      : f.template operator()<lj_form, form, triclinic, all, 0, true, false>();
      },
      p.triclinic);
}
template <bool few, LjForm lj_form, class real, class F>
void with_variant(const PairParameters<real>& p, CoulombForm form, bool half_lj, PairTally tally, const F& f) {
  switch (form) {
    case CoulombForm::plain:  // without a cutoff, which is always in double
      if constexpr (sizeof(real) == 8) with_variant<few, lj_form, CoulombForm::plain>(p, half_lj, tally, f);
      return;
    case CoulombForm::reaction_field:
      return with_variant<few, lj_form, CoulombForm::reaction_field>(p, half_lj, tally, f);
    case CoulombForm::ewald:
      return with_variant<few, lj_form, CoulombForm::ewald>(p, half_lj, tally, f);
  }
}
template <bool few, class real, class F>
void with_variant(const PairParameters<real>& p, LjForm lj, CoulombForm form, bool half_lj, PairTally tally, const F& f) {
  if constexpr (sizeof(real) == 8) {  // by the table alone
    with_variant<few, LjForm::table>(p, form, half_lj, tally, f);
  } else {
    switch (lj) {
      case LjForm::lorentz_berthelot:
        return with_variant<few, LjForm::lorentz_berthelot>(p, form, half_lj, tally, f);
      case LjForm::geometric:
        return with_variant<few, LjForm::geometric>(p, form, half_lj, tally, f);
      case LjForm::exceptions:
        return with_variant<few, LjForm::exceptions>(p, form, half_lj, tally, f);
      case LjForm::table:
        return with_variant<few, LjForm::table>(p, form, half_lj, tally, f);
    }
  }
}

}  // namespace
}  // namespace uplift::cpu::UPLIFT_ISA

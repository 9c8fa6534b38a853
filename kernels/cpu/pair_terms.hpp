#pragma once
// What both pair loops have in common: the terms of a register of pairs, and the choice among variants. Only for *.isa.cpp
// files.
#include <type_traits>

#include "cpu/pair_lanes.hpp"

namespace uplift::cpu::UPLIFT_ISA {
namespace {

/// The four atoms of an i cluster, each repeated along its row.
template <class real, LjForm lj_form>
struct IAtoms {
  using S = Shape<real>;
  int first;  ///< slot
  typename S::CoordinateVec x[S::groups][3];
  typename S::P q[S::groups], half_sigma[S::groups], root_epsilon[S::groups];

  UPLIFT_HD IAtoms(const PairSlots<real>& s, int slot) : first(slot) {
    const typename S::Tag d;
    const typename S::CoordinateTag dc;
    for (int g = 0; g < S::groups; ++g) {
      x[g][0] = S::load_i(dc, s.x + slot, g);
      x[g][1] = S::load_i(dc, s.y + slot, g);
      x[g][2] = S::load_i(dc, s.z + slot, g);
      q[g] = typename S::P(S::load_i(d, s.charge + slot, g));
      if constexpr (lj_form == LjForm::combined) {
        half_sigma[g] = typename S::P(S::load_i(d, s.half_sigma + slot, g));
        root_epsilon[g] = typename S::P(S::load_i(d, s.root_epsilon + slot, g));
      }
    }
  }
};

/// The j atoms of a register, repeated for every row of it.
template <class real, LjForm lj_form>
struct JAtoms {
  using S = Shape<real>;
  int first;  ///< slot
  typename S::CoordinateVec x[3];
  typename S::P q, half_sigma, root_epsilon;

  UPLIFT_HD JAtoms(const PairSlots<real>& s, int slot) : first(slot) {
    const typename S::Tag d;
    const typename S::CoordinateTag dc;
    x[0] = S::load_j(dc, s.x + slot);
    x[1] = S::load_j(dc, s.y + slot);
    x[2] = S::load_j(dc, s.z + slot);
    q = typename S::P(S::load_j(d, s.charge + slot));
    if constexpr (lj_form == LjForm::combined) {
      half_sigma = typename S::P(S::load_j(d, s.half_sigma + slot));
      root_epsilon = typename S::P(S::load_j(d, s.root_epsilon + slot));
    }
  }
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

/// `mask`: of the entry; `without_lj`: these i atoms have no Lennard-Jones parameters.
template <CoulombForm form, bool triclinic, int erf_terms, bool switching, class real, LjForm lj_form>
UPLIFT_HD PairTerms<real> pair_terms(const PairParameters<real>& p, const PairSlots<real>& s, const IAtoms<real, lj_form>& i,
                                     int group, const JAtoms<real, lj_form>& j, int part, std::uint32_t mask, bool without_lj) {
  using S = Shape<real>;
  using P = typename S::P;
  PairTerms<real> t;
  t.r = displacement<real, triclinic>(p, i.x[group], j.x);
  const P r2 = madd(t.r.x, t.r.x, madd(t.r.y, t.r.y, t.r.z * t.r.z));
  t.in = r2 < P(p.cutoff2);
  if (mask != 0xffffffffu) t.in = hn::And(t.in, mask_lanes<real>(mask, group, part));
  // At zero distance the force is not a number, which becomes its limit and is found as a blow-up.
  t.inverse = rsqrt(r2);
  const P inverse2 = t.inverse * t.inverse;
  if (without_lj) {
    t.lj = {P(real(0)), P(real(0))};
  } else if constexpr (lj_form == LjForm::combined) {
    t.lj = physics::lennard_jones_combined(inverse2, i.half_sigma[group], j.half_sigma, i.root_epsilon[group], j.root_epsilon);
  } else {
    alignas(64) real c6[S::width], c12[S::width];
    for (int lane = 0; lane < S::width; ++lane) {
      const int row = S::rows == 2 ? 2 * group + lane / cluster_j : group;
      const int pair = s.type[i.first + row] * p.lj_types + s.type[j.first + lane % S::chunk];
      c6[lane] = p.c6[pair];
      c12[lane] = p.c12[pair];
    }
    t.lj = physics::lennard_jones(inverse2, P::load(c6), P::load(c12));
  }
  if (switching && p.switching)
    t.lj = physics::switched(t.lj, r2 * t.inverse, t.inverse, P(p.switch_on), P(p.switch_inverse_width));
  t.qq = i.q[group] * j.q;
  if constexpr (form == CoulombForm::ewald) t.coulomb = coulomb_ewald<erf_terms>(p, r2, t.inverse);
  if constexpr (form == CoulombForm::reaction_field)
    t.coulomb = physics::coulomb_reaction_field(r2, t.inverse, P(p.rf_k), P(p.rf_c));
  if constexpr (form == CoulombForm::plain) t.coulomb = physics::coulomb_plain(t.inverse);
  return t;
}

/// Calls f<terms>() with the number of terms of the Ewald sum as a constant; false if nothing is compiled for this number.
template <class F>
bool with_erf_terms(const PairParameters<float>& p, const F& f) {
  if constexpr (in_pieces<float>) {
    if (p.pieces.count == 5) return f.template operator()<5>(), true;
    if (p.pieces.count == 6) return f.template operator()<6>(), true;
  } else {
    if (p.erf.count == 10) return f.template operator()<10>(), true;
    if (p.erf.count == 12) return f.template operator()<12>(), true;
    if (p.erf.count == 14) return f.template operator()<14>(), true;
    if (p.erf.count == 16) return f.template operator()<16>(), true;
  }
  return false;
}

/// Calls f<lj_form, form, triclinic, tally, erf_terms, switching, half_lj>() of the variant for these parameters. Rectangular
/// boxes in mixed precision have variants for the usual numbers of terms, and for i clusters with half the Lennard-Jones pairs;
/// all others take what is general.
template <LjForm lj_form, CoulombForm form, class real, class F>
void with_variant(const PairParameters<real>& p, bool half_lj, PairTally tally, const F& f) {
  constexpr PairTally none = PairTally::none, energies = PairTally::energies, all = PairTally::energies_and_virial;
  if constexpr (sizeof(real) == 4 && lj_form == LjForm::combined && form == CoulombForm::ewald) {
    if (!p.triclinic && !p.switching && tally != all && with_erf_terms(p, [&]<int terms>() {
          if (tally == none)
            half_lj ? f.template operator()<lj_form, form, false, none, terms, false, true>()
                    : f.template operator()<lj_form, form, false, none, terms, false, false>();
          else
            half_lj ? f.template operator()<lj_form, form, false, energies, terms, false, true>()
                    : f.template operator()<lj_form, form, false, energies, terms, false, false>();
        }))
      return;
  }
  if (p.triclinic)
    tally == none ? f.template operator()<lj_form, form, true, none, 0, true, false>()
                  : f.template operator()<lj_form, form, true, all, 0, true, false>();
  else
    tally == none ? f.template operator()<lj_form, form, false, none, 0, true, false>()
                  : f.template operator()<lj_form, form, false, all, 0, true, false>();
}
template <class real, class F>
void with_variant(const PairParameters<real>& p, LjForm lj, CoulombForm form, bool half_lj, PairTally tally, const F& f) {
  constexpr LjForm table = LjForm::table, combined = LjForm::combined;
  switch (form) {
    case CoulombForm::plain:
      return lj == table ? with_variant<table, CoulombForm::plain>(p, half_lj, tally, f)
                         : with_variant<combined, CoulombForm::plain>(p, half_lj, tally, f);
    case CoulombForm::reaction_field:
      return lj == table ? with_variant<table, CoulombForm::reaction_field>(p, half_lj, tally, f)
                         : with_variant<combined, CoulombForm::reaction_field>(p, half_lj, tally, f);
    case CoulombForm::ewald:
      return lj == table ? with_variant<table, CoulombForm::ewald>(p, half_lj, tally, f)
                         : with_variant<combined, CoulombForm::ewald>(p, half_lj, tally, f);
  }
}

}  // namespace
}  // namespace uplift::cpu::UPLIFT_ISA

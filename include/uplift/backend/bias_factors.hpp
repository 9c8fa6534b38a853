#pragma once
// What every backend does with the energies of a biased step, host and device alike.
#include "physics/bias/boost.hpp"
#include "uplift/model/bias.hpp"

namespace uplift {

/// Part of a level's forces f in the impulse of a kick: weight own + boost_weight boost. With U_l the potentials of the levels,
/// dynamics goes by V* = sum of U_l, those of boosted torsions with their boost, + dV_t: the forces of the former act as often
/// as their level does, own f = -grad U_l, those of the latter when the outer step begins and ends, sum of boost f = -grad
/// dV_t. Each part is a gradient, so that r-RESPA conserves V* + kinetic energy for any levels.
struct LevelFactors {
  double own = 1, boost = 0;
  UPLIFT_HD double all() const { return own + boost; }
  UPLIFT_HD double in_kick(double weight, double boost_weight) const { return weight * own + boost_weight * boost; }
};

/// Energies of what was just computed [kJ/mol].
struct SeenEnergies {
  double dihedral = 0, cmap = 0, all = 0;
};

UPLIFT_HD physics::Boost<double> boost_of(BiasMethod method, const BoostParameters& p, double energy) {
  if (!p.on) return {0, 1};
  return method == BiasMethod::amd ? physics::amd_boost(energy, p.threshold, p.shape)
                                   : physics::gamd_boost(energy, p.threshold, p.shape);
}

/// The state of a bias between two evaluations of the forces.
struct BiasState {
  BiasEnergies energies;
  LevelFactors torsions, others;  ///< of the level that holds boosted torsions, and of all others
  BiasStatistics statistics;

  UPLIFT_HD const LevelFactors& factors_of(int level, int torsion_level) const {
    return level == torsion_level ? torsions : others;
  }
  UPLIFT_HD void apply(const Bias& bias, const SeenEnergies& seen, bool torsions_only, bool gather) {
    const bool namd = bias.convention == BiasConvention::namd;
    BiasEnergies& e = energies;
    e.dihedral = seen.dihedral + (namd ? seen.cmap : 0);
    const physics::Boost<double> d = boost_of(bias.method, bias.dihedral, e.dihedral);
    e.boost_dihedral = d.energy;
    e.factor_dihedral = torsions.own = d.factor;
    if (torsions_only) return;
    e.total = seen.all;
    // What the total boost sees.
    const bool apart = namd && bias.dihedral.on;
    const double potential = apart ? e.total - e.dihedral : e.total + d.energy;
    const physics::Boost<double> t = boost_of(bias.method, bias.total, potential);
    e.boost_total = t.energy;
    e.factor_total = t.factor;
    others.boost = t.factor - 1;
    torsions.boost = apart ? 0 : (t.factor - 1) * d.factor;
    if (!gather) return;
    statistics.dihedral.add(seen.dihedral);
    statistics.dihedral_cmap.add(seen.dihedral + seen.cmap);
    statistics.total.add(seen.all + (namd ? 0 : d.energy));
    statistics.rest.add(seen.all - seen.dihedral - seen.cmap);
  }
};

}  // namespace uplift

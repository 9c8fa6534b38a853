#pragma once
// Accelerated dynamics: a boost dV is added to the potential V wherever some energy is below a threshold. What acts in a stage,
// in numbers.
#include "uplift/core/macros.hpp"

namespace uplift {

enum class BiasMethod { amd, gamd };
/// What the boosts see. amber: dV_d(V_d) of the dihedrals, proper and improper ones of periodic form, and dV_t(V + dV_d) of the
/// potential that is boosted already. namd: dV_d(V_d) of dihedrals and CMAP, and dV_t(V - V_d), two boosts that know nothing of
/// each other; V when there is only the total one. Thresholds of one do not fit the other.
enum class BiasConvention { amber, namd };

/// A boost of an energy below `threshold` (kernels/physics/bias/boost.hpp).
struct BoostParameters {
  bool on = false;
  double threshold = 0;  ///< E [kJ/mol]
  double shape = 0;      ///< aMD: alpha [kJ/mol]; GaMD: k [mol/kJ]
  bool operator==(const BoostParameters&) const = default;
};
struct Bias {
  BiasMethod method = BiasMethod::amd;
  BiasConvention convention = BiasConvention::amber;
  BoostParameters dihedral, total;
  bool operator==(const Bias&) const = default;
};

/// Energies that a boost of dihedrals takes apart from all others.
enum class TorsionGroup { none, dihedrals, dihedrals_and_cmap };
constexpr TorsionGroup boosted_torsions(const Bias& bias) {
  if (!bias.dihedral.on) return TorsionGroup::none;
  return bias.convention == BiasConvention::namd ? TorsionGroup::dihedrals_and_cmap : TorsionGroup::dihedrals;
}

/// Minimum, maximum, mean and spread of an energy that comes one value at a time (Welford, Technometrics 4, 419 (1962)).
struct RunningStatistics {
  double count = 0, least = 0, most = 0, mean = 0, squares = 0;  ///< squares: sum of squared deviations

  UPLIFT_HD void add(double value) {
    least = count > 0 && least < value ? least : value;
    most = count > 0 && most > value ? most : value;
    count += 1;
    const double change = value - mean;
    mean += change / count;
    squares += change * (value - mean);
  }
  UPLIFT_HD double variance() const { return count > 1 ? squares / (count - 1) : 0; }
  bool operator==(const RunningStatistics&) const = default;
};

/// Of the energies that boosts see [kJ/mol]. Without a bias, of those that the boosts of a later stage would see.
struct BiasStatistics {
  RunningStatistics dihedral;       ///< V_d of the amber convention
  RunningStatistics dihedral_cmap;  ///< V_d of the namd convention
  RunningStatistics total;          ///< V + dV_d; V where only the total boost is on
  RunningStatistics rest;           ///< V - V_d of the namd convention
  bool operator==(const BiasStatistics&) const = default;
};

/// What a boost comes to at one configuration [kJ/mol].
struct BiasEnergies {
  double dihedral = 0, total = 0;                ///< V_d of the convention, and V
  double boost_dihedral = 0, boost_total = 0;    ///< dV_d, dV_t
  double factor_dihedral = 1, factor_total = 1;  ///< 1 + d dV/d of what each sees: what forces are multiplied by

  UPLIFT_HD double boost() const { return boost_dihedral + boost_total; }
};

}  // namespace uplift

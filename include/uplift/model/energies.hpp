#pragma once
#include <array>
#include <string_view>

#include "uplift/model/bias.hpp"

namespace uplift {

/// Energy terms, in the order and under the names of `uplift energy --json`.
/// coulomb_direct: pairs within the cutoff less the screened part of excluded pairs. coulomb_reciprocal: mesh, self energy and
/// the neutralising background of a charged cell.
enum class EnergyTerm : int {
  bond,
  angle,
  urey_bradley,
  dihedral,
  improper,
  cmap,
  lj,
  lj_14,
  coulomb_direct,
  coulomb_reciprocal,
  coulomb_14,
  dispersion_correction,
  implicit_solvent,
  restraint,
};
inline constexpr int energy_term_count = 14;
inline constexpr std::array<std::string_view, energy_term_count> energy_term_names = {"bond",
                                                                                      "angle",
                                                                                      "urey_bradley",
                                                                                      "dihedral",
                                                                                      "improper",
                                                                                      "cmap",
                                                                                      "lj",
                                                                                      "lj_14",
                                                                                      "coulomb_direct",
                                                                                      "coulomb_reciprocal",
                                                                                      "coulomb_14",
                                                                                      "dispersion_correction",
                                                                                      "implicit_solvent",
                                                                                      "restraint"};

/// Energies of one configuration [kJ/mol] and its virial W = sum of r_ij (x) f_ij over pairs [kJ/mol], row-major xx xy xz yx
/// ... The virial is that of the boosted forces.
struct Energies {
  std::array<double, energy_term_count> term{};
  std::array<double, 9> virial{};
  BiasEnergies bias;

  double operator[](EnergyTerm t) const { return term[static_cast<int>(t)]; }
  double& operator[](EnergyTerm t) { return term[static_cast<int>(t)]; }
  /// V, without any boost.
  double potential() const {
    double sum = 0;
    for (double e : term) sum += e;
    return sum;
  }
  /// V* = V + dV: what dynamics goes by.
  double boosted_potential() const { return potential() + bias.boost(); }
};

}  // namespace uplift

#pragma once
// Parameters of a bias from the statistics of a stage without it.
#include <string>

#include "uplift/model/bias.hpp"
#include "uplift/model/settings.hpp"
#include "uplift/model/system.hpp"

namespace uplift {

struct DerivedBias {
  Bias bias;
  std::string reasoning;  ///< how the numbers came about, and as YAML that gives the same ones; several lines
  std::string doubt;      ///< what is not as the settings asked for; empty: nothing
};

/// Explicit parameters as they are; otherwise from `statistics` of the stage BiasSettings::from. Throws InputError when these
/// say nothing.
///
/// aMD, residues: E_d = <V_d> + r n, alpha_d = 0.2 r n, with r = 3.5 kcal/mol and n residues that are neither water nor single
/// ions; E_t = <V> + a N, alpha_t = a N, with a = 0.2 kcal/mol and all N atoms (the recipe of Amber's users; Pierce,
/// Salomon-Ferrer, de Oliveira, McCammon and Walker, J. Chem. Theory Comput. 8, 2997 (2012)). aMD, deviations: E = <V> + k sd,
/// alpha = k sd.
///
/// GaMD (Miao, Feher and McCammon, J. Chem. Theory Comput. 11, 3584 (2015), eq. 9 to 12), k = k0/(V_max - V_min). Lower bound:
/// E = V_max and k0 = min(1, sigma0/sd (V_max - V_min)/(V_max - <V>)). Upper bound: k0 = (1 - sigma0/sd)(V_max - V_min)/(<V> -
/// V_min) and E = V_min + (V_max - V_min)/k0 where 0 < k0 <= 1, else as the lower bound.
DerivedBias derive_bias(const BiasSettings& settings, const BiasStatistics& statistics, const Topology& topology);

/// Throws InputError naming the stage when the system has nothing that the boosts would see: torsions of a dihedral boost,
/// residues of the rule that counts them.
void check_bias(const std::string& stage, const BiasSettings& settings, const System& system);

/// Residues that are neither water nor a single atom.
int solute_residues(const Topology& topology);

/// "parameters: {dihedral: {threshold: ..., alpha: ...}, total: {...}}".
std::string bias_as_yaml(const Bias& bias);

}  // namespace uplift

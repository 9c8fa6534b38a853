#include "uplift/sampling/bias_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "uplift/core/error.hpp"
#include "uplift/io/units.hpp"

namespace uplift {
namespace {

constexpr double alpha_per_threshold = 0.2;  // of the dihedral boost, rule residues

struct Derived {
  BoostParameters parameters;
  std::string reasoning;
  bool fallen_back = false;  ///< to the lower bound
};

Derived from_residues(const BiasSettings& s, bool dihedral, const RunningStatistics& v, const Topology& topology) {
  const int n = dihedral ? solute_residues(topology) : topology.size();
  const double each = dihedral ? s.per_residue : s.per_atom, above = each * n,
               alpha = dihedral ? alpha_per_threshold * above : above;
  return {{true, v.mean + above, alpha},
          fmt::format("E = <V> + {:.6g} kJ/mol x {} {} = {:.8g} + {:.6g}; alpha = {}", each, n, dihedral ? "residues" : "atoms",
                      v.mean, above, dihedral ? "a fifth of that" : "that")};
}

Derived from_deviations(const BiasSettings& s, const RunningStatistics& v) {
  const double above = s.deviations * std::sqrt(v.variance());
  return {{true, v.mean + above, above},
          fmt::format("E = <V> + {:.6g} sd = {:.8g} + {:.6g} x {:.6g}; alpha = {:.6g} sd", s.deviations, v.mean, s.deviations,
                      std::sqrt(v.variance()), s.deviations)};
}

Derived from_extremes(const BiasSettings& s, double sigma0, const RunningStatistics& v) {
  const double range = v.most - v.least, deviation = std::sqrt(v.variance());
  std::string why =
      fmt::format("V from {:.8g} to {:.8g}, mean {:.8g}, sd {:.6g}; sigma0 {:.6g}", v.least, v.most, v.mean, deviation, sigma0);
  if (s.bound == GamdBound::upper) {
    const double k0 = (1 - sigma0 / deviation) * range / (v.mean - v.least);
    if (k0 > 0 && k0 <= 1)
      return {{true, v.least + range / k0, k0 / range}, why + fmt::format("; upper bound: k0 = {:.6g}", k0)};
    why += fmt::format("; no upper bound (k0 would be {:.6g})", k0);
  }
  const double k0 = std::min(1.0, sigma0 / deviation * range / (v.most - v.mean));
  return {{true, v.most, k0 / range}, why + fmt::format("; lower bound: k0 = {:.6g}", k0), s.bound == GamdBound::upper};
}

}  // namespace

void check_bias(const std::string& stage, const BiasSettings& s, const System& system) {
  if (!s.boosts_dihedral()) return;
  const ForceField& f = system.force_field;
  const bool namd = s.convention == BiasConvention::namd;
  if (f.dihedrals.empty() && !(namd && !f.cmaps.empty()))
    throw InputError("stages." + stage + ".bias.boost: the system has no " + (namd ? "torsions" : "torsions of periodic form") +
                     ", so that there is no dihedral energy to boost; use boost: total");
  if (!s.from.empty() && s.method == BiasMethod::amd && s.rule == BiasRule::residues && solute_residues(system.topology) == 0)
    throw InputError("stages." + stage +
                     ".bias.parameters.rule: there are no residues but water and ions, so that the rule residues has no "
                     "dihedral boost to give; use rule: deviations, or boost: total");
}

int solute_residues(const Topology& topology) {
  return static_cast<int>(std::count_if(topology.residues.begin(), topology.residues.end(),
                                        [&](const Residue& r) { return r.atom_count > 1 && !is_water(topology, r); }));
}

DerivedBias derive_bias(const BiasSettings& s, const BiasStatistics& statistics, const Topology& topology) {
  if (s.from.empty()) return {s.given, "", ""};
  DerivedBias result;
  result.bias.method = s.method;
  result.bias.convention = s.convention;
  const bool namd = s.convention == BiasConvention::namd;
  result.reasoning = fmt::format("bias from stage {}, {:.0f} steps, energies in kJ/mol:", s.from, statistics.total.count);
  const auto derive = [&](const char* name, const char* energy, const RunningStatistics& v, double sigma0,
                          BoostParameters& to) {
    if (v.count < 2 || !(v.variance() > 0))
      throw InputError(
          fmt::format("bias.parameters.from: stage {} has no spread of the {} energy ({:.0f} steps); make it longer, or give "
                      "explicit parameters",
                      s.from, name, v.count));
    const bool dihedral = &to == &result.bias.dihedral;
    const Derived d = s.method == BiasMethod::gamd   ? from_extremes(s, sigma0, v)
                      : s.rule == BiasRule::residues ? from_residues(s, dihedral, v, topology)
                                                     : from_deviations(s, v);
    to = d.parameters;
    if (d.fallen_back) result.doubt += (result.doubt.empty() ? "" : " and ") + std::string(name);
    result.reasoning += fmt::format("\n  {} boost, V = {}: {}", name, energy, d.reasoning);
  };
  if (s.boosts_dihedral())
    derive("dihedral", namd ? "dihedrals + CMAP" : "dihedrals", namd ? statistics.dihedral_cmap : statistics.dihedral,
           s.sigma0_dihedral, result.bias.dihedral);
  const bool apart = namd && s.boosts_dihedral();
  if (s.boosts_total())
    derive("total",
           apart                          ? "all but those"
           : namd || !s.boosts_dihedral() ? "whole potential"
                                          : "whole potential + dihedral boost",
           apart ? statistics.rest : statistics.total, s.sigma0_total, result.bias.total);
  if (!result.doubt.empty())
    result.doubt = "there is no upper bound for the " + result.doubt +
                   " boost with this sigma0, so that it has the lower one; " +
                   "a sigma0 nearer to the deviation of the energy, and below it, has one";
  result.reasoning += "\n  the same as explicit " + bias_as_yaml(result.bias);
  return result;
}

std::string bias_as_yaml(const Bias& bias) {
  std::string all;
  const auto add = [&](const char* name, const BoostParameters& p) {
    if (!p.on) return;
    const bool amd = bias.method == BiasMethod::amd;
    all += fmt::format("{}{}: {{threshold: {}, {}: {}}}", all.empty() ? "" : ", ", name,
                       format_quantity(p.threshold, dimension::energy), amd ? "alpha" : "k",
                       format_quantity(p.shape, amd ? dimension::energy : dimension::inverse_energy));
  };
  add("dihedral", bias.dihedral);
  add("total", bias.total);
  return "parameters: {" + all + "}";
}

}  // namespace uplift

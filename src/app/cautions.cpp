#include "cautions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/fixed_point.hpp"
#include "uplift/model/selection.hpp"

namespace uplift::app {
namespace {

constexpr double light = 2;        // [Da] hydrogens below this are taken for hydrogens as they are
constexpr double angles = 0.0025;  // [ps] a tenth of the period that angles with such hydrogens have
constexpr double bonds = 0.0015;   // [ps] a seventh of that of their bonds

bool has_hydrogens(const Topology& t) {
  return std::any_of(t.residues.begin(), t.residues.end(), [&](const Residue& r) {
    const auto begin = t.atoms.begin() + r.first_atom;
    return !is_water(t, r) && std::any_of(begin, begin + r.atom_count, [](const Atom& a) { return a.element == 1; });
  });
}

}  // namespace

std::string note_of_charge(const System& system) {
  const std::vector<double>& q = system.force_field.charges;
  const double total = std::accumulate(q.begin(), q.end(), 0.0);
  if (system.forces.nonbonded != NonbondedMethod::pme || std::abs(total) < 0.01) return "";
  return fmt::format(
      "the charges add up to {:+.4g} e: PME spreads the opposite charge evenly over the box, which changes energies and "
      "pressures of unlike systems; ions make it neutral (uplift build adds them)",
      total);
}

std::string doubt_of_size(const System& system, double alpha) {
  const std::vector<double>& q = system.force_field.charges;
  const double squares = std::inner_product(q.begin(), q.end(), q.begin(), 0.0);
  const double self = constants::coulomb * alpha / std::sqrt(constants::pi) * squares;
  if (self < 0.5 * largest_energy) return "";
  return fmt::format(
      "so many charges that terms of the energy may pass {0:.2g} kJ/mol (the self energy of PME alone is {1:.2g}), beyond "
      "which they are off by multiples of {2:.2g}: forces are right, but energies, pressures and the boosts and barostats that "
      "go by them need not be",
      largest_energy, self, 2 * largest_energy);
}

std::vector<std::string> doubts_of_steps(const RunInput& input, const Topology& topology) {
  std::vector<std::string> doubts;
  if (!has_hydrogens(topology)) return doubts;
  for (const StageSettings& stage : input.stages) {
    if (stage.minimize || stage.forces.hydrogen_mass.value_or(1) >= light) continue;
    int parts = 1, bonded = 1;  // inner steps of a step, and from one bonded force to the next
    for (const ForceLevel& level : stage.dynamics.levels) {
      parts = std::max(parts, level.every);
      if (has(level.groups, ForceGroup::bonded)) bonded = level.every;
    }
    const double step = stage.dynamics.timestep / parts * bonded;
    const char* what = bonded > 1 ? "bonded forces every" : parts > 1 ? "inner steps of" : "steps of";
    const std::string start = fmt::format("stage {}: {} {:.4g} fs ", stage.name, what, step * 1000);
    if (stage.forces.constraints == ConstraintMode::none && step > bonds * 1.0001)
      doubts.push_back(start +
                       "and bonds of hydrogens that are free to vibrate, which they do in 10 fs: take 1 fs, or constraints: "
                       "h-bonds");
    else if (stage.forces.constraints != ConstraintMode::h_angles && step > angles * 1.0001)
      doubts.push_back(start + (bonded > 1 ? "are rare" : "are long") +
                       " for hydrogens of 1 amu, whose angles vibrate in some 20 fs: take 2 fs, or hydrogen_mass: 3.024 "
                       "amu with 4 fs");
  }
  return doubts;
}

std::vector<std::string> doubts_of_selection(const std::string& where, const std::string& selection, const Topology& topology) {
  std::vector<std::string> doubts;
  try {
    for (const std::string& part : absent_from(topology, selection))
      doubts.push_back(where + ": no atom of this system has " + part + ", which '" + selection + "' asks for");
  } catch (const InputError&) {  // one that cannot be read is an error where atoms are selected
  }
  return doubts;
}

std::vector<std::string> doubts_of_selections(const RunInput& input, const Topology& topology) {
  std::vector<std::string> doubts;
  if (input.output.trajectory_every > 0) doubts = doubts_of_selection("output.trajectory.atoms", input.output.atoms, topology);
  std::set<std::string> seen;  // stages often restrain the same atoms
  for (const StageSettings& stage : input.stages) {
    if (!stage.restraints || !seen.insert(stage.restraints->selection).second) continue;
    const std::string where = "stage " + stage.name + ": restraints.positions";
    for (const std::string& doubt : doubts_of_selection(where, stage.restraints->selection, topology)) doubts.push_back(doubt);
  }
  return doubts;
}

}  // namespace uplift::app

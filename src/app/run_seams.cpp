// What changes from one stage to the next: masses, the time that velocities are of, energy terms, and the box that a mesh was
// chosen for.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>
#include <utility>

#include "run.hpp"
#include "uplift/io/energy_json.hpp"

namespace uplift::app {

/// The last stage before this one that is no minimisation.
const StageSettings* Run::dynamics_before() const {
  const StageSettings* before = nullptr;
  for (int k = 0; k < next_.stage; ++k)
    if (const StageSettings& stage = input_.stages[static_cast<std::size_t>(k)]; !stage.minimize) before = &stage;
  return before;
}

/// Where those come from that a stage begins with.
void Run::note_velocities(const StageSettings& settings, double temperature) {
  const StageSettings* before = dynamics_before();
  log_->note("velocities: " + (!has_velocities_ ? fmt::format("drawn at {:g} K, seed {}", temperature, settings.dynamics.seed)
                               : before         ? "those of the end of stage " + before->name
                                                : "those of " + input_.system.coordinates));
}

/// Other masses than those of the dynamics before: velocities become as much slower or faster as their atoms have become
/// heavier or lighter, so that the temperature stays.
void Run::carry_velocities(const StageSettings& settings, const System& system) {
  const StageSettings* before = dynamics_before();
  const auto decides = [](const ForceSettings& f) {  // hydrogens of rigid water stay as light as they are
    return std::pair(f.hydrogen_mass, f.hydrogen_mass && f.rigid_water);
  };
  if (!before || decides(before->forces) == decides(settings.forces)) return;
  const std::vector<double> masses = load(input_, *before).system.masses;
  if (masses == system.masses) return;
  for (std::size_t i = 0; i < masses.size(); ++i)
    if (system.masses[i] > 0) state_.v[i] = std::sqrt(masses[i] / system.masses[i]) * state_.v[i];
  log_->note("masses differ from those of stage " + before->name + ": velocities are scaled so that the temperature stays");
}

/// Whether the next stage keeps the energy by velocities in time with the positions, and this one's are half a step behind
/// (engine/integrator): taken as they are they would heat it, which nothing would take away again. Thermostats take them as
/// they are, for the distribution of theirs is the right one at every time step.
bool Run::verlet_takes_over() const {
  const auto at = static_cast<std::size_t>(next_.stage);
  if (at + 1 >= input_.stages.size() || input_.stages[at + 1].minimize) return false;
  const auto is_verlet = [&](std::size_t k) { return input_.stages[k].dynamics.integrator == IntegratorKind::verlet; };
  return is_verlet(at + 1) && !is_verlet(at);
}

/// The mesh stays as it was chosen when the stage began. It does nothing for atoms without charges.
void Run::check_mesh(const StageSettings& settings, const System& system) {
  const std::vector<double>& q = system.force_field.charges;
  if (settings.forces.nonbonded != NonbondedMethod::pme || std::all_of(q.begin(), q.end(), [](double e) { return e == 0; }))
    return;
  const Vec3d was = next_.stage_box.widths(), is = state_.box.widths();
  const double grown = std::max({is.x / was.x, is.y / was.y, is.z / was.z});
  if (grown > 1.1)
    log_->warn(
        fmt::format("stage {}: the box has grown by {:.0f} % since the stage began, and the PME mesh was chosen for the box of "
                    "then: its spacing is as much wider, and forces are less accurate than forces.pme.tolerance says. Begin a "
                    "new stage, which chooses another mesh, or equilibrate from a box of about the right size",
                    settings.name, 100 * (grown - 1)));
}

/// Columns of the one energy table that all stages share. Only what a stage computes with matters here: equal ones are looked
/// at once.
std::vector<EnergyTerm> Run::terms_of_all_stages() const {
  std::set<EnergyTerm> terms;
  std::set<std::string> seen;
  for (const StageSettings& stage : input_.stages) {
    std::istringstream lines(stage.settings);
    std::string key;
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("forces.") || line.starts_with("restraints.")) key += line + '\n';
    if (!seen.insert(key).second) continue;
    for (EnergyTerm term : energy_terms(load(input_, stage.forces, stage.restraints).system)) terms.insert(term);
  }
  return {terms.begin(), terms.end()};
}

}  // namespace uplift::app

// What changes from one stage to the next: masses, and the box that a mesh was chosen for.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "run.hpp"

namespace uplift::app {

/// Other masses than those of the dynamics before: velocities become as much slower or faster as their atoms have become
/// heavier or lighter, so that the temperature stays.
void Run::carry_velocities(const StageSettings& settings, const System& system) {
  const StageSettings* before = nullptr;
  for (int k = 0; k < next_.stage; ++k)
    if (const StageSettings& stage = input_.stages[static_cast<std::size_t>(k)]; !stage.minimize) before = &stage;
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

/// The mesh stays as it was chosen when the stage began.
void Run::check_mesh(const StageSettings& settings) {
  if (settings.forces.nonbonded != NonbondedMethod::pme) return;
  const Vec3d was = next_.stage_box.widths(), is = state_.box.widths();
  const double grown = std::max({is.x / was.x, is.y / was.y, is.z / was.z});
  if (grown > 1.1)
    log_->warn(
        fmt::format("stage {}: the box has grown by {:.0f} % since the stage began, and the PME mesh was chosen for the box of "
                    "then: its spacing is as much wider, and forces are less accurate than forces.pme.tolerance says. Begin a "
                    "new stage, which chooses another mesh, or equilibrate from a box of about the right size",
                    settings.name, 100 * (grown - 1)));
}

}  // namespace uplift::app

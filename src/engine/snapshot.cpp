#include "engine/snapshot.hpp"

#include <limits>
#include <vector>

#include "uplift/core/constants.hpp"
#include "uplift/engine/pressure.hpp"

namespace uplift {
namespace {

double full_step_kinetic_energy(Backend& backend, std::span<const Stage> to_full_step, std::int64_t step) {
  if (to_full_step.empty()) return backend.kinetic_energy();
  std::vector<Stage> stages{SaveVelocities{}};
  stages.insert(stages.end(), to_full_step.begin(), to_full_step.end());
  backend.run(stages, {}, step);
  const double kinetic = backend.kinetic_energy();
  const Stage back[] = {RestoreVelocities{}};
  backend.run(back, {}, step);
  return kinetic;
}

}  // namespace

std::unique_ptr<Snapshot> take_snapshot(const System& system, Backend& backend, const SnapshotPlan& plan, std::int64_t step) {
  if (std::unique_ptr<Snapshot> late = backend.snapshot(plan)) return late;
  backend.verify();
  SnapshotContents c;
  State now;
  std::vector<Vec3d> forces;
  if (plan.positions || plan.velocities || plan.energies) backend.download(now);
  c.box = backend.box();
  if (plan.forces || (plan.energies && c.box.periodic())) backend.download_forces(forces);
  c.worst = backend.worst_force();
  c.kinetic = backend.kinetic_energy();
  if (plan.energies) {
    SnapshotEnergies& e = c.energies.emplace();
    e.energies = backend.energies();
    e.heat = now.heat;
    if (c.box.periodic()) e.pressure_volume = molecular_pressure_volume(system, now, forces, e.energies);
    e.full_step_kinetic = full_step_kinetic_energy(backend, plan.to_full_step, step);
  }
  if (!plan.positions) now.x.clear();
  if (!plan.velocities) now.v.clear();
  if (!plan.forces) forces.clear();
  return std::make_unique<TakenSnapshot>(std::move(now.x), std::move(now.v), std::move(forces), std::move(c));
}

Observables observables_of(const System& system, const SnapshotContents& contents, const Bias& bias) {
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  Observables o{{}, contents.kinetic, 0, unknown, unknown};
  const int dof = degrees_of_freedom(system);
  o.temperature = dof > 0 ? 2 * o.kinetic / (dof * constants::boltzmann) : 0;
  if (!contents.energies) {
    o.energies.term.fill(unknown);
    return o;
  }
  const SnapshotEnergies& e = *contents.energies;
  o.energies = e.energies;
  if (!bias.dihedral.on && !bias.total.on) {  // what boosts would see
    const bool cmap = bias.convention == BiasConvention::namd;
    o.energies.bias = BiasEnergies{
        o.energies[EnergyTerm::dihedral] + (cmap ? o.energies[EnergyTerm::cmap] : 0), o.energies.potential(), 0, 0, 1, 1};
  }
  o.pressure = contents.box.periodic() ? mean_pressure(pressure_in(contents.box, e.pressure_volume)) : 0;
  o.conserved = o.energies.boosted_potential() + e.full_step_kinetic - e.heat;
  return o;
}

}  // namespace uplift

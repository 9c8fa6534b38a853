#include "engine/blow_up.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#include "engine/snapshot.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/fixed_point.hpp"
#include "uplift/engine/recorder.hpp"

namespace uplift {
namespace {

constexpr double absurd_temperature = 10000;  // [K] above the target; bonds of any force field are long broken
constexpr int fewest_degrees = 30;            // a few atoms may be this hot by chance
constexpr double contact = 0.08;              // [nm] nearer than any two atoms that are not bonded, or bonded, ever are

double length(const Vec3d& v) { return std::sqrt(dot(v, v)); }

struct GroupForce {
  const char* name;
  double magnitude;
};

/// What each kind of force does to one atom. Leaves the backend's forces those of the last kind: the run is over.
std::vector<GroupForce> forces_by_group(const System& system, Backend& backend, const Moment& moment, std::size_t atom) {
  constexpr std::array names = {"bonded forces", "nonbonded forces", "PME mesh forces", "implicit-solvent forces",
                                "restraints"};
  const bool present[] = {true, true, system.forces.nonbonded == NonbondedMethod::pme,
                          system.forces.implicit_solvent.has_value(), !system.position_restraints.empty()};
  State state;
  backend.download(state);
  std::vector<GroupForce> all;
  for (std::size_t k = 0; k < names.size(); ++k) {
    if (!present[k]) continue;
    backend.upload(state);
    const Stage stages[] = {ComputeForces{1u << k}};
    backend.run(stages, {}, moment.step);
    std::vector<Vec3d> f;
    backend.download_forces(f);
    all.push_back({names[k], length(f[atom])});
  }
  std::stable_sort(all.begin(), all.end(), [](const GroupForce& a, const GroupForce& b) { return a.magnitude > b.magnitude; });
  return all;
}

/// "; atom 5 (O of WAT 2) is only 0.012 nm away", or nothing when none is too near.
std::string nearest_text(const System& system, const Box& box, std::span<const Vec3d> x, int atom) {
  double nearest = 1e30;
  int other = -1;
  for (int j = 0; j < static_cast<int>(x.size()); ++j) {  // a row has no positions
    if (j == atom || !(system.masses[static_cast<std::size_t>(j)] > 0)) continue;
    const double d = length(box.image(x[static_cast<std::size_t>(j)] - x[static_cast<std::size_t>(atom)]));
    if (d < nearest) {
      nearest = d;
      other = j;
    }
  }
  return other >= 0 && nearest < contact
             ? fmt::format("; {} is only {:.4f} nm away", describe_atom(system.topology, other), nearest)
             : "";
}

double temperature_of(const System& system, double kinetic) {
  return 2 * kinetic / (degrees_of_freedom(system) * constants::boltzmann);
}

constexpr const char* cures =
    "What usually cures it: minimise before dynamics; look at the coordinates and the box around this atom; a shorter time "
    "step (2 fs with "
    "h-bonds, 4 fs with hydrogen_mass too); heat up and release restraints in stages. All frames before are good. --resume "
    "goes on from the last checkpoint with the same settings of this stage; with others, begin anew in another "
    "output.directory (system.coordinates may be trajectory.h5md of this run, if it has all atoms: its last frame is the "
    "start)";

}  // namespace

std::string Moment::text() const { return fmt::format("step {} ({:.6g} ps)", step, time); }

void check_for_blow_up(const System& system, Backend& backend, const Moment& moment, double target) {
  const Backend::WorstForce worst = backend.worst_force();
  if (worst.atom >= 0 && beyond_limit(worst.magnitude)) {
    State state;
    backend.download(state);
    const std::vector<GroupForce> groups = forces_by_group(system, backend, moment, static_cast<std::size_t>(worst.atom));
    throw SimulationError(
        fmt::format("the run has blown up at {}: the force on {} is {:.3g} kJ/mol/nm, most of it from {}{}. {}", moment.text(),
                    describe_atom(system.topology, worst.atom), worst.magnitude, groups.front().name,
                    nearest_text(system, state.box, state.x, worst.atom), cures));
  }
  if (degrees_of_freedom(system) < fewest_degrees) return;
  const double temperature = temperature_of(system, backend.kinetic_energy());
  if (temperature < target + absurd_temperature) return;
  State state;
  backend.download(state);
  int fastest = 0;
  double most = -1;
  for (int i = 0; i < system.size(); ++i) {
    const Vec3d& v = state.v[static_cast<std::size_t>(i)];
    const double energy = system.masses[static_cast<std::size_t>(i)] * dot(v, v);
    if (!(energy <= most)) {
      most = energy;
      fastest = i;
    }
  }
  throw SimulationError(fmt::format(
      "the run has blown up at {}: the temperature is {:.4g} K; {} has most of the kinetic energy{}. {}", moment.text(),
      temperature, describe_atom(system.topology, fastest), nearest_text(system, state.box, state.x, fastest), cures));
}

/// Long after, maybe: of the forces there is no more than the snapshot has.
const SnapshotContents& LateFrame::get() const {
  const SnapshotContents& c = snapshot_->get();
  const Moment moment{step_, time_};
  if (!c.failure.empty()) report_failure(*system_, c.worst, moment, c.failure);
  if (c.worst.atom >= 0 && beyond_limit(c.worst.magnitude))
    throw SimulationError(fmt::format("the run has blown up at {}: the force on {} is {:.3g} kJ/mol/nm{}. {}", moment.text(),
                                      describe_atom(system_->topology, c.worst.atom), c.worst.magnitude,
                                      nearest_text(*system_, c.box, c.x, c.worst.atom), cures));
  if (!std::isfinite(c.kinetic + (c.energies ? c.energies->energies.boosted_potential() : 0)))
    report_failure(*system_, c.worst, moment, "the energy is not a number");
  if (degrees_of_freedom(*system_) < fewest_degrees) return c;
  if (const double temperature = temperature_of(*system_, c.kinetic); !(temperature < target_ + absurd_temperature))
    report_failure(*system_, c.worst, moment, fmt::format("the run has blown up: the temperature is {:.4g} K", temperature));
  return c;
}

Observables LateFrame::observables() const { return observables_of(*system_, get(), bias_); }

void report_failure(const System& system, Backend& backend, const Moment& moment, const std::string& why) {
  report_failure(system, backend.worst_force(), moment, why);
}

void report_failure(const System& system, const WorstForce& worst, const Moment& moment, const std::string& why) {
  throw SimulationError(fmt::format("{}, at {}{}. {}", why, moment.text(),
                                    worst.atom < 0 ? ""
                                                   : fmt::format("; the largest force is {:.3g} kJ/mol/nm on {}",
                                                                 worst.magnitude, describe_atom(system.topology, worst.atom)),
                                    cures));
}

}  // namespace uplift

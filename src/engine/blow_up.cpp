#include "engine/blow_up.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/fixed_point.hpp"

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
std::string nearest_text(const System& system, const State& state, int atom) {
  double nearest = 1e30;
  int other = -1;
  for (int j = 0; j < system.size(); ++j) {
    if (j == atom || !(system.masses[static_cast<std::size_t>(j)] > 0)) continue;
    const double d = length(state.box.image(state.x[static_cast<std::size_t>(j)] - state.x[static_cast<std::size_t>(atom)]));
    if (d < nearest) {
      nearest = d;
      other = j;
    }
  }
  return other >= 0 && nearest < contact
             ? fmt::format("; {} is only {:.4f} nm away", describe_atom(system.topology, other), nearest)
             : "";
}

constexpr const char* cures =
    "What usually cures it: minimise before dynamics; look at the coordinates and the box around this atom; a shorter time "
    "step (2 fs with "
    "h-bonds, 4 fs with hydrogen_mass too); heat up and release restraints in stages. The last checkpoint and all frames "
    "before are good";

}  // namespace

std::string Moment::text() const { return fmt::format("step {} ({:.6g} ps)", step, time); }

void check_for_blow_up(const System& system, Backend& backend, const Moment& moment, double target) {
  const Backend::WorstForce worst = backend.worst_force();
  if (worst.atom >= 0 && !(worst.magnitude < force_limit)) {
    State state;
    backend.download(state);
    const std::vector<GroupForce> groups = forces_by_group(system, backend, moment, static_cast<std::size_t>(worst.atom));
    throw SimulationError(
        fmt::format("the run has blown up at {}: the force on {} is {:.3g} kJ/mol/nm, most of it from {}{}. {}", moment.text(),
                    describe_atom(system.topology, worst.atom), worst.magnitude, groups.front().name,
                    nearest_text(system, state, worst.atom), cures));
  }
  const int degrees = degrees_of_freedom(system);
  if (degrees < fewest_degrees) return;
  const double kinetic = backend.kinetic_energy(), temperature = 2 * kinetic / (degrees * constants::boltzmann);
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
      temperature, describe_atom(system.topology, fastest), nearest_text(system, state, fastest), cures));
}

void report_failure(const System& system, Backend& backend, const Moment& moment, const std::string& why) {
  const Backend::WorstForce worst = backend.worst_force();
  throw SimulationError(fmt::format("{}, at {}{}. {}", why, moment.text(),
                                    worst.atom < 0 ? ""
                                                   : fmt::format("; the largest force is {:.3g} kJ/mol/nm on {}",
                                                                 worst.magnitude, describe_atom(system.topology, worst.atom)),
                                    cures));
}

}  // namespace uplift

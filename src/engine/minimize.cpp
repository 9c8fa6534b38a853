#include <algorithm>
#include <cmath>

#include "uplift/core/error.hpp"
#include "uplift/core/fixed_point.hpp"
#include "uplift/engine/simulation.hpp"

namespace uplift {
namespace {

struct Point {
  State state;
  std::vector<Vec3d> force;
  double energy = 0;
  Backend::WorstForce worst;
};

/// The part of the forces that moves atoms: what the constraints would take up is left out, so that convergence can be seen. With
/// v = F/m the velocity constraint subtracts exactly the constraint forces, as Lagrange multipliers do: F' = F - J^T lambda.
void drop_constraint_forces(const System& system, Backend& backend, Point& p) {
  State projected = p.state;
  double fastest = 0;
  for (std::size_t i = 0; i < p.force.size(); ++i) {
    projected.v[i] = system.masses[i] > 0 ? (1 / system.masses[i]) * p.force[i] : Vec3d{0, 0, 0};
    fastest = std::max(fastest, dot(projected.v[i], projected.v[i]));
  }
  if (!(fastest > 0)) return;
  const double scale = 1 / std::sqrt(fastest);  // velocities of ordinary size: the solver's tolerance is in such units
  for (Vec3d& v : projected.v) v = scale * v;
  backend.upload(projected);
  const Stage project[] = {ConstrainVelocities{}};
  backend.run(project, {}, 0);
  backend.download(projected);
  for (std::size_t i = 0; i < p.force.size(); ++i) p.force[i] = (system.masses[i] / scale) * projected.v[i];
}

/// Energy and forces at `trial`, moved onto the constraints from `reference`, which meets them.
Point evaluate(const System& system, Backend& backend, const State& reference, const State& trial) {
  State moving = reference;  // the trial as a drift for unit time: velocity = displacement
  for (std::size_t i = 0; i < moving.x.size(); ++i) moving.v[i] = trial.x[i] - reference.x[i];
  backend.upload(moving);
  const Stage stages[] = {SavePositions{}, Drift{1.0}, ConstrainPositions{1.0}, PlaceVirtualSites{}, ComputeForces{}};
  backend.run(stages, ForcePlan{.energies = true}, 0);
  Point p;
  backend.download(p.state);
  backend.download_forces(p.force);
  p.energy = backend.energies().potential();
  drop_constraint_forces(system, backend, p);
  for (std::size_t i = 0; i < p.force.size(); ++i) {
    const double magnitude = std::max({std::abs(p.force[i].x), std::abs(p.force[i].y), std::abs(p.force[i].z)});
    if (magnitude > p.worst.magnitude || p.worst.atom < 0) p.worst = {static_cast<int>(i), magnitude};
  }
  return p;
}

}  // namespace

MinimizeResult minimize(const System& system, Backend& backend, State& state, const MinimizeSettings& settings) {
  const std::vector<Vec3d> velocities = state.v;
  State start = state;
  start.v.assign(start.x.size(), Vec3d{0, 0, 0});
  Point best = evaluate(system, backend, start, start);
  double step = 0.001;  // [nm] largest displacement of the next trial
  MinimizeResult result;
  for (; result.steps < settings.max_steps && best.worst.magnitude > settings.force_tolerance; ++result.steps) {
    State trial = best.state;
    const double scale = step / best.worst.magnitude;
    for (std::size_t i = 0; i < trial.x.size(); ++i)
      if (system.masses[i] > 0) trial.x[i] += scale * best.force[i];
    Point next;
    try {
      next = evaluate(system, backend, best.state, trial);
    } catch (const SimulationError&) {  // too far for the constraints: a shorter step
      step *= 0.2;
      if (step < 1e-9) break;
      continue;
    }
    if (next.energy < best.energy) {
      best = std::move(next);
      step = std::min(1.2 * step, 0.01);
    } else {
      step *= 0.2;
      if (step < 1e-9) break;  // as low as the arithmetic goes
    }
  }
  result.energy = best.energy;
  result.worst = best.worst;
  result.converged = best.worst.magnitude <= settings.force_tolerance;
  state.x = best.state.x;
  state.v = velocities;
  return result;
}

}  // namespace uplift

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

#include "uplift/core/error.hpp"
#include "uplift/core/fixed_point.hpp"
#include "uplift/engine/simulation.hpp"

namespace uplift {
namespace {

struct Point {
  State state;
  std::vector<Vec3d> force;
  double energy = 0;
  double largest = 0;  ///< component of a force
};

/// Atoms with the largest force components, largest first.
std::vector<Backend::WorstForce> worst_atoms(const std::vector<Vec3d>& force, std::size_t count) {
  std::vector<Backend::WorstForce> all;
  for (std::size_t i = 0; i < force.size(); ++i)
    all.push_back({static_cast<int>(i), std::max({std::abs(force[i].x), std::abs(force[i].y), std::abs(force[i].z)})});
  count = std::min(count, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end(),
                    [](const Backend::WorstForce& a, const Backend::WorstForce& b) {
                      return a.magnitude > b.magnitude || (a.magnitude == b.magnitude && a.atom < b.atom);
                    });
  all.resize(count);
  return all;
}

/// The part of the forces that moves atoms: what the constraints would take up is left out, so that convergence can be seen.
/// With v = F/m the velocity constraint subtracts exactly the constraint forces, as Lagrange multipliers do: F' = F - J^T
/// lambda.
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
  backend.verify();
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
  backend.verify();
  Point p;
  backend.download(p.state);
  backend.download_forces(p.force);
  p.energy = backend.energies().potential();
  drop_constraint_forces(system, backend, p);
  for (const Vec3d& f : p.force) p.largest = std::max({p.largest, std::abs(f.x), std::abs(f.y), std::abs(f.z)});
  return p;
}

double product(const std::vector<Vec3d>& a, const std::vector<Vec3d>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += dot(a[i], b[i]);
  return sum;
}
void add(std::vector<Vec3d>& a, double factor, const std::vector<Vec3d>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += factor * b[i];
}
double longest(const std::vector<Vec3d>& a) {
  double most = 0;
  for (const Vec3d& v : a) most = std::max(most, dot(v, v));
  return std::sqrt(most);
}

/// What recent steps tell of the curvature: Nocedal, Math. Comp. 35, 773 (1980), as in Liu and Nocedal, Math. Program. 45, 503
/// (1989).
class Curvature {
 public:
  /// A step `s` and the change `y` of the gradient over it; not taken when the curvature is not positive.
  void learn(std::vector<Vec3d> s, std::vector<Vec3d> y) {
    const double sy = product(s, y);
    if (!(sy > 1e-10 * std::sqrt(product(s, s) * product(y, y)))) return;
    pairs_.push_back({std::move(s), std::move(y), 1 / sy});
    if (pairs_.size() > most) pairs_.pop_front();
  }
  void forget() { pairs_.clear(); }
  bool empty() const { return pairs_.empty(); }

  /// Inverse Hessian times `force`: two loops over the pairs.
  std::vector<Vec3d> direction(std::vector<Vec3d> d) const {
    std::vector<double> alpha(pairs_.size());
    for (std::size_t k = pairs_.size(); k-- > 0;) {
      alpha[k] = pairs_[k].rho * product(pairs_[k].s, d);
      add(d, -alpha[k], pairs_[k].y);
    }
    const Pair& last = pairs_.back();
    const double scale = 1 / (last.rho * product(last.y, last.y));
    for (Vec3d& v : d) v = scale * v;
    for (std::size_t k = 0; k < pairs_.size(); ++k) add(d, alpha[k] - pairs_[k].rho * product(pairs_[k].y, d), pairs_[k].s);
    return d;
  }

 private:
  static constexpr std::size_t most = 8;
  struct Pair {
    std::vector<Vec3d> s, y;
    double rho;
  };
  std::deque<Pair> pairs_;
};

std::vector<Vec3d> difference(const std::vector<Vec3d>& a, const std::vector<Vec3d>& b) {
  std::vector<Vec3d> d = a;
  add(d, -1, b);
  return d;
}

// Largest displacement of an atom in one step [nm]: first, at most, and where the arithmetic ends.
constexpr double first_step = 0.001, longest_step = 0.02, shortest_step = 1e-9;
// Energies of mixed precision are good to about this part: closer than that, forces decide.
constexpr double energy_noise = 1e-7;

bool better(const Point& next, const Point& best, double slope) {
  const double change = next.energy - best.energy;
  if (change <= 1e-4 * slope) return true;  // Armijo's condition; the slope is negative
  return std::abs(change) < energy_noise * std::abs(best.energy) &&
         product(next.force, next.force) < product(best.force, best.force);
}

}  // namespace

MinimizeResult minimize(const System& system, Backend& backend, State& state, const MinimizeSettings& settings,
                        const std::function<bool()>& stop) {
  const std::vector<Vec3d> velocities = state.v;
  State start = state;
  start.v.assign(start.x.size(), Vec3d{0, 0, 0});
  Point best = evaluate(system, backend, start, start);
  Curvature curvature;
  double step = first_step;  // along the force, as long as there is no curvature
  MinimizeResult result;
  while (result.steps < settings.max_steps && best.largest > settings.force_tolerance && step > shortest_step) {
    if (stop && stop()) {
      result.stopped = true;
      return result;
    }
    std::vector<Vec3d> d = curvature.empty() ? best.force : curvature.direction(best.force);
    double slope = -product(d, best.force);
    if (!(slope < 0)) {
      curvature.forget();
      continue;
    }
    const double length = longest(d);
    double factor = curvature.empty() ? step / length : std::min(1.0, longest_step / length);
    bool moved = false;
    for (int attempt = 0; attempt < 8 && result.steps < settings.max_steps && !moved; ++attempt, factor *= 0.25) {
      ++result.steps;
      State trial = best.state;
      for (std::size_t i = 0; i < trial.x.size(); ++i)
        if (system.masses[i] > 0) trial.x[i] += factor * d[i];
      Point next;
      try {
        next = evaluate(system, backend, best.state, trial);
      } catch (const SimulationError&) {
        continue;  // too far for the constraints
      }
      if (!std::isfinite(next.energy) || !better(next, best, factor * slope)) continue;
      // Gradients are minus the forces.
      if (curvature.empty()) step = std::min(2 * factor * length, longest_step);
      curvature.learn(difference(next.state.x, best.state.x), difference(best.force, next.force));
      best = std::move(next);
      moved = true;
    }
    if (moved) continue;
    if (curvature.empty()) step = factor * length;  // attempts have made it shorter
    curvature.forget();
  }
  result.energy = best.energy;
  result.worst = worst_atoms(best.force, 3);
  result.converged = best.largest <= settings.force_tolerance;
  state.x = best.state.x;
  state.v = velocities;
  return result;
}

}  // namespace uplift

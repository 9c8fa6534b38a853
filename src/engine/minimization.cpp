#include "uplift/engine/minimization.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "host_descent.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/fixed_point.hpp"

namespace uplift {
namespace {

// Largest displacement of an atom in one step [nm]: first, at most, and where the arithmetic ends.
constexpr double usual_first_step = 0.001, longest_step = 0.02, shortest_step = 1e-9;
// Energies of mixed precision are good to about this part: closer than that, forces decide.
constexpr double energy_noise = 1e-7;
constexpr int attempts_along_a_direction = 8;

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

}  // namespace

/// What recent steps tell of the curvature: Nocedal, Math. Comp. 35, 773 (1980). Sees products of vectors, no vector.
class Minimization::Curvature {
 public:
  /// The force of the best configuration, as the attempt found it.
  void note_force(const Descent::Attempt& a) { note(Descent::force_vector, a.force); }
  /// The step of the attempt and the change of the gradient over it; not taken when the curvature is not positive.
  void learn(const Descent::Attempt& a, int slot) {
    const std::size_t s = Descent::step_of(slot), y = Descent::change_of(slot);
    const double sy = a.step[y];
    if (!(sy > 1e-10 * std::sqrt(a.step[s] * a.change[y]))) return;
    note(s, a.step);
    note(y, a.change);
    slots_.push_back(slot);
    if (slots_.size() == Descent::slots) slots_.erase(slots_.begin());
  }
  void forget() { slots_.clear(); }
  bool empty() const { return slots_.empty(); }
  const std::vector<int>& slots() const { return slots_; }
  int free_slot() const {
    int slot = 0;
    while (std::find(slots_.begin(), slots_.end(), slot) != slots_.end()) ++slot;
    return slot;
  }

  /// Inverse Hessian times force, in two loops over the pairs; the force itself where nothing is known.
  Descent::Row direction() const {
    Descent::Row w{};
    w[Descent::force_vector] = 1;
    if (slots_.empty()) return w;
    std::vector<double> alpha(slots_.size());
    for (std::size_t n = slots_.size(); n-- > 0;) {
      alpha[n] = along(Descent::step_of(slots_[n]), w) / curvature(slots_[n]);
      w[Descent::change_of(slots_[n])] -= alpha[n];
    }
    const int last = slots_.back();
    const double scale = curvature(last) / product_[Descent::change_of(last)][Descent::change_of(last)];
    for (double& weight : w) weight *= scale;
    for (std::size_t n = 0; n < slots_.size(); ++n)
      w[Descent::step_of(slots_[n])] += alpha[n] - along(Descent::change_of(slots_[n]), w) / curvature(slots_[n]);
    return w;
  }
  /// Product of a vector with the sum of all, weighed.
  double along(std::size_t vector, const Descent::Row& weights) const {
    double sum = 0;
    for (std::size_t k = 0; k < weights.size(); ++k)
      if (weights[k] != 0) sum += weights[k] * product_[vector][k];
    return sum;
  }

  void save(DescentMemory& memory) const {
    memory.slots = slots_;
    for (const Descent::Row& row : product_) memory.products.insert(memory.products.end(), row.begin(), row.end());
  }
  void restore(const DescentMemory& memory) {
    slots_ = memory.slots;
    for (std::size_t k = 0; k < product_.size(); ++k)
      std::copy_n(memory.products.begin() + static_cast<std::ptrdiff_t>(k * Descent::vectors), Descent::vectors,
                  product_[k].begin());
  }

 private:
  void note(std::size_t vector, const Descent::Row& products) {
    product_[vector] = products;
    for (std::size_t k = 0; k < products.size(); ++k) product_[k][vector] = products[k];
  }
  double curvature(int slot) const { return product_[Descent::step_of(slot)][Descent::change_of(slot)]; }

  std::vector<int> slots_;  ///< of pairs, oldest first
  std::array<Descent::Row, Descent::vectors> product_{};
};

Minimization::Minimization(const System& system, Backend& backend, const State& start, const MinimizeSettings& settings,
                           const DescentMemory* memory)
    : backend_(backend),
      settings_(settings),
      start_(start),
      curvature_(std::make_unique<Curvature>()),
      first_step_(usual_first_step) {
  backend.upload(start);
  start_.list.clear();
  descent_ = backend.descent();
  if (!descent_) descent_ = make_host_descent(system, backend, start);
  if (memory) {
    descent_->restore(*memory);
    curvature_->restore(*memory);
    steps_ = memory->steps;
    first_step_ = memory->first_step;
    energy_ = memory->energy;
    largest_ = memory->largest;
    worst_ = memory->worst;
    squared_ = memory->squared;
  } else {
    take(descent_->attempt(0, 0, {}));
  }
}

Minimization::~Minimization() = default;

void Minimization::take(const Descent::Attempt& attempt) {
  descent_->take();
  curvature_->note_force(attempt);
  energy_ = attempt.energy;
  largest_ = attempt.largest;
  worst_ = attempt.worst;
  squared_ = attempt.force[Descent::force_vector];
}

bool Minimization::finished() const {
  return steps_ >= settings_.max_steps || !(largest_ > settings_.force_tolerance) || !(first_step_ > shortest_step);
}

double Minimization::energy() const { return beyond_limit(worst_) ? std::numeric_limits<double>::infinity() : energy_; }

/// Where atoms overlap, forces are cut off and sums of energies may have wrapped round: all that counts then is to get away
/// from there, along forces that do not grow much: cut off, they tell where to go and hardly how far it is.
bool Minimization::better(const Descent::Attempt& next, double slope) const {
  if (beyond_limit(next.worst)) return beyond_limit(worst_) && next.force[Descent::force_vector] <= 1.2 * squared_;
  if (beyond_limit(worst_)) return true;
  if (!std::isfinite(next.energy)) return false;
  const double change = next.energy - energy_;
  if (change <= 1e-4 * slope) return true;  // Armijo's condition; the slope is negative
  return std::abs(change) < energy_noise * std::abs(energy_) && next.force[Descent::force_vector] < squared_;
}

void Minimization::advance() {
  Descent::Row direction = curvature_->direction();
  double slope = -curvature_->along(Descent::force_vector, direction);
  if (!(slope < 0)) {
    curvature_->forget();
    direction = curvature_->direction();
    slope = -curvature_->along(Descent::force_vector, direction);
  }
  const double length = descent_->aim(direction);
  const bool informed = !curvature_->empty();
  double factor = informed ? std::min(1.0, longest_step / length) : first_step_ / length;
  for (int n = 0; n < attempts_along_a_direction && steps_ < settings_.max_steps; ++n, factor *= 0.25) {
    ++steps_;
    const int slot = curvature_->free_slot();
    Descent::Attempt next;
    try {
      next = descent_->attempt(factor, slot, curvature_->slots());
    } catch (const SimulationError&) {
      continue;  // too far for the constraints
    }
    if (!better(next, factor * slope)) continue;
    if (!informed) first_step_ = std::min(2 * factor * length, longest_step);
    const bool learns = !beyond_limit(worst_);
    take(next);
    if (learns) curvature_->learn(next, slot);
    return;
  }
  if (!informed) first_step_ = factor * length;  // attempts have made it shorter
  curvature_->forget();
}

MinimizeResult Minimization::result() const {
  std::vector<Vec3d> force;
  descent_->download_force(force);
  return {steps_, largest_ <= settings_.force_tolerance, energy(), worst_atoms(force, 3)};
}

State Minimization::state() const {
  State state = start_;
  descent_->download_positions(state);
  return state;
}

State Minimization::checkpoint_state() const {
  State now = state();
  now.list = backend_.list_origin();
  return now;
}

DescentMemory Minimization::memory() const {
  DescentMemory memory;
  memory.steps = steps_;
  memory.first_step = first_step_;
  memory.energy = energy_;
  memory.largest = largest_;
  memory.worst = worst_;
  memory.squared = squared_;
  curvature_->save(memory);
  descent_->save(memory);
  return memory;
}

MinimizeResult minimize(const System& system, Backend& backend, State& state, const MinimizeSettings& settings) {
  Minimization minimization(system, backend, state, settings);
  while (!minimization.finished()) minimization.advance();
  state = minimization.state();
  return minimization.result();
}

}  // namespace uplift

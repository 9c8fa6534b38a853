#include "host_descent.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace uplift {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// Products of three vectors with one: of step, change and force.
struct Products {
  double step, change, force;
};
template <class T>
Products products(const std::vector<float>& step, const std::vector<float>& change, const std::vector<Vec3d>& force,
                  const T* with) {
  constexpr std::size_t lanes = 4;  // sums side by side: one would wait for itself
  double sum[3][lanes] = {};
  const std::size_t count = step.size();
  const double* f = &force[0].x;
  for (std::size_t i = 0; i < count; i += lanes)
    for (std::size_t l = 0; l < std::min(lanes, count - i); ++l) {
      const auto b = static_cast<double>(with[i + l]);
      sum[0][l] += static_cast<double>(step[i + l]) * b;
      sum[1][l] += static_cast<double>(change[i + l]) * b;
      sum[2][l] += f[i + l] * b;
    }
  const auto all = [&](const double* s) { return (s[0] + s[1]) + (s[2] + s[3]); };
  return {all(sum[0]), all(sum[1]), all(sum[2])};
}

class HostDescent final : public Descent {
 public:
  HostDescent(const System& system, Backend& backend, const State& start)
      : system_(system),
        backend_(backend),
        best_(start),
        force_(start.x.size(), Vec3d{0, 0, 0}),
        direction_(start.x.size(), Vec3d{0, 0, 0}) {
    best_.v.assign(best_.x.size(), Vec3d{0, 0, 0});
  }

  Attempt attempt(double factor, int slot, std::span<const int> known) override {
    State moving = best_;  // as a drift for unit time: velocity = displacement
    for (std::size_t i = 0; i < moving.v.size(); ++i) moving.v[i] = factor * direction_[i];
    backend_.upload(moving);
    best_.list_x.clear();  // of a checkpoint; the backend knows better from now on
    const Stage stages[] = {SavePositions{}, Drift{1.0}, ConstrainPositions{1.0}, PlaceVirtualSites{}, ComputeForces{}};
    backend_.run(stages, ForcePlan{.energies = true}, 0);
    backend_.verify();
    backend_.download(next_);
    backend_.download_forces(next_force_);
    Attempt a;
    a.energy = backend_.energies().potential();
    drop_constraint_forces();

    std::vector<float>&s = step_[at(slot)], &y = change_[at(slot)];
    s.resize(3 * force_.size());
    y.resize(s.size());
    for (std::size_t i = 0; i < force_.size(); ++i) {
      const Vec3d moved = system_.masses[i] > 0 ? next_.x[i] - best_.x[i] : Vec3d{0, 0, 0};
      const Vec3d& f = next_force_[i];
      const Vec3d change = force_[i] - f;  // gradients are minus the forces
      a.largest = std::max({a.largest, std::abs(f.x), std::abs(f.y), std::abs(f.z)});
      put(s, i, moved);
      put(y, i, change);
    }
    if (s.empty()) return a;
    const auto note = [&](std::size_t vector, const Products& p) {
      a.step[vector] = p.step;
      a.change[vector] = p.change;
      a.force[vector] = p.force;
    };
    const auto note_slot = [&](int k) {
      note(Descent::step_of(k), products(s, y, next_force_, step_[at(k)].data()));
      note(Descent::change_of(k), products(s, y, next_force_, change_[at(k)].data()));
    };
    for (int k : known) note_slot(k);
    note_slot(slot);
    note(Descent::force_vector, products(s, y, next_force_, &next_force_[0].x));
    return a;
  }

  void take() override {
    std::swap(best_.x, next_.x);
    std::swap(force_, next_force_);
  }

  double aim(const Row& weights) override {
    const std::size_t atoms = force_.size();
    for (std::size_t i = 0; i < atoms; ++i) direction_[i] = weights[Descent::force_vector] * force_[i];
    const auto add = [&](double weight, const std::vector<float>& from) {
      if (weight == 0) return;
      for (std::size_t i = 0; i < atoms; ++i)
        direction_[i] += weight * Vec3d{static_cast<double>(from[3 * i]), static_cast<double>(from[3 * i + 1]),
                                        static_cast<double>(from[3 * i + 2])};
    };
    for (int k = 0; k < slots; ++k) {
      add(weights[Descent::step_of(k)], step_[at(k)]);
      add(weights[Descent::change_of(k)], change_[at(k)]);
    }
    double most = 0;
    for (const Vec3d& d : direction_) most = std::max(most, dot(d, d));
    return std::sqrt(most);
  }

  void download_positions(State& state) const override {
    state.x = best_.x;
    state.box = best_.box;
  }
  void download_force(std::vector<Vec3d>& force) const override { force = force_; }
  void save(DescentMemory& memory) const override {
    memory.force = force_;
    for (int k : memory.slots) {
      memory.step.push_back(step_[at(k)]);
      memory.change.push_back(change_[at(k)]);
    }
  }
  void restore(const DescentMemory& memory) override {
    force_ = memory.force;
    for (std::size_t n = 0; n < memory.slots.size(); ++n) {
      step_[at(memory.slots[n])] = memory.step[n];
      change_[at(memory.slots[n])] = memory.change[n];
    }
  }

 private:
  static void put(std::vector<float>& to, std::size_t i, const Vec3d& r) {
    to[3 * i] = static_cast<float>(r.x);
    to[3 * i + 1] = static_cast<float>(r.y);
    to[3 * i + 2] = static_cast<float>(r.z);
  }

  /// With v = F/m the velocity constraint subtracts exactly the constraint forces, as Lagrange multipliers do:
  /// F' = F - J^T lambda.
  void drop_constraint_forces() {
    double fastest = 0;
    State projected = next_;
    for (std::size_t i = 0; i < next_force_.size(); ++i) {
      projected.v[i] = system_.masses[i] > 0 ? (1 / system_.masses[i]) * next_force_[i] : Vec3d{0, 0, 0};
      fastest = std::max(fastest, dot(projected.v[i], projected.v[i]));
    }
    if (!(fastest > 0)) return;
    const double scale = 1 / std::sqrt(fastest);  // velocities of ordinary size: the solver's tolerance is in such units
    for (Vec3d& v : projected.v) v = scale * v;
    backend_.upload(projected);
    const Stage project[] = {ConstrainVelocities{}};
    backend_.run(project, {}, 0);
    backend_.verify();
    backend_.download(projected);
    for (std::size_t i = 0; i < next_force_.size(); ++i) next_force_[i] = (system_.masses[i] / scale) * projected.v[i];
  }

  const System& system_;
  Backend& backend_;
  State best_, next_;
  std::vector<Vec3d> force_, next_force_, direction_;
  std::vector<float> step_[slots], change_[slots];
};

}  // namespace

std::unique_ptr<Descent> make_host_descent(const System& system, Backend& backend, const State& start) {
  return std::make_unique<HostDescent>(system, backend, start);
}

}  // namespace uplift

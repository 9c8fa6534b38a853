#include "host_descent.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "uplift/core/at.hpp"

namespace uplift {
namespace {

constexpr std::size_t atoms_of_a_part = 1024;  // sums are of parts, in order: threads change no bit

Vec3d vector_at(const std::vector<float>& from, std::size_t atom) {
  const float* r = from.data() + 3 * atom;
  return {static_cast<double>(r[0]), static_cast<double>(r[1]), static_cast<double>(r[2])};
}
void put(std::vector<float>& to, std::size_t atom, const Vec3d& r) {
  float* place = to.data() + 3 * atom;
  place[0] = static_cast<float>(r.x);
  place[1] = static_cast<float>(r.y);
  place[2] = static_cast<float>(r.z);
}
double component(const Vec3d& r) { return std::max({std::abs(r.x), std::abs(r.y), std::abs(r.z)}); }

class HostDescent final : public Descent {
 public:
  HostDescent(const System& system, Backend& backend, const State& start)
      : system_(system),
        backend_(backend),
        parts_((start.x.size() + atoms_of_a_part - 1) / atoms_of_a_part),
        best_(start),
        force_(start.x.size(), Vec3d{0, 0, 0}),
        direction_(start.x.size(), Vec3d{0, 0, 0}) {}

  Attempt attempt(double factor, int slot, std::span<const int> known) override {
    next_ = best_;
    each_atom([&](std::size_t i) { next_.v[i] = factor * direction_[i]; });  // as a drift for unit time
    backend_.upload(next_);
    best_.list.clear();  // of a checkpoint; the backend knows better from now on
    next_.list.clear();
    const Stage stages[] = {SavePositions{}, Drift{1.0}, ConstrainPositions{1.0}, PlaceVirtualSites{}, ComputeForces{}};
    backend_.run(stages, ForcePlan{.energies = true}, 0);
    backend_.verify();
    backend_.download(next_);
    backend_.download_forces(next_force_);
    Attempt a;
    a.energy = backend_.energies().potential();
    a.worst = std::sqrt(largest([&](std::size_t i) { return dot(next_force_[i], next_force_[i]); }));
    drop_constraint_forces();

    std::vector<float>&s = step_[at(slot)], &y = change_[at(slot)];
    s.resize(3 * force_.size());
    y.resize(s.size());
    a.largest = largest([&](std::size_t i) {
      put(s, i, system_.masses[i] > 0 ? next_.x[i] - best_.x[i] : Vec3d{0, 0, 0});
      put(y, i, force_[i] - next_force_[i]);  // gradients are minus the forces
      return component(next_force_[i]);
    });
    std::vector<int> wanted(known.begin(), known.end());
    wanted.push_back(slot);
    add_products(wanted, s, y, a);
    return a;
  }

  void take() override {
    std::swap(best_.x, next_.x);
    std::swap(force_, next_force_);
  }

  double aim(const Row& weights) override {
    return std::sqrt(largest([&](std::size_t i) {
      Vec3d d = weights[force_vector] * force_[i];
      for (int k = 0; k < slots; ++k) {
        if (const double w = weights[step_of(k)]; w != 0) d += w * vector_at(step_[at(k)], i);
        if (const double w = weights[change_of(k)]; w != 0) d += w * vector_at(change_[at(k)], i);
      }
      direction_[i] = d;
      return dot(d, d);
    }));
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
  /// f(part, first atom, one past the last)
  template <class F>
  void each_part(F&& f) {
    backend_.for_each(static_cast<int>(parts_), [&](int part) {
      f(at(part), at(part) * atoms_of_a_part, std::min((at(part) + 1) * atoms_of_a_part, best_.x.size()));
    });
  }
  template <class F>
  void each_atom(F&& f) {
    each_part([&](std::size_t, std::size_t first, std::size_t end) {
      for (std::size_t i = first; i < end; ++i) f(i);
    });
  }
  /// The largest of what f returns for atoms, or 0.
  template <class F>
  double largest(F&& f) {
    std::vector<double> of_part(parts_, 0.0);
    each_part([&](std::size_t part, std::size_t first, std::size_t end) {
      double most = 0;
      for (std::size_t i = first; i < end; ++i) most = std::max(most, f(i));
      of_part[part] = most;
    });
    return parts_ > 0 ? *std::max_element(of_part.begin(), of_part.end()) : 0;
  }

  /// Products of a step, a change and the new force with what slots hold and with the new force.
  void add_products(const std::vector<int>& wanted, const std::vector<float>& s, const std::vector<float>& y, Attempt& a) {
    std::vector<Attempt> of_part(parts_);
    each_part([&](std::size_t part, std::size_t first, std::size_t end) {
      const double* f = &next_force_[0].x;
      const auto with = [&](std::size_t vector, const auto* b) {
        constexpr std::size_t lanes = 4;  // sums side by side: one would wait for itself
        double sum[3][lanes] = {};
        for (std::size_t n = 3 * first; n < 3 * end; n += lanes)
          for (std::size_t l = 0; l < std::min(lanes, 3 * end - n); ++l) {
            const auto other = static_cast<double>(b[n + l]);
            sum[0][l] += static_cast<double>(s[n + l]) * other;
            sum[1][l] += static_cast<double>(y[n + l]) * other;
            sum[2][l] += f[n + l] * other;
          }
        const auto all = [&](const double* lane) { return (lane[0] + lane[1]) + (lane[2] + lane[3]); };
        of_part[part].step[vector] = all(sum[0]);
        of_part[part].change[vector] = all(sum[1]);
        of_part[part].force[vector] = all(sum[2]);
      };
      for (int k : wanted) {
        with(step_of(k), step_[at(k)].data());
        with(change_of(k), change_[at(k)].data());
      }
      with(force_vector, f);
    });
    for (const Attempt& part : of_part)
      for (std::size_t k = 0; k < vectors; ++k) {
        a.step[k] += part.step[k];
        a.change[k] += part.change[k];
        a.force[k] += part.force[k];
      }
  }

  /// With v = F/m the velocity constraint subtracts exactly the constraint forces, as Lagrange multipliers do:
  /// F' = F - J^T lambda.
  void drop_constraint_forces() {
    const double fastest = largest([&](std::size_t i) {
      next_.v[i] = system_.masses[i] > 0 ? (1 / system_.masses[i]) * next_force_[i] : Vec3d{0, 0, 0};
      return dot(next_.v[i], next_.v[i]);
    });
    if (!(fastest > 0)) return;
    const double scale = 1 / std::sqrt(fastest);  // velocities of ordinary size: the solver's tolerance is in such units
    each_atom([&](std::size_t i) { next_.v[i] = scale * next_.v[i]; });
    backend_.upload(next_);
    const Stage project[] = {ConstrainVelocities{}};
    backend_.run(project, {}, 0);
    backend_.verify();
    backend_.download(next_);
    each_atom([&](std::size_t i) { next_force_[i] = (system_.masses[i] / scale) * next_.v[i]; });
  }

  const System& system_;
  Backend& backend_;
  std::size_t parts_;
  State best_, next_;  ///< positions; velocities are nobody's
  std::vector<Vec3d> force_, next_force_, direction_;
  std::vector<float> step_[slots], change_[slots];
};

}  // namespace

std::unique_ptr<Descent> make_host_descent(const System& system, Backend& backend, const State& start) {
  return std::make_unique<HostDescent>(system, backend, start);
}

}  // namespace uplift

#include "uplift/engine/integrator.hpp"

#include "uplift/core/assert.hpp"

namespace uplift {
namespace {

const char* name_of(IntegratorKind kind) {
  switch (kind) {
    case IntegratorKind::verlet:
      return "verlet";
    case IntegratorKind::langevin:
      return "langevin";
    case IntegratorKind::nose_hoover:
      return "nose-hoover";
    case IntegratorKind::v_rescale:
      return "v-rescale";
  }
  return "";
}

/// The levels of a step and which of them act when.
class Levels {
 public:
  explicit Levels(const DynamicsSettings& d) : levels_(d.levels), inner_(d.inner_steps()) {
    if (levels_.empty()) levels_.push_back({});
    UPLIFT_EXPECT(levels_.size() <= most_force_levels);
    for (const ForceLevel& level : levels_) UPLIFT_EXPECT(level.every >= 1 && inner_ % level.every == 0);
  }

  int inner_steps() const { return inner_; }

  /// Of the kick at the beginning of inner step `k`, or at its end as `k + 1`.
  LevelWeights weights(int k) const {
    LevelWeights w{};
    for (std::size_t l = 0; l < levels_.size(); ++l)
      if (k % levels_[l].every == 0) w[l] = levels_[l].every;
    return w;
  }

  /// What must be known at the end of inner step k.
  void add_forces(int k, std::vector<Stage>& stages) const {
    for (std::size_t l = 0; l < levels_.size(); ++l)
      if ((k + 1) % levels_[l].every == 0)
        stages.push_back(ComputeForces{levels_[l].groups, static_cast<int>(l), k + 1 == inner_});
  }

 private:
  std::vector<ForceLevel> levels_;
  int inner_;
};

}  // namespace

Integrator make_integrator(const DynamicsSettings& d) {
  const Levels levels(d);
  const int n = levels.inner_steps();
  const double dt = d.timestep / n;
  Integrator integrator;
  integrator.name = name_of(d.integrator);
  levels.add_forces(n - 1, integrator.forces);
  const auto add = [&](std::initializer_list<Stage> stages) { integrator.stages.insert(integrator.stages.end(), stages); };
  for (int k = 0; k < n; ++k) {
    if (d.integrator == IntegratorKind::verlet) {
      add({Kick{dt / 2, levels.weights(k)}, SavePositions{}, Drift{dt}, ConstrainPositions{dt}, PlaceVirtualSites{}});
      levels.add_forces(k, integrator.stages);
      add({Kick{dt / 2, levels.weights(k + 1)}, ConstrainVelocities{}});
      continue;
    }
    add({Kick{dt, levels.weights(k)}, ConstrainVelocities{}, SavePositions{}, Drift{dt / 2}});
    switch (d.integrator) {
      case IntegratorKind::langevin:
        // What the noise has along constraints is removed with the gradients that the positions' solver uses, so that the heat is
        // what the velocities keep of it.
        add({CountHeat{-1}, OrnsteinUhlenbeck{dt, d.friction, d.temperature, d.seed, k, n}, ConstrainVelocities{true}, CountHeat{1}});
        break;
      case IntegratorKind::v_rescale:
        add({RescaleVelocities{dt, d.friction, d.temperature, d.seed, k, n}});
        break;
      case IntegratorKind::nose_hoover:
        add({MoveNoseHooverChain{dt, d.friction, d.temperature}});
        break;
      case IntegratorKind::verlet:
        break;
    }
    add({Drift{dt / 2}, ConstrainPositions{dt}, PlaceVirtualSites{}});
    levels.add_forces(k, integrator.stages);
  }
  if (d.integrator != IntegratorKind::verlet) integrator.to_full_step = {Kick{dt / 2, levels.weights(0)}, ConstrainVelocities{}};
  return integrator;
}

void set_temperature(Integrator& integrator, double temperature) {
  for (Stage& stage : integrator.stages)
    std::visit(
        [&](auto& s) {
          if constexpr (requires { s.temperature; }) s.temperature = temperature;
        },
        stage);
}

}  // namespace uplift

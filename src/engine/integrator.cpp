#include "uplift/engine/integrator.hpp"

#include <algorithm>

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
  Levels(const DynamicsSettings& d, const BiasPlan& bias) : levels_(d.levels), bias_(bias), inner_(d.inner_steps()) {
    if (levels_.empty()) levels_.push_back({});
    if (boosted_torsions(bias.bias) != TorsionGroup::none) part_torsions();
    UPLIFT_EXPECT(levels_.size() <= most_force_levels);
    for (const ForceLevel& level : levels_) UPLIFT_EXPECT(level.every >= 1 && inner_ % level.every == 0);
  }

  int inner_steps() const { return inner_; }

  /// At the beginning of inner step `k`, or at its end as `k + 1`.
  Kick kick(double dt, int k) const {
    Kick kick{dt, LevelWeights{}, 0};
    for (std::size_t l = 0; l < levels_.size(); ++l)
      if (k % levels_[l].every == 0) kick.weight[l] = levels_[l].every;
    if (bias_.bias.total.on && k % inner_ == 0) kick.boost_weight = inner_;
    return kick;
  }

  /// What must be known at the end of inner step k.
  void add_forces(int k, std::vector<Stage>& stages, bool gather) const {
    const bool outer = k + 1 == inner_, all_energies = outer && (bias_.gather || bias_.bias.total.on);
    bool torsions = false;
    for (std::size_t l = 0; l < levels_.size(); ++l) {
      if ((k + 1) % levels_[l].every != 0) continue;
      const bool own = static_cast<int>(l) == torsion_level_;
      torsions |= own;
      stages.push_back(ComputeForces{levels_[l].groups, static_cast<int>(l), outer, own || all_energies});
    }
    if (torsions || all_energies)
      stages.push_back(ApplyBias{bias_.bias, torsion_level_, !outer, gather && bias_.gather && outer});
  }

 private:
  void part_torsions() {
    constexpr auto torsions = static_cast<ForceGroups>(ForceGroup::torsions);
    for (ForceLevel& level : levels_) level.groups &= ~torsions;
    const auto bonded =
        std::find_if(levels_.begin(), levels_.end(), [](const ForceLevel& l) { return has(l.groups, ForceGroup::bonded); });
    torsion_level_ = static_cast<int>(levels_.size());
    levels_.push_back({torsions, bonded == levels_.end() ? 1 : bonded->every});
  }

  std::vector<ForceLevel> levels_;
  BiasPlan bias_;
  int inner_, torsion_level_ = -1;
};

}  // namespace

Integrator make_integrator(const DynamicsSettings& d, const BiasPlan& bias) {
  const Levels levels(d, bias);
  const int n = levels.inner_steps();
  const double dt = d.timestep / n;
  Integrator integrator;
  integrator.name = name_of(d.integrator);
  levels.add_forces(n - 1, integrator.forces, false);
  const auto add = [&](std::initializer_list<Stage> stages) { integrator.stages.insert(integrator.stages.end(), stages); };
  for (int k = 0; k < n; ++k) {
    if (d.integrator == IntegratorKind::verlet) {
      add({levels.kick(dt / 2, k), SavePositions{}, Drift{dt}, ConstrainPositions{dt}, PlaceVirtualSites{}});
      levels.add_forces(k, integrator.stages, true);
      add({levels.kick(dt / 2, k + 1), ConstrainVelocities{}});
      continue;
    }
    add({levels.kick(dt, k), ConstrainVelocities{}, SavePositions{}, Drift{dt / 2}});
    switch (d.integrator) {
      case IntegratorKind::langevin:
        // What the noise has along constraints is removed with the gradients that the positions' solver uses, so that the heat
        // is what the velocities keep of it.
        add({CountHeat{-1}, OrnsteinUhlenbeck{dt, d.friction, d.temperature, d.seed, k}, ConstrainVelocities{true},
             CountHeat{1}});
        break;
      case IntegratorKind::v_rescale:
        add({RescaleVelocities{dt, d.friction, d.temperature, d.seed, k}});
        break;
      case IntegratorKind::nose_hoover:
        add({MoveNoseHooverChain{dt, d.friction, d.temperature}});
        break;
      case IntegratorKind::verlet:
        break;
    }
    add({Drift{dt / 2}, ConstrainPositions{dt}, PlaceVirtualSites{}});
    levels.add_forces(k, integrator.stages, true);
  }
  if (d.integrator != IntegratorKind::verlet) integrator.to_full_step = {levels.kick(dt / 2, 0), ConstrainVelocities{}};
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

void set_bias(Integrator& integrator, const Bias& bias) {
  for (std::vector<Stage>* stages : {&integrator.stages, &integrator.forces})
    for (Stage& stage : *stages)
      if (auto* apply = std::get_if<ApplyBias>(&stage)) apply->bias = bias;
}

}  // namespace uplift

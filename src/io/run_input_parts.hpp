#pragma once
// Settings from checked values, with the checks that need more than one value; private to the reader of the input.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "uplift/model/settings.hpp"
#include "yaml_input.hpp"

namespace uplift::yaml {

ForceSettings read_forces(const Values& values);
DynamicsSettings read_dynamics(const Values& values);
/// A key of forces or dynamics that may be idle.
struct MethodKey {
  std::string_view key, method;  ///< the latter's value makes it so
  const char* belongs;           ///< to which values: "nonbonded: pme"
  bool (*used)(const ForceSettings&, const DynamicsSettings&);
};
std::span<const MethodKey> keys_of_methods();
/// Whether a key decides nothing with these settings.
bool is_idle(const ForceSettings& forces, const DynamicsSettings& dynamics, std::string_view key);

/// What couples to a bath faster than steps can follow, in a stage whose dynamics and levels are read.
void check_relaxation(const Values& values, const StageSettings& stage);
/// What speaks against the switch of a stage, for the warnings. Empty: nothing.
std::string doubt_of_switch(const StageSettings& stage);
/// dynamics.multiple_time_step, for these forces. What is allowed but unwise goes to `warnings`.
std::vector<ForceLevel> read_force_levels(const Values& values, const ForceSettings& forces, bool restrained, double timestep,
                                          std::vector<std::string>& warnings);

/// The bias of a stage; `earlier` are the stages before it.
BiasSettings read_bias(const Values& values, const StageSettings& stage, const std::vector<StageSettings>& earlier);

/// What a key of bias.parameters that decides nothing in this bias belongs to ("rule: deviations"); empty when it decides.
std::string idle_bias_key(const BiasSettings& bias, std::string_view key);

/// What speaks against the bias of a stage: one from a stage with other forces, temperature or restraints; one that is never
/// updated. For the warnings.
std::vector<std::string> doubts_of_bias(const StageSettings& stage, const std::vector<StageSettings>& earlier);

/// stages.*.exchange of a stage whose dynamics are read; `earlier` are the stages before it.
ExchangeSettings read_exchange(const Values& values, const StageSettings& stage, const std::vector<StageSettings>& earlier);

/// What speaks against the exchange of a stage, for the warnings: that it ends before the first attempt. Empty: nothing.
std::string doubt_of_exchange(const StageSettings& stage);

/// free_energy: surfaces of a run with these stages.
std::vector<FreeEnergySettings> read_free_energies(const Values& values, const std::vector<StageSettings>& stages,
                                                   const OutputSettings& output);

}  // namespace uplift::yaml

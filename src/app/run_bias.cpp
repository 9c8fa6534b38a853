// The bias of a stage: from the statistics of an earlier one to what the simulation gets, and the account of it in stages.json.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "commands.hpp"
#include "run.hpp"
#include "run_bias.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/stage_averages.hpp"
#include "uplift/io/text_file.hpp"
#include "uplift/sampling/bias_rules.hpp"

namespace uplift::app {
namespace {

namespace fs = std::filesystem;

nlohmann::json bias_json(const BiasSettings& settings, const Bias& bias) {
  const bool amd = bias.method == BiasMethod::amd;
  nlohmann::json j = {{"method", amd ? "amd" : "gamd"},
                      {"boost", settings.boost == BiasBoost::dual    ? "dual"
                                : settings.boost == BiasBoost::total ? "total"
                                                                     : "dihedral"},
                      {"convention", bias.convention == BiasConvention::amber ? "amber" : "namd"}};
  const auto add = [&](const char* name, const BoostParameters& p) {
    if (p.on) j[name] = {{"threshold", p.threshold}, {amd ? "alpha" : "k", p.shape}};
  };
  add("dihedral", bias.dihedral);
  add("total", bias.total);
  if (settings.update_every > 0) j["updating"] = true;
  return j;
}

/// Which potential acts, for stages and runs to be compared: what changes it and no more than its accuracy.
std::string potential_text(const ForceSettings& f) {
  if (f.nonbonded == NonbondedMethod::no_cutoff) {
    if (!f.implicit_solvent) return "no cutoff";
    const ImplicitSolventSettings& g = *f.implicit_solvent;
    return fmt::format("no cutoff, {}, dielectrics {:g} and {:g}, salt {:g} mol/L{}",
                       gb_model_names[static_cast<std::size_t>(g.model)], g.solute_dielectric, g.solvent_dielectric, g.salt,
                       g.surface == SurfaceModel::ace ? ", surface ace" : "");
  }
  std::string text = f.nonbonded == NonbondedMethod::pme ? std::string("pme")
                                                         : fmt::format("reaction field of {:g}", f.reaction_field_dielectric);
  text += fmt::format(", cutoff {:g} nm", f.cutoff);
  if (f.switch_distance) text += fmt::format(", switched from {:g} nm", *f.switch_distance);
  return text + (f.dispersion_correction ? "" : ", no dispersion correction");
}

}  // namespace

nlohmann::json read_stages(const std::string& path) {
  std::ifstream in(path);
  const nlohmann::json old = nlohmann::json::parse(in, nullptr, false);
  nlohmann::json stages = nlohmann::json::array();
  if (old.is_object() && old.contains("stages") && old["stages"].is_array())
    for (const nlohmann::json& stage : old["stages"])
      if (stage.is_object() && stage.contains("name") && stage["name"].is_string()) stages.push_back(stage);
  return stages;
}

std::string statistics_text(const BiasStatistics& s) {
  std::string all = fmt::format("{:<26}{:>16}{:>14}{:>16}{:>16}", fmt::format("energies of {:.0f} steps", s.total.count),
                                "mean", "deviation", "least", "most");
  const auto line = [&](const char* name, const RunningStatistics& v) {
    all +=
        fmt::format("\n  {:<24}{:>16.8g}{:>14.4g}{:>16.8g}{:>16.8g}", name, v.mean, std::sqrt(v.variance()), v.least, v.most);
  };
  line("dihedrals [kJ/mol]", s.dihedral);
  if (!(s.dihedral_cmap == s.dihedral)) line("dihedrals + CMAP", s.dihedral_cmap);
  line("potential", s.total);
  return all;
}

BiasStatistics Run::statistics_of(const std::string& stage) const {
  const auto found = next_.collected.find(stage);
  if (found == next_.collected.end())
    throw InputError(input_.file + ": bias.parameters.from: this run has no statistics of stage " + stage +
                     " (it began before that stage collected energies); begin again in another output directory");
  return found->second;
}

BiasCourse Run::bias_course(const StageSettings& settings, const System& system) {
  BiasCourse course;
  course.plan.gather = settings.collect;
  // What unbiased stages write of dihedrals is what the boosts of the others see.
  for (const StageSettings& stage : input_.stages)
    if (stage.bias) course.plan.bias.convention = stage.bias->convention;
  if (!settings.bias) return course;
  const BiasSettings& bias = *settings.bias;
  const BiasStatistics before = bias.from.empty() ? BiasStatistics{} : statistics_of(bias.from);
  const DerivedBias derived = derive_bias(bias, before, system.topology);
  course.plan.bias = derived.bias;
  if (!derived.reasoning.empty()) log_->info(derived.reasoning);
  if (!derived.doubt.empty()) log_->warn("stage " + settings.name + ": " + derived.doubt);
  if (bias.update_every <= 0) return course;
  course.plan.gather = true;
  course.update_every = std::llround(bias.update_every / settings.dynamics.timestep);
  course.update = [bias, topology = system.topology](const BiasStatistics& now) {
    return derive_bias(bias, now, topology).bias;
  };
  if (!(checkpoint_ && checkpoint_->begun)) state_.statistics = before;
  return course;
}

/// Before the first step: a run that blows up with its boost should have said so.
void Run::check_first_boost(const StageSettings& settings, const BiasEnergies& boost) {
  const auto look = [&](const char* name, double factor) {
    if (factor >= least_force_factor) return;
    log_->warn(
        fmt::format("stage {}: the {} boost begins with forces times {:.3g}{}; expect an unstable run that cannot be "
                    "reweighted, and choose {}",
                    settings.name, name, factor, factor < 0 ? ", turned round" : "",
                    settings.bias->method == BiasMethod::gamd ? "a smaller k, or a lower threshold"
                                                              : "a lower threshold, or a larger alpha"));
  };
  look("dihedral", boost.factor_dihedral);
  look("total", boost.factor_total);
}

/// Errors of the integrator that the thermostat has to carry away leave the system hotter than it should be. A boost can cause
/// them: its curvature, 2/alpha at the threshold, times the square of all forces is stiff in small systems.
void Run::check_heating(const StageSettings& settings, const System& system, double drift) {
  constexpr double most = 0.01;  // of the temperature
  const DynamicsSettings& d = settings.dynamics;
  if (d.integrator == IntegratorKind::verlet || !(d.friction > 0)) return;
  // Langevin dynamics takes friction x degrees of freedom x k (T - T0) away; global thermostats half as much.
  const double carried =
      d.friction * degrees_of_freedom(system) * constants::boltzmann * (d.integrator == IntegratorKind::langevin ? 1 : 0.5);
  const double hotter = drift / carried;
  if (!(d.temperature > 0) || hotter < most * d.temperature) return;
  const bool amd = settings.bias && settings.bias->method == BiasMethod::amd;
  log_->warn(
      fmt::format("stage {}: errors of the integrator heat the system by {:.3g} kJ/mol/ps, so that it is about {:.1f} K too "
                  "hot; use a shorter time step{}",
                  settings.name, drift, hotter,
                  amd             ? ", a larger alpha of the boost, or method: gamd, whose boosts are smoother"
                  : settings.bias ? ", or a smaller k or sigma0 of the boost"
                                  : ""));
}

/// What reweighting needs to know of a stage.
void Run::note_stage(const StageSettings& settings, const System& system, const BiasCourse& bias) {
  stages_.erase(std::remove_if(stages_.begin(), stages_.end(),
                               [&](const nlohmann::json& s) { return s.value("name", "") == settings.name; }),
                stages_.end());
  const auto steps = static_cast<std::int64_t>(std::llround(settings.time / settings.dynamics.timestep));
  stages_.push_back({{"name", settings.name},
                     {"first_step", next_.stage_step},
                     {"last_step", std::max(next_.stage_step + steps, state_.step)},  // none of it is taken back
                     {"timestep", settings.dynamics.timestep},
                     {"temperature", settings.dynamics.ramp ? settings.dynamics.ramp->to : settings.dynamics.temperature},
                     {"bias", settings.bias ? bias_json(*settings.bias, bias.plan.bias) : nlohmann::json()}});
  // Of the dihedral energies that frames are stored with, boosted or not.
  stages_.back()["convention"] = bias.plan.bias.convention == BiasConvention::namd ? "namd" : "amber";
  stages_.back()["potential"] = potential_text(settings.forces);
  if (next_.origin) {
    stages_.back()["parameters"] = next_.origin->parameters;  // checksums, by kind
    stages_.back()["parameters"].erase("masses");             // do not change what is where
  }
  const DynamicsSettings& d = settings.dynamics;
  if (d.integrator == IntegratorKind::verlet || !(d.friction > 0)) stages_.back()["constant_energy"] = true;
  if (d.integrator == IntegratorKind::langevin && d.friction > 0) stages_.back()["noise"] = d.seed;
  if (settings.exchange) stages_.back()["exchange"] = true;
  if (!system.position_restraints.empty()) stages_.back()["restraints"] = true;
  if (settings.dynamics.ramp) stages_.back()["ramp"] = true;
  if (settings.dynamics.pressure) stages_.back()["pressure"] = settings.dynamics.pressure->pressure;
  write_file(path("stages.json"), nlohmann::json{{"version", 1}, {"stages", stages_}}.dump(1) + '\n');
}

}  // namespace uplift::app

// stages.*.bias: parameters that fit the method, from a stage that has what the rule needs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <sstream>

#include "run_input_parts.hpp"
#include "uplift/io/stage_settings.hpp"

namespace uplift::yaml {
namespace {

BoostParameters read_given(const Values& v, const std::string& which, BiasMethod method) {
  const std::string block = "bias.parameters." + which;
  const std::string shape = method == BiasMethod::amd ? "alpha" : "k", other = method == BiasMethod::amd ? "k" : "alpha";
  if (v.given(block + "." + other))
    v.problem(block + "." + other, "is no parameter of " + v.text("bias.method") + "; give " + shape);
  else if (!v.given(block + "." + shape) && v.good(block + "." + shape))
    v.problem(block, shape + " is missing; " + v.text("bias.method") + " needs a threshold and " + shape);
  return {true, v.quantity(block + ".threshold"), v.quantity(block + "." + shape)};
}

void check_source(const Values& v, const BiasSettings& bias, const std::vector<StageSettings>& earlier) {
  const std::string key = "bias.parameters.from";
  const auto source = std::find_if(earlier.begin(), earlier.end(), [&](const StageSettings& s) { return s.name == bias.from; });
  if (source == earlier.end()) {
    v.problem(key, "'" + bias.from + "' is no earlier stage; name the stage whose energies were collected");
    return;
  }
  const bool updated = source->bias && source->bias->update_every > 0;
  if (!source->collect && !updated) {
    v.problem(key, "stage " + bias.from + " collects nothing; add collect: energies to it");
    return;
  }
  if (source->time < 1.5 * source->dynamics.timestep)
    v.problem(key, "stage " + bias.from + " has a single step, whose energies have no spread; make it longer");
  if (source->bias && bias.method == BiasMethod::amd)
    v.problem(key,
              "stage " + bias.from + " has a bias, and the rules of amd are for energies without one; name a stage without");
  else if (source->bias && (source->bias->method != bias.method || source->bias->convention != bias.convention ||
                            source->bias->boost != bias.boost))
    v.problem(key, "the bias of stage " + bias.from +
                       " is of another method, boost or convention, so that its statistics are of other energies");
}

constexpr const char* of_amd[] = {"rule", "k", "per_residue", "per_atom"};
constexpr const char* of_gamd[] = {"bound", "sigma0_dihedral", "sigma0_total"};

/// Keys that would decide nothing are mistakes, of the kind that nobody notices.
void refuse_idle(const Values& v, const BiasSettings& b) {
  const auto refuse = [&](const char* name) {
    const std::string key = std::string("bias.parameters.") + name, belongs = idle_bias_key(b, name);
    if (!belongs.empty() && v.given(key)) v.problem(key, "decides nothing here; it belongs to " + belongs);
  };
  if (b.method == BiasMethod::amd)
    for (const char* name : of_amd) refuse(name);
  else
    for (const char* name : of_gamd) refuse(name);
}

/// Lines of the settings of a stage that decide which energies it sees.
std::vector<std::string> of_energies(const StageSettings& stage) {
  std::vector<std::string> lines;
  std::istringstream all(canonical_settings(stage.settings));
  for (std::string line; std::getline(all, line);)
    for (const char* start : {"forces", "dynamics.temperature", "restraints", "temperature_ramp"})
      if (line.starts_with(start) && !line.ends_with(": given") && !line.ends_with(": default"))
        lines.push_back(line.ends_with(": ") ? line + "none" : line);
  return lines;
}

}  // namespace

std::string idle_bias_key(const BiasSettings& b, std::string_view key) {
  const auto one_of = [&](const auto& keys) { return std::find(std::begin(keys), std::end(keys), key) != std::end(keys); };
  const bool amd = b.method == BiasMethod::amd, residues = b.rule == BiasRule::residues;
  if (!one_of(of_amd) && !one_of(of_gamd)) return "";
  if (one_of(of_amd) != amd) return amd ? "method: gamd" : "method: amd";
  if (b.from.empty()) return "parameters that come from a stage (from: STAGE)";
  if (key == "k" && residues) return "rule: deviations";
  if (key == "per_residue" && !(residues && b.boosts_dihedral())) return "rule: residues of a dihedral boost";
  if (key == "per_atom" && !(residues && b.boosts_total())) return "rule: residues of a total boost";
  if (key == "sigma0_dihedral" && !b.boosts_dihedral()) return "boost: dihedral or dual";
  if (key == "sigma0_total" && !b.boosts_total()) return "boost: total or dual";
  return "";
}

std::vector<std::string> doubts_of_bias(const StageSettings& stage, const std::vector<StageSettings>& earlier) {
  std::vector<std::string> doubts;
  if (!stage.bias || stage.bias->from.empty()) return doubts;
  if (stage.bias->update_every > stage.time)
    doubts.push_back("stage " + stage.name +
                     ": update_every is longer than the stage, so that the parameters of its bias never change");
  const auto source =
      std::find_if(earlier.begin(), earlier.end(), [&](const StageSettings& s) { return s.name == stage.bias->from; });
  if (source == earlier.end()) return doubts;
  if (source != earlier.begin() && std::prev(source)->minimize)
    doubts.push_back(
        "stage " + stage.name + ": its bias comes from the energies of stage " + source->name +
        ", which begins where a minimisation ended, so that its mean, spread and least energy are those of heating "
        "up; put a stage of equilibration between the two");
  const std::vector<std::string> here = of_energies(stage), there = of_energies(*source);
  for (std::size_t k = 0; k < std::min(here.size(), there.size()); ++k)
    if (here[k] != there[k]) {
      doubts.push_back("stage " + stage.name + ": its bias comes from the energies of stage " + source->name +
                       ", where other settings were in force (" + there[k] + "; here " + here[k] +
                       "), so that its thresholds may not fit");
      break;
    }
  return doubts;
}

BiasSettings read_bias(const Values& v, const StageSettings& stage, const std::vector<StageSettings>& earlier) {
  BiasSettings b;
  b.method = v.choice<BiasMethod>("bias.method");
  b.boost = v.choice<BiasBoost>("bias.boost");
  b.convention = v.choice<BiasConvention>("bias.convention");
  b.from = v.text("bias.parameters.from");
  b.rule = v.choice<BiasRule>("bias.parameters.rule");
  b.deviations = v.number("bias.parameters.k");
  b.per_residue = v.quantity("bias.parameters.per_residue");
  b.per_atom = v.quantity("bias.parameters.per_atom");
  b.bound = v.choice<GamdBound>("bias.parameters.bound");
  b.sigma0_dihedral = v.quantity("bias.parameters.sigma0_dihedral");
  b.sigma0_total = v.quantity("bias.parameters.sigma0_total");
  b.given.method = b.method;
  b.given.convention = b.convention;
  if (stage.minimize) v.problem("bias", "a minimisation has no bias; remove one of the two");
  if (!v.good("bias.method") || !v.good("bias.boost")) return b;

  const bool amd = b.method == BiasMethod::amd;
  for (const char* key :
       {"bias.parameters.rule", "bias.parameters.k", "bias.parameters.per_residue", "bias.parameters.per_atom"})
    if (!amd && v.given(key)) v.problem(key, "belongs to method: amd; gamd has bound and sigma0_dihedral, sigma0_total");
  for (const char* key :
       {"bias.parameters.bound", "bias.parameters.sigma0_dihedral", "bias.parameters.sigma0_total", "bias.update_every"})
    if (amd && v.given(key)) v.problem(key, "belongs to method: gamd; amd has rule: residues or deviations");

  const struct {
    const char* name;
    bool wanted;
    BoostParameters* to;
  } boosts[] = {{"dihedral", b.boosts_dihedral(), &b.given.dihedral}, {"total", b.boosts_total(), &b.given.total}};
  for (const auto& [name, wanted, to] : boosts) {
    const std::string block = std::string("bias.parameters.") + name;
    const bool given = v.given(block);
    if (given && !b.from.empty())
      v.problem(block, "parameters come from stage " + b.from + ", too; remove one of the two");
    else if (given && !wanted)
      v.problem(block, "boost: " + v.text("bias.boost") + " does not use it; remove it, or choose boost: dual");
    else if (given)
      *to = read_given(v, name, b.method);
    else if (wanted && b.from.empty() && v.good("bias.parameters"))
      v.problem("bias.parameters",
                fmt::format("nothing is said of the {} boost; give from: STAGE, or {}: {{threshold: ..., {}: ...}}", name, name,
                            amd ? "alpha" : "k"));
  }
  if (!b.from.empty()) check_source(v, b, earlier);
  refuse_idle(v, b);
  if (v.given("bias.update_every")) {
    b.update_every = v.quantity("bias.update_every");
    const double step = stage.dynamics.timestep, steps = b.update_every / step;
    if (b.from.empty())
      v.problem("bias.update_every", "explicit parameters do not change; give parameters: {from: STAGE}");
    else if (v.good("bias.update_every") && (std::round(steps) < 1 || std::abs(steps - std::round(steps)) > 1e-6))
      v.problem("bias.update_every", fmt::format("is not a whole number of time steps of {:.12g} fs", step * 1000));
  }
  return b;
}

}  // namespace uplift::yaml

// stages.*.exchange: a ladder of temperatures, and what a stage that exchanges cannot be.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "run_input_parts.hpp"

namespace uplift::yaml {
namespace {

/// Geometric: neighbours of a system with a constant heat capacity exchange equally often. In thousandths of a kelvin, so that
/// what the log says is what was used.
std::vector<double> geometric(double from, double to, int count) {
  std::vector<double> all;
  for (int k = 0; k < count; ++k)
    all.push_back(std::round(1000 * from * std::pow(to / from, static_cast<double>(k) / (count - 1))) / 1000);
  return all;
}

std::vector<double> read_temperatures(const Values& v) {
  const bool listed = v.given("exchange.temperatures");
  bool series = false;
  for (const char* key : {"exchange.from", "exchange.to", "exchange.count"}) {
    if (!v.good(key)) return {};
    series |= v.given(key);
  }
  if (!v.good("exchange.temperatures")) return {};
  if (listed && series) v.problem("exchange", "temperatures, and from, to and count; keep one of the two");
  std::vector<double> all;
  if (listed) {
    for (const std::string& text : v.list("exchange.temperatures")) all.push_back(parse_quantity(text, dimension::temperature));
  } else {
    for (const char* key : {"exchange.from", "exchange.to", "exchange.count"})
      if (!v.given(key)) {
        v.problem("exchange", std::string(key).substr(9) +
                                  " is missing; give temperatures: [300 K, 312 K, 325 K], or from: 300 K, to: 400 K, count: 8");
        return {};
      }
    all = geometric(v.quantity("exchange.from"), v.quantity("exchange.to"), static_cast<int>(v.count("exchange.count")));
  }
  if (all.size() < 2) v.problem("exchange", "two temperatures at least; one replica has nobody to exchange with");
  if (std::adjacent_find(all.begin(), all.end(), [](double a, double b) { return !(a < b); }) != all.end())
    v.problem("exchange", "temperatures must ascend (neighbours in the list exchange), and differ by a thousandth of a kelvin");
  return all;
}

void check_interval(const Values& v, const char* key, double interval, double step) {
  const double steps = interval / step;
  if (v.good(key) && (std::abs(steps - std::round(steps)) > 1e-6 || (interval > 0 && std::round(steps) < 1)))
    v.problem(key, fmt::format("is not a whole number of time steps of {:.12g} fs", step * 1000));
}

/// Whether the barostat of a stage acts at all.
bool changes_box(const StageSettings& stage) {
  return stage.dynamics.pressure && !stage.minimize &&
         stage.time > (stage.dynamics.pressure->every - 0.5) * stage.dynamics.timestep;
}

}  // namespace

std::string doubt_of_exchange(const StageSettings& stage) {
  if (!stage.exchange || !(stage.exchange->every > 0)) return {};
  const double every = stage.exchange->every;
  const double first = every * std::max(1.0, std::ceil(stage.exchange->after / every - 1e-9));
  if (first < stage.time - 0.5 * stage.dynamics.timestep) return {};  // at its very end there is none, either
  return fmt::format("stage {}: replicas never exchange, as it ends at {:.12g} ps and the first attempt would be at {:.12g} ps",
                     stage.name, stage.time, first);
}

ExchangeSettings read_exchange(const Values& v, const StageSettings& stage, const std::vector<StageSettings>& earlier) {
  ExchangeSettings e;
  e.temperatures = read_temperatures(v);
  e.every = v.quantity("exchange.every");
  e.after = v.quantity("exchange.after");
  if (stage.minimize) {
    v.problem("exchange", "a minimisation has no temperature; remove one of the two");
    return e;
  }
  check_interval(v, "exchange.every", e.every, stage.dynamics.timestep);
  check_interval(v, "exchange.after", e.after, stage.dynamics.timestep);
  if (v.given("temperature_ramp"))
    v.problem("exchange", "the temperatures stay what they are, and there is a temperature_ramp; heat up in a stage before");
  if (v.given("bias"))
    v.problem("exchange", "boosts and exchange in one stage are not available in this version; remove one of the two");
  if (v.own("dynamics.temperature")) v.problem("dynamics.temperature", "comes from exchange; remove one of the two");
  // It would be noticed when the boxes are there, which may be after days.
  if (const auto other = std::find_if(earlier.begin(), earlier.end(), changes_box);
      other != earlier.end() && !stage.dynamics.pressure && v.good("dynamics.pressure"))
    v.problem("exchange",
              fmt::format("stage {} leaves each replica with a box of its own (it has a pressure), and at constant volume "
                          "configurations can only be exchanged between equal ones; keep the pressure in this stage, or "
                          "equilibrate the volume in a run of its own and start from its coordinates",
                          other->name));
  if (v.good("dynamics.integrator") && stage.dynamics.integrator == IntegratorKind::verlet)
    v.problem("exchange",
              "needs a thermostat (each replica has a temperature); use integrator: langevin, v-rescale or nose-hoover");
  return e;
}

}  // namespace uplift::yaml

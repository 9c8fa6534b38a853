// `uplift benchmark`: ns/day and time per phase. Writes no trajectory.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "benchmark_cases.hpp"
#include "commands.hpp"
#include "load.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/engine/minimization.hpp"
#include "uplift/engine/simulation.hpp"
#include "uplift/io/check_output.hpp"
#include "uplift/io/info.hpp"
#include "uplift/io/phase_table.hpp"
#include "uplift/io/text_file.hpp"
#include "uplift/sampling/bias_rules.hpp"

namespace uplift::app {
namespace {

constexpr int windows = 5;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Measurement {
  int atoms = 0;
  std::string backend, device;
  std::optional<PmeParameters> pme;
  std::int64_t warmup_steps = 0, steps = 0;  ///< the latter of one window
  std::vector<double> ns_per_day;            ///< of each window
  double wall = 0;                           ///< of all windows [s]
  double setup = 0;                          ///< reading, relaxing, building [s]
  double temperature = 0;                    ///< at the end [K]
  std::vector<PhaseTime> phases;             ///< in the windows

  double median() const {
    std::vector<double> sorted = ns_per_day;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
  double low() const { return *std::min_element(ns_per_day.begin(), ns_per_day.end()); }
  double high() const { return *std::max_element(ns_per_day.begin(), ns_per_day.end()); }
};

/// Coordinates that would blow up at a long time step come to rest first. Those of a simulation stay as they are: in water at
/// 300 K hardly a force component, less what constraints take up, reaches the tolerance.
void prepare(const BenchmarkCase& one, Backend& backend, Loaded& loaded) {
  if (loaded.has_velocities) return;
  minimize(loaded.system, backend, loaded.state, {.max_steps = 200, .force_tolerance = 5000});
  draw_velocities(loaded.system, one.dynamics.ramp ? one.dynamics.ramp->from : one.dynamics.temperature, one.dynamics.seed,
                  loaded.state);
}

/// Wall-clock time of so many steps. A device may lag behind what it was told to do: asking for the kinetic energy waits for
/// it.
double time_steps(Simulation& simulation, const Backend& backend, std::int64_t steps) {
  const double start = now();
  for (std::int64_t k = 0; k < steps; ++k) simulation.step();
  if (!std::isfinite(backend.kinetic_energy())) throw SimulationError("the kinetic energy is not a number");
  return now() - start;
}

/// Steps a second, from steps that are not counted.
double warm_up(Simulation& simulation, const Backend& backend, const BenchmarkOptions& options, Measurement& m) {
  if (options.warmup > 0) {
    m.warmup_steps = options.warmup;
    return static_cast<double>(options.warmup) / time_steps(simulation, backend, options.warmup);
  }
  const double start = now();
  for (std::int64_t block = 10;; block *= 2) {
    const double rate = static_cast<double>(block) / time_steps(simulation, backend, block);
    m.warmup_steps += block;
    const double left = start + options.seconds / windows - now();
    if (left <= 0) return rate;
    block = std::clamp(static_cast<std::int64_t>(rate * left / 2), std::int64_t{1}, block);
  }
}

Measurement measure(const BenchmarkCase& one, const BenchmarkOptions& options) {
  Measurement m;
  const double start = now();
  Loaded loaded = load(one.input, one.forces, one.restraints);
  set_com_removal(loaded, one.dynamics);
  BiasCourse bias;
  if (one.biased()) {
    check_bias(one.stage, *one.bias, loaded.system);
    bias.plan.bias = one.bias->given;
    loaded.system.torsions_apart = boosted_torsions(bias.plan.bias);
  }
  const System& system = loaded.system;
  const std::unique_ptr<Backend> backend =
      make_backend(system, loaded.state.box, one.input.compute, one.dynamics.constraint_tolerance);
  prepare(one, *backend, loaded);
  Simulation simulation(system, *backend, std::move(loaded.state), one.dynamics, {}, bias);
  simulation.begin();
  m.setup = now() - start;
  m.atoms = system.size();
  m.backend = backend->name();
  m.device = backend->description();
  if (one.forces.nonbonded == NonbondedMethod::pme) m.pme = backend->pme();

  const double rate = warm_up(simulation, *backend, options, m);
  m.steps = std::max<std::int64_t>(1, std::llround(rate * options.seconds / windows));
  const std::vector<PhaseTime> before = backend->phases();
  for (int w = 0; w < windows; ++w) {
    const double wall = time_steps(simulation, *backend, m.steps);
    m.wall += wall;
    m.ns_per_day.push_back(static_cast<double>(m.steps) * one.dynamics.timestep * 1e-3 / wall * 86400);
  }
  m.phases = phases_since(before, backend->phases());
  const int dof = degrees_of_freedom(system);
  m.temperature = dof > 0 ? 2 * backend->kinetic_energy() / (dof * constants::boltzmann) : 0;
  return m;
}

/// What is to be said of the boost of the stage that is measured; empty: it has none.
std::string boost_text(const BenchmarkCase& one) {
  if (!one.bias) return "";
  if (one.biased()) return "with the boost of stage " + one.stage;
  return "without the boost of stage " + one.stage + ", whose parameters come from stage " + one.bias->from +
         ": give them explicitly to have it measured, too";
}

double step_milliseconds(const Measurement& m, const BenchmarkCase& one) {
  return one.dynamics.timestep * 1e-3 * 86400 / m.median() * 1e3;
}

nlohmann::json machine_json() {
  nlohmann::json machine;
  std::istringstream lines(describe_machine());
  for (std::string line; std::getline(lines, line);)
    if (const std::size_t colon = line.find(": "); colon != std::string::npos)
      machine[line.substr(0, colon)] = line.substr(colon + 2);
  return machine;
}

nlohmann::json to_json(const BenchmarkCase& one, const Measurement& m) {
  const double steps = static_cast<double>(m.steps) * windows;
  nlohmann::json phases = nlohmann::json::array();
  for (const PhaseTime& p : m.phases)
    phases.push_back({{"name", p.name}, {"seconds", p.seconds}, {"calls", p.calls}, {"us_per_step", p.seconds / steps * 1e6}});
  nlohmann::json j = {{"name", one.name},
                      {"atoms", m.atoms},
                      {"copies", one.input.system.copies},
                      {"backend", m.backend},
                      {"device", m.device},
                      {"precision", one.input.compute.precision == Precision::double_ ? "double" : "mixed"},
                      {"timestep_fs", one.dynamics.timestep * 1e3},
                      {"ns_per_day", m.median()},
                      {"ns_per_day_low", m.low()},
                      {"ns_per_day_high", m.high()},
                      {"ns_per_day_windows", m.ns_per_day},
                      {"ms_per_step", step_milliseconds(m, one)},
                      {"steps_per_window", m.steps},
                      {"warmup_steps", m.warmup_steps},
                      {"seconds", m.wall},
                      {"setup_seconds", m.setup},
                      {"temperature", m.temperature},
                      {"phases", phases},
                      {"input", one.input.resolved}};
  if (one.bias) j["boost"] = one.biased();
  if (m.pme) j["pme"] = {{"alpha", m.pme->alpha}, {"grid", m.pme->grid}, {"order", m.pme->order}};
  return j;
}

std::string utc() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

class Report {
 public:
  explicit Report(const BenchmarkOptions& options) : file_(options.json) {
    json_ = {{"version", version},
             {"command", options.command},
             {"date", utc()},
             {"machine", machine_json()},
             {"systems", nlohmann::json::array()}};
    save();  // now, rather than after everything has been measured, is when to learn that it cannot be
  }

  void add(const BenchmarkCase& one, const Measurement& m) {
    json_["systems"].push_back(to_json(one, m));
    save();
    const std::string boost = boost_text(one);
    std::cout << fmt::format("{}: {} atoms, {}\n", one.name, m.atoms, m.device) << boost << (boost.empty() ? "" : "\n")
              << phase_table(
                     {m.phases, m.wall, m.steps * windows, static_cast<double>(m.steps * windows) * one.dynamics.timestep})
              << std::endl;
    const double spread = 50 * (m.high() - m.low()) / m.median();
    rows_.push_back({one.name, fmt::format("{:>9} {:>6} {:>11.5g} {:>7.1f} {:>11.5g}", m.atoms, m.backend, m.median(), spread,
                                           step_milliseconds(m, one))});
  }
  void fail(const std::string& name, const std::string& why) {
    json_["systems"].push_back({{"name", name}, {"error", why}});
    save();
    std::cerr << "error: " << name << ": " << why << std::endl;
    rows_.push_back({name, "failed"});
  }
  std::string table() const {
    std::size_t width = 12;
    for (const auto& [name, figures] : rows_) width = std::max(width, name.size());
    std::string text =
        fmt::format("{:<{}} {:>9} {:>6} {:>11} {:>7} {:>11}\n", "system", width, "atoms", "on", "ns/day", "+- %", "ms a step");
    for (const auto& [name, figures] : rows_) text += fmt::format("{:<{}} {}\n", name, width, figures);
    return text;
  }

 private:
  void save() const {
    if (file_.empty()) return;
    try {
      write_file(file_, json_.dump(1) + '\n');
    } catch (const SimulationError& e) {
      throw InputError(std::string("--json: ") + e.what());
    }
  }
  std::string file_;
  std::vector<std::pair<std::string, std::string>> rows_;  ///< of the table: name, figures
  nlohmann::json json_;
};

}  // namespace

int benchmark_command(const BenchmarkOptions& options) {
  InputOptions input;
  input.set = options.set;
  input.backend = options.backend;
  input.precision = options.precision;
  input.threads = options.threads;
  const std::vector<std::string> overrides = input.overrides();
  std::vector<std::string> systems = options.systems;
  if (systems.empty()) systems = {"alanine-dipeptide-tip3p", "sdf1-tip3p", "water-24k", "water-100k"};
  std::vector<BenchmarkCase> cases;
  for (const std::string& system : systems)
    cases.push_back(benchmark_case(system, overrides));  // a slip is told before anything is measured

  for (const BenchmarkCase& one : cases)
    if (!options.json.empty()) check_output(options.json, files_of(one.input), "choose another file with --json");
  Report report(options);
  int status = finished;
  for (const BenchmarkCase& one : cases) try {
      report.add(one, measure(one, options));
    } catch (const std::bad_alloc&) {
      report.fail(one.name, "out of memory");
      status = failed;
    } catch (const InputError& e) {
      report.fail(one.name, e.what());
      status = bad_input;
    } catch (const std::exception& e) {
      report.fail(one.name, e.what());
      status = failed;
    }
  std::cout << report.table();
  return status;
}

}  // namespace uplift::app

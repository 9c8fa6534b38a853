// `uplift run`: every stage of an input, and the files of a run.
#include <csignal>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "load.hpp"
#include "recorders.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/pdb.hpp"
#include "uplift/io/phase_table.hpp"
#include "uplift/io/run_input.hpp"
#include "uplift/model/selection.hpp"

namespace uplift::app {
namespace {

volatile std::sig_atomic_t stop_signal = 0;
/// The first signal asks for a stop at the next step; a second one ends the process at once, by the default action.
extern "C" void on_signal(int number) {
  stop_signal = number;
  std::signal(number, SIG_DFL);
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// A run in progress: files, log, and the state that passes from stage to stage.
class Run {
 public:
  Run(RunInput input, bool quiet)
      : input_(std::move(input)), directory_(prepare_directory(input_.output.directory)), log_((directory_ / "run.log").string(), choose_echo(quiet)) {}

  int execute() {
    nlohmann::json stages = nlohmann::json::array();
    int status = finished;
    for (std::size_t k = 0; k < input_.stages.size() && status == finished; ++k) status = stage(k, stages);
    write_performance(stages);
    return status;
  }
  RunLog& log() { return log_; }

 private:
  static std::filesystem::path prepare_directory(const std::string& name) {
    std::error_code error;
    std::filesystem::create_directories(name, error);
    if (error) throw InputError("output.directory: cannot make " + name + " (" + error.message() + "); choose a folder that you may write to");
    // Nothing already computed is ever lost: a finished run is not written over.
    if (std::filesystem::exists(std::filesystem::path(name) / "trajectory.h5md") || std::filesystem::exists(std::filesystem::path(name) / "energies.h5"))
      throw InputError("output.directory: " + name + " already holds a run; move it away, or choose another with --set output.directory=NAME");
    return name;
  }

  int stage(std::size_t index, nlohmann::json& report) {
    const StageSettings& settings = input_.stages[index];
    Loaded loaded = load(input_, settings.forces, settings.restraints);
    if (index == 0) {
      state_ = loaded.state;
      has_velocities_ = loaded.has_velocities;
    }
    if (settings.forces.nonbonded == NonbondedMethod::no_cutoff) state_.box = Box{};
    const std::unique_ptr<Backend> backend = make_backend(loaded.system, state_.box, input_.compute, settings.dynamics.constraint_tolerance);
    if (index == 0) begin_files(loaded.system, *backend);
    log_.info("stage " + settings.name);
    if (settings.forces.nonbonded == NonbondedMethod::pme) {
      const PmeParameters p = backend->pme();
      log_.note("PME: alpha " + format_number(p.alpha) + " /nm, grid " + std::to_string(p.grid[0]) + " x " + std::to_string(p.grid[1]) + " x " +
                std::to_string(p.grid[2]) + ", order " + std::to_string(p.order));
    }
    log_.note(std::to_string(loaded.system.size()) + " atoms, " + std::to_string(loaded.system.constraints.size()) + " constraints and " +
              std::to_string(loaded.system.rigid_waters.size()) + " rigid waters, " + std::to_string(degrees_of_freedom(loaded.system)) + " degrees of freedom");
    return settings.minimize ? minimisation(settings, loaded.system, *backend) : dynamics(settings, loaded.system, *backend, report);
  }

  void begin_files(const System& system, Backend& backend) {
    write_log_header(log_, {input_.title, version, backend.description(), input_.resolved});
    for (const std::string& warning : input_.warnings) log_.warn(warning);
    atoms_ = select_atoms(system.topology, input_.output.atoms);
    if (atoms_.empty()) throw InputError("output.trajectory.atoms: '" + input_.output.atoms + "' selects no atom");
    if (static_cast<int>(atoms_.size()) == system.size()) atoms_.clear();
    write_topology_pdb((directory_ / "topology.pdb").string(), system, state_.box, state_.x, atoms_);
  }

  int minimisation(const StageSettings& settings, const System& system, Backend& backend) {
    const MinimizeResult r = minimize(system, backend, state_, *settings.minimize);
    log_.info(std::string(r.converged ? "converged" : "not converged") + " after " + std::to_string(r.steps) + " steps: energy " + format_number(r.energy) +
              " kJ/mol, largest force component " + format_number(r.worst.magnitude) + " kJ/mol/nm on " + describe_atom(system.topology, r.worst.atom));
    return finished;
  }

  int dynamics(const StageSettings& settings, const System& system, Backend& backend, nlohmann::json& report) {
    if (!has_velocities_) {
      draw_velocities(system, settings.dynamics.temperature, settings.dynamics.seed, state_);
      has_velocities_ = true;
    }
    Simulation simulation(system, backend, state_, settings.dynamics);
    const auto steps = static_cast<std::int64_t>(std::llround(settings.time / settings.dynamics.timestep));
    const std::int64_t last = simulation.current_step() + steps;
    open_files(system);
    RunRecorders recorders(input_, settings, trajectory_.get(), energies_.get(), log_);
    recorders.attach(simulation, last);

    const double start = now();
    simulation.begin();
    while (simulation.current_step() < last && !stop_signal) simulation.step();
    const double wall = now() - start;
    state_ = simulation.state();
    recorders.finish(simulation);

    RunTiming timing{backend.phases(), wall, simulation.current_step() - (last - steps), 0};
    timing.phases.push_back(recorders.output_time());
    timing.simulated = static_cast<double>(timing.steps) * settings.dynamics.timestep;
    log_.info(phase_table(timing));
    nlohmann::json phases;
    for (const PhaseTime& p : timing.phases) phases[p.name] = {{"seconds", p.seconds}, {"calls", p.calls}};
    report.push_back({{"name", settings.name}, {"steps", timing.steps}, {"seconds", wall}, {"ns_per_day", wall > 0 ? timing.simulated * 1e-3 / wall * 86400 : 0}, {"phases", phases}});
    if (!stop_signal) return finished;
    log_.warn("stopped by signal " + std::to_string(stop_signal) + " at step " + std::to_string(simulation.current_step()) +
              "; all files are complete up to here. This version cannot resume a run.");
    return failed;
  }

  /// Trajectory and energies go on through all stages of dynamics.
  void open_files(const System& system) {
    const Provenance provenance{input_.title, version, input_.resolved};
    if (input_.output.trajectory_every > 0 && !trajectory_) {
      TrajectoryOptions options;
      options.velocities = input_.output.velocities;
      options.position_precision = input_.output.position_precision;
      options.atoms = atoms_;
      trajectory_ = std::make_unique<TrajectoryWriter>(TrajectoryWriter::create((directory_ / "trajectory.h5md").string(), system, state_.box, options, provenance));
    }
    if (input_.output.energies_every > 0 && !energies_)
      energies_ = std::make_unique<EnergyWriter>(EnergyWriter::create((directory_ / "energies.h5").string(), energy_terms(system), state_.box.periodic(), provenance));
  }

  void write_performance(const nlohmann::json& stages) const {
    std::ofstream out(directory_ / "performance.json");
    out << nlohmann::json{{"version", version}, {"stages", stages}}.dump(1) << '\n';
  }

  RunInput input_;
  std::filesystem::path directory_;
  RunLog log_;
  State state_;
  bool has_velocities_ = false;
  std::vector<int> atoms_;
  std::unique_ptr<TrajectoryWriter> trajectory_;
  std::unique_ptr<EnergyWriter> energies_;
};

}  // namespace

int run_command(const InputOptions& options, bool quiet) {
  RunInput input = load_run_input(options.file, options.overrides());
  if (input.stages.empty()) throw InputError(options.file + ": there are no stages to run; add stages: [{name: production, time: 1 ns}]");
  for (int number : {SIGINT, SIGTERM, SIGUSR1}) std::signal(number, on_signal);
  Run run(std::move(input), quiet);
  try {
    return run.execute();
  } catch (const std::exception& e) {
    run.log().note(std::string("error: ") + e.what());
    throw;
  }
}

}  // namespace uplift::app

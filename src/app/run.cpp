#include "run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>

#include "cautions.hpp"
#include "commands.hpp"
#include "continuation.hpp"
#include "ranks.hpp"
#include "recorders.hpp"
#include "run_bias.hpp"
#include "run_exchange.hpp"
#include "surfaces.hpp"
#include "uplift/backend/phase_timer.hpp"
#include "uplift/core/error.hpp"
#include "uplift/domain/team.hpp"
#include "uplift/io/check_output.hpp"
#include "uplift/io/pdb.hpp"
#include "uplift/io/phase_table.hpp"
#include "uplift/io/text_file.hpp"
#include "uplift/io/units.hpp"
#include "uplift/model/selection.hpp"
#include "uplift/sampling/bias_rules.hpp"

namespace uplift::app {
namespace {

namespace fs = std::filesystem;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::string at_step(const Checkpoint& c) {
  std::string at = "step " + std::to_string(c.state.step) + " (" + format_number(c.state.time) + " ps), stage " + c.stage_name;
  if (c.descent) at += ", after " + std::to_string(c.descent->steps) + " steps of its minimisation";
  return at;
}

}  // namespace

Run::Run(RunInput input, RunOptions options)
    : input_(std::move(input)), options_(std::move(options)), directory_(input_.output.directory) {
  take_directory();
  log_ = std::make_unique<RunLog>(path("run.log"), options_.link ? Echo::none : choose_echo(options_.quiet),
                                  checkpoint_.has_value());
}

Run::~Run() = default;

void Run::take_directory() {
  make_output_directory(directory_);
  const auto there = [&](const char* name) { return fs::exists(directory_ / name); };
  const auto holds_run = [&] {
    return may_go_on(
        directory_, there("trajectory.h5md") || there("energies.h5") || there("checkpoint.upc") || there("checkpoint.prev.upc"),
        options_.resume);
  };
  if (there("replicas.json"))
    throw InputError("output.directory: " + directory_.string() +
                     " holds a run of several replicas, and compute.replicas is 1; put the number back, or choose another "
                     "directory with --set output.directory=NAME");
  if (!holds_run()) check_directory(input_, false);
  lock_ = h5::FileLock(path("run.log"), true);
  if (holds_run()) {  // another one may have run and ended before the lock was ours
    FoundCheckpoint found = find_checkpoint(directory_);
    checkpoint_ = std::move(found.checkpoint);
    if (!found.warning.empty()) on_resumption_.push_back(std::move(found.warning));
    for (std::string& warning : changed_stages(*checkpoint_, input_)) on_resumption_.push_back(std::move(warning));
  }
}

int Run::execute() {
  std::size_t first = 0;
  if (checkpoint_) {
    const Checkpoint& c = *checkpoint_;
    if (c.stage >= static_cast<int>(input_.stages.size()) ||
        input_.stages[static_cast<std::size_t>(c.stage)].name != c.stage_name)
      throw InputError(input_.file + ": the run in " + directory_.string() + " has reached stage " +
                       std::to_string(c.stage + 1) + ", " + c.stage_name +
                       ", which is not at that place here; put the stages back, or choose another output directory");
    first = static_cast<std::size_t>(c.stage);
    performance_ = read_stages(path("performance.json"));
    stages_ = read_stages(path("stages.json"));
    if (std::string gap = gap_in_stages(stages_, c, input_); !gap.empty()) on_resumption_.push_back(std::move(gap));
  }
  int status = finished;
  for (std::size_t k = first; k < input_.stages.size() && status == finished; ++k) status = stage(k);
  background_.drain();
  if (trajectory_) trajectory_->flush();
  if (energies_) energies_->flush();
  // Somebody is waiting for a stopped run to end, and replicas are looked at together.
  if (status == finished && !options_.link) finish_directory(input_, {directory_.string()}, directory_, *log_);
  return status;
}

int Run::stage(std::size_t index) {
  const StageSettings& settings = input_.stages[index];
  Loaded loaded = load(input_, settings);
  if (checkpoint_) {
    check_continuation(*checkpoint_, input_, loaded.system);
    state_ = checkpoint_->state;
    has_velocities_ = checkpoint_->has_velocities;
  } else if (index == 0) {
    state_ = loaded.state;
    has_velocities_ = loaded.has_velocities;
  }
  check_origin(checkpoint_ ? checkpoint_->origin : next_.origin, loaded, index);
  if (settings.forces.nonbonded == NonbondedMethod::no_cutoff) state_.box = Box{};
  const bool continued = checkpoint_ && checkpoint_->begun;
  // PME parameters fit the box that a stage begins with, and stay: a continued run must not choose others.
  Box box = continued ? checkpoint_->stage_box : state_.box;
  if (settings.exchange && static_cast<int>(index) >= options_.stages_behind) {
    std::optional<std::int64_t> passed;
    if (continued) passed = state_.step - checkpoint_->stage_step;
    const MeetingAnswer all = RunExchange::begin(settings, static_cast<int>(index), box, passed, *options_.link);
    if (!all.stop.empty()) return stopped(all.stop);
    box = all.box;
  }
  std::vector<PastStage> past = past_stages(checkpoint_ ? &*checkpoint_ : &next_, input_, index);
  next_ = {.version = version,
           .input = input_.resolved,
           .settings = settings.settings,
           .stage = static_cast<int>(index),
           .stage_name = settings.name,
           .stage_step = state_.step,
           .stage_time = state_.time,
           .stage_box = box,
           .has_velocities = has_velocities_,
           .system = system_fingerprint(loaded.system),
           .collected = next_.collected,
           .past = std::move(past),
           .origin = loaded.origin,
           .last_frame = {},
           .last_row = {},
           .descent = {},
           .state = {}};
  if (continued) {
    next_.stage_step = checkpoint_->stage_step;
    next_.stage_time = checkpoint_->stage_time;
  } else {
    state_.statistics = {};
    state_.bias.reset();
  }
  if (checkpoint_) next_.collected = checkpoint_->collected;
  BiasCourse bias = bias_course(settings, loaded.system);
  loaded.system.torsions_apart = boosted_torsions(bias.plan.bias);
  const std::unique_ptr<Backend> backend =
      make_backend(loaded.system, box, input_.compute, settings.dynamics.constraint_tolerance, options_.team,
                   static_cast<int>(index), loaded.origin);
  if (!files_begun_) {
    for (const StageSettings& s : input_.stages) {
      if (s.bias) check_bias(s.name, *s.bias, loaded.system);
      check_pme(input_, s, state_.box);
    }
    check_surfaces(input_, loaded);
    begin_files(loaded.system, *backend);
    for (const std::string& note : loaded.notes) log_->note(note);
    for (const std::string& warning : loaded.warnings) log_->warn(warning);
    for (const std::string& warning : doubts_of_steps(input_, loaded.system.topology)) log_->warn(warning);
    for (const std::string& warning : doubts_of_selections(input_, loaded.system.topology)) log_->warn(warning);
  }
  if (continued && settings.minimize) {  // it is done
    checkpoint_.reset();
    return finished;
  }
  log_->info("stage " + settings.name);
  if (settings.forces.nonbonded == NonbondedMethod::pme) {
    const PmeParameters p = backend->pme();
    log_->note("PME: alpha " + format_number(p.alpha) + " /nm, grid " + std::to_string(p.grid[0]) + " x " +
               std::to_string(p.grid[1]) + " x " + std::to_string(p.grid[2]) + ", order " + std::to_string(p.order));
  }
  log_->note(std::to_string(loaded.system.size()) + " atoms, " + std::to_string(loaded.system.constraints.size()) +
             " constraints and " + std::to_string(loaded.system.rigid_waters.size()) + " rigid waters, " +
             std::to_string(degrees_of_freedom(loaded.system)) + " degrees of freedom");
  return settings.minimize ? minimisation(settings, loaded.system, *backend)
                           : dynamics(settings, loaded.system, *backend, std::move(bias));
}

/// Of the files that the run was begun from, in this call or before.
void Run::check_origin(const std::optional<Origin>& was, const Loaded& loaded, std::size_t stage) {
  if (!was) return;
  for (const std::string& changed : changed_files(*was, loaded, input_, stage))
    if (files_begun_)
      log_->warn(changed);
    else
      on_resumption_.push_back(changed);
}

void Run::begin_files(const System& system, Backend& backend) {
  files_begun_ = true;
  atoms_ = stored_atoms(input_, system.topology);
  if (static_cast<int>(atoms_.size()) == system.size()) atoms_.clear();
  write_log_header(*log_, {input_.title, version, backend.description(), input_.resolved});
  if (!options_.replica.empty()) log_->note(options_.replica);
  if (!options_.announcement.empty()) log_->info(options_.announcement);
  for (const std::string& warning : input_.warnings) log_->warn(warning);
  if (checkpoint_) {
    log_->info("goes on from " + at_step(*checkpoint_));
    for (const std::string& warning : on_resumption_) log_->warn(warning);
    return;
  }
  write_topology_pdb(path("topology.pdb"), system, state_.box, state_.x, atoms_);
  save(state_, false);  // before the files that it belongs to
}

int Run::dynamics(const StageSettings& settings, const System& system, Backend& backend, BiasCourse bias) {
  const double temperature = settings.dynamics.ramp ? settings.dynamics.ramp->from : settings.dynamics.temperature;
  if (!(checkpoint_ && checkpoint_->begun)) note_velocities(settings, temperature);
  if (has_velocities_ && !(checkpoint_ && checkpoint_->begun)) carry_velocities(settings, system);
  if (!has_velocities_) {
    draw_velocities(system, temperature, settings.dynamics.seed, state_);
    next_.has_velocities = has_velocities_ = true;
  }
  std::optional<StageStart> continued;
  if (checkpoint_ && checkpoint_->begun) continued = StageStart{checkpoint_->stage_step, checkpoint_->stage_time};
  const auto steps = static_cast<std::int64_t>(std::llround(settings.time / settings.dynamics.timestep));
  const std::int64_t last = next_.stage_step + steps;
  open_files(system);
  note_stage(settings, system, bias);
  checkpoint_.reset();
  std::optional<RunExchange> exchange;
  if (settings.exchange && next_.stage >= options_.stages_behind)
    exchange.emplace(settings, next_.stage, next_.stage_step, *options_.link);
  if (state_.step >= last && continued) {
    if (bias.plan.gather) next_.collected[settings.name] = state_.statistics;
    if (verlet_takes_over()) {
      Simulation end(system, backend, state_, settings.dynamics, continued, bias);
      end.begin();
      state_ = end.full_step_state();
    }
    state_.list.clear();
    if (state_.step > last)
      log_->warn(fmt::format("stage {} has run {} ps already, more than its time of {} ps; none of it is taken back",
                             settings.name, format_number(state_.time - next_.stage_time), format_number(settings.time)));
    log_->info("this stage is finished");
    const std::string why = exchange ? exchange->end(last) : "";
    return why.empty() ? finished : stopped(why);
  }
  Simulation simulation(system, backend, state_, settings.dynamics, continued, bias);
  if (exchange) simulation.add(*exchange);
  RunRecorders recorders(input_, settings, {next_.stage_step, next_.stage_time}, trajectory_.get(), energies_.get(),
                         settings.bias ? amd_log_.get() : nullptr, background_, *log_);
  recorders.attach(simulation, last);

  const std::vector<PhaseTime> before = backend.phases();
  const double start = now();
  const std::int64_t first = simulation.current_step();
  saved_step_.reset();
  saving_ = {"checkpoints", 0, 0};
  simulation.begin();
  if (settings.bias && !continued) check_first_boost(settings, simulation.observe({false, true, false, false}).energies.bias);
  std::string why = advance(simulation, exchange ? &*exchange : nullptr, last);
  const double wall = now() - start;
  const PhaseTime saving = saving_;
  // Not twice at one step: where another replica could not write its checkpoint of an attempt, it goes on from the one before,
  // which must not be lost here.
  if (saved_step_ != simulation.current_step()) save(simulation.checkpoint_state(), true);
  if (exchange && why.empty()) why = exchange->end(last);
  recorders.finish(simulation);
  state_ = verlet_takes_over() ? simulation.full_step_state() : simulation.state();
  if (const std::string averages = recorders.averages(); !averages.empty()) log_->info(averages);
  check_heating(settings, system, recorders.drift());
  check_mesh(settings, system);
  for (const std::string& odd : recorders.odd_boosts(simulation.bias())) log_->warn("stage " + settings.name + ": " + odd);
  if (const Barostat* barostat = simulation.barostat(); barostat && barostat->attempted() > 0)
    log_->info("barostat: " + std::to_string(barostat->accepted()) + " of " + std::to_string(barostat->attempted()) +
               " trial volumes accepted");
  const std::int64_t taken = simulation.current_step() - first;
  RunTiming timing{phases_since(before, backend.phases()), wall, taken,
                   static_cast<double>(taken) * settings.dynamics.timestep};
  timing.phases.push_back(recorders.output_time());
  if (saving.calls > 0) timing.phases.push_back(saving);
  report(settings, backend, timing);
  if (bias.plan.gather && why.empty()) {
    next_.collected[settings.name] = state_.statistics;
    log_->info(statistics_text(state_.statistics));
  }
  return why.empty() ? finished : stopped(why);
}

/// Until step `last`, or until there is a reason to stop, which is returned.
std::string Run::advance(Simulation& simulation, RunExchange* exchange, std::int64_t last) {
  std::string why;
  const auto checkpoint = [&] { save(simulation.checkpoint_state(), true); };
  while (simulation.current_step() < last && (why = options_.stop_reason()).empty()) {
    if (exchange && exchange->due(simulation.current_step()) && !(why = exchange->attempt(simulation, checkpoint)).empty())
      return why;
    simulation.step();
    if (options_.link) options_.link->progress(next_.stage, simulation.current_step(), next_.stage_step, last);
    // Once replicas exchange they save together, or none of them could go on from what the others have.
    if ((!exchange || !exchange->begun(simulation.current_step())) && checkpoint_due()) checkpoint();
  }
  return why;
}

int Run::stopped(const std::string& why) {
  log_->warn("stopped by " + why + "; the checkpoint is written. Run again with --resume to go on");
  return stopped_early;
}

bool Run::checkpoint_due() const {
  return input_.output.checkpoint_every > 0 && now() - saved_at_ >= input_.output.checkpoint_every;
}

/// A checkpoint, after the files that it belongs to are safe.
void Run::save(const State& state, bool begun, std::optional<DescentMemory> descent) {
  const PhaseTimer timer(saving_);
  background_.drain();
  if (trajectory_) trajectory_->sync();
  if (energies_) energies_->sync();
  if (amd_log_) amd_log_->sync();
  next_.begun = begun;
  next_.descent = std::move(descent);
  next_.last_frame = trajectory_ ? std::optional(trajectory_->last_step().value_or(-1)) : std::nullopt;
  next_.last_row = energies_ ? std::optional(energies_->last_step().value_or(-1)) : std::nullopt;
  next_.state = state;
  write_checkpoint(path("checkpoint.upc"), next_);
  next_.state = {};
  next_.descent.reset();
  saved_at_ = now();
  saved_step_ = state.step;
}

void Run::report(const StageSettings& settings, const Backend& backend, const RunTiming& timing) {
  log_->info(phase_table(timing));
  speed_.simulated += timing.simulated;
  speed_.seconds += timing.wall;
  const std::optional<TeamTraffic> traffic = team_traffic(backend, timing.steps);
  if (traffic) log_->info(traffic_text(*traffic));
  nlohmann::json phases;
  for (const PhaseTime& p : timing.phases) phases[p.name] = {{"seconds", p.seconds}, {"calls", p.calls}};
  performance_.push_back({{"name", settings.name},
                          {"steps", timing.steps},
                          {"seconds", timing.wall},
                          {"ns_per_day", timing.wall > 0 ? timing.simulated * 1e-3 / timing.wall * 86400 : 0},
                          {"phases", phases}});
  if (traffic) performance_.back()["ranks"] = traffic_json(*traffic);
  try {
    write_file(path("performance.json"), nlohmann::json{{"version", version}, {"stages", performance_}}.dump(1) + '\n');
  } catch (const SimulationError& e) {  // nothing goes on from it
    log_->warn(e.what());
  }
}

/// Trajectory and energies go on through all stages of dynamics. Those of an earlier part of the run are cut back to its
/// checkpoint.
void Run::open_files(const System& system) {
  const Provenance provenance{input_.title, version, input_.resolved};
  const auto warn_of = [&](const std::string& gap) {
    if (!gap.empty()) log_->warn(gap);
  };
  // A file appears under its name once it is whole: a job killed before leaves nothing that a resumed run would stumble over.
  const auto open = [&](const char* name, const auto& create, const auto& append) {
    const std::string file = path(name), unfinished = file + ".tmp";
    if (!fs::exists(file) || fs::is_empty(file)) {  // HDF5 would take an empty one for a new one of its own
      create(unfinished);
      fs::rename(unfinished, file);
    }
    try {
      auto writer = append(file);
      writer.trim_after(state_.step);
      return std::make_unique<decltype(writer)>(std::move(writer));
    } catch (const SimulationError& e) {
      throw SimulationError(
          std::string(e.what()) +
          ". If it is damaged, put a copy in its place or move it away: --resume goes on from the checkpoint, "
          "with a new file if there is none");
    }
  };
  if (input_.output.trajectory_every > 0 && !trajectory_) {
    TrajectoryOptions options;
    options.velocities = input_.output.velocities;
    options.forces = input_.output.forces;
    options.position_precision = input_.output.position_precision;
    options.atoms = atoms_;
    options.bias = input_.frames_have_energies();
    trajectory_ = open(
        "trajectory.h5md",
        [&](const std::string& file) { TrajectoryWriter::create(file, system, state_.box, options, provenance); },
        [&](const std::string& file) { return TrajectoryWriter::append(file, system, state_.box, options); });
  }
  if (input_.output.energies_every > 0 && !energies_) {
    const std::vector<EnergyTerm> terms = terms_of_all_stages();
    const bool periodic = state_.box.periodic();
    energies_ = open(
        "energies.h5",
        [&](const std::string& file) { EnergyWriter::create(file, terms, periodic, provenance, input_.collects()); },
        [&](const std::string& file) { return EnergyWriter::append(file, terms, periodic, input_.collects()); });
  }
  if (checkpoint_ && trajectory_) warn_of(gap_in("trajectory.h5md", trajectory_->last_step(), checkpoint_->last_frame));
  if (checkpoint_ && energies_) warn_of(gap_in("energies.h5", energies_->last_step(), checkpoint_->last_row));
  if (input_.has_bias() && trajectory_ && !amd_log_) {
    const auto biased =
        std::find_if(input_.stages.begin(), input_.stages.end(), [](const StageSettings& s) { return s.bias.has_value(); });
    const bool frame_there = trajectory_->last_step() == state_.step;  // or it is made again, and its row with it
    if (checkpoint_) warn_of(lost_amd_log(path("amd.log"), *checkpoint_, input_));
    amd_log_ = std::make_unique<AmdLog>(path("amd.log"), state_.step - (frame_there ? 0 : 1), biased->bias->method);
  }
}

}  // namespace uplift::app

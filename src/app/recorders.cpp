#include "recorders.hpp"

#include <chrono>
#include <cmath>

namespace uplift::app {
namespace {

/// Adds the time of its life to a phase.
class Stopwatch {
 public:
  explicit Stopwatch(PhaseTime& phase) : phase_(phase), start_(std::chrono::steady_clock::now()) {}
  ~Stopwatch() {
    phase_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    ++phase_.calls;
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  PhaseTime& phase_;
  std::chrono::steady_clock::time_point start_;
};

std::int64_t steps_of(double interval, double timestep) { return std::max<std::int64_t>(1, std::llround(interval / timestep)); }

}  // namespace

class RunRecorders::Trajectory final : public Recorder {
 public:
  Trajectory(TrajectoryWriter& writer, std::int64_t every, PhaseTime& time) : writer_(writer), every_(every), time_(time) {}
  bool due(std::int64_t step) const override { return step % every_ == 0 && (!writer_.last_step() || step > *writer_.last_step()); }
  void record(const Frame& frame) override {
    Stopwatch watch(time_);
    writer_.write({frame.state.step, frame.state.time, frame.state.box, frame.state.x, frame.state.v, frame.forces});
  }

 private:
  TrajectoryWriter& writer_;
  std::int64_t every_;
  PhaseTime& time_;
};

class RunRecorders::EnergyTable final : public Recorder {
 public:
  EnergyTable(EnergyWriter& writer, std::int64_t every, PhaseTime& time) : writer_(writer), every_(every), time_(time) {}
  void begin(std::int64_t step) { last_ = writer_.rows() > 0 ? step : -1; }
  bool due(std::int64_t step) const override { return step % every_ == 0 && step > last_; }
  void record(const Frame& frame) override {
    Stopwatch watch(time_);
    EnergyRow row;
    row.step = frame.state.step;
    row.time = frame.state.time;
    row.energies = frame.energies;
    row.kinetic = frame.kinetic;
    row.temperature = frame.temperature;
    row.pressure = frame.pressure;
    row.volume = frame.state.box.volume();
    row.conserved_quantity = frame.conserved;
    writer_.write(row);
    averages_.add(row);
    last_ = row.step;
  }
  const StageAverages& averages() const { return averages_; }

 private:
  EnergyWriter& writer_;
  StageAverages averages_;
  std::int64_t every_, last_ = -1;
  PhaseTime& time_;
};

/// Looks at the clock now and then, not at every step; what it shows comes from the frames that are made anyway.
class RunRecorders::ProgressLine final : public Recorder {
 public:
  ProgressLine(RunLog& log, std::int64_t every) : progress_(log), every_(every) {}
  bool due(std::int64_t step) const override { return step % every_ == 0 && progress_.due(); }
  void record(const Frame& frame) override { progress_.update(report(frame)); }
  void start(const std::string& stage, std::int64_t first, std::int64_t last, double timestep) { progress_.start(stage, first, last, timestep); }
  void finish(const Frame& frame) { progress_.finish(report(frame)); }

 private:
  static Progress::Report report(const Frame& frame) {
    Progress::Report r;
    r.step = frame.state.step;
    r.temperature = frame.temperature;
    if (frame.state.box.periodic()) r.volume = frame.state.box.volume();
    return r;
  }
  Progress progress_;
  std::int64_t every_;
};

RunRecorders::RunRecorders(const RunInput& input, const StageSettings& stage, TrajectoryWriter* trajectory, EnergyWriter* energies, RunLog& log)
    : timestep_(stage.dynamics.timestep), stage_(stage.name) {
  if (trajectory) trajectory_ = std::make_unique<Trajectory>(*trajectory, steps_of(input.output.trajectory_every, timestep_), time_);
  if (energies) energies_ = std::make_unique<EnergyTable>(*energies, steps_of(input.output.energies_every, timestep_), time_);
  progress_ = std::make_unique<ProgressLine>(log, 10);
}

RunRecorders::~RunRecorders() = default;

void RunRecorders::attach(Simulation& simulation, std::int64_t last_step) {
  if (trajectory_) simulation.add(*trajectory_);
  if (energies_) {
    energies_->begin(simulation.current_step());
    simulation.add(*energies_);
  }
  progress_->start(stage_, simulation.current_step(), last_step, timestep_);
  simulation.add(*progress_);
}

void RunRecorders::finish(Simulation& simulation) { progress_->finish(simulation.observe()); }

std::string RunRecorders::averages() const { return energies_ ? energies_->averages().text() : ""; }

PhaseTime RunRecorders::output_time() const { return time_; }

}  // namespace uplift::app

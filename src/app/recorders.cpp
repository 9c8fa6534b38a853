#include "recorders.hpp"

#include <cmath>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "uplift/backend/phase_timer.hpp"

namespace uplift::app {
namespace {

/// The steps of a stage at which something comes round: where the time of the run is a multiple of its interval, so that frames
/// are equally far apart in stages of different time steps, too. A multiple between two steps counts at the later one.
class Rounds {
 public:
  /// `first`, `begin`: step and time [ps] at which the stage began.
  Rounds(double interval, double timestep, std::int64_t first, double begin)
      : every_(std::max<std::int64_t>(1, std::llround(interval / timestep))) {
    constexpr double rounding = 1e-3;  // of a step: begin is a sum
    const double before = begin / timestep, every = static_cast<double>(every_);
    const double past = before - every * std::floor((before + rounding) / every);
    offset_ = first + (past < rounding ? 0 : static_cast<std::int64_t>(std::ceil(every - past - rounding)));
  }
  std::int64_t every() const { return every_; }  ///< [steps]
  bool at(std::int64_t step) const { return (step - offset_) % every_ == 0; }

 private:
  std::int64_t every_, offset_;
};

}  // namespace

/// Frames or rows on their way that nobody has written yet: so many at most, for each holds on to memory.
class OnTheirWay {
 public:
  explicit OnTheirWay(int most) : most_(most) {}

  /// Counts while it lives.
  class Place {
   public:
    explicit Place(std::shared_ptr<OnTheirWay> all) : all_(std::move(all)) {
      std::unique_lock lock(all_->mutex_);
      all_->changed_.wait(lock, [&] { return all_->count_ < all_->most_; });
      ++all_->count_;
    }
    ~Place() {
      const std::lock_guard lock(all_->mutex_);
      --all_->count_;
      all_->changed_.notify_one();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    std::shared_ptr<OnTheirWay> all_;
  };
  /// Waits for room.
  static std::shared_ptr<Place> place(const std::shared_ptr<OnTheirWay>& all) { return std::make_shared<Place>(all); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int most_, count_ = 0;
};

/// What is on its way refers to the system and the backend, and its job to the recorder.
void wait_for_all(BackgroundWriter& background) {
  try {
    background.drain();
  } catch (...) {  // it comes out again for whoever turns to the files next
  }
}

class RunRecorders::Trajectory final : public Recorder {
 public:
  Trajectory(TrajectoryWriter& writer, AmdLog* amd_log, const OutputSettings& output, bool bias, const Rounds& rounds,
             BackgroundWriter& background, PhaseTime& time)
      : writer_(writer),
        amd_log_(amd_log),
        background_(background),
        wanted_{output.forces, bias, true, output.velocities},
        rounds_(rounds),
        last_(writer.last_step()),
        time_(time) {}
  ~Trajectory() override { wait_for_all(background_); }
  /// The first step of a stage is the last one of the stage before, whose boost is another.
  void begin(std::int64_t step) {
    if (last_) last_ = std::max(*last_, step);
  }
  bool due(std::int64_t step) const override { return rounds_.at(step) && (!last_ || step > *last_); }
  Wanted wanted() const override { return wanted_; }
  Takes takes() const override { return Takes::late_frame; }
  void record_late(const LateFrame& frame) override {
    const PhaseTimer timer(time_);
    last_ = frame.step();
    background_.add([this, place = OnTheirWay::place(on_their_way_), frame] { write(frame); });
  }

 private:
  void write(const LateFrame& frame) {
    const SnapshotContents& one = frame.get();
    const BiasEnergies bias = wanted_.energies ? frame.observables().energies.bias : BiasEnergies{};
    if (amd_log_) {  // before the frame: a run that is killed and goes on does not make one again that is there
      amd_log_->write(rounds_.every(), frame.step(), bias);
      amd_log_->flush();
    }
    writer_.write({frame.step(), frame.time(), one.box, one.x, one.v, one.f, bias});
  }

  TrajectoryWriter& writer_;
  AmdLog* amd_log_;
  BackgroundWriter& background_;
  Wanted wanted_;
  Rounds rounds_;
  std::optional<std::int64_t> last_;
  std::shared_ptr<OnTheirWay> on_their_way_ = std::make_shared<OnTheirWay>(4);
  PhaseTime& time_;
};

class RunRecorders::EnergyTable final : public Recorder {
 public:
  EnergyTable(EnergyWriter& writer, const Rounds& rounds, BackgroundWriter& background, PhaseTime& time)
      : writer_(writer), background_(background), rounds_(rounds), time_(time) {}
  ~EnergyTable() override { wait_for_all(background_); }
  /// `first`: where the stage began. Averages are those of the whole stage, of which earlier calls may have run a part.
  void begin(std::int64_t step, std::int64_t first) {
    last_ = writer_.rows() > 0 ? step : -1;
    if (step == first) return;
    background_.drain();
    writer_.rows_since(first, [this](const EnergyRow& row) { averages_.add(row); });
  }
  Wanted wanted() const override { return {false, true, false, false}; }
  Takes takes() const override { return Takes::late_frame; }
  bool due(std::int64_t step) const override { return rounds_.at(step) && step > last_; }
  void record_late(const LateFrame& frame) override {
    const PhaseTimer timer(time_);
    last_ = frame.step();
    background_.add([this, place = OnTheirWay::place(on_their_way_), frame] { write(frame); });
  }
  /// Of all rows so far, when they are written.
  const StageAverages& averages() const {
    background_.drain();
    return averages_;
  }

 private:
  void write(const LateFrame& frame) {
    const Observables numbers = frame.observables();
    EnergyRow row;
    row.step = frame.step();
    row.time = frame.time();
    row.energies = numbers.energies;
    row.kinetic = numbers.kinetic;
    row.temperature = numbers.temperature;
    row.pressure = numbers.pressure;
    row.volume = frame.get().box.volume();
    row.conserved_quantity = numbers.conserved;
    writer_.write(row);
    averages_.add(row);
  }

  EnergyWriter& writer_;
  BackgroundWriter& background_;
  StageAverages averages_;  ///< the writing thread's
  Rounds rounds_;
  std::int64_t last_ = -1;
  std::shared_ptr<OnTheirWay> on_their_way_ = std::make_shared<OnTheirWay>(64);
  PhaseTime& time_;
};

/// Looks at the clock now and then, not at every step; what it shows comes from the frames that are made anyway.
class RunRecorders::ProgressLine final : public Recorder {
 public:
  ProgressLine(RunLog& log, bool boosted, std::int64_t every) : progress_(log), boosted_(boosted), every_(every) {}
  bool due(std::int64_t step) const override { return step % every_ == 0 && progress_.due(); }
  Wanted wanted() const override { return {false, false}; }
  void record(const Frame& frame) override { progress_.update(report(frame)); }
  void start(const std::string& stage, std::int64_t first, std::int64_t last, double timestep) {
    progress_.start(stage, first, last, timestep);
  }
  void finish(const Frame& frame) { progress_.finish(report(frame)); }

 private:
  Progress::Report report(const Frame& frame) const {
    Progress::Report r;
    r.step = frame.state.step;
    r.temperature = frame.temperature;
    if (frame.state.box.periodic()) r.volume = frame.state.box.volume();
    if (boosted_) r.boost = frame.energies.bias.boost();
    return r;
  }
  Progress progress_;
  bool boosted_;
  std::int64_t every_;
};

RunRecorders::RunRecorders(const RunInput& input, const StageSettings& stage, const StageStart& start,
                           TrajectoryWriter* trajectory, EnergyWriter* energies, AmdLog* amd_log, BackgroundWriter& background,
                           RunLog& log)
    : timestep_(stage.dynamics.timestep), first_step_(start.step), stage_(stage.name) {
  const auto rounds = [&](double interval) { return Rounds(interval, timestep_, start.step, start.time); };
  if (trajectory)
    trajectory_ = std::make_unique<Trajectory>(*trajectory, amd_log, input.output, input.frames_have_energies(),
                                               rounds(input.output.trajectory_every), background, time_);
  if (energies) energies_ = std::make_unique<EnergyTable>(*energies, rounds(input.output.energies_every), background, time_);
  progress_ = std::make_unique<ProgressLine>(log, stage.bias.has_value(), 10);
}

RunRecorders::~RunRecorders() = default;

void RunRecorders::attach(Simulation& simulation, std::int64_t last_step) {
  if (trajectory_) {
    trajectory_->begin(simulation.current_step());
    simulation.add(*trajectory_);
  }
  if (energies_) {
    energies_->begin(simulation.current_step(), first_step_);
    simulation.add(*energies_);
  }
  progress_->start(stage_, simulation.current_step(), last_step, timestep_);
  simulation.add(*progress_);
}

void RunRecorders::finish(Simulation& simulation) { progress_->finish(simulation.observe({false, false})); }

std::string RunRecorders::averages() const { return energies_ ? energies_->averages().text() : ""; }

std::vector<std::string> RunRecorders::odd_boosts(const Bias& bias) const {
  return energies_ ? energies_->averages().odd_boosts(bias) : std::vector<std::string>{};
}

double RunRecorders::drift() const { return energies_ ? energies_->averages().drift() : 0; }

PhaseTime RunRecorders::output_time() const { return time_; }

}  // namespace uplift::app

#include "recorders.hpp"

#include <atomic>
#include <cmath>
#include <mutex>
#include <utility>

#include "uplift/backend/phase_timer.hpp"

namespace uplift::app {
namespace {

std::int64_t steps_of(double interval, double timestep) { return std::max<std::int64_t>(1, std::llround(interval / timestep)); }

}  // namespace

/// What a frame with energies is while it waits to be written. Others are on their way from the backend: LateFrame.
struct KeptFrame {
  std::int64_t step = 0;
  double time = 0;
  Box box;
  std::vector<Vec3d> x, v;
  BiasEnergies bias;
};
/// Frames on their way that nobody has written yet, a few at most.
class FramesOnTheirWay {
 public:
  /// Counts while it lives.
  class Place {
   public:
    explicit Place(std::shared_ptr<FramesOnTheirWay> all) : all_(std::move(all)) { ++all_->count_; }
    ~Place() { --all_->count_; }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    std::shared_ptr<FramesOnTheirWay> all_;
  };
  void wait_for_room(BackgroundWriter& background) const {
    if (count_ >= most) background.drain();
  }

 private:
  static constexpr int most = 4;
  std::atomic<int> count_ = 0;
};

/// A few, which go round; take() waits for one to come back. Rows of energies are small and wait behind frames as they are.
class KeptFrames {
 public:
  std::unique_ptr<KeptFrame> take(BackgroundWriter& background) {
    std::unique_lock lock(mutex_);
    if (free_.empty() && made_ == most) {
      lock.unlock();
      background.drain();  // or it throws: then none would ever come back
      lock.lock();
    }
    if (free_.empty()) {
      ++made_;
      return std::make_unique<KeptFrame>();
    }
    std::unique_ptr<KeptFrame> one = std::move(free_.back());
    free_.pop_back();
    return one;
  }
  void give_back(std::unique_ptr<KeptFrame> one) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(one));
  }

 private:
  static constexpr int most = 4;
  std::mutex mutex_;
  int made_ = 0;
  std::vector<std::unique_ptr<KeptFrame>> free_;
};

class RunRecorders::Trajectory final : public Recorder {
 public:
  Trajectory(TrajectoryWriter& writer, AmdLog* amd_log, bool velocities, bool bias, std::int64_t every,
             BackgroundWriter& background, PhaseTime& time)
      : writer_(writer),
        amd_log_(amd_log),
        background_(background),
        velocities_(velocities),
        bias_(bias),
        every_(every),
        last_(writer.last_step()),
        time_(time) {}
  /// Frames on their way refer to the system and the backend.
  ~Trajectory() override {
    try {
      background_.drain();
    } catch (...) {  // it comes out again for whoever turns to the files next
    }
  }
  bool due(std::int64_t step) const override { return step % every_ == 0 && (!last_ || step > *last_); }
  Wanted wanted() const override { return {false, bias_}; }
  Takes takes() const override {
    if (bias_) return Takes::frame;
    return velocities_ ? Takes::late_frame_with_velocities : Takes::late_frame;
  }
  void record_late(const LateFrame& frame) override {
    const PhaseTimer timer(time_);
    on_their_way_->wait_for_room(background_);
    last_ = frame.step();
    background_.add(
        [&writer = writer_, velocities = velocities_, frame, place = std::make_shared<FramesOnTheirWay::Place>(on_their_way_)] {
          const SnapshotContents& one = frame.get();
          writer.write({frame.step(), frame.time(), one.box, one.x, velocities ? one.v : std::span<const Vec3d>{}, {}, {}});
        });
  }
  void record(const Frame& frame) override {
    const PhaseTimer timer(time_);
    std::unique_ptr<KeptFrame> own = pool_->take(background_);
    own->step = frame.state.step;
    own->time = frame.state.time;
    own->box = frame.state.box;
    own->x = frame.state.x;
    if (velocities_) own->v = frame.state.v;
    own->bias = frame.energies.bias;
    last_ = own->step;
    background_.add([&writer = writer_, amd_log = amd_log_, every = every_, pool = pool_,
                     s = std::make_shared<std::unique_ptr<KeptFrame>>(std::move(own))] {
      const KeptFrame& one = **s;
      writer.write({one.step, one.time, one.box, one.x, one.v, {}, one.bias});
      if (amd_log) amd_log->write(every, one.step, one.bias);
      pool->give_back(std::move(*s));
    });
  }

 private:
  TrajectoryWriter& writer_;
  AmdLog* amd_log_;
  BackgroundWriter& background_;
  bool velocities_, bias_;
  std::int64_t every_;
  std::optional<std::int64_t> last_;
  std::shared_ptr<FramesOnTheirWay> on_their_way_ = std::make_shared<FramesOnTheirWay>();
  std::shared_ptr<KeptFrames> pool_ = std::make_shared<KeptFrames>();
  PhaseTime& time_;
};

class RunRecorders::EnergyTable final : public Recorder {
 public:
  EnergyTable(EnergyWriter& writer, std::int64_t every, BackgroundWriter& background, PhaseTime& time)
      : writer_(writer), background_(background), every_(every), time_(time) {}
  void begin(std::int64_t step) { last_ = writer_.rows() > 0 ? step : -1; }
  Wanted wanted() const override { return {false, true}; }
  bool due(std::int64_t step) const override { return step % every_ == 0 && step > last_; }
  void record(const Frame& frame) override {
    const PhaseTimer timer(time_);
    EnergyRow row;
    row.step = frame.state.step;
    row.time = frame.state.time;
    row.energies = frame.energies;
    row.kinetic = frame.kinetic;
    row.temperature = frame.temperature;
    row.pressure = frame.pressure;
    row.volume = frame.state.box.volume();
    row.conserved_quantity = frame.conserved;
    background_.add([&writer = writer_, row] { writer.write(row); });
    averages_.add(row);
    last_ = row.step;
  }
  const StageAverages& averages() const { return averages_; }

 private:
  EnergyWriter& writer_;
  BackgroundWriter& background_;
  StageAverages averages_;
  std::int64_t every_, last_ = -1;
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

RunRecorders::RunRecorders(const RunInput& input, const StageSettings& stage, TrajectoryWriter* trajectory,
                           EnergyWriter* energies, AmdLog* amd_log, BackgroundWriter& background, RunLog& log)
    : timestep_(stage.dynamics.timestep), stage_(stage.name) {
  if (trajectory)
    trajectory_ = std::make_unique<Trajectory>(*trajectory, amd_log, input.output.velocities, input.frames_have_energies(),
                                               steps_of(input.output.trajectory_every, timestep_), background, time_);
  if (energies)
    energies_ = std::make_unique<EnergyTable>(*energies, steps_of(input.output.energies_every, timestep_), background, time_);
  progress_ = std::make_unique<ProgressLine>(log, stage.bias.has_value(), 10);
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

void RunRecorders::finish(Simulation& simulation) { progress_->finish(simulation.observe({false, false})); }

std::string RunRecorders::averages() const { return energies_ ? energies_->averages().text() : ""; }

double RunRecorders::drift() const { return energies_ ? energies_->averages().drift() : 0; }

PhaseTime RunRecorders::output_time() const { return time_; }

}  // namespace uplift::app

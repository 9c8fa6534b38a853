#pragma once
// A run in progress: its directory, files, log and checkpoints, and the state that passes from stage to stage.
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "load.hpp"
#include "replica_link.hpp"
#include "uplift/engine/simulation.hpp"
#include "uplift/io/amd_log.hpp"
#include "uplift/io/background_writer.hpp"
#include "uplift/io/checkpoint.hpp"
#include "uplift/io/energy_file.hpp"
#include "uplift/io/h5.hpp"
#include "uplift/io/phase_table.hpp"
#include "uplift/io/run_log.hpp"
#include "uplift/io/trajectory.hpp"

namespace uplift::app {

class RunExchange;
class RunRecorders;

struct RunOptions {
  bool quiet = false;
  bool resume = false;                       ///< go on from the checkpoint when there is one
  std::function<std::string()> stop_reason;  ///< empty text: go on. Asked at every step
  ReplicaLink* link = nullptr;               ///< of one of several replicas, which says nothing on the terminal
  int stages_behind = 0;                     ///< those before have been finished by every replica: nobody is to be met there
  std::string replica;                       ///< for the log: which one this is
  std::string announcement;                  ///< for the log: when it will stop by itself
  Communicator team;                         ///< the ranks of this run, of which this one is the root
};

class Run {
 public:
  /// Takes the directory for itself. Throws InputError when it holds a run already and `resume` is not set, or when what it
  /// holds is no part of this run.
  Run(RunInput input, RunOptions options);
  ~Run();

  /// Every stage that is left, then surfaces and report. Returns the exit status; throws SimulationError and InputError.
  int execute();
  RunLog& log() { return *log_; }
  /// Of the stages of dynamics that this call has run: time simulated [ps], and spent [s].
  struct Speed {
    double simulated = 0, seconds = 0;
  };
  const Speed& speed() const { return speed_; }

 private:
  void take_directory();
  int stage(std::size_t index);
  void check_origin(const std::optional<Origin>& was, const Loaded& loaded, std::size_t stage);
  int minimisation(const StageSettings& settings, const System& system, Backend& backend);
  int dynamics(const StageSettings& settings, const System& system, Backend& backend, BiasCourse bias);
  std::string advance(Simulation& simulation, RunExchange* exchange, std::int64_t last);
  void begin_files(const System& system, Backend& backend);
  void open_files(const System& system);
  BiasCourse bias_course(const StageSettings& settings, const System& system);
  BiasStatistics statistics_of(const std::string& stage) const;
  void check_first_boost(const StageSettings& settings, const BiasEnergies& boost);
  void carry_velocities(const StageSettings& settings, const System& system);
  void note_velocities(const StageSettings& settings, double temperature);
  const StageSettings* dynamics_before() const;
  bool verlet_takes_over() const;
  void check_mesh(const StageSettings& settings, const System& system);
  void check_heating(const StageSettings& settings, const System& system, double drift);
  void note_stage(const StageSettings& settings, const System& system, const BiasCourse& bias);
  std::vector<EnergyTerm> terms_of_all_stages() const;
  void report(const StageSettings& settings, const Backend& backend, const RunTiming& timing);
  int stopped(const std::string& why);
  bool checkpoint_due() const;
  void save(const State& state, bool begun, std::optional<DescentMemory> descent = {});
  std::string path(const char* name) const { return (directory_ / name).string(); }

  RunInput input_;
  RunOptions options_;
  std::filesystem::path directory_;
  h5::FileLock lock_;  ///< on run.log, for the life of the run
  std::unique_ptr<RunLog> log_;
  std::optional<Checkpoint> checkpoint_;    ///< that this run goes on from, until its stage has begun
  std::vector<std::string> on_resumption_;  ///< warnings, for the log
  Checkpoint next_;                         ///< what the next one says of the stage in hand
  PhaseTime saving_;                        ///< of checkpoints of the stage in hand
  double saved_at_ = 0;                     ///< steady clock [s]
  std::optional<std::int64_t> saved_step_;  ///< of the last checkpoint of the stage in hand
  State state_;
  bool has_velocities_ = false;
  std::vector<int> atoms_;  ///< of the trajectory; empty: all
  bool files_begun_ = false;
  std::unique_ptr<TrajectoryWriter> trajectory_;
  std::unique_ptr<EnergyWriter> energies_;
  std::unique_ptr<AmdLog> amd_log_;
  BackgroundWriter background_;                      ///< of these three; goes before they do
  nlohmann::json stages_ = nlohmann::json::array();  ///< of stages.json
  nlohmann::json performance_ = nlohmann::json::array();
  Speed speed_;
};

}  // namespace uplift::app

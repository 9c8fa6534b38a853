#pragma once
// The files of a run, as recorders of a simulation.
#include <memory>

#include "uplift/backend/backend.hpp"
#include "uplift/engine/simulation.hpp"
#include "uplift/io/amd_log.hpp"
#include "uplift/io/background_writer.hpp"
#include "uplift/io/energy_file.hpp"
#include "uplift/io/energy_json.hpp"
#include "uplift/io/progress.hpp"
#include "uplift/io/stage_averages.hpp"
#include "uplift/io/trajectory.hpp"

namespace uplift::app {

/// Trajectory, energies and progress of one stage. Either writer may be nullptr. Files are written by `background`: whoever
/// else turns to them drains it first.
class RunRecorders {
 public:
  /// `start`: where the stage began. `amd_log`: of a stage with a bias, else nullptr.
  RunRecorders(const RunInput& input, const StageSettings& stage, const StageStart& start, TrajectoryWriter* trajectory,
               EnergyWriter* energies, AmdLog* amd_log, BackgroundWriter& background, RunLog& log);
  ~RunRecorders();

  /// Frames are written from the current step on; the very first of the run is included, that of a later stage belongs to the
  /// stage before. The last step is that of the stage.
  void attach(Simulation& simulation, std::int64_t last_step);
  /// Everything to disk; the last line of progress.
  void finish(Simulation& simulation);
  std::string averages() const;  ///< of the energies of the stage so far, for the log
  std::vector<std::string> odd_boosts(const Bias& bias) const;
  double drift() const;           ///< of the conserved energy [kJ/mol/ps]
  PhaseTime output_time() const;  ///< that the run has waited

 private:
  class Trajectory;
  class EnergyTable;
  class ProgressLine;
  std::unique_ptr<Trajectory> trajectory_;
  std::unique_ptr<EnergyTable> energies_;
  std::unique_ptr<ProgressLine> progress_;
  double timestep_;
  std::int64_t first_step_;
  std::string stage_;
  PhaseTime time_{"output", 0, 0};
};

}  // namespace uplift::app

#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "uplift/engine/barostat.hpp"
#include "uplift/engine/integrator.hpp"
#include "uplift/engine/recorder.hpp"

namespace uplift {

/// What one step must do; decided once, by asking who needs what.
struct StepPlan {
  ForcePlan forces;
  bool record = false, late = false;  ///< a Frame; a LateFrame
  Wanted wanted, late_wanted;         ///< of each
  bool remove_com = false;
  bool barostat = false;
  bool reports = false;  ///< somebody wants energies of this step, and its pressure
  bool check = false;    ///< look for a blow-up
};

/// Where a stage began: times are counted from there, so that they do not depend on interruptions.
struct StageStart {
  std::int64_t step = 0;
  double time = 0;  ///< [ps]
};

/// The bias of a stage. Its parameters may follow the statistics: every so many steps they become what `update` makes of these.
struct BiasCourse {
  BiasPlan plan;
  std::int64_t update_every = 0;  ///< 0: never
  std::function<Bias(const BiasStatistics&)> update;
};

/// A system in motion on a backend.
class Simulation {
 public:
  /// The backend holds the state from here on. Throws SimulationError when the starting forces are not usable, naming the atom.
  /// `continued`: the state is one of checkpoint_state(), of a stage that began there, and is taken bit for bit. Otherwise the
  /// stage begins with it: it is put onto the constraints first.
  Simulation(const System& system, Backend& backend, State state, const DynamicsSettings& dynamics,
             std::optional<StageStart> continued = {}, BiasCourse bias = {});

  void add(Recorder& recorder) { recorders_.push_back(&recorder); }
  /// Forces and energies of the current positions, and a first frame for every recorder that is due at the current step.
  void begin();
  void step();

  std::int64_t current_step() const { return step_; }
  double time() const { return time_; }  ///< [ps]
  /// Positions, velocities, step and time as they are now.
  State state() const;
  /// The same with all that a continuation needs to have the same bits. Throws SimulationError when the run has blown up.
  State checkpoint_state();
  /// state() with velocities in time with the positions, where those of the integrator are half a step behind: what an
  /// integrator begins with whose velocities are not. No step may follow.
  State full_step_state();
  /// What is wanted of the present state; computes energies when the last step had no need of them. What is not wanted is not a
  /// number.
  Frame observe(const Wanted& wanted = {});
  /// Another configuration takes the place of the present one, as in replica exchange. What that does to the conserved energy
  /// counts as heat. The thermostat's own variables stay: they belong to the temperature.
  void replace(std::vector<Vec3d> x, std::vector<Vec3d> v, const Box& box);
  const Bias& bias() const { return bias_.plan.bias; }  ///< that acts now
  const Barostat* barostat() const { return barostat_ ? &*barostat_ : nullptr; }

 private:
  StepPlan plan(std::int64_t step) const;
  void compute_energies();
  void check();
  void update_bias();
  double target_temperature(std::int64_t step) const;
  void record(const StepPlan& plan);
  LateFrame late_frame(const Wanted& wanted);
  std::unique_ptr<Snapshot> snapshot(const Wanted& wanted);

  const System& system_;
  Backend& backend_;
  DynamicsSettings dynamics_;
  BiasCourse bias_;
  Integrator integrator_;
  std::optional<Barostat> barostat_;
  std::vector<Recorder*> recorders_;
  std::int64_t step_ = 0;
  StageStart start_;
  double time_ = 0;
  std::int64_t energies_step_ = 0;  ///< step whose energies the backend has
  bool begun_ = false;
  State state_;  ///< buffers for downloads
  std::vector<Vec3d> forces_;
};

/// Velocities of the Maxwell-Boltzmann distribution, one draw an atom and seed; the engine constrains them before the first
/// step.
void draw_velocities(const System& system, double temperature, std::uint64_t seed, State& state);

/// Bonds as they are, not across the box: every molecule in one piece, at the image of its first atom.
void make_molecules_whole(const System& system, State& state);

}  // namespace uplift

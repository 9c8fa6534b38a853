#pragma once
// The backend interface (floor 3): whole-kernel operations on the backend's own copy of the state. The engine sees nothing
// else, so CPU, CUDA and the emulated CUDA backend are interchangeable. A backend is made for one System.
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "uplift/backend/descent.hpp"
#include "uplift/backend/snapshot.hpp"
#include "uplift/core/box.hpp"
#include "uplift/model/bias.hpp"
#include "uplift/model/energies.hpp"
#include "uplift/model/force_groups.hpp"
#include "uplift/model/state.hpp"
#include "uplift/model/system.hpp"

namespace uplift {

/// What one force evaluation must deliver. Decided once a step; nothing downstream asks again.
struct ForcePlan {
  ForceGroups groups = all_force_groups;
  bool energies = false;
  bool virial = false;
  bool operator==(const ForcePlan&) const = default;
};

// Stages of an integrator, as values. A backend may fuse neighbours; the result is as if run one after the other.
/// How much of each level's forces a kick takes: its impulse stands for as many inner steps.
using LevelWeights = std::array<double, most_force_levels>;
struct Kick {  ///< v += dt sum over levels of (weight own + boost_weight boost) f/m, own and boost as of ApplyBias, or 1 and 0
  double dt;   ///< [ps]
  LevelWeights weight{1};
  double boost_weight = 0;  ///< inner steps that the impulse of the total boost stands for
  bool operator==(const Kick&) const = default;
};
struct Drift {  ///< x += dt v
  double dt;    ///< [ps]
  bool operator==(const Drift&) const = default;
};
struct OrnsteinUhlenbeck {           ///< v = a v + sqrt((1 - a^2) kT/m) noise, a = exp(-friction dt)
  double dt, friction, temperature;  ///< [ps], [1/ps], [K]
  std::uint64_t seed;
  int substep = 0;  ///< several draws a step have noise of their own (noise_step)
  bool operator==(const OrnsteinUhlenbeck&) const = default;
};
struct RescaleVelocities {  ///< v = s v, the kinetic energy drawn by stochastic velocity rescaling; the change counts as
                            ///< State::heat
  double dt, friction, temperature;  ///< [ps], [1/ps], [K]; relaxation time 1/friction
  std::uint64_t seed;
  int substep = 0;  ///< as of OrnsteinUhlenbeck
  bool operator==(const RescaleVelocities&) const = default;
};
struct MoveNoseHooverChain {         ///< the chain of State::chain by dt, and v with it; what it takes counts as State::heat
  double dt, friction, temperature;  ///< [ps], [1/ps], [K]; relaxation time 1/friction
  bool operator==(const MoveNoseHooverChain&) const = default;
};
/// the reference that ConstrainPositions works from
struct SavePositions {
  bool operator==(const SavePositions&) const = default;
};
struct ConstrainPositions {  ///< x onto the constraints, v += (x - x before) / dt
  double dt;                 ///< [ps]
  bool operator==(const ConstrainPositions&) const = default;
};
struct ConstrainVelocities {  ///< removes velocity along every constraint
  bool at_saved = false;      ///< of the positions of SavePositions
  bool operator==(const ConstrainVelocities&) const = default;
};
struct PlaceVirtualSites {
  bool operator==(const PlaceVirtualSites&) const = default;
};
/// Forces of a level = sum over its groups that are in the step's ForcePlan, too. Those of other levels stay as they are;
/// upload() forgets all of them.
struct ComputeForces {
  ForceGroups groups = all_force_groups;
  int level = 0;
  bool last = true;       ///< of its level in this step: what the plan wants of energies and virial is wanted here
  bool energies = false;  ///< for ApplyBias, whatever the plan says
  bool operator==(const ComputeForces&) const = default;
};
/// From energies of the evaluations before it: the boosts, and with them the part of each level's forces in what follows
/// (LevelFactors in backend/bias_factors.hpp); statistics of the energies that boosts see. Nobody waits for them.
struct ApplyBias {
  Bias bias;
  int torsion_level = -1;      ///< that holds ForceGroup::torsions and nothing else
  bool torsions_only = false;  ///< an inner step, at which the total boost stays as it is
  bool gather = false;         ///< State::statistics
  bool operator==(const ApplyBias&) const = default;
};
struct RemoveComMotion {
  bool operator==(const RemoveComMotion&) const = default;
};
struct ScaleBox {  ///< edges by `factor`, molecules by their centres; x of all atoms of a molecule moves as the centre does
  Vec3d factor;
  bool velocities = false;  ///< those of the centres by 1/factor
  bool operator==(const ScaleBox&) const = default;
};
/// x, box, forces and energies, for RestoreConfiguration
struct SaveConfiguration {
  bool operator==(const SaveConfiguration&) const = default;
};
/// Unless Backend::forces_restored() then, forces have to be computed anew.
struct RestoreConfiguration {
  bool operator==(const RestoreConfiguration&) const = default;
};
struct SaveVelocities {
  bool operator==(const SaveVelocities&) const = default;
};
struct RestoreVelocities {
  bool operator==(const RestoreVelocities&) const = default;
};
struct AddHeat {  ///< to State::heat
  double amount;  ///< [kJ/mol]
  bool operator==(const AddHeat&) const = default;
};
struct CountHeat {  ///< State::heat += sign times the kinetic energy: once before and once after what exchanges heat
  double sign;
  bool operator==(const CountHeat&) const = default;
};
using Stage =
    std::variant<Kick, Drift, OrnsteinUhlenbeck, RescaleVelocities, MoveNoseHooverChain, SavePositions, ConstrainPositions,
                 ConstrainVelocities, PlaceVirtualSites, ComputeForces, ApplyBias, RemoveComMotion, ScaleBox, SaveConfiguration,
                 RestoreConfiguration, SaveVelocities, RestoreVelocities, AddHeat, CountHeat>;

/// What a snapshot holds besides what tells whether the run is sound.
struct SnapshotPlan {
  bool positions = true, velocities = false;
  bool forces = false;                    ///< those of the last evaluation, which was of the present positions
  bool energies = false;                  ///< of the same, which asked for them
  std::span<const Stage> to_full_step{};  ///< with energies: what brings velocities to the time of the positions, for a look
};

/// Time spent in one kind of work since the backend was made.
struct PhaseTime {
  std::string name;
  double seconds = 0;
  std::int64_t calls = 0;
};

/// PME as resolved for the current box.
struct PmeParameters {
  double alpha = 0;  ///< [1/nm]
  std::array<int, 3> grid{};
  int order = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;         ///< "cpu"
  virtual std::string description() const = 0;  ///< for the log: processor, instruction set, threads, precision

  /// With State::list, pairs are listed as of there.
  virtual void upload(const State& state) = 0;
  virtual void download(State& state) const = 0;  ///< x, v, box, heat, chain, statistics; not step, time, barostat and list
  virtual Box box() const = 0;
  virtual ListOrigin list_origin() const { return {}; }  ///< State::list
  virtual void download_forces(
      std::vector<Vec3d>& f) const = 0;  ///< [atoms] kJ/mol/nm, all levels, boosted, zero on virtual sites

  /// Runs stages in order; `step` keys the noise. Throws SimulationError when a constraint cannot be met, naming atoms, at once
  /// or from the next verify().
  virtual void run(std::span<const Stage> stages, const ForcePlan& plan, std::int64_t step) = 0;
  /// Throws SimulationError when something has gone wrong since the last look: a backend that works ahead of its caller finds
  /// out late.
  virtual void verify() {}
  /// After RestoreConfiguration: are forces and energies those that were kept, and that an evaluation would find now? It would
  /// not, where pairs have been listed anew since.
  virtual bool forces_restored() const { return false; }
  /// Energies and virial of the last force evaluations whose plan asked for them, all levels, and the boosts of the last
  /// ApplyBias.
  virtual Energies energies() const = 0;
  virtual double kinetic_energy() const = 0;  ///< sum of m v^2/2 of the current velocities [kJ/mol]
  using WorstForce = uplift::WorstForce;
  virtual WorstForce worst_force() const = 0;  ///< of the last evaluation
  /// The present moment, for a frame or a row, from a backend that works ahead of its caller: on its way when this returns, and
  /// what has gone wrong by then is found in its contents. nullptr: this one is to be asked there and then.
  virtual std::unique_ptr<Snapshot> snapshot(const SnapshotPlan& /*plan*/) { return nullptr; }
  /// A minimisation from the state that was uploaded last, where positions are dear to move; it needs this backend for itself.
  /// nullptr: vectors of the host do.
  virtual std::unique_ptr<Descent> descent() { return nullptr; }
  /// Calls f(0) ... f(tasks - 1), on the threads of a backend that has some.
  virtual void for_each(int tasks, const std::function<void(int)>& f) const {
    for (int task = 0; task < tasks; ++task) f(task);
  }

  virtual PmeParameters pme() const = 0;
  virtual std::vector<PhaseTime> phases() const = 0;
};

}  // namespace uplift

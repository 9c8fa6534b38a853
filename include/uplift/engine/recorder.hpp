#pragma once
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "uplift/backend/snapshot.hpp"
#include "uplift/model/energies.hpp"
#include "uplift/model/state.hpp"
#include "uplift/model/system.hpp"

namespace uplift {

/// What a recorder looks at, so that no more is worked out.
struct Wanted {
  bool forces = true;
  bool energies = true;                      ///< and pressure and conserved energy
  bool positions = true, velocities = true;  ///< of a LateFrame; a Frame has both
};

/// Numbers of one moment. What nobody wanted is not a number.
struct Observables {
  Energies energies;
  double kinetic = 0;      ///< [kJ/mol]
  double temperature = 0;  ///< [K]
  double pressure = 0;     ///< [bar]; periodic systems
  double conserved = 0;    ///< total energy less what thermostats and barostats put in [kJ/mol]
};

/// What a recorder gets. `forces` and the numbers are those of `state`, as far as somebody wanted them.
struct Frame : Observables {
  const State& state;
  const std::vector<Vec3d>& forces;  ///< [atoms] kJ/mol/nm
};

/// A frame, or a row of numbers alone, that may still be on its way.
class LateFrame {
 public:
  /// `target`: temperature that is wanted [K]. `bias`: that acts.
  LateFrame(const System& system, std::int64_t step, double time, double target, std::shared_ptr<Snapshot> snapshot,
            const Bias& bias = {})
      : system_(&system), step_(step), time_(time), target_(target), bias_(bias), snapshot_(std::move(snapshot)) {}
  std::int64_t step() const { return step_; }
  double time() const { return time_; }  ///< [ps]
  bool ready() const { return snapshot_->ready(); }
  /// Waits until it is there. Any thread, one at a time. Throws SimulationError when the run had blown up by then: such a frame
  /// is not for a file, and none after it is.
  const SnapshotContents& get() const;
  /// The same, as a row has it.
  Observables observables() const;

 private:
  const System* system_;
  std::int64_t step_;
  double time_, target_;
  Bias bias_;
  std::shared_ptr<Snapshot> snapshot_;
};

/// What a recorder is given: a Frame, for which the run waits, or a LateFrame, for which it does not.
enum class Takes { frame, late_frame };

/// Something that wants to see the system now and then: a file, the progress line.
class Recorder {
 public:
  virtual ~Recorder() = default;
  virtual bool due(std::int64_t step) const = 0;
  virtual Wanted wanted() const { return {}; }
  virtual Takes takes() const { return Takes::frame; }
  virtual void record(const Frame& /*frame*/) {}
  virtual void record_late(const LateFrame& /*frame*/) {}
};

}  // namespace uplift

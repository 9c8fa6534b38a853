#pragma once
#include <cstdint>
#include <vector>

#include "uplift/model/energies.hpp"
#include "uplift/model/state.hpp"

namespace uplift {

/// What a recorder looks at besides the state, so that no more is worked out.
struct Wanted {
  bool forces = true;
  bool energies = true;  ///< and pressure and conserved energy
};

/// What a recorder gets. `forces` and the energies are those of `state`, as far as somebody wanted them.
struct Frame {
  const State& state;
  const std::vector<Vec3d>& forces;  ///< [atoms] kJ/mol/nm
  Energies energies;
  double kinetic = 0;      ///< [kJ/mol]
  double temperature = 0;  ///< [K]
  double pressure = 0;     ///< [bar]; periodic systems
  double conserved = 0;    ///< total energy less what thermostats and barostats put in [kJ/mol]
};

/// Something that wants to see the system now and then: a file, the progress line.
class Recorder {
 public:
  virtual ~Recorder() = default;
  virtual bool due(std::int64_t step) const = 0;
  virtual Wanted wanted() const { return {}; }
  virtual void record(const Frame& frame) = 0;
};

}  // namespace uplift

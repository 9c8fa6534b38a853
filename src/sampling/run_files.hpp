#pragma once
// What a run's directory says of its stages, its atoms and the energies of its frames.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "uplift/io/h5.hpp"
#include "uplift/io/origin.hpp"
#include "uplift/sampling/biased_frames.hpp"

namespace uplift {

/// A stage of dynamics, as stages.json has it.
struct RunStage {
  std::string name;
  std::int64_t first = 0, last = 0;  ///< its frames have steps beyond the one and up to the other
  double timestep = 0;               ///< [ps]; 0: not known
  SampledState state;
  std::optional<BiasConvention> convention;  ///< of the dihedral energies of its frames
  bool exchanges = false, restrained = false, ramp = false;
  bool constant_energy = false;        ///< no thermostat: the temperature of its state is 0
  std::string potential;               ///< settings of the forces; empty: not known
  Origin force_field;                  ///< its parameters, where they are known
  std::optional<double> pressure;      ///< [bar]; none: at constant volume
  std::optional<std::uint64_t> noise;  ///< seed of the noise that moves each atom; none: no such noise, or not known
};

/// None where there is no stages.json. Throws InputError when it is damaged.
std::vector<RunStage> run_stages(const std::string& directory);

/// The stored part of the topology: what selections and masses need. Throws InputError when its parts do not fit together.
StoredSystem stored_system(const h5::File& file, const std::string& directory);

/// Of frames [kJ/mol]; not a number where the run has none.
struct FrameEnergies {
  std::vector<double> potential, dihedral, cmap;
};
/// From energies.h5, where it has a row at the step of a frame.
FrameEnergies energies_from_table(const std::string& directory, const std::vector<std::int64_t>& steps);

}  // namespace uplift

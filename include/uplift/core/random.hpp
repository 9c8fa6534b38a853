#pragma once
// Counter-based noise (Philox4x32-10, Salmon et al. 2011): the value depends on (seed, purpose, step, global atom) alone, never on
// a thread, tile or rank. The purposes live here, in one registry.
#include <cstdint>

#include "uplift/core/vec3.hpp"

namespace uplift {

enum class NoisePurpose : std::uint32_t {
  initial_velocities = 1,
  langevin = 2,
  barostat = 3,
  thermostat = 4,
};

/// Three independent standard normal deviates for one atom at one step.
Vec3d gaussian3(std::uint64_t seed, NoisePurpose purpose, std::int64_t step, std::int64_t atom);
/// A uniform deviate in (0, 1).
double uniform(std::uint64_t seed, NoisePurpose purpose, std::int64_t step, std::int64_t index);
/// Sum of the squares of `degrees` >= 0 standard normal deviates. Draws from indices `index` on, as many as it takes (about three).
double chi_squared(double degrees, std::uint64_t seed, NoisePurpose purpose, std::int64_t step, std::int64_t index);

}  // namespace uplift

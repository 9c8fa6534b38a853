#pragma once
// Counter-based noise (Philox4x32-10, Salmon et al. 2011): the value depends on (seed, purpose, step, global atom) alone, never
// on a thread, tile or rank. The purposes live here, in one registry.
#include <cmath>
#include <cstdint>

#include "uplift/core/philox.hpp"
#include "uplift/core/vec3.hpp"

namespace uplift {

enum class NoisePurpose : std::uint32_t {
  initial_velocities = 1,
  langevin = 2,
  barostat = 3,
  thermostat = 4,
  bootstrap = 5,
  replica_seed = 6,
  replica_exchange = 7,
  building = 8,
};

UPLIFT_HD Words4<std::uint32_t> noise_bits(std::uint64_t seed, NoisePurpose purpose, std::int64_t step, std::int64_t index) {
  const auto i = static_cast<std::uint64_t>(index);
  return philox_bits(noise_counter(static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32),
                                   static_cast<std::uint64_t>(step), static_cast<std::uint32_t>(purpose)),
                     static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
}

/// The step that noise is drawn for where a step draws several times. Draws have bits of their own: counted in one row, those
/// of a stage with two a step would be drawn again by the next stage with one.
UPLIFT_HD std::int64_t noise_step(std::int64_t step, int substep) { return step | static_cast<std::int64_t>(substep) << 48; }

/// Three independent standard normal deviates for one atom at one step.
UPLIFT_HD Vec3d gaussian3(std::uint64_t seed, NoisePurpose purpose, std::int64_t step, std::int64_t atom) {
  const auto u = noise_bits(seed, purpose, step, atom);
  return normal_deviates(open_unit(u.a), open_unit(u.b), open_unit(u.c), open_unit(u.d));
}
/// A uniform deviate in (0, 1).
UPLIFT_HD double uniform(std::uint64_t seed, NoisePurpose purpose, std::int64_t step, std::int64_t index) {
  return open_unit(noise_bits(seed, purpose, step, index).a);
}

/// Sum of the squares of `degrees` >= 0 standard normal deviates. Draws from indices `index` on, as many as it takes (about
/// three). Twice a gamma deviate: Marsaglia and Tsang, ACM Trans. Math. Softw. 26, 363 (2000); below shape one with a power of
/// a uniform deviate (their section 6).
UPLIFT_HD double chi_squared(double degrees, std::uint64_t seed, NoisePurpose purpose, std::int64_t step, std::int64_t index) {
  if (!(degrees > 0)) return 0;
  double shape = degrees / 2, factor = 2;
  if (shape < 1) {
    factor *= std::pow(uniform(seed, purpose, step, index++), 1 / shape);
    shape += 1;
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = gaussian3(seed, purpose, step, index++).x, u = uniform(seed, purpose, step, index++);
    const double v = (1 + c * x) * (1 + c * x) * (1 + c * x);
    if (v > 0 && std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return factor * d * v;
  }
}

}  // namespace uplift

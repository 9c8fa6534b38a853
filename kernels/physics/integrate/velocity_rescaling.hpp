#pragma once
#include <cmath>
#include <cstdint>

#include "physics/integrate/rescaling.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/macros.hpp"
#include "uplift/core/random.hpp"

namespace uplift::physics {

/// Kinetic energy after stochastic rescaling for a time dt/tau times the relaxation time: Bussi, Donadio and Parrinello, J.
/// Chem. Phys. 126, 014101 (2007), eq A7. `kinetic` now, `target` = degrees kT/2 [kJ/mol]; `first` is a standard normal
/// deviate, `others` the sum of the squares of degrees - 1 more.
UPLIFT_HD double rescaled_kinetic_energy(double kinetic, double target, double degrees, double dt_over_tau, double first,
                                         double others) {
  const double c = std::exp(-dt_over_tau), share = -std::expm1(-dt_over_tau) * target / degrees;
  return c * kinetic + share * (first * first + others) + 2 * first * std::sqrt(c * share * kinetic);
}

/// The same with noise of its own (`seed`, and `draw` as of noise_step()), for a kinetic energy [kJ/mol] that belongs to
/// `degrees` of freedom. Without any there is nothing to scale.
UPLIFT_HD Rescaling draw_rescaling(double kinetic, double degrees, double temperature, double dt_over_tau, std::uint64_t seed,
                                   std::int64_t draw) {
  if (!(kinetic > 0) || degrees <= 0) return {};
  const double target = 0.5 * degrees * constants::boltzmann * temperature;
  const double first = gaussian3(seed, NoisePurpose::thermostat, draw, 0).x;
  const double others = chi_squared(degrees - 1, seed, NoisePurpose::thermostat, draw, 1);
  const double wanted = rescaled_kinetic_energy(kinetic, target, degrees, dt_over_tau, first, others);
  return {std::sqrt(wanted / kinetic), wanted - kinetic};
}

}  // namespace uplift::physics

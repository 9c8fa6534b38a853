#pragma once
#include <cmath>

#include "uplift/core/macros.hpp"

namespace uplift::physics {

/// Kinetic energy after stochastic rescaling for a time dt/tau times the relaxation time: Bussi, Donadio and Parrinello, J.
/// Chem. Phys. 126, 014101 (2007), eq A7. `kinetic` now, `target` = degrees kT/2 [kJ/mol]; `first` is a standard normal
/// deviate, `others` the sum of the squares of degrees - 1 more.
UPLIFT_HD double rescaled_kinetic_energy(double kinetic, double target, double degrees, double dt_over_tau, double first,
                                         double others) {
  const double c = std::exp(-dt_over_tau), share = -std::expm1(-dt_over_tau) * target / degrees;
  return c * kinetic + share * (first * first + others) + 2 * first * std::sqrt(c * share * kinetic);
}

}  // namespace uplift::physics

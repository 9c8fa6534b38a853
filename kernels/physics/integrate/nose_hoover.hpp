#pragma once
#include <array>
#include <cmath>

#include "physics/integrate/rescaling.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/macros.hpp"

namespace uplift::physics {

inline constexpr int chain_length = 3;

/// Nose-Hoover chain of a system with `degrees` of freedom: Martyna, Klein and Tuckerman, J. Chem. Phys. 97, 2635 (1992).
/// Masses are degrees kT tau^2 for the first thermostat and kT tau^2 for the others.
struct NoseHooverChain {
  std::array<double, chain_length> position{}, velocity{};  ///< [1], [1/ps]
};

/// What the chain adds to the conserved energy [kJ/mol]: equation 2.9 there.
UPLIFT_HD double chain_energy(const NoseHooverChain& chain, double degrees, double temperature, double tau) {
  const double kt = constants::boltzmann * temperature;
  double energy = 0;
  for (int j = 0; j < chain_length; ++j) {
    const double n = j == 0 ? degrees : 1;
    energy += n * kt * (0.5 * tau * tau * chain.velocity[j] * chain.velocity[j] + chain.position[j]);
  }
  return energy;
}

/// Moves the chain by dt and returns the factor for all velocities of the system, whose kinetic energy is `kinetic`: Martyna,
/// Tuckerman, Tobias and Klein, Mol. Phys. 87, 1117 (1996), equations 24 to 29, with three Suzuki-Yoshida weights. Half a time
/// step before and half after a step of velocity Verlet.
UPLIFT_HD double move_chain(NoseHooverChain& chain, double kinetic, double degrees, double temperature, double tau, double dt) {
  const double kt = constants::boltzmann * temperature, unit = 1 / (tau * tau);
  const double outer = 1 / (2 - std::cbrt(2.0)), weights[3] = {outer, 1 - 2 * outer, outer};
  std::array<double, chain_length>& v = chain.velocity;
  double scale = 1;
  // The force on thermostat j over its mass, from the one before it.
  const auto force = [&](int j) {
    if (j == 0) return (2 * kinetic * scale * scale / (degrees * kt) - 1) * unit;
    return (j == 1 ? degrees : 1) * v[j - 1] * v[j - 1] - unit;
  };
  const auto damped_kick = [&](int j, double h) {
    const double damping = j + 1 < chain_length ? std::exp(-0.25 * h * v[j + 1]) : 1;
    v[j] = (v[j] * damping + 0.5 * h * force(j)) * damping;
  };
  for (double w : weights) {
    const double h = w * dt;
    for (int j = chain_length - 1; j >= 0; --j) damped_kick(j, h);
    scale *= std::exp(-h * v[0]);
    for (int j = 0; j < chain_length; ++j) chain.position[j] += h * v[j];
    for (int j = 0; j < chain_length; ++j) damped_kick(j, h);
  }
  return scale;
}

/// The same with what it puts into the system, which the chain loses. Without degrees of freedom there is nothing to move.
UPLIFT_HD Rescaling move_chain_with_heat(NoseHooverChain& chain, double kinetic, double degrees, double temperature, double tau,
                                         double dt) {
  if (degrees <= 0) return {};
  const double before = chain_energy(chain, degrees, temperature, tau);
  const double factor = move_chain(chain, kinetic, degrees, temperature, tau, dt);
  return {factor, before - chain_energy(chain, degrees, temperature, tau)};
}

}  // namespace uplift::physics

#pragma once
// The pieces of an integration step, one component or atom at a time. Units: nm, ps, Da, kJ/mol (1 kJ/mol = 1 Da nm^2/ps^2).
#include <cmath>

#include "uplift/core/constants.hpp"
#include "uplift/core/macros.hpp"

namespace uplift::physics {

/// v + dt f/m; `scale` is dt/m.
template <class T>
UPLIFT_HD T kick(const T& v, const T& f, const T& scale) {
  return v + scale * f;
}
/// x + dt v.
template <class T>
UPLIFT_HD T drift(const T& x, const T& v, const T& dt) {
  return x + dt * v;
}

/// Exact solution of dv = -friction v dt + sqrt(2 friction kT/m) dW over dt: v = decay v + spread noise / sqrt(m).
struct OrnsteinUhlenbeckFactors {
  double decay;
  double spread;  ///< [nm/ps sqrt(Da)]
};
/// Zhang, Liu, Yan, Tuckerman and Liu, J. Phys. Chem. A 123, 6056 (2019), eq 12; Leimkuhler and Matthews, J. Chem. Phys. 138,
/// 174102 (2013), eq 11.
UPLIFT_HD OrnsteinUhlenbeckFactors ornstein_uhlenbeck_factors(double dt, double friction, double temperature) {
  const double decay = std::exp(-friction * dt);
  return {decay, std::sqrt(-std::expm1(-2 * friction * dt) * constants::boltzmann * temperature)};
}
template <class T>
UPLIFT_HD T ornstein_uhlenbeck(const T& v, const T& decay, const T& spread_over_sqrt_mass, const T& noise) {
  return decay * v + spread_over_sqrt_mass * noise;
}

}  // namespace uplift::physics

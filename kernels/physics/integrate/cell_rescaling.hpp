#pragma once
// Stochastic cell rescaling: Bernetti and Bussi, J. Chem. Phys. 153, 114107 (2020), eq. 5 for the volume and eqs. 29 and 30 for
// edges that change apart; with edges of their own, Del Tatto, Raiteri, Bernetti and Bussi, Appl. Sci. 12, 1139 (2022).
#include <cmath>

#include "uplift/core/macros.hpp"

namespace uplift::physics {

/// Change of the logarithm of the product of `edges` (1 to 3) box edges that change together, over a time dt:
///   d ln A = (edges/3) (compressibility/tau) (P - P0) dt + sqrt(2 (edges/3) kT compressibility / (V tau)) dW.
/// The stationary distribution is exp(-(H + P0 V)/kT) in coordinates that scale with the box, flat in the edges.
/// `pressure`, along these edges, and `target` [kJ/mol/nm^3], `kt` [kJ/mol], `volume` [nm^3], `compressibility` [nm^3 mol/kJ],
/// `dt_over_tau`, `noise` a standard normal deviate.
template <class T>
UPLIFT_HD T cell_strain(T edges, T pressure, T target, T kt, T volume, T compressibility, T dt_over_tau, T noise) {
  using std::sqrt;
  const T rate = edges / T(3) * compressibility * dt_over_tau;
  return rate * (pressure - target) + sqrt(T(2) * rate * kt / volume) * noise;
}

}  // namespace uplift::physics

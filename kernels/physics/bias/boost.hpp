#pragma once
// The boosts of accelerated dynamics: dV(V) for an energy V below the threshold E, and what forces -dV/dx of that energy are
// multiplied by, 1 + d(dV)/dV.
#include "physics/math.hpp"

namespace uplift::physics {

template <class T>
struct Boost {
  T energy;  ///< dV
  T factor;  ///< 1 + d(dV)/dV
};

/// Accelerated MD: dV = (E - V)^2 / (alpha + E - V), factor (alpha / (alpha + E - V))^2 (Hamelberg, Mongan and McCammon, J.
/// Chem. Phys. 120, 11919 (2004), eq. 4 and 5). alpha > 0.
template <class T>
UPLIFT_HD Boost<T> amd_boost(const T& energy, const T& threshold, const T& alpha) {
  const T below = max(threshold - energy, T(0.0)), ratio = alpha / (alpha + below);
  return {below * (T(1.0) - ratio), ratio * ratio};
}

/// Gaussian accelerated MD: dV = k/2 (E - V)^2, factor 1 - k (E - V) (Miao, Feher and McCammon, J. Chem. Theory Comput. 11,
/// 3584 (2015), eq. 2).
template <class T>
UPLIFT_HD Boost<T> gamd_boost(const T& energy, const T& threshold, const T& k) {
  const T below = max(threshold - energy, T(0.0));
  return {T(0.5) * k * below * below, T(1.0) - k * below};
}

}  // namespace uplift::physics

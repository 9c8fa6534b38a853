#pragma once
#include "physics/math.hpp"

namespace uplift::physics {

template <class T>
struct PositionRestraintResult {
  T energy;       ///< [kJ/mol]
  Vec3<T> force;  ///< [kJ/mol/nm]. Virial, for references that scale with the box: displacement (x) force
};

/// E = k/2 d^2, d = x - x0 the nearest image of the displacement from the reference [nm], k [kJ/mol/nm^2].
template <class T>
UPLIFT_HD PositionRestraintResult<T> position_restraint(const Vec3<T>& displacement, const T& k) {
  return {T(0.5) * k * dot(displacement, displacement), -k * displacement};
}

}  // namespace uplift::physics

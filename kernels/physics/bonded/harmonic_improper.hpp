#pragma once
#include "physics/bonded/dihedral_angle.hpp"

namespace uplift::physics {

/// E = k/2 (phi - phi0)^2, the difference taken in (-pi, pi] (CHARMM improper; MacKerell et al. 1998, eq. 1, with the factor
/// 1/2 written out). The difference is the angle of the point (cos, sin) turned back by phi0, so it needs no wrapping. k
/// [kJ/mol/rad^2].
template <class T>
UPLIFT_HD DihedralEnergy<T> harmonic_improper(const T& cosine, const T& sine, const T& cosine0, const T& sine0, const T& k) {
  const T difference = atan2(sine * cosine0 - cosine * sine0, cosine * cosine0 + sine * sine0);
  const T slope = k * difference;
  return {T(0.5) * slope * difference, slope};
}

}  // namespace uplift::physics

#pragma once
#include "physics/bonded/dihedral_angle.hpp"

namespace uplift::physics {

/// Where an angle lies on a periodic grid of `resolution` points, the first at -pi: cell = 0 ... resolution - 1, as a T, and
/// the fraction of the way through it.
template <class T>
struct CmapCell {
  T cell, fraction;
};
template <class T>
UPLIFT_HD CmapCell<T> cmap_cell(const T& cosine, const T& sine, const T& resolution) {
  const T s = (atan2(sine, cosine) * T(0.15915494309189535) + T(0.5)) * resolution;
  const T cell = max(min(floor_of(s), resolution - T(1.0)), T(0.0));  // 180 degrees is the end of the last cell
  return {cell, s - cell};
}

template <class T>
struct CmapEnergy {
  T energy;                ///< [kJ/mol]
  T slope_phi, slope_psi;  ///< dE/dphi, dE/dpsi [kJ/mol/rad]
};

/// Bicubic patch of the CMAP correction (MacKerell, Feig and Brooks, J. Comput. Chem. 25, 1400 (2004), eq. 3):
/// E = sum over p, q = 0 ... 3 of c(4p + q) t^p u^q with t, u the fractions for phi and psi. `coefficient(4p + q)` gives c
/// (uplift/model/cmap_spline.hpp builds them).
template <class T, class Coefficients>
UPLIFT_HD CmapEnergy<T> cmap_energy(const T& t, const T& u, const T& resolution, const Coefficients& coefficient) {
  T energy(0.0), along_t(0.0), along_u(0.0);
  for (int p = 3; p >= 0; --p) {
    const T c0 = coefficient(4 * p), c1 = coefficient(4 * p + 1), c2 = coefficient(4 * p + 2), c3 = coefficient(4 * p + 3);
    along_t = along_t * t + energy;
    energy = energy * t + (((c3 * u + c2) * u + c1) * u + c0);
    along_u = along_u * t + ((T(3.0) * c3 * u + T(2.0) * c2) * u + c1);
  }
  const T cells_per_radian = resolution * T(0.15915494309189535);
  return {energy, along_t * cells_per_radian, along_u * cells_per_radian};
}

}  // namespace uplift::physics

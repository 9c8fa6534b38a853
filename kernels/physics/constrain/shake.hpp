#pragma once
// Constraints that share one central atom: a heavy atom and its hydrogens. Positions by SHAKE (Ryckaert, Ciccotti and
// Berendsen, J. Comput. Phys. 23, 327 (1977), eq 5.6), velocities by RATTLE (Andersen, J. Comput. Phys. 52, 24 (1983), eq A10),
// one sweep over the arms at a time. A light arm hardly moves the centre, so a sweep leaves about the mass ratio of the error.
#include "physics/math.hpp"

namespace uplift::physics {

template <class T, int arms>
struct StarShape {
  T inverse_mass_centre;  ///< [1/Da]
  T inverse_mass[arms];   ///< [1/Da]
  T length2[arms];        ///< squared lengths [nm^2]
};
template <class T, int arms>
struct Star {
  Vec3<T> centre;
  Vec3<T> arm[arms];
};
template <class T, int arms>
struct StarSweep {
  Star<T, arms> star;
  T worst;  ///< largest error that the sweep met, before it corrected it
};

/// `reference`: arms less centre before the step, which met the constraints. worst: relative error of a length.
template <class T, int arms>
UPLIFT_HD StarSweep<T, arms> shake_sweep(const StarShape<T, arms>& shape, const Vec3<T> (&reference)[arms], Star<T, arms> x) {
  T worst(0.0);
  for (int k = 0; k < arms; ++k) {
    const Vec3<T> d = x.arm[k] - x.centre;
    const T error = dot(d, d) - shape.length2[k];
    worst = max(worst, abs(error) / (T(2.0) * shape.length2[k]));
    const T g = error / (T(2.0) * (shape.inverse_mass_centre + shape.inverse_mass[k]) * dot(d, reference[k]));
    x.arm[k] -= (g * shape.inverse_mass[k]) * reference[k];
    x.centre += (g * shape.inverse_mass_centre) * reference[k];
  }
  return {x, worst};
}

/// `direction`: arms less centre. worst: relative rate of a length [1/ps].
template <class T, int arms>
UPLIFT_HD StarSweep<T, arms> rattle_sweep(const StarShape<T, arms>& shape, const Vec3<T> (&direction)[arms], Star<T, arms> v) {
  T worst(0.0);
  for (int k = 0; k < arms; ++k) {
    const Vec3<T>& d = direction[k];
    const T rate = dot(d, v.arm[k] - v.centre) / dot(d, d);
    worst = max(worst, abs(rate));
    const T g = rate / (shape.inverse_mass_centre + shape.inverse_mass[k]);
    v.arm[k] -= (g * shape.inverse_mass[k]) * d;
    v.centre += (g * shape.inverse_mass_centre) * d;
  }
  return {v, worst};
}

}  // namespace uplift::physics

#pragma once
// The reciprocal-space side of smooth particle-mesh Ewald: Essmann et al., J. Chem. Phys. 103, 8577 (1995).
#include <cmath>

#include "uplift/core/constants.hpp"
#include "uplift/core/macros.hpp"
#include "uplift/core/vec3.hpp"

namespace uplift::physics {

/// Energy of one reciprocal vector m [1/nm] per squared structure factor [kJ/mol/e^2], without the splines' moduli; half of it
/// for each of m and -m. Essmann eq. 3.9: K exp(-pi^2 m^2/alpha^2) / (2 pi V m^2). m must not be zero.
UPLIFT_HD double reciprocal_energy(double m2, double alpha, double volume) {
  return constants::coulomb * std::exp(-constants::pi * constants::pi * m2 / (alpha * alpha)) /
         (2 * constants::pi * volume * m2);
}

/// Virial of a reciprocal vector per its energy is (identity - factor m (x) m): Essmann eq. 2.7.
UPLIFT_HD double reciprocal_virial_factor(double m2, double alpha) {
  return 2 * (1 / m2 + constants::pi * constants::pi / (alpha * alpha));
}

/// Interaction of every charge with its own screening cloud [kJ/mol]; does not depend on the box. Essmann section II.
UPLIFT_HD double self_energy(double sum_of_squared_charges, double alpha) {
  return -constants::coulomb * alpha / std::sqrt(constants::pi) * sum_of_squared_charges;
}

/// Energy of a cell of net charge Q with its uniform neutralising background [kJ/mol]; its virial is the energy times the
/// identity, since it goes as 1/V. Hub et al., J. Chem. Theory Comput. 10, 381 (2014).
UPLIFT_HD double background_energy(double net_charge, double alpha, double volume) {
  return -constants::coulomb * constants::pi * net_charge * net_charge / (2 * volume * alpha * alpha);
}

}  // namespace uplift::physics

#include "uplift/backend/dispersion.hpp"

#include <cmath>
#include <vector>

#include "physics/pair/lennard_jones.hpp"
#include "uplift/core/constants.hpp"

namespace uplift {

DispersionCorrection dispersion_correction_times_volume(const System& system) {
  const ForceField& ff = system.force_field;
  const auto types = static_cast<std::size_t>(ff.lj_types);
  std::vector<double> count(types, 0.0);
  for (int t : ff.lj_type) ++count[static_cast<std::size_t>(t)];
  const double n = static_cast<double>(ff.lj_type.size());
  if (n == 0) return {};
  double c6 = 0, c12 = 0;
  for (std::size_t i = 0; i < types; ++i)
    for (std::size_t j = i; j < types; ++j) {
      const double pairs = i == j ? 0.5 * count[i] * (count[i] + 1) : count[i] * count[j];
      c6 += pairs * ff.lj_c6[i * types + j];
      c12 += pairs * ff.lj_c12[i * types + j];
    }
  const double all = 0.5 * n * (n + 1), rc = system.forces.cutoff;
  c6 /= all;
  c12 /= all;
  const double rc3 = rc * rc * rc;
  double integral = c12 / (9 * rc3 * rc3 * rc3) - c6 / (3 * rc3);
  if (system.forces.switch_distance) {  // Simpson's rule for r^2 E (1 - S): smooth, so 2000 intervals are plenty
    const double on = *system.forces.switch_distance, h = (rc - on) / 2000;
    for (int k = 0; k <= 2000; ++k) {
      const double r = on + k * h, inverse = 1 / r;
      const auto full = physics::lennard_jones(inverse * inverse, c6, c12);
      const auto part = physics::switched(full, r, inverse, on, 1 / (rc - on));
      integral += h / 3 * (k == 0 || k == 2000 ? 1 : k % 2 ? 4 : 2) * r * r * (full.energy - part.energy);
    }
  }
  const double energy = 2 * constants::pi * n * n * integral;
  const double jump = system.forces.switch_distance ? 0 : (c12 / (rc3 * rc3) - c6) / rc3;  // rc^3 u(rc)
  return {energy, energy + 2 * constants::pi / 3 * n * n * jump};
}

}  // namespace uplift

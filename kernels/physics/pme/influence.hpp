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

struct Symmetric {
  double xx, xy, xz, yy, yz, zz;
};

/// The reciprocal vectors of a half-complex mesh, in a box with its first edge along x and its second in the xy plane.
struct MeshWaves {
  double ax, bx, by, cx, cy, cz;  ///< [nm]
  int n[3];
  double alpha;             ///< [1/nm]
  const double* moduli[3];  ///< spline_moduli of each direction

  UPLIFT_HD double volume() const { return ax * by * cz; }
  UPLIFT_HD static int folded(int k, int points) { return k < (points + 1) / 2 ? k : k - points; }
  UPLIFT_HD bool at_the_middle(int kx, int ky, int kz) const { return 2 * kx == n[0] || 2 * ky == n[1] || 2 * kz == n[2]; }
  UPLIFT_HD double modulus(int kx, int ky, int kz) const { return moduli[0][kx] * moduli[1][ky] * moduli[2][kz]; }
  /// [1/nm]
  UPLIFT_HD Vec3d wave(int kx, int ky, int kz) const {
    const double mx = folded(kx, n[0]) / ax;
    const double my = (folded(ky, n[1]) - mx * bx) / by;
    return {mx, my, (folded(kz, n[2]) - mx * cx - my * cy) / cz};
  }
  /// The mirror image -k of a mesh point: other than the negative of k itself when an index lies at the middle of an even mesh.
  UPLIFT_HD Vec3d mirrored(int kx, int ky, int kz) const {
    return wave((n[0] - kx) % n[0], (n[1] - ky) % n[1], (n[2] - kz) % n[2]);
  }

  /// potential(k) = influence(k) Q(k), energy = sum of influence |Q|^2 / 2 over the whole mesh [kJ/mol/e^2].
  UPLIFT_HD double influence(int kx, int ky, int kz) const {
    if (kx == 0 && ky == 0 && kz == 0) return 0;
    const Vec3d m = wave(kx, ky, kz);
    double e = reciprocal_energy(dot(m, m), alpha, volume());
    if (at_the_middle(kx, ky, kz)) {
      // A skewed box: k and -k fold to vectors of different lengths. Their mean keeps the mesh real and the forces the
      // gradient.
      const Vec3d other = mirrored(kx, ky, kz);
      e = (e + reciprocal_energy(dot(other, other), alpha, volume())) / 2;
    }
    return 2 * e / modulus(kx, ky, kz);
  }
  /// Virial per squared structure factor, as the influence is twice the energy [kJ/mol/e^2].
  UPLIFT_HD Symmetric virial(int kx, int ky, int kz) const {
    Symmetric w{0, 0, 0, 0, 0, 0};
    if (kx == 0 && ky == 0 && kz == 0) return w;
    const int images = at_the_middle(kx, ky, kz) ? 2 : 1;
    for (int i = 0; i < images; ++i) {
      const Vec3d m = i == 0 ? wave(kx, ky, kz) : mirrored(kx, ky, kz);
      const double m2 = dot(m, m);
      const double e = 2 * reciprocal_energy(m2, alpha, volume()) / (modulus(kx, ky, kz) * images);
      const double f = reciprocal_virial_factor(m2, alpha);
      w.xx += e * (1 - f * m.x * m.x);
      w.xy -= e * f * m.x * m.y;
      w.xz -= e * f * m.x * m.z;
      w.yy += e * (1 - f * m.y * m.y);
      w.yz -= e * f * m.y * m.z;
      w.zz += e * (1 - f * m.z * m.z);
    }
    return w;
  }
};

}  // namespace uplift::physics

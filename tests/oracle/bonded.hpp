#pragma once
// Bonded energies written from their definitions, with acos and atan2, on double or dual numbers. Slow and plain on purpose.
#include <array>
#include <cmath>
#include <vector>

#include "../support/dual.hpp"
#include "uplift/core/box.hpp"
#include "uplift/model/energies.hpp"
#include "uplift/model/force_field.hpp"
#include "uplift/model/system.hpp"

namespace uplift::oracle {

template <class T>
T length(const Vec3<T>& d) {
  using std::sqrt;
  return sqrt(dot(d, d));
}

template <class T>
T bond_energy(const Vec3<T>& i, const Vec3<T>& j, double r0, double k) {
  const T stretch = length(i - j) - T(r0);
  return T(k / 2) * stretch * stretch;
}

template <class T>
T angle(const Vec3<T>& i, const Vec3<T>& j, const Vec3<T>& k) {
  using std::acos;
  const Vec3<T> a = i - j, b = k - j;
  return acos(dot(a, b) / (length(a) * length(b)));
}
template <class T>
T angle_energy(const Vec3<T>& i, const Vec3<T>& j, const Vec3<T>& k, double theta0, double force_constant) {
  const T difference = angle(i, j, k) - T(theta0);
  return T(force_constant / 2) * difference * difference;
}

/// IUPAC: with bond vectors b1 = j - i, b2 = k - j, b3 = l - k, phi = atan2(|b2| b1.(b2 x b3), (b1 x b2).(b2 x b3)).
template <class T>
T dihedral(const Vec3<T>& i, const Vec3<T>& j, const Vec3<T>& k, const Vec3<T>& l) {
  using std::atan2;
  const Vec3<T> b1 = j - i, b2 = k - j, b3 = l - k;
  const Vec3<T> n2 = cross(b2, b3);
  return atan2(length(b2) * dot(b1, n2), dot(cross(b1, b2), n2));
}
template <class T>
T periodic_energy(const T& phi, int n, double phase, double barrier) {
  using std::cos;
  return T(barrier) * (T(1) + cos(T(n) * phi - T(phase)));
}
template <class T>
T improper_energy(const T& phi, double phi0, double force_constant) {
  const double pi = 3.14159265358979323846;
  T difference = phi - T(phi0);
  while (difference > T(pi)) difference = difference - T(2 * pi);
  while (difference <= T(-pi)) difference = difference + T(2 * pi);
  return T(force_constant / 2) * difference * difference;
}
template <class T>
T lj14_energy(const Vec3<T>& i, const Vec3<T>& j, double c6, double c12) {
  const T r2 = dot(i - j, i - j), r6 = r2 * r2 * r2;
  return T(c12) / (r6 * r6) - T(c6) / r6;
}
template <class T>
T coulomb14_energy(const Vec3<T>& i, const Vec3<T>& j, double charge_product) {
  return T(138.93545764438198 * charge_product) / length(i - j);
}

/// Value and slopes of the periodic bicubic spline through a CMAP grid, by dense linear algebra: a spline along psi through
/// every row, then one along phi through their values. Angles in rad.
struct CmapValue {
  double energy, slope_phi, slope_psi;
};
CmapValue cmap(const CmapGrid& grid, double phi, double psi);

/// All bonded terms of a system: energies, forces [atoms] and virial. Every term is moved to the images nearest to its second
/// atom along its chain of atoms.
struct BondedSums {
  Energies energies;
  std::vector<Vec3d> forces;
  double largest = 0;  ///< largest force component of any one term
};
BondedSums bonded(const System& system, const std::vector<Vec3d>& x, const Box& box);

}  // namespace uplift::oracle

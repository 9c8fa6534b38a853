#pragma once
#include "physics/math.hpp"

namespace uplift::physics {

/// A dihedral angle as its cosine and sine, with its gradient on the four atoms [rad/nm].
template <class T>
struct DihedralAngle {
  T cosine, sine;
  Vec3<T> gradient_i, gradient_j, gradient_k, gradient_l;
};

/// The dihedral i-j-k-l in the IUPAC sign (cis 0, trans 180 degrees, clockwise positive looking from j to k).
/// F = x_i - x_j, G = x_j - x_k, H = x_l - x_k [nm]. Blondel and Karplus, J. Comput. Chem. 17, 1132 (1996), eqs. 4-6 and 27:
/// with A = F x G and B = H x G, cos phi = A.B/(|A||B|), sin phi = (B x A).G/(|A||B||G|) = |G| (A.H)/(|A||B|). Nothing divides
/// by sin phi; only three atoms on a line remain singular, and there the lower bounds below keep every number finite.
template <class T>
UPLIFT_HD DihedralAngle<T> dihedral_angle(const Vec3<T>& F, const Vec3<T>& G, const Vec3<T>& H) {
  const Vec3<T> A = cross(F, G), B = cross(H, G);
  const T G2 = max(dot(G, G), T(1e-20));
  const T inverse_G = rsqrt(G2);
  const T length_G = G2 * inverse_G;
  const T inverse_A2 = T(1) / max(dot(A, A), T(1e-20));
  const T inverse_B2 = T(1) / max(dot(B, B), T(1e-20));
  const T u = dot(A, B);
  const T w = length_G * dot(A, H);
  const T inverse_length =
      rsqrt(max(u * u + w * w, T(1e-30)));  // u^2 + w^2 = A^2 B^2, so cosine and sine are normalised together
  const Vec3<T> on_i = (-length_G * inverse_A2) * A;
  const Vec3<T> on_l = (length_G * inverse_B2) * B;
  const Vec3<T> shared = (dot(F, G) * inverse_A2 * inverse_G) * A - (dot(H, G) * inverse_B2 * inverse_G) * B;
  return {u * inverse_length, w * inverse_length, on_i, shared - on_i, -on_l - shared, on_l};
}

/// Energy and slope dE/dphi of a function of one dihedral: the force on an atom is -slope times the gradient there.
template <class T>
struct DihedralEnergy {
  T energy;  ///< [kJ/mol]
  T slope;   ///< [kJ/mol/rad]
};

}  // namespace uplift::physics

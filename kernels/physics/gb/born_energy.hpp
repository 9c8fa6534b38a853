#pragma once
#include "physics/math.hpp"

namespace uplift::physics {

/// Screening between the inside (permittivity 1/inverse_in) and the solvent, with salt of inverse screening length kappa
/// [1/nm].
template <class T>
struct Dielectric {
  T inverse_in, inverse_out, kappa;
};

template <class T>
struct BornPair {
  T energy;        ///< [kJ/mol]
  T force_over_r;  ///< force on i is this times (x_i - x_j), at fixed Born radii [kJ/mol/nm^2]
  T born_slope;    ///< dE/dB_i = born_slope B_j and the other way round [kJ/mol/nm^2]
};

/// E = -q q (1/eps_in - exp(-kappa f)/eps_out)/f, f^2 = r^2 + B_i B_j exp(-r^2/(4 B_i B_j)) (Still, Tempczyk, Hawley and
/// Hendrickson 1990, eqs. 3 and 4; salt: Srinivasan, Trevathan, Beroza and Case 1999, eq. 5). r2 [nm^2], qq = K q_i q_j [kJ
/// nm/mol], bb = B_i B_j [nm^2], inverse_4bb = 1/(4 B_i B_j) [1/nm^2].
template <bool salt, class T>
UPLIFT_HD BornPair<T> born_pair(const T& r2, const T& qq, const T& bb, const T& inverse_4bb, const Dielectric<T>& medium) {
  const T a = r2 * inverse_4bb;
  const T decay = exp(-a);
  const T inverse_f = rsqrt(madd(bb, decay, r2));
  const T energy_scale = qq * inverse_f;
  T energy, slope;  // slope: -2 dE/d(f^2)
  if constexpr (salt) {
    const T f = madd(bb, decay, r2) * inverse_f;
    const T screened = exp(-(medium.kappa * f)) * medium.inverse_out;
    const T tau = medium.inverse_in - screened;
    energy = -(energy_scale * tau);
    slope = -(energy_scale * inverse_f * (tau * inverse_f - medium.kappa * screened));
  } else {
    energy = -(energy_scale * (medium.inverse_in - medium.inverse_out));
    slope = energy * inverse_f * inverse_f;
  }
  // d(f^2)/d(r^2) = 1 - decay/4;  d(f^2)/dB_i = B_j decay (1 + a)
  return {energy, slope * nmadd(T(0.25), decay, T(1.0)), T(-0.5) * slope * madd(a, decay, decay)};
}

template <class T>
struct BornSelf {
  T energy;  ///< [kJ/mol]
  T slope;   ///< dE/dB [kJ/mol/nm]
};

/// The energy of one charge: half of born_pair at r = 0, f = B (Born 1920 without salt). qq = K q^2 [kJ nm/mol].
template <class T>
UPLIFT_HD BornSelf<T> born_self(const T& qq, const T& born, const Dielectric<T>& medium) {
  const T screened = exp(-(medium.kappa * born)) * medium.inverse_out;
  const T tau = medium.inverse_in - screened;
  const T half = T(0.5) * qq / born;
  return {-(half * tau), half * (tau / born - medium.kappa * screened)};
}

/// Surface energy without a surface: 4 pi gamma (R + 0.14 nm)^2 (R/B)^6, gamma = 5.4 cal/mol/A^2 (Schaefer, Bartels and Karplus
/// 1998, eq. 8, for the ACE potential). R, B [nm].
template <class T>
UPLIFT_HD BornSelf<T> ace_surface(const T& intrinsic, const T& born) {
  const T reach = intrinsic + T(0.14), ratio = intrinsic / born;
  const T ratio3 = ratio * ratio * ratio;
  const T energy = T(28.39195511125854) * reach * reach * ratio3 * ratio3;  // 4 pi 2.25936 kJ/mol/nm^2
  return {energy, T(-6.0) * energy / born};
}

}  // namespace uplift::physics

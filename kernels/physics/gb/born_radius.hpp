#pragma once
#include "physics/math.hpp"

namespace uplift::physics {

template <class T>
struct BornRadius {
  T radius;  ///< B [nm]
  T slope;   ///< dB/dI [nm^2]
};

/// 1/B = 1/rho - I (Hawkins, Cramer and Truhlar 1996, eq. 8). For atoms deep inside the right side can go to zero or below; 1/B
/// is then held at 0.001/nm, which is solvent out of reach.
template <class T>
UPLIFT_HD BornRadius<T> born_radius_inverse(const T& integral, const T& rho) {
  const T inverse = T(1.0) / rho - integral;
  const auto held = inverse < T(1e-3);
  const T radius = T(1.0) / select(held, T(1e-3), inverse);
  return {radius, select(held, T(0.0), radius * radius)};
}

/// 1/B = 1/rho - tanh(alpha psi - beta psi^2 + gamma psi^3)/R, psi = rho I (Onufriev, Bashford and Case 2004, eq. 6). R > rho
/// keeps B positive.
template <class T>
UPLIFT_HD BornRadius<T> born_radius_tanh(const T& integral, const T& rho, const T& intrinsic, const T& alpha, const T& beta,
                                         const T& gamma) {
  const T psi = rho * integral;
  const T argument = psi * (alpha + psi * (gamma * psi - beta));
  const T decay = exp(T(-2.0) * abs(argument));
  const T magnitude = (T(1.0) - decay) / (T(1.0) + decay);
  const T tanh = select(argument < T(0.0), -magnitude, magnitude);
  const T radius = T(1.0) / (T(1.0) / rho - tanh / intrinsic);
  const T argument_slope = rho * (alpha + psi * (T(3.0) * gamma * psi - T(2.0) * beta));
  return {radius, radius * radius * (T(1.0) - tanh * tanh) * argument_slope / intrinsic};
}

}  // namespace uplift::physics

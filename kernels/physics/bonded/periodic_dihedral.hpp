#pragma once
#include "physics/bonded/dihedral_angle.hpp"

namespace uplift::physics {

/// One harmonic a cos(n phi) + b sin(n phi) of a dihedral's energy [kJ/mol].
template <class T>
struct DihedralHarmonic {
  T cosine, sine;
};

/// Sum over n = 1 ... order of a_n cos(n phi) + b_n sin(n phi), plus a constant: every term k (1 + cos(n phi - phase)) of
/// Cornell et al. 1995, eq. 1, that shares the four atoms, with a_n = k cos(phase), b_n = k sin(phase) and constant = sum of k.
/// `harmonic(n)` gives a DihedralHarmonic. Multiple angles by the addition theorem: no inverse function is needed.
template <class T, class Harmonics>
UPLIFT_HD DihedralEnergy<T> periodic_dihedral(const T& cosine, const T& sine, const T& constant, int order,
                                              const Harmonics& harmonic) {
  DihedralEnergy<T> sum{constant, T(0.0)};
  T c(1.0), s(0.0);
  for (int n = 1; n <= order; ++n) {
    const T next = c * cosine - s * sine;
    s = s * cosine + c * sine;
    c = next;
    const DihedralHarmonic<T> h = harmonic(n);
    sum.energy = sum.energy + h.cosine * c + h.sine * s;
    sum.slope = sum.slope + T(static_cast<double>(n)) * (h.sine * c - h.cosine * s);
  }
  return sum;
}

}  // namespace uplift::physics

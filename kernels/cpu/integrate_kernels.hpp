#pragma once
// SIMD loops that move atoms. Ranges are of atoms; arrays are [3 * atoms], x y z interleaved, in double.
#include <cstdint>

#include "cpu/cpu_isa.hpp"
#include "uplift/core/fixed_point.hpp"

namespace uplift::cpu {

/// Noise of one step: `purpose` is a NoisePurpose.
struct NoiseKey {
  std::uint64_t seed;
  std::int64_t step;
  std::uint32_t purpose;
};

struct IntegrateKernels {
  /// v += dt f/m; `inverse_mass` is [3 * atoms], each value three times.
  void (*kick)(int first, int last, double dt, const double* inverse_mass, const Fixed* force, double* v);
  void (*drift)(int first, int last, double dt, const double* v, double* x);
  /// v = decay v + spread noise/sqrt(m); `inverse_sqrt_mass` is [atoms].
  void (*ornstein_uhlenbeck)(int first, int last, double decay, double spread, NoiseKey key, const double* inverse_sqrt_mass,
                             double* v);
};

}  // namespace uplift::cpu

UPLIFT_DECLARE_KERNELS(IntegrateKernels, integrate_kernels)

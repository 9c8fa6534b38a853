#pragma once
// The arithmetic of the noise, shared by every backend: Philox4x32-10 and the step from uniform words to normal deviates. U is
// std::uint32_t or a pack of such words, T is double or a pack of doubles. The keys are in random.hpp.
#include <cmath>
#include <cstdint>

#include "uplift/core/constants.hpp"
#include "uplift/core/macros.hpp"
#include "uplift/core/vec3.hpp"

namespace uplift {

template <class U>
struct Words4 {
  U a, b, c, d;
};

/// High and low word of a 32 x 32 bit product.
template <class U>
struct WideProduct {
  U high, low;
};
UPLIFT_HD WideProduct<std::uint32_t> multiply_wide(std::uint32_t a, std::uint32_t b) {
  const std::uint64_t product = static_cast<std::uint64_t>(a) * b;
  return {static_cast<std::uint32_t>(product >> 32), static_cast<std::uint32_t>(product)};
}
/// The middle of the u-th of 2^32 equal parts of (0, 1).
UPLIFT_HD double open_unit(std::uint32_t u) { return (static_cast<double>(u) + 0.5) * 0x1p-32; }

/// Philox4x32 with ten rounds: Salmon, Moraes, Dror and Shaw, SC'11 (2011), sections 3.3 and 4.2.
template <class U>
UPLIFT_HD Words4<U> philox_bits(Words4<U> counter, std::uint32_t key0, std::uint32_t key1) {
  const U m0(0xD2511F53u), m1(0xCD9E8D57u);
  for (int round = 0; round < 10; ++round) {
    const WideProduct<U> p0 = multiply_wide(m0, counter.a), p1 = multiply_wide(m1, counter.c);
    counter = {p1.high ^ counter.b ^ U(key0), p1.low, p0.high ^ counter.d ^ U(key1), p0.low};
    key0 += 0x9E3779B9u;  // Weyl sequences of the golden ratio and of sqrt(3) - 1
    key1 += 0xBB67AE85u;
  }
  return counter;
}

/// The counter of one atom (or any index) at one step. 40 bits of index, 56 of step: a trillion atoms, and steps of 2 fs for
/// more than a hundred seconds of simulated time.
template <class U>
UPLIFT_HD Words4<U> noise_counter(const U& index_low, std::uint32_t index_high, std::uint64_t step, std::uint32_t purpose) {
  return {index_low, U((index_high << 24) | static_cast<std::uint32_t>(step >> 32)), U(static_cast<std::uint32_t>(step)),
          U(purpose)};
}

template <class T>
struct SineCosine {
  T sine, cosine;
};
/// Of 2 pi u, for u in [0, 1], to 4e-11: by Taylor series for a quarter of the angle less half a turn, which is between -pi/4
/// and pi/4, and its double taken twice. std::sin and std::cos cost more, as they must be ready for any angle.
template <class T>
UPLIFT_HD SineCosine<T> sine_cosine_of_turn(const T& u) {
  const T x = T(0.5 * constants::pi) * (u - T(0.5)), z = x * x;
  const T s =
      x *
      (T(1.0) + z * (T(-1.0 / 6) + z * (T(1.0 / 120) + z * (T(-1.0 / 5040) + z * (T(1.0 / 362880) - z * T(1.0 / 39916800))))));
  const T c =
      T(1.0) +
      z * (T(-0.5) +
           z * (T(1.0 / 24) + z * (T(-1.0 / 720) + z * (T(1.0 / 40320) + z * (T(-1.0 / 3628800) + z * T(1.0 / 479001600))))));
  const T s2 = T(2.0) * s * c, c2 = T(1.0) - T(2.0) * s * s;
  return {T(-2.0) * s2 * c2, T(2.0) * s2 * s2 - T(1.0)};  // half a turn on
}

/// Three standard normal deviates: Box and Muller, Ann. Math. Stat. 29, 610 (1958). Two uniforms make two; of four the last is
/// not used.
template <class T>
UPLIFT_HD Vec3<T> normal_deviates(const T& u0, const T& u1, const T& u2, const T& u3) {
  using std::log, std::sqrt;
  const T minus_two(-2.0);
  const SineCosine<T> a = sine_cosine_of_turn(u1), b = sine_cosine_of_turn(u3);
  const T r1 = sqrt(minus_two * log(u0)), r2 = sqrt(minus_two * log(u2));
  return {r1 * a.cosine, r1 * a.sine, r2 * b.cosine};
}

}  // namespace uplift

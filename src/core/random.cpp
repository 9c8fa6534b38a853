#include "uplift/core/random.hpp"

#include <cmath>

#include "uplift/core/philox.hpp"

namespace uplift {
namespace {

Words4<std::uint32_t> bits(std::uint64_t seed, NoisePurpose purpose, std::int64_t step, std::int64_t index) {
  const auto i = static_cast<std::uint64_t>(index);
  return philox_bits(noise_counter(static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32),
                                   static_cast<std::uint64_t>(step), static_cast<std::uint32_t>(purpose)),
                     static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
}

}  // namespace

Vec3d gaussian3(std::uint64_t seed, NoisePurpose purpose, std::int64_t step, std::int64_t atom) {
  const auto u = bits(seed, purpose, step, atom);
  return normal_deviates(open_unit(u.a), open_unit(u.b), open_unit(u.c), open_unit(u.d));
}

double uniform(std::uint64_t seed, NoisePurpose purpose, std::int64_t step, std::int64_t index) {
  return open_unit(bits(seed, purpose, step, index).a);
}

/// Twice a gamma deviate: Marsaglia and Tsang, ACM Trans. Math. Softw. 26, 363 (2000); below shape one with a power of a
/// uniform deviate (their section 6).
double chi_squared(double degrees, std::uint64_t seed, NoisePurpose purpose, std::int64_t step, std::int64_t index) {
  if (!(degrees > 0)) return 0;
  double shape = degrees / 2, factor = 2;
  if (shape < 1) {
    factor *= std::pow(uniform(seed, purpose, step, index++), 1 / shape);
    shape += 1;
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = gaussian3(seed, purpose, step, index++).x, u = uniform(seed, purpose, step, index++);
    const double v = (1 + c * x) * (1 + c * x) * (1 + c * x);
    if (v > 0 && std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return factor * d * v;
  }
}

}  // namespace uplift

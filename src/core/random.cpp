#include "uplift/core/random.hpp"

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

}  // namespace uplift

#include <hwy/highway.h>
// Highway's functions of the chosen instruction set; after highway.h.
#include <hwy/contrib/math/math-inl.h>

#include "cpu/integrate_kernels.hpp"
#include "cpu/simd.hpp"
#include "physics/integrate/langevin.hpp"
#include "uplift/core/philox.hpp"

namespace uplift::cpu::UPLIFT_ISA {

// Beside Pack, where argument-dependent look-up finds them.
UPLIFT_HD Pack<double> log(Pack<double> a) { return hn::Log(Pack<double>::Tag(), a.v); }

namespace {

using Real = Pack<double>;
constexpr int width = Real::width;
using Wide = hn::ScalableTag<std::uint64_t>;

/// 32-bit words, each in the low half of a 64-bit lane, next to the doubles that they become.
struct PackedWords {
  hn::Vec<Wide> v;
  PackedWords() = default;
  UPLIFT_HD PackedWords(hn::Vec<Wide> value) : v(value) {}
  UPLIFT_HD explicit PackedWords(std::uint32_t value) : v(hn::Set(Wide(), value)) {}
  friend UPLIFT_HD PackedWords operator^(PackedWords a, PackedWords b) { return hn::Xor(a.v, b.v); }
};
UPLIFT_HD WideProduct<PackedWords> multiply_wide(PackedWords a, PackedWords b) {
  const hn::Repartition<std::uint32_t, Wide> narrow;
  const auto product = hn::MulEven(hn::BitCast(narrow, a.v), hn::BitCast(narrow, b.v));
  return {hn::ShiftRight<32>(product), hn::And(product, hn::Set(Wide(), 0xFFFFFFFFull))};
}
UPLIFT_HD Real open_unit(PackedWords u) {
  // The word as the low bits of a double between 2^52 and 2^53: exact, and one instruction on every machine.
  const Real shifted(hn::BitCast(Real::Tag(), hn::Or(u.v, hn::Set(Wide(), 0x4330000000000000ull))));
  return (shifted - Real(0x1p52) + Real(0.5)) * Real(0x1p-32);
}

void kick(int first, int last, double dt, const double* inverse_mass, const Fixed* force, double* v) {
  for (int k = 3 * first; k < 3 * last; ++k) v[k] = physics::kick(v[k], from_fixed(force[k]), dt * inverse_mass[k]);
}

void drift(int first, int last, double dt, const double* v, double* x) {
  for (int k = 3 * first; k < 3 * last; ++k) x[k] = physics::drift(x[k], v[k], dt);
}

/// `width` atoms from `atom`; lanes beyond the arrays are the caller's padding.
UPLIFT_HD void ornstein_uhlenbeck_pack(int atom, Real decay, double spread, const NoiseKey& key,
                                       const double* inverse_sqrt_mass, double* v) {
  const PackedWords index(hn::Iota(Wide(), static_cast<std::uint64_t>(atom)));
  const auto step = static_cast<std::uint64_t>(key.step);
  const auto u = philox_bits(noise_counter(index, 0, step, key.purpose), static_cast<std::uint32_t>(key.seed),
                             static_cast<std::uint32_t>(key.seed >> 32));
  const Vec3<Real> noise = normal_deviates(open_unit(u.a), open_unit(u.b), open_unit(u.c), open_unit(u.d));
  const Real size = Real(spread) * Real::loadu(inverse_sqrt_mass);
  hn::Vec<Real::Tag> x, y, z;
  hn::LoadInterleaved3(Real::Tag(), v, x, y, z);
  hn::StoreInterleaved3(physics::ornstein_uhlenbeck(Real(x), decay, size, noise.x).v,
                        physics::ornstein_uhlenbeck(Real(y), decay, size, noise.y).v,
                        physics::ornstein_uhlenbeck(Real(z), decay, size, noise.z).v, Real::Tag(), v);
}

void ornstein_uhlenbeck(int first, int last, double decay, double spread, NoiseKey key, const double* inverse_sqrt_mass,
                        double* v) {
  const Real a(decay);
  int i = first;
  for (; i + width <= last; i += width) ornstein_uhlenbeck_pack(i, a, spread, key, inverse_sqrt_mass + i, v + 3 * i);
  if (i == last) return;
  double last_v[3 * width] = {}, last_mass[width] = {};
  for (int k = 0; k < 3 * (last - i); ++k) last_v[k] = v[3 * i + k];
  for (int k = 0; k < last - i; ++k) last_mass[k] = inverse_sqrt_mass[i + k];
  ornstein_uhlenbeck_pack(i, a, spread, key, last_mass, last_v);
  for (int k = 0; k < 3 * (last - i); ++k) v[3 * i + k] = last_v[k];
}

}  // namespace

extern const IntegrateKernels integrate_kernels;
const IntegrateKernels integrate_kernels{kick, drift, ornstein_uhlenbeck};

}  // namespace uplift::cpu::UPLIFT_ISA

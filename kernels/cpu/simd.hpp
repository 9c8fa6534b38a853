#pragma once
// Pack<T>: a full SIMD register of T (float, double) as an arithmetic type, so that the formulas of kernels/physics, which are
// templates on T, run unchanged on float, double, a pack or a dual number. A thin coat over Highway (static dispatch).
// Only for *.isa.cpp files: the type lives in the namespace of the instruction set.
#include <hwy/highway.h>

#include <cstdint>

#include "uplift/core/macros.hpp"

#ifndef UPLIFT_ISA
#error "cpu/simd.hpp belongs in *.isa.cpp files"
#endif

namespace uplift::cpu::UPLIFT_ISA {

namespace hn = hwy::HWY_NAMESPACE;

template <class T, class D = hn::ScalableTag<T>>
struct Pack {
  using Scalar = T;
  using Tag = D;
  using Vec = hn::Vec<D>;
  using Mask = hn::Mask<D>;
  static constexpr int width = static_cast<int>(hn::MaxLanes(D()));

  Vec v;
  Pack() = default;
  UPLIFT_HD Pack(Vec value) : v(value) {}
  UPLIFT_HD Pack(T value) : v(hn::Set(D(), value)) {}

  static UPLIFT_HD Pack load(const T* p) { return hn::Load(D(), p); }  ///< aligned
  static UPLIFT_HD Pack loadu(const T* p) { return hn::LoadU(D(), p); }
  UPLIFT_HD void store(T* p) const { hn::Store(v, D(), p); }
  UPLIFT_HD void storeu(T* p) const { hn::StoreU(v, D(), p); }
  UPLIFT_HD T sum() const { return hn::GetLane(hn::SumOfLanes(D(), v)); }

  friend UPLIFT_HD Pack operator+(Pack a, Pack b) { return hn::Add(a.v, b.v); }
  friend UPLIFT_HD Pack operator-(Pack a, Pack b) { return hn::Sub(a.v, b.v); }
  friend UPLIFT_HD Pack operator*(Pack a, Pack b) { return hn::Mul(a.v, b.v); }
  friend UPLIFT_HD Pack operator/(Pack a, Pack b) { return hn::Div(a.v, b.v); }
  friend UPLIFT_HD Pack operator-(Pack a) { return hn::Neg(a.v); }
  UPLIFT_HD Pack& operator+=(Pack b) { return *this = *this + b; }
  UPLIFT_HD Pack& operator-=(Pack b) { return *this = *this - b; }
  UPLIFT_HD Pack& operator*=(Pack b) { return *this = *this * b; }
  friend UPLIFT_HD Mask operator<(Pack a, Pack b) { return hn::Lt(a.v, b.v); }
  friend UPLIFT_HD Mask operator>(Pack a, Pack b) { return hn::Gt(a.v, b.v); }
  friend UPLIFT_HD Mask operator<=(Pack a, Pack b) { return hn::Le(a.v, b.v); }
  friend UPLIFT_HD Mask operator>=(Pack a, Pack b) { return hn::Ge(a.v, b.v); }

  // The functions that physics/math.hpp asks of every T, found by argument-dependent look-up.
  friend UPLIFT_HD Pack madd(Pack a, Pack b, Pack c) { return hn::MulAdd(a.v, b.v, c.v); }      ///< a b + c
  friend UPLIFT_HD Pack msub(Pack a, Pack b, Pack c) { return hn::MulSub(a.v, b.v, c.v); }      ///< a b - c
  friend UPLIFT_HD Pack nmadd(Pack a, Pack b, Pack c) { return hn::NegMulAdd(a.v, b.v, c.v); }  ///< c - a b
  friend UPLIFT_HD Pack sqrt(Pack a) { return hn::Sqrt(a.v); }
  friend UPLIFT_HD Pack abs(Pack a) { return hn::Abs(a.v); }
  friend UPLIFT_HD Pack min(Pack a, Pack b) { return hn::Min(a.v, b.v); }
  friend UPLIFT_HD Pack max(Pack a, Pack b) { return hn::Max(a.v, b.v); }
  friend UPLIFT_HD Pack round(Pack a) { return hn::Round(a.v); }
  friend UPLIFT_HD Pack select(Mask m, Pack yes, Pack no) { return hn::IfThenElse(m, yes.v, no.v); }
  /// 1/sqrt(a): hardware estimate and Newton steps to full precision of T.
  friend UPLIFT_HD Pack rsqrt(Pack a) {
    if constexpr (sizeof(T) == 4) {
      const Pack y(hn::ApproximateReciprocalSqrt(a.v));
      const Pack half_a = a * Pack(T(0.5));
      return y * nmadd(half_a * y, y, Pack(T(1.5)));  // one step: 11-14 bits to 22-24
    } else {
      return Pack(T(1)) / sqrt(a);
    }
  }
};

/// Half a register from memory into both halves: with AVX-512 the load alone does it, and Highway's Combine would cost a
/// shuffle.
template <class D, class T>
UPLIFT_HD hn::Vec<D> load_twice(D d, const T* p) {
#if HWY_TARGET <= HWY_AVX3
  if constexpr (sizeof(T) == 4 && hn::MaxLanes(D()) == 16)
    return hn::BitCast(
        d, hn::Vec<hn::ScalableTag<float>>{_mm512_broadcast_f32x8(_mm256_loadu_ps(reinterpret_cast<const float*>(p)))});
#endif
  const hn::Half<D> half;
  const auto v = hn::LoadU(half, p);
  return hn::Combine(d, v, v);
}

/// One number of sixteen for each lane: a single instruction of AVX-512, which looks at the lowest four bits of a lane of
/// `index` alone. Where `has_lookup` is false there is nothing like it.
#if HWY_TARGET <= HWY_AVX3
inline constexpr bool has_lookup = true;
template <class P>
UPLIFT_HD P lookup(const float* sixteen, P index) {
  return P(typename P::Vec{_mm512_permutexvar_ps(_mm512_castps_si512(index.v.raw), _mm512_loadu_ps(sixteen))});
}
#else
inline constexpr bool has_lookup = false;
template <class P>
P lookup(const float*, P);
#endif

// ---- exponentials and reciprocals of generalized Born
// --------------------------------------------------------------------------

/// 1/a: for float the hardware's estimate and one Newton step (22 to 24 bits), for double the division.
template <class T, class D>
UPLIFT_HD Pack<T, D> reciprocal(Pack<T, D> a) {
  if constexpr (sizeof(T) == 4) {
    const Pack<T, D> y(hn::ApproximateReciprocal(a.v));
    return y * nmadd(a, y, Pack<T, D>(T(2)));
  } else {
    return Pack<T, D>(T(1)) / a;
  }
}

/// exp(a), relative error 2 epsilon. Arguments are held where the result is a normal number: below the smallest of those it is
/// 1e-38 (float) or 1e-308 (double) instead of less. 2^n exp(f) with n = round(a/ln 2), |f| <= ln 2/2 in two pieces, exp(f)
/// interpolated at Chebyshev nodes (3e-9; 4e-18).
template <class T, class D>
UPLIFT_HD Pack<T, D> exp(Pack<T, D> a) {
  using P = Pack<T, D>;
  constexpr bool single = sizeof(T) == 4;
  const hn::RebindToSigned<D> integers;
  using Int = hn::TFromD<hn::RebindToSigned<D>>;
  constexpr int mantissa = single ? 23 : 52;
  constexpr Int bias = single ? 127 : 1023;
  a = max(min(a, P(single ? T(88) : T(709))), P(single ? T(-87) : T(-708)));
  const P n = round(a * P(T(1.4426950408889634)));
  P f = nmadd(n, P(single ? T(0.693145751953125) : T(0.69314718036912382)), a);
  f = nmadd(n, P(single ? T(1.4286068203094172e-6) : T(1.9082149292705877e-10)), f);
  P p;
  if constexpr (single) {
    p = madd(P(T(0.0013941108433972675)), f, P(T(0.0083751263981533357)));
    p = madd(p, f, P(T(0.041666352896775157)));
    p = madd(p, f, P(T(0.16666415514653275)));
    p = madd(p, f, P(T(0.50000000471177577)));
    p = madd(p, f, P(T(1.0000000377162138)));
  } else {
    p = madd(P(T(2.5110037605963778e-8)), f, P(T(2.763263963904103e-7)));
    p = madd(p, f, P(T(2.755724091857897e-6)));
    p = madd(p, f, P(T(2.4801485482328492e-5)));
    p = madd(p, f, P(T(0.00019841269890047114)));
    p = madd(p, f, P(T(0.0013888888952314775)));
    p = madd(p, f, P(T(0.0083333333333196006)));
    p = madd(p, f, P(T(0.041666666666488095)));
    p = madd(p, f, P(T(0.16666666666666681)));
    p = madd(p, f, P(T(0.50000000000000184)));
    p = madd(p, f, P(T(1)));
  }
  p = madd(p, f, P(T(1)));
  const auto exponent = hn::ShiftLeft<mantissa>(hn::Add(hn::ConvertTo(integers, n.v), hn::Set(integers, bias)));
  return p * P(hn::BitCast(D(), exponent));
}

/// ln(a) of a normal number a > 0, absolute error epsilon, relative error 3 epsilon outside of 0.7 < a < 1.4.
/// n ln 2 + 2 artanh(s), a = 2^n m, s = (m - 1)/(m + 1), m in [0.7, 1.4): the series of artanh to s^11 (float) or s^23
/// (double).
template <class T, class D>
UPLIFT_HD Pack<T, D> log(Pack<T, D> a) {
  using P = Pack<T, D>;
  constexpr bool single = sizeof(T) == 4;
  const hn::RebindToSigned<D> integers;
  using Int = hn::TFromD<hn::RebindToSigned<D>>;
  constexpr int mantissa = single ? 23 : 52;
  constexpr Int root_half = static_cast<Int>(single ? 0x3f3504f3LL : 0x3fe6a09e667f3bcdLL);  // bits of sqrt(1/2)
  const auto bits = hn::BitCast(integers, a.v);
  const auto n = hn::ShiftRight<mantissa>(hn::Sub(bits, hn::Set(integers, root_half)));
  const P m(hn::BitCast(D(), hn::Sub(bits, hn::ShiftLeft<mantissa>(n))));
  const P s = (m - P(T(1))) * reciprocal(m + P(T(1)));
  const P z = s * s;
  P p;
  if constexpr (single) {
    p = madd(P(T(1.0 / 11)), z, P(T(1.0 / 9)));
  } else {
    p = madd(P(T(1.0 / 23)), z, P(T(1.0 / 21)));
    p = madd(p, z, P(T(1.0 / 19)));
    p = madd(p, z, P(T(1.0 / 17)));
    p = madd(p, z, P(T(1.0 / 15)));
    p = madd(p, z, P(T(1.0 / 13)));
    p = madd(p, z, P(T(1.0 / 11)));
    p = madd(p, z, P(T(1.0 / 9)));
  }
  p = madd(p, z, P(T(1.0 / 7)));
  p = madd(p, z, P(T(1.0 / 5)));
  p = madd(p, z, P(T(1.0 / 3)));
  p = madd(p * z, s, s);
  return madd(P(hn::ConvertTo(D(), n)), P(T(0.69314718055994531)), p + p);
}

}  // namespace uplift::cpu::UPLIFT_ISA

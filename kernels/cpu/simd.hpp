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

  static UPLIFT_HD Pack load(const T* p) { return hn::Load(D(), p); }       ///< aligned
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
  friend UPLIFT_HD Pack madd(Pack a, Pack b, Pack c) { return hn::MulAdd(a.v, b.v, c.v); }    ///< a b + c
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

}  // namespace uplift::cpu::UPLIFT_ISA

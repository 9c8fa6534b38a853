#pragma once
// The words of device code, for a plain C++ compiler: built-in variables, collectives, atomics and intrinsics of the CUDA C++
// Programming Guide, as far as our kernels use them. Only the emulator's cuda_runtime.h includes this.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "simt/access_checks.hpp"
#include "simt/scheduler.hpp"

// NOLINTBEGIN(bugprone-reserved-identifier): the names are CUDA's.
#define threadIdx (::simt::this_thread->index)
#define blockIdx (::simt::this_block)
#define blockDim (::simt::block_size)
#define gridDim (::simt::grid_size)

// ---- collectives: every one names its place in the source, so that lanes that meet at different ones are found out
// --------------

#define UPLIFT_SIMT_SITE ::simt::Site site = ::simt::Site::current()

inline void __syncthreads(UPLIFT_SIMT_SITE) { ::simt::wait_for_block(::simt::Barrier::plain, false, site); }
inline int __syncthreads_count(int p, UPLIFT_SIMT_SITE) { return ::simt::wait_for_block(::simt::Barrier::count, p != 0, site); }
inline void __syncwarp(unsigned mask = ~0u, UPLIFT_SIMT_SITE) {
  ::simt::meet(::simt::Collective::sync, mask, nullptr, 0, 0, site);
}

namespace simt {

/// The value of lane `source` of each segment of `width` lanes.
template <class T>
T shuffle(unsigned mask, T value, int source, Site site) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 64);
  meet(Collective::shuffle, mask, &value, sizeof(T), source, site);
  return value;
}
inline int lane() { return static_cast<int>(this_thread->lane); }
inline int segment(int width) { return lane() & ~(width - 1); }

}  // namespace simt

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, UPLIFT_SIMT_SITE) {
  return ::simt::shuffle(mask, value, ::simt::segment(width) + (source & (width - 1)), site);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, UPLIFT_SIMT_SITE) {
  const int source = ::simt::lane() - static_cast<int>(delta);
  return ::simt::shuffle(mask, value, source < ::simt::segment(width) ? ::simt::lane() : source, site);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, UPLIFT_SIMT_SITE) {
  const int source = ::simt::lane() + static_cast<int>(delta);
  return ::simt::shuffle(mask, value, source >= ::simt::segment(width) + width ? ::simt::lane() : source, site);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, UPLIFT_SIMT_SITE) {
  const int source = ::simt::lane() ^ bits;
  return ::simt::shuffle(mask, value, source >= ::simt::segment(width) + width ? ::simt::lane() : source, site);
}
inline unsigned __ballot_sync(unsigned mask, int p, UPLIFT_SIMT_SITE) {
  return ::simt::meet(::simt::Collective::ballot, mask, nullptr, 0, p != 0, site);
}
inline int __any_sync(unsigned mask, int p, UPLIFT_SIMT_SITE) {
  return static_cast<int>(::simt::meet(::simt::Collective::any, mask, nullptr, 0, p != 0, site));
}
inline int __all_sync(unsigned mask, int p, UPLIFT_SIMT_SITE) {
  return static_cast<int>(::simt::meet(::simt::Collective::all, mask, nullptr, 0, p != 0, site));
}
inline unsigned __reduce_or_sync(unsigned mask, unsigned value, UPLIFT_SIMT_SITE) {
  return ::simt::meet(::simt::Collective::reduce_or, mask, nullptr, 0, static_cast<int>(value), site);
}
template <class T>
unsigned __match_any_sync(unsigned mask, T value, UPLIFT_SIMT_SITE) {
  return ::simt::meet(::simt::Collective::match, mask, &value, sizeof(T), 0, site);
}
inline void __threadfence() { ::simt::checks::fence(); }

// ---- atomics: one thread runs at a time, so that plain arithmetic is atomic; other threads may go first
// -------------------------

namespace simt {

/// Not one of the plain accesses that the compiler tells of.
template <class T, class F>
[[gnu::noinline, gnu::no_sanitize("thread")]] T change(T* place, F&& next) {
  preemption_point();
  checks::atomic(place, sizeof(T), __builtin_return_address(0));
  const T old = *place;
  *place = next(old);
  return old;
}

template <class T>
[[gnu::noinline, gnu::no_sanitize("thread")]] T glance(const T* place) {
  preemption_point();
  checks::glance(place, sizeof(T), __builtin_return_address(0));
  return *place;
}

}  // namespace simt

template <class T>
T atomicAdd(T* place, std::type_identity_t<T> value) {
  if constexpr (std::is_integral_v<T>)
    return ::simt::change(place, [&](T old) {
      return static_cast<T>(static_cast<std::make_unsigned_t<T>>(old) + static_cast<std::make_unsigned_t<T>>(value));
    });
  else
    return ::simt::change(place, [&](T old) { return old + value; });
}
template <class T>
T atomicMin(T* place, std::type_identity_t<T> value) {
  return ::simt::change(place, [&](T old) { return std::min(old, value); });
}
template <class T>
T atomicMax(T* place, std::type_identity_t<T> value) {
  return ::simt::change(place, [&](T old) { return std::max(old, value); });
}
template <class T>
T atomicOr(T* place, std::type_identity_t<T> value) {
  return ::simt::change(place, [&](T old) { return old | value; });
}
template <class T>
T atomicAnd(T* place, std::type_identity_t<T> value) {
  return ::simt::change(place, [&](T old) { return old & value; });
}

// ---- intrinsics
// -------------------------------------------------------------------------------------------------------------------

inline int __popc(unsigned x) { return std::popcount(x); }
inline int __ffs(int x) { return x == 0 ? 0 : std::countr_zero(static_cast<unsigned>(x)) + 1; }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline double __longlong_as_double(long long x) { return std::bit_cast<double>(x); }
inline long long __double_as_longlong(double x) { return std::bit_cast<long long>(x); }

namespace simt {

/// Conversion as the GPU does it: to the nearest, saturating, not-a-number to 0. In C++ what does not fit would be undefined.
template <class I, class F>
I nearest(F x) {
  if (x != x) return 0;
  x = std::nearbyint(x);
  if (x < static_cast<F>(std::numeric_limits<I>::min())) return std::numeric_limits<I>::min();
  if (x >= std::ldexp(F(1), std::numeric_limits<I>::digits)) return std::numeric_limits<I>::max();
  return static_cast<I>(x);
}

}  // namespace simt

inline int __float2int_rn(float x) { return ::simt::nearest<int>(x); }
inline long long __float2ll_rn(float x) { return ::simt::nearest<long long>(x); }
inline long long __double2ll_rn(double x) { return ::simt::nearest<long long>(x); }
// NOLINTEND(bugprone-reserved-identifier)

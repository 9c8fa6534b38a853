#pragma once
// The one way to launch a kernel, and the few words that nvcc and the emulator (kernels/simt) spell differently. Kernels use
// nothing else that differs.
#include <cuda/check.cuh>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#if defined(__CUDACC__)
#define UPLIFT_SHARED(T, name) __shared__ std::type_identity_t<T> name
#define UPLIFT_DYNAMIC_SHARED(T, name)                          \
  extern __shared__ __align__(16) unsigned char name##_bytes[]; \
  T* name = reinterpret_cast<T*>(name##_bytes)
#define UPLIFT_DEVICE_UNROLL _Pragma("unroll")
#else
#include "simt/runtime.hpp"
#define UPLIFT_DEVICE_UNROLL
#define UPLIFT_SHARED(T, name) auto& name = ::simt::shared_variable<std::type_identity_t<T>>([] {})
#define UPLIFT_DYNAMIC_SHARED(T, name) T* name = static_cast<T*>(::simt::dynamic_shared_memory())
#endif

namespace uplift::cuda {

/// What is in one word of memory that other threads change by atomics meanwhile, or was a while ago.
template <class T>
__device__ T glance(const T* place) {
  static_assert(sizeof(T) <= sizeof(void*));
#if defined(__CUDACC__)
  return *place;
#else
  return ::simt::glance(place);
#endif
}

struct LaunchShape {
  unsigned blocks, threads;
  std::size_t dynamic_bytes = 0;
};

/// As many blocks of `threads` as cover `items`; at least one.
constexpr LaunchShape cover(int items, unsigned threads) {
  return {items > 0 ? (static_cast<unsigned>(items) + threads - 1) / threads : 1, threads};
}

/// Lets a kernel have as much dynamic shared memory as there is beside its variables; without asking it is 48 KiB for both. All
/// threads that launch it ask for the same, so that none takes from another what it was given.
template <class... P>
void ask_for_shared_memory(const char* name, void (*kernel)(P...)) {
  int device = 0, most = 0;
  cudaFuncAttributes own{};
  check(cudaGetDevice(&device), name);
  check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device), name);
  check(cudaFuncGetAttributes(&own, kernel), name);
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, most - static_cast<int>(own.sharedSizeBytes)),
        name);
}

template <class... P, class... A>
void launch_kernel(const char* name, void (*kernel)(P...), LaunchShape shape, cudaStream_t stream, A&&... arguments) {
  static_assert((std::is_trivially_copyable_v<std::decay_t<P>> && ...), "arguments of kernels are copied as bytes");
  if (shape.dynamic_bytes > 0) ask_for_shared_memory(name, kernel);
#if defined(__CUDACC__)
  kernel<<<shape.blocks, shape.threads, shape.dynamic_bytes, stream>>>(std::forward<A>(arguments)...);
#else
  // Arguments by value at the time of the launch, and a copy for every thread, as on the device.
  std::tuple<std::decay_t<P>...> values(static_cast<P>(arguments)...);
  const std::size_t granted = ::simt::granted_shared_memory(reinterpret_cast<const void*>(kernel));
  ::simt::enqueue(
      stream,
      [=] {
        ::simt::run(
            dim3(shape.blocks), dim3(shape.threads), {shape.dynamic_bytes, granted},
            [&] {
              auto own = values;
              std::apply(kernel, own);
            },
            name);
      },
      true);
#endif
  check(cudaGetLastError(), name);
}

}  // namespace uplift::cuda

/// launch(kernel, shape, stream, arguments...)
#define UPLIFT_LAUNCH(kernel, ...) ::uplift::cuda::launch_kernel(#kernel, kernel, __VA_ARGS__)

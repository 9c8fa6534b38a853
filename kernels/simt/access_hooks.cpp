// What the compiler calls for code built with -fsanitize=thread, in place of ThreadSanitizer's library: plain accesses, before
// they are made, go to the emulator; atomics of C++, which the host alone has in such code, are done as they stand.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "simt/access_checks.hpp"

// NOLINTBEGIN(bugprone-reserved-identifier): the names are the compiler's.
#define UPLIFT_PLAIN(bytes)                                                                                         \
  void __tsan_read##bytes(void* p) { simt::checks::plain(p, bytes, false, __builtin_return_address(0)); }           \
  void __tsan_write##bytes(void* p) { simt::checks::plain(p, bytes, true, __builtin_return_address(0)); }           \
  void __tsan_unaligned_read##bytes(void* p) { simt::checks::plain(p, bytes, false, __builtin_return_address(0)); } \
  void __tsan_unaligned_write##bytes(void* p) { simt::checks::plain(p, bytes, true, __builtin_return_address(0)); }

#define UPLIFT_FETCH(bits, operation)                                                                                        \
  std::uint##bits##_t __tsan_atomic##bits##_fetch_##operation(volatile std::uint##bits##_t* p, std::uint##bits##_t x, int) { \
    return __atomic_fetch_##operation(p, x, __ATOMIC_SEQ_CST);                                                               \
  }
#define UPLIFT_COMPARE(bits, strength, weak)                                                                             \
  bool __tsan_atomic##bits##_compare_exchange_##strength(volatile std::uint##bits##_t* p, std::uint##bits##_t* expected, \
                                                         std::uint##bits##_t x, int, int) {                              \
    return __atomic_compare_exchange_n(p, expected, x, weak, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                        \
  }
#define UPLIFT_ATOMICS(bits)                                                                                        \
  std::uint##bits##_t __tsan_atomic##bits##_load(const volatile std::uint##bits##_t* p, int) {                      \
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                                                    \
  }                                                                                                                 \
  void __tsan_atomic##bits##_store(volatile std::uint##bits##_t* p, std::uint##bits##_t x, int) {                   \
    __atomic_store_n(p, x, __ATOMIC_SEQ_CST);                                                                       \
  }                                                                                                                 \
  std::uint##bits##_t __tsan_atomic##bits##_exchange(volatile std::uint##bits##_t* p, std::uint##bits##_t x, int) { \
    return __atomic_exchange_n(p, x, __ATOMIC_SEQ_CST);                                                             \
  }                                                                                                                 \
  UPLIFT_FETCH(bits, add)                                                                                           \
  UPLIFT_FETCH(bits, sub)                                                                                           \
  UPLIFT_FETCH(bits, and)                                                                                           \
  UPLIFT_FETCH(bits, or)                                                                                            \
  UPLIFT_FETCH(bits, xor)                                                                                           \
  UPLIFT_COMPARE(bits, strong, false)                                                                               \
  UPLIFT_COMPARE(bits, weak, true)

extern "C" {
UPLIFT_PLAIN(1)
UPLIFT_PLAIN(2)
UPLIFT_PLAIN(4)
UPLIFT_PLAIN(8)
UPLIFT_PLAIN(16)
void __tsan_read_range(void* p, std::size_t bytes) { simt::checks::plain(p, bytes, false, __builtin_return_address(0)); }
void __tsan_write_range(void* p, std::size_t bytes) { simt::checks::plain(p, bytes, true, __builtin_return_address(0)); }
// Clang's, for copies of many bytes.
void* __tsan_memcpy(void* to, const void* from, std::size_t bytes) {
  simt::checks::plain(from, bytes, false, __builtin_return_address(0));
  simt::checks::plain(to, bytes, true, __builtin_return_address(0));
  return std::memcpy(to, from, bytes);
}
void* __tsan_memmove(void* to, const void* from, std::size_t bytes) {
  simt::checks::plain(from, bytes, false, __builtin_return_address(0));
  simt::checks::plain(to, bytes, true, __builtin_return_address(0));
  return std::memmove(to, from, bytes);
}
void* __tsan_memset(void* to, int value, std::size_t bytes) {
  simt::checks::plain(to, bytes, true, __builtin_return_address(0));
  return std::memset(to, value, bytes);
}
UPLIFT_ATOMICS(8)
UPLIFT_ATOMICS(16)
UPLIFT_ATOMICS(32)
UPLIFT_ATOMICS(64)
void __tsan_atomic_thread_fence(int) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
void __tsan_init() { simt::checks::watch(); }
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
}
// NOLINTEND(bugprone-reserved-identifier)

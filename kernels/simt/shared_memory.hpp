#pragma once
// Shared memory of the block that runs: fresh for every block, full of not-a-numbers, with closed gaps between variables.
// Without asking a block may have 48 KiB, its variables and dynamic memory together.
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "simt/access_checks.hpp"
#include "simt/scheduler.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace simt {

inline void poison([[maybe_unused]] void* from, [[maybe_unused]] std::size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_poison_memory_region(from, bytes);
#endif
}
inline void unpoison([[maybe_unused]] void* from, [[maybe_unused]] std::size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(from, bytes);
#endif
}

class SharedMemory {
 public:
  /// Dynamic memory that a kernel may be launched with.
  static bool may_have(DynamicMemory dynamic) {
    return dynamic.bytes <= std::max(unasked, dynamic.granted) && fits(dynamic.bytes);
  }

  void begin_block(DynamicMemory dynamic) {
    if (!arena_) {
      void* memory = mmap(nullptr, most, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (memory == MAP_FAILED) throw Error("no memory for the shared memory of an emulated block");
      arena_ = static_cast<char*>(memory);
      checks::watch_shared_memory(arena_, most);
      used_ = most;
    }
    unpoison(arena_, most);
    std::memset(arena_, 0xff, used_);
    poison(arena_, most);
    for (void** slot : slots_) *slot = nullptr;
    slots_.clear();
    used_ = 0;
    dynamic_ = dynamic.bytes > 0 ? take(&dynamic_, dynamic.bytes) : nullptr;
    variables_ = 0;
    most_variables_ = dynamic.bytes > dynamic.granted ? unasked - dynamic.bytes : unasked;
  }

  /// A variable, which `*slot` points at until the block ends; nullptr: there is no more room.
  void* variable(void** slot, std::size_t bytes) {
    variables_ += bytes;
    return variables_ <= most_variables_ ? take(slot, bytes) : nullptr;
  }
  void* dynamic() const { return dynamic_; }

 private:
  static constexpr std::size_t most = 227 * 1024;  // of a block on sm_90
  static constexpr std::size_t unasked = 48 * 1024;
  static constexpr std::size_t gap = 64;

  static bool fits(std::size_t bytes) { return bytes + gap <= most; }
  void* take(void** slot, std::size_t bytes) {
    if (!fits(used_ + bytes)) return nullptr;
    char* place = arena_ + used_;
    used_ += (bytes + 63) / 64 * 64 + gap;  // aligned for any type
    unpoison(place, bytes);
    checks::take_shared_memory(place, bytes);
    slots_.push_back(slot);
    return *slot = place;
  }

  char* arena_ = nullptr;
  std::size_t used_ = 0, variables_ = 0, most_variables_ = 0;
  std::vector<void**> slots_;
  void* dynamic_ = nullptr;
};

}  // namespace simt

#pragma once
// Shared memory of the block that runs: fresh for every block, full of not-a-numbers, with closed gaps between variables.
#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <vector>

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
  static bool fits(std::size_t bytes) { return bytes + gap <= most; }

  void begin_block(std::size_t dynamic_bytes) {
    if (!arena_) {
      void* memory = mmap(nullptr, most, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (memory == MAP_FAILED) throw Error("no memory for the shared memory of an emulated block");
      arena_ = static_cast<char*>(memory);
      used_ = most;
    }
    unpoison(arena_, most);
    std::memset(arena_, 0xff, used_);
    poison(arena_, most);
    for (void** slot : slots_) *slot = nullptr;
    slots_.clear();
    used_ = 0;
    dynamic_ = dynamic_bytes > 0 ? take(&dynamic_, dynamic_bytes) : nullptr;
  }

  /// Room for a variable, which `*slot` points at until the block ends; nullptr: there is no more.
  void* take(void** slot, std::size_t bytes) {
    if (!fits(used_ + bytes)) return nullptr;
    char* place = arena_ + used_;
    used_ += (bytes + 63) / 64 * 64 + gap;  // aligned for any type
    unpoison(place, bytes);
    slots_.push_back(slot);
    return *slot = place;
  }
  void* dynamic() const { return dynamic_; }

 private:
  static constexpr std::size_t most = 227 * 1024;  // of a block on sm_90
  static constexpr std::size_t gap = 64;
  char* arena_ = nullptr;
  std::size_t used_ = 0;
  std::vector<void**> slots_;
  void* dynamic_ = nullptr;
};

}  // namespace simt

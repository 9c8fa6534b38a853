#pragma once
// The emulated device's memory, and the host's that copies go to and from in the background. Part of memory.cpp.
#include <sys/mman.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <utility>

#include "simt/access_checks.hpp"
#include "simt/runtime.hpp"
#include "simt/scheduler.hpp"

namespace simt {

/// Device memory: whole pages of one reservation, the unused end of each allocation poisoned, an empty page between two. What
/// is given back holds not-a-numbers and stays unused for a while: who still reads it, as a graph may that was captured before,
/// sees them, and who has written there is found out at the end of that while.
class Heap {
 public:
  void* take(std::size_t bytes) {
    if (!base_) reserve();
    if (std::exchange(written_after_, false)) throw Error("device memory was written after it had been freed");
    const std::size_t pages = (std::max<std::size_t>(bytes, 1) + page - 1) / page * page;
    std::size_t place = used_;
    if (const auto found = free_.find(pages); found != free_.end()) {
      place = found->second;
      free_.erase(found);
    } else if (used_ + pages + page > reserved) {
      return nullptr;
    } else {
      used_ += pages + page;
    }
    const Access open(*this);
    char* p = base_ + place;
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(p, pages);
#endif
    std::memset(p, nothing, pages);
    checks::take_device_memory(p, bytes);
#if defined(__SANITIZE_ADDRESS__)
    __asan_poison_memory_region(p + bytes, pages - bytes + page);
#endif
    blocks_[place] = {pages, bytes};
    bytes_ += pages;
    return p;
  }
  bool give_back(void* pointer) {
    const auto place = static_cast<std::size_t>(static_cast<char*>(pointer) - base_);
    const auto found = blocks_.find(place);
    if (!base_ || found == blocks_.end()) return false;
    const std::size_t pages = found->second.pages;
    checks::free_device_memory(pointer, found->second.bytes);
    {
      const Access open(*this);
#if defined(__SANITIZE_ADDRESS__)
      __asan_unpoison_memory_region(pointer, pages);
#endif
      std::memset(pointer, nothing, pages);
    }
    resting_.push_back({place, pages});
#if defined(__SANITIZE_ADDRESS__)
    __asan_poison_memory_region(pointer, pages);
#endif
    for (resting_bytes_ += pages; resting_bytes_ > most_resting; resting_.pop_front()) clear_away(resting_.front());
    bytes_ -= pages;
    blocks_.erase(found);
    return true;
  }
  std::size_t bytes() const { return bytes_; }
  bool holds(const void* pointer) const {
    const auto* p = static_cast<const char*>(pointer);
    return base_ && p >= base_ && p < base_ + reserved;
  }
  /// All of the range is of one allocation.
  bool has(const void* pointer, std::size_t bytes) const {
    if (!holds(pointer)) return false;
    const auto place = static_cast<std::size_t>(static_cast<const char*>(pointer) - base_);
    auto after = blocks_.upper_bound(place);
    if (after == blocks_.begin()) return false;
    --after;
    return place + bytes <= after->first + after->second.bytes;
  }

  /// Opens the memory while it lives.
  class Access {
   public:
    explicit Access(Heap& heap) : heap_(heap) {
      if (heap_.open_++ == 0) heap_.protect(PROT_READ | PROT_WRITE);
    }
    ~Access() {
      if (--heap_.open_ == 0 && !memory_stays_open()) heap_.protect(PROT_NONE);
    }
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;

   private:
    Heap& heap_;
  };

 private:
  static constexpr std::size_t page = 4096, reserved = std::size_t{16} << 30;
  static constexpr std::size_t most_resting = std::size_t{8} << 20;
  static constexpr char nothing = -1;  // not-a-numbers
  void reserve() {
    void* memory = mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw Error("no address space for emulated device memory");
    base_ = static_cast<char*>(memory);
    checks::watch_device_memory(base_, reserved);
  }
  void protect(int rights) {
    if (base_ && used_ > 0) mprotect(base_, used_, rights);
  }

  struct Freed {
    std::size_t place, pages;
  };
  /// It may be used again. Until then it is no memory, which would make opening and closing slow.
  void clear_away(const Freed& f) {
    const Access open(*this);
    char* p = base_ + f.place;
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(p, f.pages);
#endif
    if (!std::all_of(p, p + f.pages, [](char c) { return c == nothing; })) written_after_ = true;
    madvise(p, f.pages, MADV_DONTNEED);
#if defined(__SANITIZE_ADDRESS__)
    __asan_poison_memory_region(p, f.pages);
#endif
    free_.insert({f.pages, f.place});
    resting_bytes_ -= f.pages;
  }

  char* base_ = nullptr;
  std::size_t used_ = 0, bytes_ = 0;
  int open_ = 0;
  bool written_after_ = false;
  struct Block {
    std::size_t pages, bytes;
  };
  std::map<std::size_t, Block> blocks_;           // by place
  std::multimap<std::size_t, std::size_t> free_;  // places by pages
  std::deque<Freed> resting_;                     // not free yet
  std::size_t resting_bytes_ = 0;
};

/// Host memory that the device copies to in the background. What a copy will bring is not-a-numbers from its call until it is
/// done, unless copies from there are still to come: who looks too early sees it.
class PinnedMemory {
 public:
  struct Block {
    std::size_t bytes;
    std::shared_ptr<int> readers = std::make_shared<int>(0);  ///< copies from there that wait
  };
  void add(void* p, std::size_t bytes) { blocks_[static_cast<char*>(p)] = {bytes}; }
  bool remove(void* p) { return blocks_.erase(static_cast<char*>(p)) > 0; }
  /// That holds the address, or null.
  const Block* find(const void* p) const {
    auto after = blocks_.upper_bound(static_cast<char*>(const_cast<void*>(p)));
    if (after == blocks_.begin()) return nullptr;
    --after;
    return static_cast<const char*>(p) < after->first + after->second.bytes ? &after->second : nullptr;
  }

 private:
  std::map<char*, Block> blocks_;
};

}  // namespace simt

#pragma once
// Finds accesses to device and shared memory that nothing puts in an order, one of them a write: races, whether they did harm
// this time or not; accesses to what is nobody's; and reads of what nobody has written. Within a kernel what orders threads is
// a block's barriers, __syncwarp(), and fences around atomics (shuffles and votes are no barriers for memory); between kernels
// and copies it is streams, events and waits of the host. Every access is compared with the last ones to its place, as
// FastTrack does (Flanagan and Freund, PLDI 2009).
//
// Device code tells of its accesses where it is compiled with -fsanitize=thread (access_hooks.cpp). Copies and transforms tell
// of whole ranges.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "simt/stream_clock.hpp"

namespace simt::checks {

constexpr std::size_t lanes = 32;

/// What somebody knows of a warp when it passes it on: accesses of its block before the barrier number `epoch`, and those of
/// lanes up to their clocks.
struct Mark {
  std::uint32_t block = 0, warp = 0, epoch = 0;
  std::array<std::uint32_t, lanes> clocks{};
};
using Marks = std::vector<Mark>;

/// Of a thread of the block that runs.
struct ThreadClock {
  std::uint32_t number = 0;                         ///< in its block
  std::uint32_t epoch = 0;                          ///< barriers of its block that it has passed
  std::array<std::uint32_t, lanes> clocks{};        ///< how far it knows each lane of its warp; its own: now
  std::vector<std::shared_ptr<const Marks>> known;  ///< what it has learnt through fences and atomics
  bool fenced = false;
  Mark at_fence;                     ///< what its atomics pass on
  std::vector<const void*> atomics;  ///< since the last fence
  std::uint32_t lane() const { return number % lanes; }
  std::uint32_t warp() const { return number / lanes; }
};

/// Does any code of this program tell of its accesses (it says so when the program starts)? If none does nothing is kept.
void watch();
bool watched();
/// While it lives nothing is said of what is found.
class Pause {
 public:
  Pause() { paused = true; }
  ~Pause() { paused = false; }
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;
  static bool paused;
};

/// Where a device's memory and that of blocks may lie.
void watch_device_memory(const void* base, std::size_t bytes);
void watch_shared_memory(const void* base, std::size_t bytes);
/// Some of it is somebody's, whole pages of which `bytes` may be touched, and no longer.
void take_device_memory(const void* begin, std::size_t bytes);
void free_device_memory(const void* begin, std::size_t bytes);
/// Likewise for the block that runs.
void take_shared_memory(const void* begin, std::size_t bytes);

/// An operation of a stream begins, after all that `before` knows; ends: throws Error if something was found.
void begin_operation(std::size_t stream, std::uint32_t number, const StreamClock& before);
void end_operation();
/// All operations of a stream so far come before whatever comes next, since the stream is gone.
void retire_stream(std::size_t stream, std::uint32_t operations);

/// Of the operation that runs: what it is called, and its blocks and threads.
void begin_kernel(const char* name);
void begin_block(std::uint32_t block);
void begin_thread(ThreadClock& clock, std::uint32_t number);
/// These have waited for each other.
void meet_in_warp(std::span<ThreadClock* const> lanes);
void meet_in_block(std::span<ThreadClock* const> threads);
/// The thread that runs from now on; null: none.
void run_thread(ThreadClock* clock);
void fence();
/// By the thread that runs, if any. `code`: where in the program.
void plain(const void* place, std::size_t bytes, bool write, const void* code);
void atomic(const void* place, std::size_t bytes, const void* code);
/// A read that atomics of others may overtake.
void glance(const void* place, std::size_t bytes, const void* code);
/// By the whole operation: a copy, which may take along what nobody has written, or a transform.
void copy_range(const void* begin, std::size_t bytes);
void read_range(const void* begin, std::size_t bytes);
void write_range(const void* begin, std::size_t bytes);

}  // namespace simt::checks

#pragma once
// Runs a CUDA kernel on the CPU: one fiber per thread of a block, one block after the other, in one thread of the operating
// system. Warp collectives wait for the lanes of their mask and abort when these disagree; block barriers likewise; when nobody
// can go on, that is a deadlock. With a seed, the order of threads and blocks is random, and atomics are points of preemption.
// Shared memory starts as not-a-number, with poisoned gaps under AddressSanitizer.
#include <cstdint>
#include <functional>
#include <source_location>
#include <stdexcept>
#include <type_traits>

namespace simt {

/// A kernel did what no GPU would survive: what, which thread, file and line.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

using Site = std::source_location;

/// What a kernel sees of the thread that runs it.
struct Thread {
  uint3 index{};
  unsigned lane = 0, warp = 0;
};
extern Thread* this_thread;
extern uint3 this_block;
extern dim3 block_size, grid_size;

enum class Collective : std::uint8_t { shuffle, ballot, any, all, match, reduce_or, sync };
/// The calling lane waits for the others of `mask`. `data`: `bytes` that a shuffle replaces by those of lane `source`, or that
/// a match compares; votes take `source` as their predicate, reductions as their value. Returns the result of votes, matches
/// and reductions.
unsigned meet(Collective kind, unsigned mask, void* data, unsigned bytes, int source, Site site);

enum class Barrier : std::uint8_t { plain, count };
int wait_for_block(Barrier kind, bool predicate, Site site);

/// With a seed: now and then another thread goes first.
void preemption_point();

/// Memory of the block that runs, for a variable whose place is kept in `slot`.
void* shared_memory(void** slot, std::size_t bytes);
void* dynamic_shared_memory();

/// Of a block; `granted`: what the kernel has asked for, 0: nothing.
struct DynamicMemory {
  std::size_t bytes = 0, granted = 0;
};
/// Runs `body` in every thread of every block. Throws Error.
void run(dim3 grid, dim3 block, DynamicMemory dynamic, const std::function<void()>& body, const char* name);

/// 0: threads and blocks in order, no preemption. Also set by the environment variable UPLIFT_SIMT_SEED.
void set_seed(std::uint64_t seed);
std::uint64_t seed();
std::uint64_t seed_from_environment();

/// A variable in shared memory: one per place in the source (`Tag`), new for each block.
template <class T, class Tag>
T& shared_variable(Tag) {
  static_assert(std::is_trivially_destructible_v<T>);
  static void* slot = nullptr;
  return *static_cast<T*>(slot ? slot : shared_memory(&slot, sizeof(T)));
}

}  // namespace simt

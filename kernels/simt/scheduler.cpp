#include <cuda_runtime.h>
#include <sys/mman.h>

#include <array>
#include <boost/context/detail/fcontext.hpp>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "simt/fiber.hpp"
#include "simt/shared_memory.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#define UPLIFT_SIMT_ASAN 1
#endif

namespace simt {

std::uint64_t seed_from_environment() {
  const char* text = std::getenv("UPLIFT_SIMT_SEED");
  return text ? std::strtoull(text, nullptr, 10) : 0;
}

Thread* this_thread = nullptr;
uint3 this_block{};
dim3 block_size, grid_size;

namespace {

namespace context = boost::context::detail;

constexpr std::size_t stack_bytes = 256 * 1024, guard_bytes = 4096;

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t operator()() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  template <class C>
  void shuffle(C& c) {
    for (std::size_t i = c.size(); i > 1; --i) std::swap(c[i - 1], c[(*this)() % i]);
  }

 private:
  std::uint64_t state_;
};

#ifdef UPLIFT_SIMT_ASAN
const void* main_bottom = nullptr;  // the main thread's stack, as AddressSanitizer knows it
std::size_t main_bytes = 0;
#endif

class Scheduler {
 public:
  void run(dim3 grid, dim3 block, DynamicMemory dynamic, const std::function<void()>& body, const char* name);
  unsigned meet(Collective kind, unsigned mask, void* data, unsigned bytes, int source, Site site);
  int wait_for_block(Barrier kind, bool predicate, Site site);
  void preemption_point();
  void* shared_memory(void** slot, std::size_t bytes) {
    void* place = shared_.variable(slot, bytes);
    if (!place) fail("more shared memory than a block has (48 KiB, or what cudaFuncSetAttribute asked for)");
    return place;
  }
  void* dynamic_shared_memory() const { return shared_.dynamic(); }
  void set_seed(std::uint64_t seed) {
    seed_ = seed;
    random_ = Random(seed);
  }
  std::uint64_t seed() const { return seed_; }

 private:
  void make_context(Fiber& f);
  static void begin_life(context::transfer_t t);
  void switch_to(Fiber& to);
  void next();
  void life();
  void retire();
  void release_barrier();
  void complete(Warp& warp, unsigned mask);
  static void tell_clocks(std::span<Fiber* const> who, void (*meet)(std::span<checks::ThreadClock* const>)) {
    if (!checks::watched()) return;
    std::vector<checks::ThreadClock*> clocks;
    for (Fiber* f : who) clocks.push_back(&f->clock);
    meet(clocks);
  }
  void make_ready(Fiber* f) {
    f->state = State::ready;
    ready_.push_back(f);
  }
  [[noreturn]] void fail(std::string what);
  Lanes lanes_of(const Warp& w) const;

  Fiber main_;
  Fiber* current_ = &main_;
  std::vector<std::unique_ptr<Fiber>> pool_;
  std::vector<Fiber*> threads_;  // by number in the block
  std::vector<Warp> warps_;
  std::deque<Fiber*> ready_;
  std::size_t returned_ = 0, at_barrier_ = 0;
  const std::function<void()>* body_ = nullptr;
  std::string failure_;
  std::exception_ptr exception_;
  std::uint64_t seed_ = seed_from_environment();
  Random random_{seed_};
  SharedMemory shared_;
};

Scheduler& scheduler() {
  static Scheduler one;
  return one;
}

void Scheduler::make_context(Fiber& f) {
  if (!f.stack) {
    void* memory = mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw Error("no memory for the stacks of an emulated block");
    f.stack = static_cast<char*>(memory);
    mprotect(f.stack, guard_bytes, PROT_NONE);
  }
  unpoison(f.stack + guard_bytes, stack_bytes - guard_bytes);
  f.fake_stack = nullptr;
  f.context = nullptr;  // made when it first runs
}

struct Switch {
  Scheduler* scheduler;
  Fiber* from;
};

/// Leaves the current fiber for another, or for the main thread.
void Scheduler::switch_to(Fiber& to) {
  Fiber& from = *current_;
  checks::run_thread(&to == &main_ ? nullptr : &to.clock);
  if (&from == &to) return;
  current_ = &to;
  this_thread = &to;
#ifdef UPLIFT_SIMT_ASAN
  if (&to == &main_)
    __sanitizer_start_switch_fiber(&from.fake_stack, main_bottom, main_bytes);
  else
    __sanitizer_start_switch_fiber(&from.fake_stack, to.stack + guard_bytes, stack_bytes - guard_bytes);
#endif
  if (!to.context) to.context = context::make_fcontext(to.stack + stack_bytes, stack_bytes - guard_bytes, begin_life);
  Switch whence{this, &from};
  const context::transfer_t back = context::jump_fcontext(to.context, &whence);
  static_cast<Switch*>(back.data)->from->context = back.fctx;
#ifdef UPLIFT_SIMT_ASAN
  __sanitizer_finish_switch_fiber(from.fake_stack, nullptr, nullptr);
#endif
}

void Scheduler::begin_life(context::transfer_t t) {
  const Switch& whence = *static_cast<Switch*>(t.data);
  whence.from->context = t.fctx;
#ifdef UPLIFT_SIMT_ASAN
  const void* bottom = nullptr;
  std::size_t bytes = 0;
  __sanitizer_finish_switch_fiber(nullptr, &bottom, &bytes);
  if (whence.from == &whence.scheduler->main_) {
    main_bottom = bottom;
    main_bytes = bytes;
  }
#endif
  whence.scheduler->life();
}

struct Failed {};

/// Ends the block: unwinds the current fiber, and life() goes to the main thread. The other fibers are left where they are.
void Scheduler::fail(std::string what) {
  failure_ = std::move(what);
  throw Failed{};
}

/// The current fiber waits or has returned: somebody else.
void Scheduler::next() {
  if (!ready_.empty()) {
    Fiber* f = ready_.front();
    ready_.pop_front();
    switch_to(*f);
    return;
  }
  if (returned_ == threads_.size()) {
    switch_to(main_);
    return;
  }
  std::string text = "deadlock, no thread can go on:";
  for (const State state : {State::in_collective, State::at_barrier, State::returned}) {
    int shown = 0;
    for (const Fiber* f : threads_)
      if (f->state == state && shown++ < 3) text += "\n  " + describe(*f);
  }
  fail(text);
}

/// What a fiber does, block after block.
void Scheduler::life() {
  for (;;) {
    try {
      (*body_)();
      retire();
      next();
      continue;
    } catch (const Failed&) {
    } catch (...) {
      exception_ = std::current_exception();
      failure_ = "an exception";
    }
    switch_to(main_);  // not from within a handler: handlers belong to the thread, not to the fiber
  }
}

/// The current fiber has returned. Lanes that have returned count as arrived, on the hardware too.
void Scheduler::retire() {
  Fiber* f = current_;
  f->state = State::returned;
  ++returned_;
  Warp& warp = warps_[f->warp];
  warp.returned |= 1u << f->lane;
  for (Fiber* other : lanes_of(warp))
    if (other && other->state == State::in_collective && (other->mask >> f->lane & 1) &&
        ((warp.waiting | warp.returned) & other->mask) == other->mask) {
      complete(warp, other->mask);
      break;
    }
  if (at_barrier_ > 0 && at_barrier_ + returned_ == threads_.size()) release_barrier();
}

Lanes Scheduler::lanes_of(const Warp& w) const {
  Lanes lanes{};
  const auto first = static_cast<std::size_t>(&w - warps_.data()) * warp_lanes;
  for (std::size_t k = 0; k < warp_lanes && first + k < threads_.size(); ++k) lanes[k] = threads_[first + k];
  return lanes;
}

unsigned Scheduler::meet(Collective kind, unsigned mask, void* data, unsigned bytes, int source, Site site) {
  Fiber* f = current_;
  Warp& warp = warps_[f->warp];
  f->collective = kind;
  f->mask = mask & warp.all;  // a last warp that is not full
  f->data = data;
  f->bytes = bytes;
  f->source = source;
  f->site = site;
  f->state = State::in_collective;
  if (!(f->mask >> f->lane & 1)) fail("the calling lane is not in its own mask:\n  " + describe(*f));
  warp.waiting |= 1u << f->lane;
  if (((warp.waiting | warp.returned) & f->mask) == f->mask) complete(warp, f->mask);
  next();
  return f->result;
}

/// All lanes of `mask` have come, or returned: do they agree? Then each gets its result.
void Scheduler::complete(Warp& warp, unsigned mask) {
  const auto lanes = lanes_of(warp);
  const unsigned live = mask & ~warp.returned;
  const Fiber& first = *lanes[static_cast<std::size_t>(std::countr_zero(live))];
  std::array<Fiber*, warp_lanes> released;
  std::size_t count = 0;
  for (unsigned k = 0; k < warp_lanes; ++k) {
    if (!(live >> k & 1)) continue;
    Fiber* f = lanes[k];
    if (f->collective != first.collective || f->mask != mask || f->bytes != first.bytes || !same(f->site, first.site))
      fail("lanes of one mask meet in different collectives:\n  " + describe(first) + "\n  " + describe(*f));
    released[count++] = f;
  }
  if (first.collective == Collective::sync) tell_clocks(std::span(released.data(), count), checks::meet_in_warp);
  if (const std::string wrong = give_results(lanes, live); !wrong.empty()) fail(wrong);
  warp.waiting &= ~live;
  const std::span<Fiber*> all(released.data(), count);
  if (seed_) random_.shuffle(all);
  for (Fiber* f : all) make_ready(f);
}

int Scheduler::wait_for_block(Barrier kind, bool predicate, Site site) {
  Fiber* f = current_;
  f->state = State::at_barrier;
  f->barrier = kind;
  f->predicate = predicate;
  f->site = site;
  ++at_barrier_;
  if (at_barrier_ + returned_ == threads_.size()) release_barrier();
  next();
  return static_cast<int>(f->result);
}

void Scheduler::release_barrier() {
  std::vector<Fiber*> waiting;
  unsigned yes = 0;
  for (Fiber* f : threads_) {
    if (f->state != State::at_barrier) continue;
    waiting.push_back(f);
    yes += f->predicate;
    if (!same(f->site, waiting.front()->site) || f->barrier != waiting.front()->barrier)
      fail("threads of a block wait at different barriers:\n  " + describe(*waiting.front()) + "\n  " + describe(*f));
  }
  at_barrier_ = 0;
  tell_clocks(waiting, checks::meet_in_block);
  for (Fiber* f : waiting) f->result = yes;
  if (seed_) random_.shuffle(waiting);
  for (Fiber* f : waiting) make_ready(f);
}

void Scheduler::preemption_point() {
  if (!seed_ || current_ == &main_ || (random_() & 7) != 0) return;
  make_ready(current_);
  next();
}

void Scheduler::run(dim3 grid, dim3 block, DynamicMemory dynamic, const std::function<void()>& body, const char* name) {
  const std::size_t count = static_cast<std::size_t>(block.x) * block.y * block.z;
  if (count == 0 || count > 1024 || grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.y > 65535 || grid.z > 65535 ||
      !SharedMemory::may_have(dynamic))
    throw Error(std::string(name) + ": a grid or block of this size cannot be launched");
  while (pool_.size() < count) {
    pool_.push_back(std::make_unique<Fiber>());
    make_context(*pool_.back());
  }
  block_size = block;
  grid_size = grid;
  body_ = &body;
  threads_.resize(count);
  checks::begin_kernel(name);
  const std::uint64_t blocks = static_cast<std::uint64_t>(grid.x) * grid.y * grid.z;
  std::vector<std::uint64_t> order(blocks);
  for (std::uint64_t b = 0; b < blocks; ++b) order[b] = b;
  if (seed_) random_.shuffle(order);
  for (const std::uint64_t b : order) {
    this_block = {static_cast<unsigned>(b % grid.x), static_cast<unsigned>(b / grid.x % grid.y),
                  static_cast<unsigned>(b / grid.x / grid.y)};
    checks::begin_block(static_cast<std::uint32_t>(b));
    shared_.begin_block(dynamic);
    warps_.assign((count + warp_lanes - 1) / warp_lanes, {});
    ready_.clear();
    returned_ = at_barrier_ = 0;
    for (std::size_t i = 0; i < count; ++i) {
      Fiber& f = *pool_[i];
      threads_[i] = &f;
      const auto n = static_cast<unsigned>(i);
      f.lane = n % warp_lanes;
      f.warp = n / warp_lanes;
      f.index = {n % block.x, n / block.x % block.y, n / block.x / block.y};
      warps_[f.warp].all |= 1u << f.lane;
      checks::begin_thread(f.clock, n);
    }
    std::vector<Fiber*> start = threads_;
    if (seed_) random_.shuffle(start);
    for (Fiber* f : start) make_ready(f);
    failure_.clear();
    next();
    this_thread = nullptr;
    if (failure_.empty()) continue;
    for (auto& f : pool_) make_context(*f);  // the stuck ones are left where they are
    if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
    throw Error(std::string("kernel ") + name + ", block (" + std::to_string(this_block.x) + ", " +
                std::to_string(this_block.y) + ", " + std::to_string(this_block.z) + "): " + failure_);
  }
}

}  // namespace

unsigned meet(Collective kind, unsigned mask, void* data, unsigned bytes, int source, Site site) {
  return scheduler().meet(kind, mask, data, bytes, source, site);
}
int wait_for_block(Barrier kind, bool predicate, Site site) { return scheduler().wait_for_block(kind, predicate, site); }
void preemption_point() { scheduler().preemption_point(); }
void* shared_memory(void** slot, std::size_t bytes) { return scheduler().shared_memory(slot, bytes); }
void* dynamic_shared_memory() { return scheduler().dynamic_shared_memory(); }
void set_seed(std::uint64_t seed) { scheduler().set_seed(seed); }
std::uint64_t seed() { return scheduler().seed(); }
void run(dim3 grid, dim3 block, DynamicMemory dynamic, const std::function<void()>& body, const char* name) {
  scheduler().run(grid, block, dynamic, body, name);
}

}  // namespace simt

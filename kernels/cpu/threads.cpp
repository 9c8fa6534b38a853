#include "cpu/threads.hpp"

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "uplift/core/assert.hpp"
#include "uplift/core/start_thread.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace uplift::cpu {
namespace {

// A step has tens of short parallel loops, so a thread looks for the next one for some tens of microseconds before it sleeps.
// It must sleep in the end: a barrier that spins for ever makes a run many times slower when another program wants the same
// cores.
constexpr int spins_before_sleep = 1500;

void spin_once() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

/// Waits until value is no longer `old`: spins, then sleeps.
template <class T>
void wait_while(const std::atomic<T>& value, T old) {
  for (int i = 0; i < spins_before_sleep; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    spin_once();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

// The loop in progress is over when its tasks are done, not when every thread has come by: a thread whose core is taken by
// another program holds nobody up unless it has a task in hand.
// Each thread begins with a share of the tasks that lies together, and goes on with those of others: neighbouring tasks work on
// neighbouring memory, loop after loop, which stays in the cache of one core. Tasks are taken by advancing the ticket of a
// share, which holds the loop's number and the next task together, and which run() closes before it writes about the next loop:
// success proves that what was read about the loop belongs to it.
class ThreadPool {
 public:
  explicit ThreadPool(int count) : count_(static_cast<std::uint32_t>(count)), shares_(static_cast<std::size_t>(count)) {
    try {
      for (int thread = 1; thread < count; ++thread) workers_.push_back(start_thread([this, thread] { work(thread); }));
    } catch (...) {
      end();
      throw;
    }
  }

  ~ThreadPool() { end(); }

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  void run(int tasks, void (*call)(void*, int, int), void* function) {
    UPLIFT_EXPECT(pending_.load(std::memory_order_relaxed) == 0);  // neither nested nor called by two threads
    failure_ = nullptr;
    const std::uint32_t loop = loops_.load(std::memory_order_relaxed) + 1;
    const std::uint64_t first = static_cast<std::uint64_t>(loop) << 32;
    for (Share& share : shares_) share.ticket.store(first | closed, std::memory_order_relaxed);
    call_.store(call, std::memory_order_release);
    function_.store(function, std::memory_order_release);
    tasks_.store(static_cast<std::uint32_t>(tasks), std::memory_order_release);
    pending_.store(tasks, std::memory_order_relaxed);
    for (std::uint32_t k = 0; k < count_; ++k)
      shares_[k].ticket.store(first | share_begin(k, static_cast<std::uint32_t>(tasks)), std::memory_order_release);
    loops_.store(loop, std::memory_order_seq_cst);
    loops_.notify_all();
    take_all_tasks(0);
    for (int left; (left = pending_.load(std::memory_order_acquire)) != 0;) wait_while(pending_, left);
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void end() {
    stop_ = true;
    ++loops_;
    loops_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  void work(int thread) {
    for (std::uint32_t seen = 0;;) {
      wait_while(loops_, seen);
      seen = loops_.load(std::memory_order_acquire);
      if (stop_) return;
      take_all_tasks(thread);
    }
  }

  /// The first task of share `k`, which ends where the next begins.
  std::uint32_t share_begin(std::uint32_t k, std::uint32_t tasks) const {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(k) * tasks / count_);
  }

  void take_all_tasks(int thread) {
    for (std::uint32_t k = 0; k < count_; ++k) take_tasks(thread, (static_cast<std::uint32_t>(thread) + k) % count_);
  }

  void take_tasks(int thread, std::uint32_t share) {
    std::atomic<std::uint64_t>& share_ticket = shares_[share].ticket;
    std::uint64_t ticket = share_ticket.load(std::memory_order_acquire);
    for (;;) {
      const auto call = call_.load(std::memory_order_acquire);
      void* const function = function_.load(std::memory_order_acquire);
      const auto task = static_cast<std::uint32_t>(ticket);
      if (task >= share_begin(share + 1, tasks_.load(std::memory_order_acquire))) return;
      if (!share_ticket.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel, std::memory_order_acquire))
        continue;
      try {
        call(function, static_cast<int>(task), thread);
      } catch (...) {
        const std::lock_guard lock(failure_mutex_);
        if (!failure_) failure_ = std::current_exception();
      }
      if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) pending_.notify_one();
      ticket = share_ticket.load(std::memory_order_acquire);
    }
  }

  static constexpr std::uint64_t closed = 0xffffffffu;  // more than any number of tasks

  // What changes hands on its own cache line each.
  struct alignas(64) Share {
    std::atomic<std::uint64_t> ticket{closed};
  };
  const std::uint32_t count_;
  std::vector<Share> shares_;
  alignas(64) std::atomic<int> pending_{0};
  alignas(64) std::atomic<std::uint32_t> loops_{0};
  std::atomic<bool> stop_{false};
  std::atomic<void (*)(void*, int, int)> call_{nullptr};
  std::atomic<void*> function_{nullptr};
  std::atomic<std::uint32_t> tasks_{0};
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
  std::vector<std::thread> workers_;
};

Threads::Threads(int count)
    : count_(count < 1 ? 1 : count), pool_(count_ > 1 ? std::make_shared<ThreadPool>(count_) : nullptr) {}

void Threads::run(int tasks, Call call, void* function) const { pool_->run(tasks, call, function); }

}  // namespace uplift::cpu

#pragma once
// The one way to use threads on the CPU. Work is cut into tasks whose number and contents never depend on the number of
// threads; together with fixed-point sums that makes every result the same for any number of threads.
#include <memory>
#include <type_traits>

namespace uplift::cpu {

class ThreadPool;

/// A handle on a pool of `count` threads, the calling one included. Copies share the pool.
class Threads {
 public:
  explicit Threads(int count);
  int count() const { return count_; }

  /// Calls f(task, thread) for every task in [0, tasks) and returns when all are done. A thread begins with its share of the
  /// tasks, in order, and then helps others with theirs. `thread` is in [0, count). The first exception of a task is thrown
  /// here, after the other tasks have run. Only one thread may call this at a time, and tasks may not call it themselves.
  template <class F>
  void for_each(int tasks, F&& f) const {
    if (!pool_ || tasks <= 1) {
      for (int task = 0; task < tasks; ++task) f(task, 0);
      return;
    }
    using Function = std::remove_reference_t<F>;
    run(
        tasks, [](void* function, int task, int thread) { (*static_cast<Function*>(function))(task, thread); },
        const_cast<void*>(static_cast<const void*>(&f)));
  }

  /// Calls f(first, last, thread) on blocks of `block` items covering [0, items).
  template <class F>
  void for_blocks(int items, int block, F&& f) const {
    for_each((items + block - 1) / block, [&](int task, int thread) {
      const int first = task * block;
      f(first, first + block < items ? first + block : items, thread);
    });
  }

 private:
  using Call = void (*)(void* function, int task, int thread);
  void run(int tasks, Call call, void* function) const;

  int count_;
  std::shared_ptr<ThreadPool> pool_;  // null for one thread
};

}  // namespace uplift::cpu

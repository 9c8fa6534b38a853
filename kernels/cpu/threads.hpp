#pragma once
// The one way to start threads on the CPU. Work is cut into tasks whose number and contents never depend on the number of threads;
// together with fixed-point sums that makes every result the same for any number of threads.
#include <omp.h>

#include <exception>

namespace uplift::cpu {

class Threads {
 public:
  explicit Threads(int count) : count_(count < 1 ? 1 : count) {}
  int count() const { return count_; }

  /// Calls f(task, thread) for every task in [0, tasks), tasks handed out in order to whichever thread is free.
  template <class F>
  void for_each(int tasks, F&& f) const {
    if (tasks <= 0) return;
    std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, 1) num_threads(count_) if (tasks > 1 && count_ > 1)
    for (int task = 0; task < tasks; ++task) {
      try {
        f(task, omp_get_thread_num());
      } catch (...) {
#pragma omp critical(uplift_threads_failure)
        if (!failure) failure = std::current_exception();
      }
    }
    if (failure) std::rethrow_exception(failure);
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
  int count_;
};

}  // namespace uplift::cpu

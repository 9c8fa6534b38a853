#pragma once
// Output that a run does not wait for: one thread that works off what it is given, in order.
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace uplift {

/// Jobs are done one at a time, so that libraries which are not thread-safe (HDF5) are entered by one thread alone, as long as
/// everybody else calls drain() before they enter.
class BackgroundWriter {
 public:
  /// `most_waiting`: jobs that may be queued. What they hold on to is bounded by whoever makes them.
  explicit BackgroundWriter(std::size_t most_waiting = 1024) : most_waiting_(most_waiting) {}
  /// Does what is queued. An error that nobody has heard of is lost.
  ~BackgroundWriter();
  BackgroundWriter(const BackgroundWriter&) = delete;
  BackgroundWriter& operator=(const BackgroundWriter&) = delete;

  /// Queues a job; waits for room first. Rethrows what an earlier job has thrown, from then on always; jobs after that one are
  /// dropped.
  void add(std::function<void()> job);
  /// Waits until all is done. Rethrows as add() does.
  void drain();

 private:
  void work();
  void start();
  void rethrow() const;

  std::size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool busy_ = false, ends_ = false;
  std::exception_ptr error_;
  std::thread thread_;  ///< from the first job on
};

}  // namespace uplift

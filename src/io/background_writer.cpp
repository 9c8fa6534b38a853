#include "uplift/io/background_writer.hpp"

#include <utility>

namespace uplift {

BackgroundWriter::~BackgroundWriter() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void BackgroundWriter::add(std::function<void()> job) {
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  changed_.wait(lock, [&] { return failed_ || jobs_.size() < most_waiting_; });
  rethrow();
  if (failed_) return;
  jobs_.push_back(std::move(job));
  changed_.notify_all();
}

void BackgroundWriter::drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return jobs_.empty() && !busy_; });
  rethrow();
}

/// Once: whoever hears of the error ends the run.
void BackgroundWriter::rethrow() {
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void BackgroundWriter::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ends_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    busy_ = true;
    changed_.notify_all();
    lock.unlock();
    std::exception_ptr error;
    try {
      job();
    } catch (...) {
      error = std::current_exception();
    }
    job = nullptr;  // what it held goes before anybody hears that it is done
    lock.lock();
    busy_ = false;
    if (error) {
      error_ = error;
      failed_ = true;
      jobs_.clear();
    }
    changed_.notify_all();
  }
}

}  // namespace uplift

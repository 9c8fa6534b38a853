#include "uplift/io/background_writer.hpp"

#include <utility>

#include "uplift/core/start_thread.hpp"

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
  if (!thread_.joinable()) start();
  changed_.wait(lock, [&] { return error_ || jobs_.size() < most_waiting_; });
  rethrow();
  jobs_.push_back(std::move(job));
  changed_.notify_all();
}

void BackgroundWriter::drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return jobs_.empty() && !busy_; });
  rethrow();
}

/// Again and again: nobody may take what is lost for written.
void BackgroundWriter::rethrow() const {
  if (error_) std::rethrow_exception(error_);
}

/// Signals are for the thread that runs the simulation.
void BackgroundWriter::start() {
  thread_ = start_quiet_thread([this] { work(); });
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
      jobs_.clear();
    }
    changed_.notify_all();
  }
}

}  // namespace uplift

#pragma once
// Threads, of which a user or a job may have only so many.
#include <pthread.h>

#include <csignal>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "uplift/core/error.hpp"

namespace uplift {

/// Throws SimulationError where there can be no more.
template <class F>
std::thread start_thread(F&& f) {
  try {
    return std::thread(std::forward<F>(f));
  } catch (const std::system_error& e) {
    throw SimulationError("no more threads can be started (" + e.code().message() +
                          "): see ulimit -u and -v, or the limits of the job; compute.threads and --threads take fewer");
  }
}

/// One that leaves signals to the main thread.
template <class F>
std::thread start_quiet_thread(F&& f) {
  struct Blocked {
    sigset_t before;
    Blocked() {
      sigset_t all;
      sigfillset(&all);
      pthread_sigmask(SIG_SETMASK, &all, &before);
    }
    ~Blocked() { pthread_sigmask(SIG_SETMASK, &before, nullptr); }
  };
  const Blocked signals;
  return start_thread(std::forward<F>(f));
}

}  // namespace uplift

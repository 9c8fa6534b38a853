#include "stop_reasons.hpp"

#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <regex>

#include "rank_guard.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/progress.hpp"
#include "uplift/io/text_file.hpp"
#include "uplift/io/units.hpp"

namespace uplift::app {
namespace {

std::atomic<int> stop_signal = 0;                   // read by the threads of replicas, too
std::array<std::atomic<std::int64_t>, NSIG> heard;  // when each came first [ms of the steady clock]
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free);
constexpr std::int64_t echo = 500;  // [ms]

/// The first signal asks for a stop at the next step; a second one ends the process at once, by the default action. But not one
/// that is the same, sent twice: timeout(1) sends it to its child and to the group, and a batch system and mpirun may both send
/// it. Nor that of a terminal which has gone: its shell and the kernel may both say so. Nor that of a limit of CPU time, which
/// comes again each second up to the hard limit, another signal. Nor one that a guard passes on.
extern "C" void on_signal(int number, siginfo_t* from, void*) {
  const bool by_guard = from && from->si_code == SI_QUEUE && from->si_value.sival_int == passed_on;
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  const std::int64_t now = 1 + std::int64_t{1000} * t.tv_sec + t.tv_nsec / 1000000;
  std::int64_t first = 0;
  stop_signal = number;
  if (heard[static_cast<std::size_t>(number)].compare_exchange_strong(first, now) || number == SIGHUP || number == SIGXCPU ||
      by_guard || now - first < echo)
    return;
  std::signal(number, SIG_DFL);
  std::raise(number);  // when this has returned
}

void hear(int number) {
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(number, &action, nullptr);
}

/// nohup ignores it. Libraries may take signals as they are loaded (one of Debian 13's does), so this looks before they are.
bool hangup_was_ignored = false;
void look_at_hangup(int, char**, char**) {
  struct sigaction now {};
  hangup_was_ignored = ::sigaction(SIGHUP, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}
__attribute__((section(".preinit_array"), used)) void (*const before_libraries)(int, char**, char**) = look_at_hangup;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double seconds_of(const std::string& max_time) {
  if (double bare = 0; parse_real(max_time, bare))
    throw InputError("--max-time " + max_time + ": has no unit; for hours write --max-time " + max_time + "h, for minutes " +
                     max_time + "min");
  try {
    const double picoseconds = parse_quantity(max_time, dimension::time);
    if (picoseconds > 0) return picoseconds * 1e-12;
  } catch (const std::exception& e) {
    throw InputError("--max-time: " + std::string(e.what()) + "; give wall-clock time, as in --max-time 23.5h");
  }
  throw InputError("--max-time: '" + max_time + "' is no time to run in; give wall-clock time, as in --max-time 23.5h");
}

/// Seconds until Slurm ends this job, by SLURM_JOB_END_TIME, seconds since 1970: of Slurm 23, or of our job scripts.
constexpr double forever = 1e9;  // a job without a limit [s]
std::optional<double> left_of_job() {
  const char* end = std::getenv("SLURM_JOB_END_TIME");
  double at = 0;
  if (!end || !parse_real(end, at) || !(at > 0)) return {};
  return at - std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

double stop_before_end(double left) { return left - std::clamp(left / 20, 10.0, 120.0); }

double seconds_of_limit(const std::string& text) {
  static const std::regex clock(R"((?:(\d{1,5})-)?(?:(\d{1,5}):)?(\d{1,7})(?::(\d{1,2}))?)");
  std::smatch m;
  if (std::regex_match(text, m, clock)) {
    const auto part = [&](int k) {
      return m[static_cast<std::size_t>(k)].matched ? std::stod(m[static_cast<std::size_t>(k)]) : 0;
    };
    // Slurm: minutes, minutes:seconds, hours:minutes:seconds; behind days hours, hours:minutes, hours:minutes:seconds.
    const bool days = m[1].matched, first = m[2].matched, last = m[4].matched;
    if (days) return 86400 * part(1) + (first ? 3600 * part(2) + 60 * part(3) + part(4) : 3600 * part(3) + 60 * part(4));
    if (first && last) return 3600 * part(2) + 60 * part(3) + part(4);
    return first ? 60 * part(2) + part(3) : 60 * part(3) + part(4);
  }
  try {
    return std::max(0.0, parse_quantity(text, dimension::time) * 1e-12);
  } catch (const std::exception&) {
    return 0;
  }
}

StopReasons::StopReasons(const std::string& max_time) {
  if (!max_time.empty()) deadline_ = Deadline{now() + seconds_of(max_time), "--max-time " + max_time};
  if (const std::optional<double> left = left_of_job(); left && *left <= 0) {
    announcement_ =
        "SLURM_JOB_END_TIME has passed, so it is not the end of this job (a variable of an earlier one?): it is ignored";
  } else if (left && *left < forever) {
    const double at = now() + stop_before_end(*left);
    announcement_ = "the Slurm job ends in " + duration_text(*left) + ": this run stops " +
                    duration_text(*left - (at - now())) + " before that, with a checkpoint";
    if (!deadline_ || at < deadline_->at) deadline_ = Deadline{at, "the end of its Slurm job"};
  }
  for (int number : stop_signals)
    if (number == SIGHUP && hangup_was_ignored)
      std::signal(number, SIG_IGN);
    else
      hear(number);
  std::signal(SIGPIPE, SIG_IGN);  // whoever reads the progress may go away; the run goes on
}

std::string StopReasons::operator()() const {
  if (const int number = stop_signal) return "signal " + std::to_string(number);
  return deadline_ && now() >= deadline_->at ? deadline_->why : "";
}

}  // namespace uplift::app

#pragma once
// When a run has to end early: a signal, --max-time, or the end of its Slurm job.
#include <array>
#include <csignal>
#include <optional>
#include <string>

namespace uplift::app {

/// What asks a run to stop with a checkpoint, from users, batch systems and limits of CPU time.
inline constexpr std::array stop_signals = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU, SIGHUP};

class StopReasons {
 public:
  /// `max_time`: wall-clock time, "23.5h"; empty: none. Takes stop_signals, SIGHUP where it is not ignored, for the
  /// process: the first one asks for a stop, a second one (but SIGHUP and SIGXCPU) ends it at once. A closed pipe is no reason.
  /// Throws InputError.
  explicit StopReasons(const std::string& max_time);

  /// Empty: go on. Cheap, and for any thread.
  std::string operator()() const;
  /// For the log: when this run will stop by itself; empty: never.
  std::string announcement() const { return announcement_; }

 private:
  struct Deadline {
    double at;  ///< steady clock [s]
    std::string why;
  };
  std::optional<Deadline> deadline_;
  std::string announcement_;
};

/// Seconds from now at which a job that ends in `left` seconds should stop to have time for its checkpoint: a twentieth of what
/// is left before, at least 10 s and at most 2 min.
double stop_before_end(double left);

/// [s] of "23.5h", "90 min", or Slurm's "1-12:00:00", "12:00:00", "30:00", "30" (minutes), 0 where it is none of these.
double seconds_of_limit(const std::string& text);

}  // namespace uplift::app

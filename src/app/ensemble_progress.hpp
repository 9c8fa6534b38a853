#pragma once
// How far the replicas of one process have come: one live line for all of them.
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "uplift/io/run_log.hpp"
#include "uplift/model/settings.hpp"

namespace uplift::app {

class EnsembleProgress {
 public:
  EnsembleProgress(const RunInput& input, int replicas);

  /// From the thread of a replica, after every step: `step` of a stage that goes from `first` to `last`.
  void step(int replica, int stage, std::int64_t step, std::int64_t first);
  void ended(int replica);

  /// From the main thread: the live line on a terminal; elsewhere, and in the log, plain lines at increasing intervals.
  void show(RunLog& log);

 private:
  struct Seat {
    std::atomic<int> stage{-1};
    std::atomic<double> done{0};    ///< of the whole run [ps]
    std::atomic<double> before{0};  ///< of it before this process began [ps]
    std::atomic<bool> begun{false}, ended{false};
  };
  std::string line(double elapsed) const;

  std::vector<StageSettings> stages_;
  std::vector<double> start_;  ///< [stages] time of the run before it [ps]
  double length_ = 0;          ///< of the run [ps]
  int replicas_;
  std::unique_ptr<Seat[]> seats_;
  double began_, next_live_, next_plain_;  ///< steady clock [s]
};

}  // namespace uplift::app

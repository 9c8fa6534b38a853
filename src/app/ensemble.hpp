#pragma once
// Several replicas of one run: each a Run of its own in a directory of its own, with a thread of its own; spread over ranks.
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ensemble_progress.hpp"
#include "exchange_conductor.hpp"
#include "run.hpp"
#include "uplift/io/replicas.hpp"

namespace uplift::app {

/// What a replica has of the process that runs it.
struct ReplicaShare {
  int threads = 1;
  int turn = 0;  ///< among the replicas of the process, for its GPUs
};
/// The input of one replica (from 0): its seeds, its directory, its temperature where replicas exchange, its share.
RunInput replica_input(const RunInput& input, int replica, const ReplicaShare& share);

/// Writes replicas.json. Those that have begun keep their seeds: what goes on with others is refused.
void list_replicas(const RunInput& input);
/// How many replicas the output directory has, 0 for a new one. Throws InputError where it holds another kind of run, or more
/// of them than there are now (they would be forgotten).
int check_replicas_there(const RunInput& input);

class Ensemble {
 public:
  /// Of all `ranks` that have replicas; options.team are those that work on each of this one's, and the others of it serve.
  /// Throws InputError when the directory holds a run already and `resume` is not set, or another run.
  Ensemble(RunInput input, RunOptions options, const Communicator& ranks);
  ~Ensemble();

  /// Every replica to its end, then surfaces and report of them all. A replica that fails does not keep the others from
  /// finishing, unless they exchange with it. Returns the exit status; throws SimulationError naming the replicas that failed,
  /// InputError.
  int execute();

 private:
  /// How a replica has ended.
  struct Outcome {
    int replica = 0, status = 0;
    bool bad_input = false;
    std::string error;
    std::vector<std::string> warnings;
    double simulated = 0, seconds = 0;  ///< [ps], [s] of dynamics
  };
  class Link;

  void take_directory();
  void run_replica(int local);
  void wait_for_replicas();
  void dismiss_replicas();
  std::vector<Outcome> gather_outcomes() const;
  int conclude(const std::vector<Outcome>& outcomes, double seconds);
  std::string table(const std::vector<Outcome>& outcomes, double seconds) const;
  void write_performance(const std::vector<Outcome>& outcomes, double seconds) const;
  std::string directory_of(int replica) const;
  std::string stop_reason() const;
  std::string ranks_text() const;

  RunInput input_;
  RunOptions options_;
  const Communicator& ranks_;
  std::filesystem::path directory_;
  ReplicaRange own_;
  int threads_, places_;
  int stages_behind_ = 0;
  bool continued_ = false;
  h5::FileLock lock_;            ///< on run.log of them all; of the root
  std::unique_ptr<RunLog> log_;  ///< likewise
  std::unique_ptr<EnsembleProgress> progress_;
  std::unique_ptr<Meeting> meeting_;
  std::unique_ptr<ExchangeConductor> conductor_;
  std::vector<Outcome> outcomes_;     ///< [own replicas]
  std::atomic<bool> give_up_{false};  ///< the input is wrong: nobody needs to go on
};

}  // namespace uplift::app

// `uplift run`: one run, or several replicas.
#include <filesystem>

#include "commands.hpp"
#include "continuation.hpp"
#include "ensemble.hpp"
#include "rank_threads.hpp"
#include "ranks.hpp"
#include "run.hpp"
#include "stop_reasons.hpp"
#include "uplift/core/error.hpp"
#include "uplift/domain/communicator.hpp"
#include "uplift/io/replicas.hpp"
#include "uplift/io/run_input.hpp"

namespace uplift::app {
namespace {

void check_replica(const RunInput& input, int replica) {
  if (replica > input.compute.replicas)
    throw InputError("--replica " + std::to_string(replica) + ": compute.replicas is " +
                     std::to_string(input.compute.replicas) + "; replicas count from 1");
  if (input.exchanges())
    throw InputError(
        "--replica " + std::to_string(replica) +
        ": replicas that exchange run together; leave --replica out, and give the job more threads, GPUs or ranks");
}

int run_one(RunInput input, RunOptions options) {
  Run run(std::move(input), std::move(options));
  try {
    return run.execute();
  } catch (const std::exception& e) {
    run.log().note(std::string("error: ") + e.what());
    throw;
  }
}

/// One replica of several as a run by itself: a job of an array.
int run_replica(const RunInput& input, int replica, RunOptions options) {
  make_output_directory(input.output.directory);
  check_replicas_there(input);
  list_replicas(input);
  RunInput own = replica_input(input, replica - 1, {input.compute.threads, 0});
  options.replica = "replica " + std::to_string(replica) + " of " + std::to_string(input.compute.replicas) +
                    "; dynamics.seed: " + std::to_string(own.dynamics.seed);
  return run_one(std::move(own), std::move(options));
}

}  // namespace

int run_command(const InputOptions& options, const RunSwitches& switches, const Communicator& world) {
  RunInput input = root_first(world, [&] {
    RunInput in = load_run_input(options.file, options.overrides());
    if (in.stages.empty())
      throw InputError(options.file + ": there are no stages to run; add stages: [{name: production, time: 1 ns}]");
    if (switches.replica > 0) check_replica(in, switches.replica);
    ranks_of_each(world, in.compute, switches.replica > 0 ? 1 : in.compute.replicas);
    return in;
  });
  check_same_input(world, input);
  const RankThreads threads = threads_of_rank(world);
  std::vector<std::string> announcements{threads.crowd};
  if (input.compute.threads == 0) {
    input.compute.threads = threads.count;
    announcements.push_back(threads.note);
  }
  const bool together = input.compute.replicas > 1 && switches.replica == 0;
  const int each = ranks_of_each(world, input.compute, together ? input.compute.replicas : 1);
  const Communicator team = world.split(world.rank() / each);
  const Communicator leaders = world.split(team.root() ? 0 : 1);
  const StopReasons stop_reason(switches.max_time);
  RunOptions run_options;
  run_options.quiet = switches.quiet;
  run_options.resume = switches.resume;
  run_options.stop_reason = stop_reason;
  announcements.insert(announcements.begin(), stop_reason.announcement());
  for (const std::string& one : announcements)
    if (!one.empty()) run_options.announcement += (run_options.announcement.empty() ? "" : "\n") + one;
  const Serving serving(team, input);
  if (!team.root()) return finished;
  run_options.team = team;
  if (together) return Ensemble(std::move(input), std::move(run_options), leaders).execute();
  if (switches.replica > 0) return run_replica(input, switches.replica, std::move(run_options));
  return run_one(std::move(input), std::move(run_options));
}

}  // namespace uplift::app

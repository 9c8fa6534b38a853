// `uplift run`: one run, or several replicas.
#include <filesystem>

#include "commands.hpp"
#include "ensemble.hpp"
#include "ranks.hpp"
#include "run.hpp"
#include "stop_reasons.hpp"
#include "uplift/core/error.hpp"
#include "uplift/domain/communicator.hpp"
#include "uplift/io/replicas.hpp"
#include "uplift/io/run_input.hpp"

namespace uplift::app {
namespace {

/// One replica of several as a run by itself: a job of an array.
int run_replica(const RunInput& input, int replica, RunOptions options) {
  const int replicas = input.compute.replicas;
  if (replica > replicas)
    throw InputError("--replica " + std::to_string(replica) + ": compute.replicas is " + std::to_string(replicas) +
                     "; replicas count from 1");
  if (input.exchanges())
    throw InputError(
        "--replica " + std::to_string(replica) +
        ": replicas that exchange run together; leave --replica out, and give the job more threads, GPUs or ranks");
  std::filesystem::create_directories(input.output.directory);
  write_replicas(input.output.directory, replica_entries(input));
  const RunInput own = replica_input(input, replica - 1, input.compute.threads);
  options.replica = "replica " + std::to_string(replica) + " of " + std::to_string(replicas) +
                    "; dynamics.seed: " + std::to_string(own.dynamics.seed);
  Run run(own, std::move(options));
  try {
    return run.execute();
  } catch (const std::exception& e) {
    run.log().note(std::string("error: ") + e.what());
    throw;
  }
}

}  // namespace

int run_command(const InputOptions& options, const RunSwitches& switches, const Communicator& world) {
  RunInput input = root_first(world, [&] {
    RunInput in = load_run_input(options.file, options.overrides());
    if (in.stages.empty())
      throw InputError(options.file + ": there are no stages to run; add stages: [{name: production, time: 1 ns}]");
    check_ranks(world, in.compute, switches.replica > 0 ? 1 : in.compute.replicas);
    if (world.size() > 1 && switches.replica > 0)
      throw InputError("--replica on " + std::to_string(world.size()) +
                       " ranks is not in this version; start one, with threads");
    return in;
  });
  const StopReasons stop_reason(switches.max_time);
  RunOptions run_options;
  run_options.quiet = switches.quiet;
  run_options.resume = switches.resume;
  run_options.stop_reason = stop_reason;
  run_options.announcement = stop_reason.announcement();
  if (switches.replica > 0) return run_replica(input, switches.replica, std::move(run_options));
  if (input.compute.replicas > 1) return Ensemble(std::move(input), std::move(run_options), world).execute();
  share_cores(world, input.compute);
  const Serving serving(world, input);
  if (!world.root()) return finished;
  run_options.team = world;
  Run run(std::move(input), std::move(run_options));
  try {
    return run.execute();
  } catch (const std::exception& e) {
    run.log().note(std::string("error: ") + e.what());
    throw;
  }
}

}  // namespace uplift::app

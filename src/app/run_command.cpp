// `uplift run`: when to stop, and what a failure leaves.
#include <atomic>
#include <chrono>
#include <csignal>

#include "commands.hpp"
#include "ensemble.hpp"
#include "ranks.hpp"
#include "run.hpp"
#include "uplift/core/error.hpp"
#include "uplift/domain/communicator.hpp"
#include "uplift/io/run_input.hpp"
#include "uplift/io/units.hpp"

namespace uplift::app {
namespace {

std::atomic<int> stop_signal = 0;  // read by the threads of replicas, too
static_assert(std::atomic<int>::is_always_lock_free);
/// The first signal asks for a stop at the next step; a second one ends the process at once, by the default action.
extern "C" void on_signal(int number) {
  stop_signal = number;
  std::signal(number, SIG_DFL);
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double seconds_of(const std::string& max_time) {
  try {
    const double picoseconds = parse_quantity(max_time, dimension::time);
    if (picoseconds > 0) return picoseconds * 1e-12;
  } catch (const std::exception& e) {
    throw InputError("--max-time: " + std::string(e.what()) + "; give wall-clock time, as in --max-time 23.5h");
  }
  throw InputError("--max-time: '" + max_time + "' is no time to run in; give wall-clock time, as in --max-time 23.5h");
}

}  // namespace

int run_command(const InputOptions& options, const RunSwitches& switches, const Communicator& world) {
  const double began = now();
  const double limit = switches.max_time.empty() ? 0 : seconds_of(switches.max_time);
  RunInput input = root_first(world, [&] {
    RunInput in = load_run_input(options.file, options.overrides());
    if (in.stages.empty())
      throw InputError(options.file + ": there are no stages to run; add stages: [{name: production, time: 1 ns}]");
    if (world.size() > 1 && in.compute.replicas == 1)
      throw InputError("a run on " + std::to_string(world.size()) + " ranks is not in this version; start one, with threads");
    return in;
  });
  for (int number : {SIGINT, SIGTERM, SIGUSR1}) std::signal(number, on_signal);
  const auto stop_reason = [&]() -> std::string {
    if (stop_signal) return "signal " + std::to_string(stop_signal.load());
    return limit > 0 && now() - began >= limit ? "--max-time " + switches.max_time : "";
  };
  RunOptions run_options;
  run_options.quiet = switches.quiet;
  run_options.resume = switches.resume;
  run_options.stop_reason = stop_reason;
  if (input.compute.replicas > 1) return Ensemble(std::move(input), std::move(run_options), world).execute();
  Run run(std::move(input), std::move(run_options));
  try {
    return run.execute();
  } catch (const std::exception& e) {
    run.log().note(std::string("error: ") + e.what());
    throw;
  }
}

}  // namespace uplift::app

#include "replica_checkpoints.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>

#include "run_exchange.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/checkpoint.hpp"

namespace uplift::app {
namespace {

namespace fs = std::filesystem;

/// How many exchanges a state has seen: the last stage in which there were any, and how many of them.
struct Seen {
  int stage = -1;
  std::int64_t attempts = 0;
  auto operator<=>(const Seen&) const = default;
};

constexpr std::int64_t all_of_them = std::numeric_limits<std::int64_t>::max();

struct Candidate {
  std::string file;
  Seen seen;
  int behind = 0;  ///< stages up to the last finished one that exchanges
};

/// A state at the step of an attempt has not seen it yet.
Candidate look(const RunInput& input, const std::string& file, const Checkpoint& c) {
  Candidate found{file, {}, 0};
  for (int k = 0; k < static_cast<int>(input.stages.size()) && k <= c.stage; ++k) {
    const StageSettings& stage = input.stages[static_cast<std::size_t>(k)];
    if (!stage.exchange) continue;
    const ExchangeSchedule schedule = exchange_schedule(stage);
    const std::int64_t passed = k < c.stage ? schedule.length : c.begun ? c.state.step - c.stage_step : 0;
    const std::int64_t seen = schedule.attempts(passed - 1);
    if (seen > 0) found.seen = {k, seen == schedule.attempts(schedule.length - 1) ? all_of_them : seen};
    if (passed >= schedule.length) found.behind = k + 1;
  }
  return found;
}

std::vector<Candidate> candidates(const RunInput& input, const std::string& directory) {
  const std::string newest = (fs::path(directory) / "checkpoint.upc").string();
  std::vector<Candidate> all;
  std::string why;
  for (const std::string& file : {newest, previous_checkpoint(newest)}) {
    if (!fs::exists(file)) continue;
    try {
      all.push_back(look(input, file, read_checkpoint(file)));
    } catch (const DamagedCheckpoint& e) {
      why = e.what();
    }
  }
  if (all.empty()) throw InputError(why.empty() ? directory + ": holds no checkpoint.upc" : why);
  return all;
}

}  // namespace

int align_checkpoints(const RunInput& input, const std::vector<std::string>& directories) {
  std::vector<std::vector<Candidate>> all;
  bool any = false;
  for (const std::string& directory : directories) {
    const bool begun =
        fs::exists(fs::path(directory) / "checkpoint.upc") || fs::exists(fs::path(directory) / "checkpoint.prev.upc");
    all.push_back(begun ? candidates(input, directory) : std::vector<Candidate>{{"", {}, 0}});  // from the start
    any |= begun;
  }
  if (!any) return 0;
  const auto with = [](const std::vector<Candidate>& of, const Seen& seen) {
    return std::find_if(of.begin(), of.end(), [&](const Candidate& c) { return c.seen == seen; });
  };
  std::optional<Seen> common;
  for (const Candidate& c : all.front())
    if (std::all_of(all.begin(), all.end(), [&](const auto& of) { return with(of, c.seen) != of.end(); }))
      common = std::max(common.value_or(c.seen), c.seen);
  if (!common)
    throw InputError(
        directories.front() +
        " and its neighbours: no checkpoints of all replicas fit together, some having seen more exchanges than "
        "others (was a directory put back from elsewhere, or a length of a stage changed?); begin again in another "
        "output directory");
  int behind = std::numeric_limits<int>::max();
  for (const auto& of : all) {
    const Candidate& c = *with(of, *common);
    behind = std::min(behind, c.behind);
    if (c.file.ends_with("checkpoint.prev.upc")) fs::rename(c.file, fs::path(c.file).replace_filename("checkpoint.upc"));
  }
  return behind;
}

}  // namespace uplift::app

#include "ensemble.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "commands.hpp"
#include "continuation.hpp"
#include "load.hpp"
#include "replica_checkpoints.hpp"
#include "surfaces.hpp"
#include "uplift/backend/cpu/cpu_backend.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/start_thread.hpp"
#include "uplift/io/check_output.hpp"
#include "uplift/io/info.hpp"
#include "uplift/io/replicas.hpp"
#include "uplift/io/text_file.hpp"
#include "uplift/sampling/replica_exchange.hpp"

namespace uplift::app {
namespace {

namespace fs = std::filesystem;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// How many replicas of a rank compute at a time: on the CPU as many as there are threads; on a GPU, where each has streams of
/// its own, all of them; in the emulator, which is one device with one control, one; and one, where several ranks work on it.
int places_for(const ComputeSettings& compute, int threads, int replicas, const Communicator& team) {
  if (compute.backend == "simt" || team.size() > 1) return 1;
  return with_backend(compute).backend == "cuda" ? replicas : std::min(threads, replicas);
}

/// What those do that have not failed.
std::string others_text(bool none_left, bool exchange) {
  if (none_left) return "\n";
  return exchange ? "\nThe other replicas exchange with it and have stopped with checkpoints; "
                  : "\nThe other replicas have gone on as if nothing had happened; ";
}

/// A replica has several files open all the time. The limit that a process begins with is low (1,024 as a rule), and may be
/// raised.
void allow_open_files(int replicas) {
  rlimit limit{};
  const auto wanted = static_cast<rlim_t>(1024 + 16 * replicas);
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

RunInput replica_input(const RunInput& input, int replica, const ReplicaShare& share) {
  RunInput one = input;
  one.output.directory = (fs::path(input.output.directory) / replica_name(replica)).string();
  one.compute.threads = share.threads;
  one.compute.turn = share.turn;
  one.dynamics.seed = replica_seed(input.dynamics.seed, replica);
  for (StageSettings& stage : one.stages) {
    stage.dynamics.seed = replica_seed(stage.dynamics.seed, replica);
    if (stage.exchange) stage.dynamics.temperature = stage.exchange->temperatures[at(replica)];
  }
  return one;
}

void list_replicas(const RunInput& input) {
  const fs::path directory = input.output.directory;
  std::vector<ReplicaEntry> entries;
  for (int r = 0; r < input.compute.replicas; ++r) entries.push_back({replica_name(r), replica_seed(input.dynamics.seed, r)});
  const std::vector<ReplicaEntry> there = read_replicas(directory.string());
  for (std::size_t r = 0; r < std::min(entries.size(), there.size()); ++r)
    if (fs::exists(directory / entries[r].directory / "run.log")) entries[r] = there[r];
  write_replicas(directory.string(), entries);
}

int check_replicas_there(const RunInput& input) {
  const fs::path directory = input.output.directory;
  if (fs::exists(directory / "checkpoint.upc") || fs::exists(directory / "trajectory.h5md"))
    throw InputError("output.directory: " + directory.string() +
                     " holds a run of one replica; choose another with --set output.directory=NAME");
  const int there = static_cast<int>(read_replicas(directory.string()).size()), replicas = input.compute.replicas;
  if (there > replicas || (there > 0 && there != replicas && input.exchanges()))
    throw InputError(
        fmt::format("compute.replicas: the run in {} has {}, and here are {}; put the number back{}, or choose "
                    "another output directory",
                    directory.string(), there, replicas, input.exchanges() ? "" : " (more are possible, too)"));
  return there;
}

class Ensemble::Link final : public ReplicaLink {
 public:
  Link(Ensemble& all, int local) : all_(all), local_(local) {}
  void progress(int stage, std::int64_t step, std::int64_t first, std::int64_t) override {
    all_.progress_->step(local_, stage, step, first);
  }
  MeetingAnswer meet(MeetingOffer offer) override { return all_.meeting_->attend(local_, std::move(offer)); }

 private:
  Ensemble& all_;
  int local_;
};

Ensemble::Ensemble(RunInput input, RunOptions options, const Communicator& ranks)
    : input_(std::move(input)),
      options_(std::move(options)),
      ranks_(ranks),
      directory_(input_.output.directory),
      own_(ReplicaRange::of(ranks.rank(), ranks.size(), input_.compute.replicas)) {
  allow_open_files(own_.size());
  threads_ = input_.compute.threads;
  places_ = std::max(1, places_for(input_.compute, threads_, own_.size(), options_.team));
  if (ranks_.root()) take_directory();
  std::int32_t behind = stages_behind_;
  ranks_.broadcast(behind);
  stages_behind_ = behind;
  progress_ = std::make_unique<EnsembleProgress>(input_, own_.size());
  meeting_ = std::make_unique<Meeting>(own_.size(), places_);
  conductor_ = std::make_unique<ExchangeConductor>(input_, ranks_, *meeting_, directory_);
  outcomes_.resize(at(own_.size()));
}

Ensemble::~Ensemble() = default;

std::string Ensemble::directory_of(int replica) const { return (directory_ / replica_name(replica)).string(); }

void Ensemble::take_directory() {
  make_output_directory(directory_);
  const int replicas = input_.compute.replicas;
  const auto holds_run = [&] { return may_go_on(directory_, check_replicas_there(input_) > 0, options_.resume); };
  if (!holds_run()) check_directory(input_, true);
  lock_ = h5::FileLock((directory_ / "run.log").string(), true);
  continued_ = holds_run();  // another one may have run and ended before the lock was ours
  std::vector<std::string> directories;
  for (int r = 0; r < replicas; ++r) directories.push_back(directory_of(r));
  if (continued_ && input_.exchanges()) stages_behind_ = align_checkpoints(input_, directories);
  log_ = std::make_unique<RunLog>((directory_ / "run.log").string(), choose_echo(options_.quiet), continued_);
  write_log_header(*log_, {input_.title, version, "of each replica: see its run.log", input_.resolved});
  for (const std::string& warning : input_.warnings) log_->warn(warning);
  if (!options_.announcement.empty()) log_->info(options_.announcement);
  log_->info(fmt::format("{} replicas in {}{}; {} at a time on {} {}{}", replicas, directory_.string(),
                         continued_ ? " go on" : "", places_, threads_, threads_ == 1 ? "thread" : "threads", ranks_text()));
  if (ranks_.size() > replicas)
    log_->warn(fmt::format("{} ranks, and {} replicas: {} ranks have nothing to do{}", ranks_.size() * options_.team.size(),
                           replicas, (ranks_.size() - replicas) * options_.team.size(),
                           options_.team.size() == 1 ? "; compute.ranks_per_replica lets several work on one" : ""));
  list_replicas(input_);
}

std::string Ensemble::ranks_text() const {
  if (options_.team.size() > 1)
    return fmt::format(" of each of {} ranks, {} times {} on one replica", ranks_.size() * options_.team.size(), ranks_.size(),
                       options_.team.size());
  return ranks_.size() > 1 ? fmt::format(" of each of {} ranks", ranks_.size()) : "";
}

std::string Ensemble::stop_reason() const { return give_up_ ? "an error of all replicas" : options_.stop_reason(); }

void Ensemble::run_replica(int local) {
  const int replica = own_.first + local;
  Outcome& out = outcomes_[at(local)];
  out.replica = replica;
  meeting_->take_place();
  Link link(*this, local);
  std::unique_ptr<Run> run;
  try {
    if (!stop_reason().empty()) {
      out.status = stopped_early;
    } else {
      // The first ones get what the division leaves.
      const int threads = threads_ / places_ + (local < threads_ % places_ && own_.size() <= threads_ ? 1 : 0);
      const RunInput input = replica_input(input_, replica, {std::max(1, threads), options_.team.size() > 1 ? 0 : local});
      RunOptions options;
      options.quiet = true;
      options.resume = options_.resume;
      options.stop_reason = [this] { return stop_reason(); };
      options.link = &link;
      options.team = options_.team;
      options.stages_behind = stages_behind_;
      options.replica =
          fmt::format("replica {} of {}; dynamics.seed: {}", replica + 1, input_.compute.replicas, input.dynamics.seed);
      run = std::make_unique<Run>(input, std::move(options));
      out.status = run->execute();
    }
  } catch (const DamagedRun& e) {
    out.status = failed;
    out.error = e.what();
  } catch (const InputError& e) {
    out.status = failed;
    out.bad_input = true;
    out.error = e.what();
    give_up_ = true;
  } catch (const std::bad_alloc&) {
    out.status = failed;
    out.error = "out of memory (fewer replicas at a time need less: --threads)";
  } catch (const std::exception& e) {
    out.status = failed;
    out.error = e.what();
  }
  if (run) {
    if (!out.error.empty()) run->log().note("error: " + out.error);
    if (options_.team.lost())
      options_.team.abort(fmt::format("replica {}: {}", replica + 1, out.error), out.bad_input ? bad_input : failed);
    out.warnings = run->log().warnings();
    out.simulated = run->speed().simulated;
    out.seconds = run->speed().seconds;
    run.reset();
  }
  progress_->ended(local);
  meeting_->leave();
}

void Ensemble::wait_for_replicas() {
  for (;;) {
    const Meeting::Stand stand = meeting_->wait(std::chrono::milliseconds(100));
    if (log_ && options_.stop_reason().empty()) progress_->show(*log_);
    if (stand == Meeting::Stand::working) continue;
    std::vector<int> ended;
    for (const Outcome& out : outcomes_) ended.push_back(out.status);
    if (!conductor_->round(ended)) return;
  }
}

/// Ranks cannot talk any more: the own ones end with checkpoints.
void Ensemble::dismiss_replicas() {
  give_up_ = true;
  for (;;) {
    const Meeting::Stand stand = meeting_->wait(std::chrono::milliseconds(100));
    if (stand == Meeting::Stand::over) return;
    if (stand != Meeting::Stand::met) continue;
    std::vector<MeetingAnswer> answers(at(own_.size()));
    for (MeetingAnswer& a : answers) a.stop = "an error between ranks";
    meeting_->answer(std::move(answers));
  }
}

int Ensemble::execute() {
  const double began = now();
  std::vector<std::thread> threads;
  std::exception_ptr problem;
  try {
    for (int k = 0; k < own_.size(); ++k) threads.push_back(start_quiet_thread([this, k] { run_replica(k); }));
    wait_for_replicas();
  } catch (...) {
    problem = std::current_exception();
    for (int k = static_cast<int>(threads.size()); k < own_.size(); ++k) meeting_->leave();  // nobody waits for them
    dismiss_replicas();
  }
  for (std::thread& t : threads) t.join();
  if (problem) std::rethrow_exception(problem);
  const std::vector<Outcome> outcomes = gather_outcomes();
  std::int32_t status = finished;
  if (ranks_.root()) status = conclude(outcomes, now() - began);
  ranks_.broadcast(status);
  return status;
}

std::vector<Ensemble::Outcome> Ensemble::gather_outcomes() const {
  nlohmann::json own = nlohmann::json::array();
  for (const Outcome& o : outcomes_)
    own.push_back({{"replica", o.replica},
                   {"status", o.status},
                   {"bad_input", o.bad_input},
                   {"error", o.error},
                   {"warnings", o.warnings},
                   {"simulated", o.simulated},
                   {"seconds", o.seconds}});
  const std::string text = own.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::vector<Outcome> all;
  for (const std::vector<char>& part : ranks_.gather(std::span<const char>(text)))
    for (const auto& o : nlohmann::json::parse(part.begin(), part.end()))
      all.push_back({o["replica"], o["status"], o["bad_input"], o["error"], o["warnings"], o["simulated"], o["seconds"]});
  return all;
}

/// On the root.
int Ensemble::conclude(const std::vector<Outcome>& outcomes, double seconds) {
  log_->clear_live();
  std::string errors;
  bool input_is_wrong = false;
  int unfinished = 0, in_error = 0;
  std::map<std::string, std::size_t> said;
  for (const Outcome& o : outcomes)
    for (const std::string& w : o.warnings) ++said[w];
  for (const Outcome& o : outcomes) {
    for (const std::string& w : o.warnings) {
      if (w.starts_with("stopped by ") || std::find(input_.warnings.begin(), input_.warnings.end(), w) != input_.warnings.end())
        continue;
      if (outcomes.size() > 1 && said[w] == outcomes.size()) {
        if (&o == &outcomes.front()) log_->warn("every replica: " + w);
      } else {
        log_->warn(fmt::format("replica {}: {}", o.replica + 1, w));
      }
    }
    if (o.status != finished) ++unfinished;
    if (o.error.empty()) continue;
    ++in_error;
    input_is_wrong |= o.bad_input;
    errors += (errors.empty() ? "" : "\nerror: ") +
              fmt::format("replica {} ({}): {}", o.replica + 1, directory_of(o.replica), o.error);
  }
  for (const ExchangeConductor::Account& account : conductor_->accounts()) log_->info(exchange_table(account));
  log_->info(table(outcomes, seconds));
  try {
    write_performance(outcomes, seconds);
  } catch (const SimulationError& e) {  // what has happened to the replicas matters more
    log_->warn(e.what());
  }
  if (!conductor_->problem().empty()) {
    log_->note("error: " + conductor_->problem());
    if (conductor_->input_is_wrong()) throw InputError(conductor_->problem());
    throw SimulationError(conductor_->problem() + "; all replicas have stopped with checkpoints");
  }
  if (!errors.empty()) {
    log_->note("error: " + errors);
    if (input_is_wrong) throw InputError(errors);
    throw SimulationError(errors + others_text(in_error == static_cast<int>(outcomes.size()), input_.exchanges()) +
                          "run again with --resume to go on");
  }
  if (unfinished > 0) {
    std::string why = options_.stop_reason();
    log_->warn(
        fmt::format("stopped by {}; {} of {} replicas are not finished; all that have begun have checkpoints. Run again with "
                    "--resume to go on",
                    why.empty() ? "another rank" : why, unfinished, outcomes.size()));
    return stopped_early;
  }
  std::vector<std::string> runs;
  for (const Outcome& o : outcomes) runs.push_back(directory_of(o.replica));
  finish_directory(input_, runs, directory_, *log_);
  return finished;
}

std::string Ensemble::table(const std::vector<Outcome>& outcomes, double seconds) const {
  const StageSettings* exchange = nullptr;
  for (const StageSettings& stage : input_.stages)
    if (stage.exchange) exchange = &stage;
  std::string all = fmt::format("{:>8}{:>22}{:>14}{:>12}{:>14}{:>12}", "replica", "seed", exchange ? "temperature" : "",
                                "ended", "simulated", "ns/day");
  double simulated = 0;
  for (const Outcome& o : outcomes) {
    simulated += o.simulated;
    all += fmt::format("\n{:>8}{:>22}{:>14}{:>12}{:>14}{:>12}", o.replica + 1, replica_seed(input_.dynamics.seed, o.replica),
                       exchange ? fmt::format("{:g} K", exchange->exchange->temperatures[at(o.replica)]) : "",
                       o.status == finished        ? "finished"
                       : o.status == stopped_early ? "stopped"
                                                   : "failed",
                       fmt::format("{:.6g} ps", o.simulated),
                       o.seconds > 0 ? fmt::format("{:.4g}", o.simulated * 1e-3 / o.seconds * 86400) : "");
  }
  return all + fmt::format("\n{} replicas: {:.6g} ps in {:.1f} s, {:.4g} ns/day together", outcomes.size(), simulated, seconds,
                           seconds > 0 ? simulated * 1e-3 / seconds * 86400 : 0.0);
}

void Ensemble::write_performance(const std::vector<Outcome>& outcomes, double seconds) const {
  nlohmann::json replicas = nlohmann::json::array(), exchanges = nlohmann::json::array();
  double simulated = 0;
  for (const Outcome& o : outcomes) {
    simulated += o.simulated;
    replicas.push_back(
        {{"directory", replica_name(o.replica)}, {"status", o.status}, {"picoseconds", o.simulated}, {"seconds", o.seconds}});
  }
  for (const ExchangeConductor::Account& a : conductor_->accounts()) {
    nlohmann::json pairs = nlohmann::json::array();
    for (const auto& p : a.history.pairs()) pairs.push_back({{"tried", p.tried}, {"accepted", p.accepted}});
    exchanges.push_back({{"stage", a.stage},
                         {"temperatures", a.temperatures},
                         {"attempts", a.history.rounds()},
                         {"pairs", pairs},
                         {"round_trips", a.history.round_trips()}});
  }
  const nlohmann::json all{{"version", version},       {"seconds", seconds},
                           {"picoseconds", simulated}, {"ns_per_day", seconds > 0 ? simulated * 1e-3 / seconds * 86400 : 0},
                           {"replicas", replicas},     {"exchanges", exchanges}};
  write_file((directory_ / "performance.json").string(), all.dump(1) + '\n');
}

}  // namespace uplift::app

#include "exchange_conductor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "commands.hpp"
#include "run_exchange.hpp"
#include "uplift/core/assert.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"

namespace uplift::app {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

constexpr int still_there = -1;

}  // namespace

struct ExchangeConductor::Report {
  std::int32_t ended = still_there;  // or its exit status
  std::int32_t kind = 0, stage = 0, continued = 0;
  std::int64_t attempt = 0, step = 0;
  double time = 0, potential = 0;
  Box box;
};

struct ExchangeConductor::Verdict {
  std::int32_t stop = 0, save = 0;
  std::int32_t from = -1;  // replica whose configuration it gets; -1: none
  Box box;
};

ExchangeConductor::ExchangeConductor(const RunInput& input, const Communicator& ranks, Meeting& meeting,
                                     std::filesystem::path directory)
    : input_(input),
      ranks_(ranks),
      meeting_(meeting),
      directory_(std::move(directory)),
      own_(ReplicaRange::of(ranks.rank(), ranks.size(), input.compute.replicas)),
      replicas_(input.compute.replicas),
      saved_at_(now()) {}

bool ExchangeConductor::round(const std::vector<int>& ended) {
  const std::vector<const MeetingOffer*> offers = meeting_.offers();
  std::vector<Report> own;
  for (int k = 0; k < own_.size(); ++k) {
    Report& r = own.emplace_back();
    if (const MeetingOffer* o = offers[at(k)])
      r = {still_there, static_cast<int>(o->kind), o->stage, o->continued, o->attempt, o->step, o->time, o->potential, o->box};
    else
      r.ended = ended[at(k)];
  }
  std::vector<Verdict> verdicts;
  std::int32_t stage = -1;
  const auto gathered = ranks_.gather(std::span<const Report>(own));
  if (ranks_.root()) {
    std::vector<Report> all;
    for (const auto& part : gathered) all.insert(all.end(), part.begin(), part.end());
    verdicts = decide(all);
    for (const Report& r : all)
      if (r.ended == still_there) stage = r.stage;
  }
  ranks_.broadcast(verdicts);
  ranks_.broadcast(stage);
  ranks_.broadcast(stop_);
  if (stage < 0) return false;
  meeting_.answer(answers(verdicts, stage));
  return true;
}

std::vector<ExchangeConductor::Verdict> ExchangeConductor::decide(const std::vector<Report>& all) {
  std::vector<Verdict> verdicts(all.size());
  const Report* first = nullptr;
  int missing = -1;
  for (std::size_t k = 0; k < all.size(); ++k)
    if (all[k].ended != still_there)
      missing = missing < 0 || all[k].ended == failed ? static_cast<int>(k) : missing;
    else if (!first)
      first = &all[k];
  if (!first) return verdicts;
  if (missing >= 0) {
    const char* how = all[at(missing)].ended == stopped_early ? "stopped"
                      : all[at(missing)].ended == finished    ? "ended"
                                                              : "failed";
    stop_all(verdicts, fmt::format("replica {}, which has {}", missing + 1, how));
    return verdicts;
  }
  const auto alike = [&](const Report& r) {
    return r.kind == first->kind && r.stage == first->stage && r.attempt == first->attempt;
  };
  const bool begins = first->kind == static_cast<int>(MeetingOffer::Kind::begin);
  if (!begins && !std::all_of(all.begin(), all.end(), alike)) {
    problem_ = "the replicas have come to different places of the run (are their checkpoints of one run?)";
    stop_all(verdicts, "replicas that do not fit together");
    return verdicts;
  }
  if (begins)
    begin(all, verdicts);
  else if (first->kind == static_cast<int>(MeetingOffer::Kind::attempt))
    attempt(all, verdicts);
  return verdicts;
}

void ExchangeConductor::stop_all(std::vector<Verdict>& verdicts, const std::string& why) {
  stop_ = why;
  for (Verdict& v : verdicts) v.stop = 1;
}

/// One box for the PME of all: potentials of one configuration must not depend on the replica that works them out.
void ExchangeConductor::begin(const std::vector<Report>& all, std::vector<Verdict>& verdicts) {
  const StageSettings& stage = input_.stages[at(all[0].stage)];
  std::int64_t attempts = 0;
  Box box = all[0].box;
  for (const Report& r : all)
    if (r.continued) {
      box = r.box;
      attempts = std::max(attempts, r.attempt);
    }
  for (std::size_t k = 0; k < all.size(); ++k) {
    verdicts[k].box = box;
    if (stage.dynamics.pressure || all[k].box == box || !problem_.empty()) continue;
    problem_ = fmt::format(
        "stage {}: the boxes of replicas 1 and {} differ, and at constant volume configurations can only be exchanged between "
        "equal ones; keep the pressure coupling in this stage, or equilibrate the volume in a run of its own and start from "
        "its coordinates",
        stage.name, k + 1);
    stop_all(verdicts, "replicas whose boxes differ");
  }
  if (!problem_.empty()) return;
  try {
    if (!file_)
      file_ = std::make_unique<ExchangeFile>((directory_ / "exchange.h5").string(),
                                             Provenance{input_.title, version, input_.resolved});
    Account& account = accounts_.emplace_back(Account{stage.name, stage.exchange->temperatures, ExchangeHistory(replicas_)});
    for (const auto& row : file_->begin(stage.name, account.temperatures, attempts)) {
      std::vector<ExchangeOutcome> outcomes;
      for (std::int32_t a : row) outcomes.push_back(static_cast<ExchangeOutcome>(a));
      account.history.add(outcomes);
    }
  } catch (const std::exception& e) {
    problem_ = e.what();
    input_is_wrong_ = dynamic_cast<const InputError*>(&e) != nullptr;
    stop_all(verdicts, "an error of exchange.h5");
  }
}

void ExchangeConductor::attempt(const std::vector<Report>& all, std::vector<Verdict>& verdicts) {
  const StageSettings& stage = input_.stages[at(all[0].stage)];
  Account& account = accounts_.back();
  const double pressure = stage.dynamics.pressure ? stage.dynamics.pressure->pressure / constants::bar_per_kj_mol_nm3 : 0;
  std::vector<ExchangeState> states;
  ExchangeRow row;
  for (std::size_t k = 0; k < all.size(); ++k) {
    states.push_back({account.temperatures[k], pressure, all[k].potential, pressure == 0 ? 0 : all[k].box.volume()});
    row.potential.push_back(all[k].potential);
  }
  const auto outcomes = decide_exchanges(states, all[0].attempt, all[0].step, stage.dynamics.seed);
  account.history.add(outcomes);
  for (std::size_t k = 0; k < all.size(); ++k) verdicts[k].box = all[k].box;
  for (std::size_t k = 0; k < outcomes.size(); ++k) {
    row.accepted.push_back(static_cast<std::int32_t>(outcomes[k]));
    if (outcomes[k] != ExchangeOutcome::accepted) continue;
    verdicts[k].from = static_cast<int>(k + 1);
    verdicts[k + 1].from = static_cast<int>(k);
    std::swap(verdicts[k].box, verdicts[k + 1].box);
  }
  row.step = all[0].step;
  row.time = all[0].time;
  row.walkers.assign(account.history.walkers().begin(), account.history.walkers().end());
  const bool save = input_.output.checkpoint_every > 0 && now() - saved_at_ >= input_.output.checkpoint_every;
  try {
    file_->add(row);
    if (save) file_->sync();
  } catch (const std::exception& e) {
    problem_ = e.what();
    input_is_wrong_ = dynamic_cast<const InputError*>(&e) != nullptr;
    stop_all(verdicts, "an error of exchange.h5");
    return;
  }
  if (!save) return;
  saved_at_ = now();
  for (Verdict& v : verdicts) v.save = 1;
}

std::vector<MeetingAnswer> ExchangeConductor::answers(const std::vector<Verdict>& verdicts, int stage) {
  std::vector<MeetingAnswer> all(at(own_.size()));
  for (int k = 0; k < own_.size(); ++k) {
    const Verdict& v = verdicts[at(own_.first + k)];
    all[at(k)].save = v.save;
    all[at(k)].box = v.box;
    if (v.stop) all[at(k)].stop = stop_;
  }
  if (std::any_of(verdicts.begin(), verdicts.end(), [](const Verdict& v) { return v.stop; })) return all;
  const std::vector<const MeetingOffer*> offers = meeting_.offers();
  move_configurations(offers, verdicts, all);
  for (int k = 0; k < own_.size(); ++k) {
    const int from = verdicts[at(own_.first + k)].from;
    if (from < 0) continue;
    const std::vector<double>& t = input_.stages[at(stage)].exchange->temperatures;
    const double scale = std::sqrt(t[at(own_.first + k)] / t[at(from)]);
    for (Vec3d& v : all[at(k)].v) v = scale * v;
    all[at(k)].taken = true;
  }
  return all;
}

int ExchangeConductor::rank_of(int replica) const {
  int rank = 0;
  while (ReplicaRange::of(rank, ranks_.size(), replicas_).last <= replica) ++rank;
  return rank;
}

/// Pairs in order, and the lower rank of a pair sends first: no two ranks can wait for each other.
void ExchangeConductor::move_configurations(const std::vector<const MeetingOffer*>& offers,
                                            const std::vector<Verdict>& verdicts, std::vector<MeetingAnswer>& answers) const {
  for (int k = 0; k + 1 < replicas_; ++k) {
    if (verdicts[at(k)].from != k + 1) continue;
    const int low = rank_of(k), high = rank_of(k + 1), me = ranks_.rank();
    if (me != low && me != high) continue;
    if (low == high) {
      for (const auto& [to, from] : {std::pair{k, k + 1}, std::pair{k + 1, k}}) {
        answers[at(to - own_.first)].x = offers[at(from - own_.first)]->x;
        answers[at(to - own_.first)].v = offers[at(from - own_.first)]->v;
      }
      continue;
    }
    const int other = me == low ? high : low, mine = (me == low ? k : k + 1) - own_.first;
    const auto send = [&] {
      ranks_.send(std::span<const Vec3d>(offers[at(mine)]->x), other, 1);
      ranks_.send(std::span<const Vec3d>(offers[at(mine)]->v), other, 2);
    };
    if (me == low) send();
    answers[at(mine)].x = ranks_.receive<Vec3d>(other, 1);
    answers[at(mine)].v = ranks_.receive<Vec3d>(other, 2);
    if (me == high) send();
  }
}

std::string exchange_table(const ExchangeConductor::Account& account) {
  const auto& pairs = account.history.pairs();
  std::string all = fmt::format("exchanges of stage {}, {} attempts\n{:>24}{:>10}{:>10}{:>12}", account.stage,
                                account.history.rounds(), "temperatures", "tried", "accepted", "ratio");
  for (std::size_t k = 0; k < pairs.size(); ++k)
    all += fmt::format(
        "\n{:>24}{:>10}{:>10}{:>12}", fmt::format("{:g} K, {:g} K", account.temperatures[k], account.temperatures[k + 1]),
        pairs[k].tried, pairs[k].accepted,
        pairs[k].tried ? fmt::format("{:.3f}", static_cast<double>(pairs[k].accepted) / static_cast<double>(pairs[k].tried))
                       : "");
  const auto& trips = account.history.round_trips();
  const std::int64_t total = std::accumulate(trips.begin(), trips.end(), std::int64_t{0});
  return all + fmt::format("\nround trips between the lowest and the highest temperature: {}, by {} of {} configurations",
                           total, std::count_if(trips.begin(), trips.end(), [](std::int64_t n) { return n > 0; }),
                           trips.size());
}

}  // namespace uplift::app

#include "ensemble_progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "uplift/core/at.hpp"
#include "uplift/io/progress.hpp"

namespace uplift::app {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

constexpr double live_interval = 0.25, first_plain = 2, longest_plain = 600;  // [s]

}  // namespace

EnsembleProgress::EnsembleProgress(const RunInput& input, int replicas)
    : stages_(input.stages),
      replicas_(replicas),
      seats_(std::make_unique<Seat[]>(at(replicas))),
      began_(now()),
      next_live_(began_),
      next_plain_(began_ + first_plain) {
  for (const StageSettings& stage : stages_) {
    start_.push_back(length_);
    length_ += stage.time;
  }
}

void EnsembleProgress::step(int replica, int stage, std::int64_t step, std::int64_t first) {
  Seat& seat = seats_[at(replica)];
  const double timestep = stages_[at(stage)].dynamics.timestep;
  const double done = start_[at(stage)] + static_cast<double>(step - first) * timestep;
  if (!seat.begun.load(std::memory_order_relaxed)) {
    seat.before.store(done - timestep, std::memory_order_relaxed);
    seat.begun.store(true, std::memory_order_relaxed);
  }
  seat.stage.store(stage, std::memory_order_relaxed);
  seat.done.store(done, std::memory_order_relaxed);
}

void EnsembleProgress::ended(int replica) { seats_[at(replica)].ended = true; }

std::string EnsembleProgress::line(double elapsed) const {
  double done = 0, fresh = 0;
  int running = 0, waiting = 0, ended = 0;
  std::map<int, int> where;  // stages
  for (int r = 0; r < replicas_; ++r) {
    const Seat& seat = seats_[at(r)];
    if (seat.begun) {
      done += seat.done;
      fresh += seat.done - seat.before;
    }
    if (seat.ended) {
      ++ended;
    } else if (seat.begun) {
      ++running;
      ++where[seat.stage];
    } else {
      ++waiting;
    }
  }
  std::string text = fmt::format("{} replicas: ", replicas_);
  for (const auto& [stage, count] : where) text += fmt::format("{} in {}, ", count, stages_[at(stage)].name);
  if (waiting > 0) text += fmt::format("{} not in dynamics yet, ", waiting);
  if (ended > 0) text += fmt::format("{} ended, ", ended);
  const double whole = length_ * replicas_;
  text += fmt::format("{:.1f} %", whole > 0 ? 100 * done / whole : 100.0);
  if (!(fresh > 0) || !(elapsed > 0)) return text;
  return text + fmt::format(", {:.4g} ns/day together, {} left", fresh * 1e-3 / elapsed * 86400,
                            duration_text((whole - done) * elapsed / fresh));
}

void EnsembleProgress::show(RunLog& log) {
  const double time = now();
  if (log.echo() == Echo::live && time >= next_live_) {
    log.live(line(time - began_));
    next_live_ = time + live_interval;
  }
  if (time < next_plain_) return;
  next_plain_ = time + std::min(longest_plain, time - began_);
  if (log.echo() == Echo::plain)
    log.info(line(time - began_));
  else
    log.note(line(time - began_));
}

}  // namespace uplift::app

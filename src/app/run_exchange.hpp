#pragma once
// The attempts to exchange of one stage, from the side of one replica.
#include <functional>
#include <optional>

#include "replica_link.hpp"
#include "uplift/engine/simulation.hpp"
#include "uplift/sampling/replica_exchange.hpp"

namespace uplift::app {

/// Attempts of a stage with `exchange`.
ExchangeSchedule exchange_schedule(const StageSettings& stage);

/// As a recorder it sees to it that energies are there just when an attempt is due.
class RunExchange final : public Recorder {
 public:
  /// Before the stage begins, or goes on with the attempt of `passed` steps, if one is due: the box that PME goes by.
  static MeetingAnswer begin(const StageSettings& stage, int index, const Box& box, std::optional<std::int64_t> passed,
                             ReplicaLink& link);
  /// `first`: step at which the stage began.
  RunExchange(const StageSettings& stage, int index, std::int64_t first, ReplicaLink& link);

  bool due(std::int64_t step) const override { return schedule_.due(step - first_); }
  /// An attempt is due or has been made by this step.
  bool begun(std::int64_t step) const { return schedule_.attempts(step - first_) > 0; }
  Wanted wanted() const override { return {false, true}; }
  void record(const Frame& frame) override { potential_ = frame.energies.boosted_potential(); }

  /// The attempt of the present step: `save` is called when a checkpoint is due. Returns why the run has to stop; empty: it
  /// goes on.
  std::string attempt(Simulation& simulation, const std::function<void()>& save);
  /// After the last checkpoint of the stage.
  std::string end(std::int64_t step);

 private:
  ExchangeSchedule schedule_;
  int index_;
  std::int64_t first_;
  ReplicaLink& link_;
  double potential_ = 0;
};

}  // namespace uplift::app

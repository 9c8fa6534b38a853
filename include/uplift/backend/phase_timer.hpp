#pragma once
#include <chrono>

#include "uplift/backend/backend.hpp"
#include "uplift/backend/rank_link.hpp"

namespace uplift {

/// Adds the time of its life to a phase, without what of it was spent waiting for other ranks: `link` has phases for that.
class PhaseTimer {
 public:
  explicit PhaseTimer(PhaseTime& phase, const RankLink* link = nullptr)
      : phase_(phase), link_(link), waited_(link ? link->waited() : 0), start_(std::chrono::steady_clock::now()) {}
  ~PhaseTimer() {
    phase_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    if (link_) phase_.seconds -= link_->waited() - waited_;
    ++phase_.calls;
  }
  PhaseTimer(const PhaseTimer&) = delete;
  PhaseTimer& operator=(const PhaseTimer&) = delete;

 private:
  PhaseTime& phase_;
  const RankLink* link_;
  double waited_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace uplift

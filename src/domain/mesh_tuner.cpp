#include "domain/mesh_tuner.hpp"

#include <algorithm>

namespace uplift {
namespace {

constexpr int trials_each = 3;
constexpr double clearly = 0.97;  // of the time that all ranks take

}  // namespace

MeshTuner::MeshTuner(int ranks, int wanted) : settled_(wanted > 0 || ranks == 1) {
  if (wanted > 0) {
    choices_.push_back({std::min(wanted, ranks)});
    return;
  }
  for (int n = ranks; n > 1; n = (n + 1) / 2) choices_.push_back({n});
  choices_.push_back({1});
}

void MeshTuner::note(std::int64_t time) {
  if (settled_) return;
  Choice& tried = choices_[now_];
  tried.shortest = trials_ == 0 ? time : std::min(tried.shortest, time);
  if (++trials_ < trials_each) return;
  trials_ = 0;
  if (++now_ < choices_.size()) return;
  const auto best = std::min_element(choices_.begin(), choices_.end(),
                                     [](const Choice& a, const Choice& b) { return a.shortest < b.shortest; });
  const bool worth_it = static_cast<double>(best->shortest) < clearly * static_cast<double>(choices_.front().shortest);
  now_ = worth_it ? static_cast<std::size_t>(best - choices_.begin()) : 0;
  settled_ = true;
}

}  // namespace uplift

#pragma once
// How many ranks should transform the PME mesh: tried out, as a run goes on anyway.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace uplift {

class MeshTuner {
 public:
  /// `wanted`: no trials, but that number; 0: all ranks, then half of them and so on, down to one.
  MeshTuner(int ranks, int wanted);

  int ranks() const { return choices_[now_].ranks; }  ///< for now
  bool settled() const { return settled_; }
  /// Work with so many took this long [any unit, above 0]. All ranks must say the same. Other things go on as well, so that the
  /// shortest of some times counts, and fewer ranks must be clearly faster to be taken.
  void note(std::int64_t time);

 private:
  struct Choice {
    int ranks;
    std::int64_t shortest = 0;  ///< 0: not tried
  };
  std::vector<Choice> choices_;
  std::size_t now_ = 0;
  int trials_ = 0;  ///< of the present one
  bool settled_;
};

}  // namespace uplift

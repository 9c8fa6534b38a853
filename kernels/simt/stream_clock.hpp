#pragma once
// Which operations of which streams come before which: vector clocks (Fidge 1988; Mattern 1989), a place for each stream.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace simt {

class StreamClock {
 public:
  /// How many operations of a stream come before.
  std::uint32_t of(std::size_t stream) const { return stream < passed_.size() ? passed_[stream] : 0; }
  void set(std::size_t stream, std::uint32_t operations) {
    if (stream >= passed_.size()) passed_.resize(stream + 1, 0);
    passed_[stream] = operations;
  }
  void merge(const StreamClock& other) {
    if (other.passed_.size() > passed_.size()) passed_.resize(other.passed_.size(), 0);
    for (std::size_t s = 0; s < other.passed_.size(); ++s) passed_[s] = std::max(passed_[s], other.passed_[s]);
  }

 private:
  std::vector<std::uint32_t> passed_;
};

}  // namespace simt

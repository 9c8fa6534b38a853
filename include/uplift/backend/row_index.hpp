#pragma once
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "uplift/backend/rank_link.hpp"

namespace uplift {

/// Interactions in the order of a list, found by their first atom: how a rank comes by its own without looking at all.
class RowIndex {
 public:
  RowIndex() = default;
  /// `first(r)`: atom of row r.
  template <class F>
  RowIndex(int atoms, std::size_t rows, F&& first) : start_(static_cast<std::size_t>(atoms) + 1, 0), row_(rows) {
    for (std::size_t r = 0; r < rows; ++r) ++start_[static_cast<std::size_t>(first(r)) + 1];
    std::partial_sum(start_.begin(), start_.end(), start_.begin());
    std::vector<std::size_t> next(start_.begin(), start_.end() - 1);
    for (std::size_t r = 0; r < rows; ++r) row_[next[static_cast<std::size_t>(first(r))]++] = r;
  }

  /// Rows that `share` takes. `atoms_of(r)`: the atoms of row r, a span.
  template <class F>
  std::vector<std::size_t> taken(const RankShare& share, std::span<const Vec3d> x, const Box& box, F&& atoms_of) const {
    std::vector<std::size_t> chosen;
    share.for_local([&](int atom) {
      const auto a = static_cast<std::size_t>(atom);
      for (std::size_t k = start_[a]; k < start_[a + 1]; ++k)
        if (share.takes(atoms_of(row_[k]), x, box)) chosen.push_back(row_[k]);
    });
    return chosen;
  }

 private:
  std::vector<std::size_t> start_, row_;
};

}  // namespace uplift

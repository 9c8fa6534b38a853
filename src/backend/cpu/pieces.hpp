#pragma once
#include <algorithm>
#include <vector>

#include "uplift/backend/rank_link.hpp"

namespace uplift::cpu {

/// Ranges of atoms cut into tasks of about `block` atoms each.
inline std::vector<std::vector<AtomRange>> cut_pieces(const std::vector<AtomRange>& ranges, int block = 1024) {
  std::vector<std::vector<AtomRange>> pieces;
  int room = 0;
  for (AtomRange r : ranges)
    while (r.first < r.last) {
      if (room == 0) {
        pieces.emplace_back();
        room = block;
      }
      const int n = std::min(room, r.last - r.first);
      pieces.back().push_back({r.first, r.first + n});
      r.first += n;
      room -= n;
    }
  return pieces;
}

}  // namespace uplift::cpu

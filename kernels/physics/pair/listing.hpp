#pragma once
// Where atoms lie and how far they may move while a list of pairs is in use.
#include <cmath>

#include "uplift/core/macros.hpp"

namespace uplift::physics {

/// Pairs within cutoff and buffer were listed, in a box of which since some edge has become `smallest` times as long, and none
/// shorter than that: those that were not listed are farther apart by this than the cutoff, but for what both atoms have moved
/// against the box. Negative: the list is good for nothing. All [nm] but `smallest`.
UPLIFT_HD double list_slack(double cutoff, double buffer, double smallest) { return smallest * (cutoff + buffer) - cutoff; }

/// RankShare::place of an atom whose domain has its middle at `middle` + `to`; all are fractions of the box.
UPLIFT_HD double open_place(double fraction, double middle, double to) {
  const double s = fraction - middle - to;
  return s - std::nearbyint(s) + to;
}

}  // namespace uplift::physics

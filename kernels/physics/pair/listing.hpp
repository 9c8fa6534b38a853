#pragma once
// How far atoms may move while a list of pairs is in use.
#include "uplift/core/macros.hpp"

namespace uplift::physics {

/// Pairs within cutoff and buffer were listed, in a box of which since some edge has become `smallest` times as long, and none
/// shorter than that: those that were not listed are farther apart by this than the cutoff, but for what both atoms have moved
/// against the box. Negative: the list is good for nothing. All [nm] but `smallest`.
UPLIFT_HD double list_slack(double cutoff, double buffer, double smallest) { return smallest * (cutoff + buffer) - cutoff; }

}  // namespace uplift::physics

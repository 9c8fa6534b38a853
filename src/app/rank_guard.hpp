#pragma once
// A process over each rank of a launcher, which says how the rank ended. Without it a rank that was killed has said nothing,
// and the status of its job is whatever the launcher makes of a signal.

namespace uplift::app {

/// si_value of a signal that the guard passes on. Launchers and batch systems signal the rank as well, or do not; what the rank
/// has heard already is no second signal.
inline constexpr int passed_on = 0x75706c;

/// Where a launcher has started several ranks, returns in a process of its own, and ends this one as that one ends: with its
/// exit status; by the signal that it was asked to stop by; with `failed` and a message where another signal ended it. Before
/// there are threads. UPLIFT_RANK_GUARD=0, for debuggers that follow one process only, and one rank: returns, and that is all.
void guard_rank();

}  // namespace uplift::app

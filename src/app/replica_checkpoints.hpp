#pragma once
// Checkpoints of replicas that exchange belong together only when no exchange lies between them.
#include <string>
#include <vector>

#include "uplift/model/settings.hpp"

namespace uplift::app {

/// For every replica the newest checkpoint such that all have seen the same exchanges becomes its checkpoint.upc; a newer one
/// is dropped. `directories`: of the replicas. Returns how many stages all of them have finished or passed that exchange,
/// counted as stages of the run up to the last such one. Throws InputError when no checkpoints fit together.
int align_checkpoints(const RunInput& input, const std::vector<std::string>& directories);

}  // namespace uplift::app

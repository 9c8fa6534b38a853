#pragma once
#include "uplift/domain/communicator.hpp"

namespace uplift::app {

/// Cores that this process may use, shared fairly with the ranks on this machine that may use the very same ones: a launcher
/// that binds ranks to cores has shared them out already. Of all ranks.
int threads_of_rank(const Communicator& ranks);

}  // namespace uplift::app

#pragma once
#include <string>

#include "uplift/domain/communicator.hpp"

namespace uplift::app {

struct RankThreads {
  int count = 1;
  std::string note;   ///< for the log, where the environment wants fewer than there could be
  std::string crowd;  ///< for the log, where more ranks than processors share these, whatever their threads
};

/// CPUs that this process may use, shared fairly with the ranks on this machine that may use the very same ones (a launcher
/// that binds ranks to cores has shared them out already), and no more than the environment wants. Of all ranks.
RankThreads threads_of_rank(const Communicator& ranks);

}  // namespace uplift::app

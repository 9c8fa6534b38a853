#include "uplift/core/launcher.hpp"

#include <algorithm>
#include <cstdlib>

namespace uplift {

int launched_ranks() {
  int most = 1;
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"})
    if (const char* value = std::getenv(name)) most = std::max(most, std::atoi(value));
  return most;
}

}  // namespace uplift

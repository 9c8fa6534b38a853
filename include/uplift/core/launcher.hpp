#pragma once

namespace uplift {

/// Ranks that a launcher (mpirun, srun) says it has started, this process among them; 1 where none has.
int launched_ranks();

}  // namespace uplift

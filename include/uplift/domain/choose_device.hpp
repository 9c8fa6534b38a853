#pragma once
// Which of a machine's GPUs a process takes.
#include "uplift/domain/communicator.hpp"
#include "uplift/model/settings.hpp"

namespace uplift {

/// Of `there` devices that this process may use: ranks of a machine, and replicas of a rank, take those of compute.devices in
/// turns, so that several may share one. Throws InputError when there is none, or not the one that is asked for.
int choose_device(const ComputeSettings& compute, int there, LocalRank rank = local_rank());

}  // namespace uplift

#pragma once
// Is there code for the present device in this build?
#include <cuda/check.cuh>

namespace uplift::UPLIFT_DEVICE {

/// cudaSuccess, or that there is none. Throws SimulationError where CUDA says anything else.
cudaError_t look_for_code();

}  // namespace uplift::UPLIFT_DEVICE

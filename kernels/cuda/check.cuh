#pragma once
// Errors of the CUDA runtime as exceptions.
#include <cuda_runtime.h>

#include <string>

#include "uplift/core/error.hpp"

namespace uplift::cuda {

/// Throws SimulationError naming the call and what CUDA says of it.
inline void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // it has been told: launches to come must not be taken for it
  throw SimulationError(
      std::string(what) + ": " + cudaGetErrorName(error) + ", " + cudaGetErrorString(error) +
      " (the GPU or its memory failed, or another program took it; look at nvidia-smi and run again from the checkpoint)");
}

}  // namespace uplift::cuda

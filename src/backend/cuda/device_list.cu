#include "cuda/launch.cuh"
#include "uplift/backend/cuda/cuda_backend.hpp"

namespace uplift::UPLIFT_DEVICE {

int device_count() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

DeviceList list_devices() {
  DeviceList list;
  cudaRuntimeGetVersion(&list.runtime);
  cudaDriverGetVersion(&list.driver);
  int count = 0;
  if (const cudaError_t status = cudaGetDeviceCount(&count); status != cudaSuccess) {
    list.problem = cudaGetErrorString(status);
    return list;
  }
  for (int k = 0; k < count; ++k) {
    cudaDeviceProp p{};
    cuda::check(cudaGetDeviceProperties(&p, k), "look at a GPU");
    list.devices.push_back({p.name, p.major, p.minor, p.multiProcessorCount, static_cast<double>(p.totalGlobalMem)});
  }
  return list;
}

}  // namespace uplift::UPLIFT_DEVICE

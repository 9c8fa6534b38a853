#include <cuda/probe.cuh>

#include <string>

#include "backend/cuda/device_force.cuh"
#include "uplift/backend/cuda/cuda_backend.hpp"
#include "uplift/core/error.hpp"

namespace uplift::UPLIFT_DEVICE {

namespace {

/// Throws InputError when this build has no code for the present device.
void expect_code(int device) {
  const cudaError_t status = look_for_code();
  if (status == cudaSuccess) return;
  cudaDeviceProp p{};
  cuda::check(cudaGetDeviceProperties(&p, device), "look at a GPU");
  const std::string capability = std::to_string(p.major) + "." + std::to_string(p.minor);
  throw InputError("compute.backend: cuda: " + std::string(p.name) + " has compute capability " + capability +
                   (p.major < 8 ? ", and uplift is for 8.0 and higher; use backend: cpu"
                                : ", for which this build has no code (" + std::string(cudaGetErrorString(status)) +
                                      "); use backend: cpu, or configure with -DCMAKE_CUDA_ARCHITECTURES=" +
                                      std::to_string(10 * p.major + p.minor)));
}

}  // namespace

int device_count() {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
  cudaGetLastError();
  return 0;
}

bool is_usable(int device) {
  if (cudaSetDevice(device) == cudaSuccess) return look_for_code() == cudaSuccess;
  cudaGetLastError();
  return false;
}

void take_device(int device) {
  cuda::check(cudaSetDevice(device), "choose the GPU");
  expect_code(device);
}

DeviceList list_devices() {
  DeviceList list;
  cudaRuntimeGetVersion(&list.runtime);
  cudaDriverGetVersion(&list.driver);
  int count = 0;
  if (const cudaError_t status = cudaGetDeviceCount(&count); status != cudaSuccess) {
    list.problem = cudaGetErrorString(status);
    cudaGetLastError();
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

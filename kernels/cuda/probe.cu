#include <cuda/launch.cuh>
#include <cuda/probe.cuh>

namespace uplift::UPLIFT_DEVICE {

namespace {
__global__ void probe_kernel() {}
}  // namespace

cudaError_t look_for_code() {
  cudaFuncAttributes attributes{};
  const cudaError_t status = cudaFuncGetAttributes(&attributes, probe_kernel);
  if (status != cudaErrorNoKernelImageForDevice && status != cudaErrorInvalidDeviceFunction &&
      status != cudaErrorUnsupportedPtxVersion)
    cuda::check(status, "look for code for the GPU");
  cudaGetLastError();  // it has been told
  return status;
}

}  // namespace uplift::UPLIFT_DEVICE

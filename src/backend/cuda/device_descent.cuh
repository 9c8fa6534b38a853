#pragma once
#include <functional>
#include <memory>

#include "backend/cuda/device_integration.cuh"

namespace uplift::UPLIFT_DEVICE {

/// A minimisation whose vectors stay on the device: numbers alone come to the host. From the positions that `integration` has.
/// All of these outlive it.
std::unique_ptr<Descent> make_device_descent(Backend& backend, DeviceIntegration& integration,
                                             std::function<LevelForces()> level_forces, cudaStream_t stream);

}  // namespace uplift::UPLIFT_DEVICE

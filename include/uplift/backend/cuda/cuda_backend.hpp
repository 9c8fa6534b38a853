#pragma once
#include <memory>
#include <string>

#include "uplift/backend/backend.hpp"
#include "uplift/backend/rank_link.hpp"

namespace uplift {

struct DeviceOptions {
  Precision precision = Precision::mixed;
  double constraint_tolerance = 1e-6;
  int device = 0;            ///< of those that this process may use
  RankLink* link = nullptr;  ///< to the ranks that share the system; outlives the backend. Null: one rank
};

namespace cuda_device {
/// GPUs that this process may use; 0 without a driver.
int device_count();
/// A backend on the first GPU. Throws SimulationError when there is none or it fails.
std::unique_ptr<Backend> make_backend(const System& system, const Box& box, const DeviceOptions& options);
}  // namespace cuda_device

namespace simt_device {
int device_count();
/// The same kernels on the CPU, thread by thread (kernels/simt): for tests, hundreds of times slower than the CPU backend.
std::unique_ptr<Backend> make_backend(const System& system, const Box& box, const DeviceOptions& options);
}  // namespace simt_device

}  // namespace uplift

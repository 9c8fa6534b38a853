#pragma once
#include <memory>
#include <string>
#include <vector>

#include "uplift/backend/backend.hpp"
#include "uplift/backend/rank_link.hpp"

namespace uplift {

struct DeviceOptions {
  Precision precision = Precision::mixed;
  double constraint_tolerance = 1e-6;
  int device = 0;            ///< of those that this process may use
  RankLink* link = nullptr;  ///< to the ranks that share the system; outlives the backend. Null: one rank
};

/// GPUs that this process may use.
struct DeviceList {
  struct Device {
    std::string name;
    int major = 0, minor = 0;  ///< compute capability
    int multiprocessors = 0;
    double memory = 0;  ///< [bytes]
  };
  int runtime = 0, driver = 0;  ///< CUDA versions, as in 13000; driver: the newest it can do, 0 without one
  std::vector<Device> devices;
  std::string problem;  ///< why there are none, where CUDA says so
};

namespace cuda_device {
/// GPUs that this process may use; 0 without a driver.
int device_count();
DeviceList list_devices();
/// Can this process use that GPU, and has this build code for it? It is the thread's device from now on.
bool is_usable(int device);
/// A backend on options.device. Throws InputError when the GPU cannot do it, and SimulationError when there is none or it
/// fails.
std::unique_ptr<Backend> make_backend(const System& system, const Box& box, const DeviceOptions& options);
}  // namespace cuda_device

namespace simt_device {
int device_count();
DeviceList list_devices();
bool is_usable(int device);
/// The same kernels on the CPU, thread by thread (kernels/simt): for tests, hundreds of times slower than the CPU backend.
std::unique_ptr<Backend> make_backend(const System& system, const Box& box, const DeviceOptions& options);
}  // namespace simt_device

}  // namespace uplift

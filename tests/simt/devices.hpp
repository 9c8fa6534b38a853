#pragma once
// Where tests of whole backends run: one body on all of them.
#include <memory>
#include <ostream>
#include <vector>

#include "uplift/backend/cpu/cpu_backend.hpp"
#include "uplift/backend/cuda/cuda_backend.hpp"

namespace uplift::test {

/// A missing GPU is a visible skip.
struct Device {
  const char* name;
  int (*count)();
  std::unique_ptr<Backend> (*make)(const System&, const Box&, const DeviceOptions&);
};
inline void PrintTo(const Device& d, std::ostream* out) { *out << d.name; }

inline const Device processor{"cpu", [] { return 1; },
                              [](const System& system, const Box& box, const DeviceOptions& options) {
                                return cpu::make_cpu_backend(system, box, {options.precision, 2, options.constraint_tolerance});
                              }};
inline const std::vector<Device> device_only = {
    {"simt", simt_device::device_count, simt_device::make_backend},
#if defined(UPLIFT_HAVE_CUDA)
    {"cuda", cuda_device::device_count, cuda_device::make_backend},
#endif
};
inline const std::vector<Device> everywhere = [] {
  std::vector<Device> all{processor};
  all.insert(all.end(), device_only.begin(), device_only.end());
  return all;
}();

}  // namespace uplift::test

#define UPLIFT_SKIP_WITHOUT(device) \
  if ((device).count() == 0) GTEST_SKIP() << "no " << (device).name << " device on this machine"

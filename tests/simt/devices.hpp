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

/// Energies, virial and forces of a state.
struct Evaluation {
  Energies energies;
  std::vector<Vec3d> forces;
};
inline Evaluation evaluate(Backend& backend, const State& state) {
  backend.upload(state);
  const Stage stages[] = {PlaceVirtualSites{}, ComputeForces{}};
  backend.run(stages, ForcePlan{.energies = true, .virial = true}, 0);
  Evaluation e;
  e.energies = backend.energies();
  backend.download_forces(e.forces);
  return e;
}

/// A step in which constraints cannot be met.
inline void tear_apart(Backend& backend, State state) {
  for (Vec3d& v : state.v) v = 500.0 * v;
  backend.upload(state);
  const Stage stages[] = {SavePositions{}, Drift{0.002}, ConstrainPositions{0.002}};
  backend.run(stages, {}, 1);
}

}  // namespace uplift::test

#define UPLIFT_SKIP_WITHOUT(device) \
  if ((device).count() == 0) GTEST_SKIP() << "no " << (device).name << " device on this machine"

#pragma once
#include <memory>

#include "uplift/backend/backend.hpp"

namespace uplift::cpu {

struct CpuOptions {
  Precision precision = Precision::mixed;
  int threads = 0;                     ///< 0: as many as the process may use
  double constraint_tolerance = 1e-6;  ///< relative error of a constrained length
};

/// Cores that this process may use: the affinity mask that Slurm, taskset or a container gave it.
int usable_threads();

/// The native CPU backend: SIMD kernels chosen at run time, threaded, results independent of the number of threads.
/// `box` is the initial box: PME's alpha and grid are resolved for it.
std::unique_ptr<Backend> make_cpu_backend(const System& system, const Box& box, const CpuOptions& options);

}  // namespace uplift::cpu

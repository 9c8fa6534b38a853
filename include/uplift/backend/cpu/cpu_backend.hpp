#pragma once
#include <memory>

#include "uplift/backend/backend.hpp"
#include "uplift/backend/rank_link.hpp"

namespace uplift::cpu {

struct CpuOptions {
  Precision precision = Precision::mixed;
  int threads = 0;                     ///< 0: as many as the process may use
  double constraint_tolerance = 1e-6;  ///< relative error of a constrained length
  RankLink* link = nullptr;            ///< to the ranks that share the system; outlives the backend. Null: one rank
};

/// Threads that a process starts unless told otherwise: usable_processors() (affinity mask, quota of its control group), and no
/// more than wanted_threads(), where SLURM_CPUS_PER_TASK or OMP_NUM_THREADS says how many.
int usable_threads();

/// The native CPU backend: SIMD kernels chosen at run time, threaded, results independent of the number of threads.
/// `box` is the initial box: PME's alpha and grid are resolved for it.
/// With a link, every rank makes one and calls it alike; positions, velocities and forces are good for the atoms at home, sums
/// and energies are those of all ranks. Throws InputError for a system that cannot be shared.
std::unique_ptr<Backend> make_cpu_backend(const System& system, const Box& box, const CpuOptions& options);

}  // namespace uplift::cpu

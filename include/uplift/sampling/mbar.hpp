#pragma once
#include <vector>

namespace uplift {

struct MbarResult {
  std::vector<double> free_energies;  ///< [states] kT, the first is 0
  std::vector<double> log_mixture;    ///< [frames] log of sum_k N_k exp(f_k - u_k): a frame weighs exp(-u - log_mixture) in a
                                      ///< state where its energy is u
  double overlap = 1;  ///< of the states that gave frames: 1 minus the second eigenvalue of their overlap matrix; 0: none
  int iterations = 0;
  bool converged = false;
};

/// Multistate Bennett acceptance ratio (Shirts and Chodera, J. Chem. Phys. 129, 124105 (2008), eq. 11 and 12), by Newton's
/// method on the convex function whose minimum it is, in logarithms; where that has no step, by self-consistent iteration.
/// Overlap: Klimovich, Shirts and Mobley, J. Comput. Aided Mol. Des. 29, 397 (2015). `u` [states][frames] in kT: the energy of
/// every frame in every state. `counts` [states]: (independent) frames that each state gave; one with none is left out of the
/// mixture. `start`: free energies to begin with, may be empty.
MbarResult solve_mbar(const std::vector<std::vector<double>>& u, const std::vector<double>& counts,
                      const std::vector<double>& start = {});

}  // namespace uplift

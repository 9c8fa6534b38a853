#pragma once
#include <string>
#include <vector>

#include "uplift/backend/backend.hpp"

namespace uplift {

/// The stages of one step, as values, and what they conserve.
struct Integrator {
  std::string name;
  std::vector<Stage> stages;
  bool conserves_energy = false;  ///< kinetic + potential is constant but for the error of the time step
};

/// verlet: velocity Verlet (Swope et al. 1982) with RATTLE. langevin: the 'middle' scheme BAOAB in its leapfrog form, kick, half drift,
/// Ornstein-Uhlenbeck, half drift (Zhang, Liu, Yan, Tuckerman and Liu, J. Phys. Chem. A 123, 6056 (2019)).
Integrator make_integrator(const DynamicsSettings& dynamics);

}  // namespace uplift

#include "uplift/engine/integrator.hpp"

#include "uplift/core/error.hpp"

namespace uplift {

Integrator make_integrator(const DynamicsSettings& d) {
  const double dt = d.timestep;
  switch (d.integrator) {
    case IntegratorKind::verlet:
      return {"verlet",
              {Kick{dt / 2}, SavePositions{}, Drift{dt}, ConstrainPositions{dt}, PlaceVirtualSites{}, ComputeForces{}, Kick{dt / 2},
               ConstrainVelocities{}},
              true};
    case IntegratorKind::langevin:
      return {"langevin",
              {Kick{dt}, ConstrainVelocities{}, SavePositions{}, Drift{dt / 2}, OrnsteinUhlenbeck{dt, d.friction, d.temperature, d.seed},
               Drift{dt / 2}, ConstrainPositions{dt}, PlaceVirtualSites{}, ComputeForces{}},
              false};
    case IntegratorKind::nose_hoover:
    case IntegratorKind::v_rescale: break;
  }
  throw InputError("dynamics.integrator: not available in this version; use langevin or verlet");
}

}  // namespace uplift

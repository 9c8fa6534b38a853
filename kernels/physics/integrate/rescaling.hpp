#pragma once

namespace uplift::physics {

/// What a thermostat does to all velocities, and what it puts into the system by that [kJ/mol].
struct Rescaling {
  double factor = 1, heat = 0;
};

}  // namespace uplift::physics

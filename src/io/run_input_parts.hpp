#pragma once
// Settings from checked values, with the checks that need more than one value; private to the reader of the input.
#include "uplift/model/settings.hpp"
#include "yaml_input.hpp"

namespace uplift::yaml {

ForceSettings read_forces(const Values& values);
DynamicsSettings read_dynamics(const Values& values);

}  // namespace uplift::yaml

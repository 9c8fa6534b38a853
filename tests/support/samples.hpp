#pragma once
// Real systems of inputs/, and one that has every kind of interaction, as tests of whole backends want them.
#include <string>

#include "uplift/model/state.hpp"
#include "uplift/model/system.hpp"

namespace uplift::test {

struct Sample {
  System system;
  State state;
};

/// everything vacuum gb-hct gb-obc2 gb-gbn2 reaction-field (with restraints) h-angles order-4 order-6 water, and dipeptide (in
/// water, PME), also switched, with nbfix, nbfix-switched and with geometric rules.
Sample sample(const std::string& name);

}  // namespace uplift::test

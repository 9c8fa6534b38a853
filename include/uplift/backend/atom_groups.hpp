#pragma once
#include <vector>

#include "uplift/model/system.hpp"

namespace uplift {

/// Constraints, rigid waters and virtual sites with their parents: whatever moves as one stays on one rank. [atoms] the lowest
/// atom of the group that an atom belongs to.
std::vector<int> first_of_groups(const System& system);

/// Molecules of which atoms may be on several ranks.
struct SpreadMolecules {
  std::vector<int> number;   ///< [molecules] among them, -1: such a molecule is one group
  std::vector<double> mass;  ///< of each of them [Da]
};
SpreadMolecules spread_molecules(const System& system);

}  // namespace uplift

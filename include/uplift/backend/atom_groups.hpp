#pragma once
#include <span>
#include <vector>

#include "uplift/model/system.hpp"

namespace uplift {

/// Constraints, rigid waters and virtual sites with their parents: whatever moves as one stays on one rank. [atoms] the lowest
/// atom of the group that an atom belongs to.
std::vector<int> first_of_groups(const System& system);

/// How far the two largest groups stick out on either side of where their first atoms are, however they turn [nm]: where they
/// stick out less now, they may not do so later, and a run that begins should not end there.
double overhang_of_groups(const std::vector<int>& first_of_group, std::span<const Vec3d> x, const Box& box);

/// Atoms of molecule m: `atoms` from start[m] up to start[m + 1], ascending.
struct MoleculeAtoms {
  std::vector<int> start, atoms;
};
MoleculeAtoms atoms_of_molecules(const Molecules& molecules);

/// Molecules of which atoms may be on several ranks.
struct SpreadMolecules {
  std::vector<int> number;   ///< [molecules] among them, -1: such a molecule is one group
  std::vector<double> mass;  ///< of each of them [Da]
};
SpreadMolecules spread_molecules(const System& system);

}  // namespace uplift

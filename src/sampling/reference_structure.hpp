#pragma once
// The structure that rmsd() is measured against, from a file.
#include <functional>
#include <string>
#include <vector>

#include "uplift/core/vec3.hpp"
#include "uplift/model/topology.hpp"

namespace uplift {

/// Positions [nm] of atoms `which` in a PDB file that has all atoms of the topology, or these alone. Within a residue atoms are
/// found by their names, for every program has an order of its own; where names differ they are taken in order. `fail` throws.
std::vector<Vec3d> reference_positions(const std::string& file, const std::vector<int>& which, const Topology& topology,
                                       const std::function<void(const std::string&)>& fail);

}  // namespace uplift

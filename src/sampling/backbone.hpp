#pragma once
// The four atoms of a residue's phi or psi.
#include <array>
#include <functional>
#include <string>

#include "uplift/model/topology.hpp"

namespace uplift {

/// Of "phi" (C of the residue before, N, CA, C) or "psi" (N, CA, C, N of the residue after). `which`: "2", or "A:2" with the
/// chain. The neighbour is the residue that is bonded; where no bonds are known, the next one of the same chain. `fail` is
/// called with what is wrong, and must not come back.
std::array<int, 4> backbone_dihedral(const Topology& topology, const std::string& word, const std::string& which,
                                     const std::function<void(const std::string&)>& fail);

}  // namespace uplift

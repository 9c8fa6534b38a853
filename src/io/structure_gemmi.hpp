#pragma once
// What gemmi has read, from either format.
#include <gemmi/model.hpp>

#include "structure_parts.hpp"

namespace uplift::structure {

/// Title, cell and links.
void take_header(const gemmi::Structure& read, RawStructure& out);
RawResidue raw_residue(const gemmi::Chain& chain, const gemmi::Residue& residue);

}  // namespace uplift::structure

#pragma once
// PSF: CHARMM's and NAMD's file of atoms and how they are connected. Its parameters are elsewhere.
#include <string>
#include <vector>

#include "uplift/model/force_field.hpp"
#include "uplift/model/topology.hpp"

namespace uplift {

/// X-PLOR form (types by name), EXT columns where names or numbers need them, CMAP cross terms when there are any. Virtual
/// sites are atoms of mass zero without bonds. Returns what the reader of the file should know. Throws SimulationError when it
/// cannot be written.
std::vector<std::string> write_psf(const std::string& path, const Topology& topology, const ForceField& force_field);

}  // namespace uplift

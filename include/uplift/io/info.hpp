#pragma once
// `uplift info`.
#include <string>
#include <vector>

#include "uplift/model/settings.hpp"
#include "uplift/model/topology.hpp"

namespace uplift {

/// What is in a file: topology, structure, coordinates, trajectory, energies.h5, forces file, checkpoint. Also works on a
/// trajectory that is being written. What a topology needs besides comes in `settings` (parameters, define, include, force
/// field); without parameters a PSF says what it holds itself. Throws InputError when the file is not there or of no kind that
/// is known.
std::string describe_file(const std::string& path, const SystemSettings& settings = {});
/// A line for each of `atoms`, of which there may be many more than are shown.
std::string atom_table(const Topology& topology, const std::vector<int>& atoms);
/// One block of lines about this machine: processor, cores, memory, operating system.
std::string describe_machine();

}  // namespace uplift

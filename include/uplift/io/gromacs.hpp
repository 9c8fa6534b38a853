#pragma once
// GROMACS' files: topologies (.top with .itp) and coordinates (.gro). Format: GROMACS reference manual 2022, "Topologies" and
// "File formats".
#include <string>
#include <vector>

#include "uplift/io/coordinates.hpp"
#include "uplift/io/topology_file.hpp"

namespace uplift {

struct GromacsOptions {
  std::vector<std::string> define;   ///< words, or WORD=VALUE, as -D of an mdp file
  std::vector<std::string> include;  ///< folders of included files
  int most_atoms = 500'000'000;      ///< a system with more is taken for a mistake in [ molecules ]
};

/// What is wrong with a word of `define`; empty when nothing is.
std::string wrong_define(const std::string& word);

/// Reads a topology with all that it includes. Water that [ settles ] holds rigid and [ constraints ] come as fixed distances,
/// position restraints that the defines switch on as `restrained`. A define that no file asks for is a warning. Throws
/// InputError ("file:line: what, why, cure", the line being that of the included file) for anything wrong and, by name, for
/// anything the engine cannot do.
TopologyFile read_gromacs_topology(const std::string& path, const GromacsOptions& options = {});

/// Reads a .gro of one frame: positions, velocities where the columns are there, a box of three or nine numbers. The precision
/// is told by the distance of the decimal points. Throws InputError.
Coordinates read_gro(const std::string& path);

}  // namespace uplift

// Topologies: to PSF, and with coordinates to PDB.
#include <fstream>
#include <iostream>

#include "commands.hpp"
#include "convert.hpp"
#include "convert_system.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/amber.hpp"
#include "uplift/io/psf.hpp"

namespace uplift::app {

int convert_topology(const ConvertOptions& options) {
  if (options.inputs.size() > 1)
    throw InputError("uplift convert: several inputs follow each other in time, which topologies do not; give one");
  if (options.output.ends_with(".pdb")) {
    if (options.coordinates.empty())
      throw InputError(options.output + ": a PDB file holds positions, which " + options.inputs[0] +
                       " does not have; give --coordinates");
    ConvertOptions frames = options;
    frames.topology = options.inputs[0];
    frames.inputs = {options.coordinates};
    return convert_trajectory(frames);
  }
  if (!options.output.ends_with(".psf"))
    throw InputError(options.output +
                     ": topologies are written as .psf, and as .pdb with --coordinates; choose one of these endings");
  const AmberTopology amber = read_prmtop(options.inputs[0]);
  for (const std::string& note : write_psf(options.output, amber.topology, amber.force_field))
    std::cerr << "note: " << note << '\n';
  std::cout << options.output << ": " << amber.topology.size() << " atoms, " << amber.topology.bonds.size() << " bonds\n";
  return finished;
}

}  // namespace uplift::app

// Topologies: to prmtop and PSF, and with coordinates to PDB.
#include <filesystem>
#include <iostream>

#include "commands.hpp"
#include "convert.hpp"
#include "convert_system.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/amber_writer.hpp"
#include "uplift/io/charmm.hpp"
#include "uplift/io/check_output.hpp"
#include "uplift/io/psf.hpp"
#include "uplift/io/replace_file.hpp"
#include "uplift/io/structure.hpp"
#include "uplift/io/topology_file.hpp"

namespace uplift::app {
namespace {

namespace fs = std::filesystem;

void say(const std::vector<std::string>& notes) {
  for (const std::string& note : notes) std::cerr << "note: " << note << '\n';
}

void say_all(const TopologyFile& file) {
  say(file.notes);
  for (const std::string& warning : file.warnings) std::cerr << "warning: " << warning << '\n';
}

int to_pdb(const ConvertOptions& options) {
  if (options.coordinates.empty())
    throw InputError(options.output + ": a PDB file holds positions, which " + options.inputs[0] +
                     " does not have; give --coordinates");
  for (const char* named : {"gro", "crd", "pdb", "cif"})
    if (file_suffix(options.coordinates) == named) {
      TopologyFile names;
      names.topology = read_any_system(options.inputs[0], options).topology;
      say(check(names, options.inputs[0], read_coordinates(options.coordinates), options.coordinates));
    }
  ConvertOptions frames = options;
  frames.topology = options.inputs[0];
  frames.inputs = {options.coordinates};
  return convert_trajectory(frames);
}

int to_psf(const ConvertOptions& options) {
  const std::string& input = options.inputs[0];
  const TopologyFile file = file_suffix(input) == "psf" && options.parameters.empty()
                                ? read_psf_terms(input)
                                : read_topology(topology_settings(input, options));
  say_all(file);
  say(replace_file(options.output, [&](const std::string& to) { return write_psf(to, file.topology, file.force_field); }));
  std::cout << options.output << ": " << file.topology.size() << " atoms, " << file.topology.bonds.size() << " bonds\n";
  return finished;
}

/// The coordinates that are written with a prmtop stand beside it.
std::string inpcrd_beside(const ConvertOptions& options) {
  const std::string path = fs::path(options.output).replace_extension(".inpcrd").string();
  check_new_output(path, {options.inputs[0], options.coordinates}, options.force);
  return path;
}

int to_prmtop(const ConvertOptions& options) {
  const std::string& input = options.inputs[0];
  TopologyFile file = read_topology(topology_settings(input, options));
  say_all(file);
  if (!file.restrained.empty())
    throw InputError(options.output + ": " + std::to_string(file.restrained.size()) +
                     " atoms are restrained to their positions by the topology, which a prmtop cannot hold; leave the --define "
                     "out that switches this on");
  std::optional<Coordinates> coordinates = std::move(file.coordinates);
  if (!options.coordinates.empty()) coordinates = read_coordinates(options.coordinates);
  std::optional<Box> box = file.box;
  if (coordinates) {
    say(check(file, input, *coordinates, options.coordinates.empty() ? input : options.coordinates));
    box = choose_box(file, *coordinates);
    if (!box) box = file.box;
  }
  const std::string inpcrd = coordinates ? inpcrd_beside(options) : "";
  say(replace_file(options.output,
                   [&](const std::string& to) { return write_prmtop(to, file.topology, file.force_field, box); }));
  if (!coordinates && !box && (file_suffix(input) == "psf" || file_suffix(input) == "top"))
    std::cerr << "note: " << options.output
              << ": without a box; give --coordinates of a file that has one for a periodic system\n";
  std::cout << options.output << ": " << file.topology.size() << " atoms, " << file.topology.bonds.size() << " bonds\n";
  if (!coordinates) return finished;
  place_virtual_sites(file.force_field, coordinates->x);
  coordinates->box = box;
  replace_file(inpcrd, [&](const std::string& to) {
    write_amber_coordinates(to, AmberRestart::ascii, file.topology.title, *coordinates);
  });
  std::cout << inpcrd << ": their coordinates\n";
  return finished;
}

}  // namespace

int convert_topology(const ConvertOptions& options) {
  if (options.inputs.size() > 1)
    throw InputError("uplift convert: several inputs follow each other in time, which topologies do not; give one");
  const std::string suffix = file_suffix(options.output);
  if (suffix == "prmtop" || suffix == "parm7") return to_prmtop(options);
  if (suffix == "psf") return to_psf(options);
  if (suffix == "pdb") return to_pdb(options);
  throw InputError(options.output +
                   ": topologies are written as .prmtop, .parm7 or .psf, and as .pdb with --coordinates; choose one of these "
                   "endings");
}

}  // namespace uplift::app

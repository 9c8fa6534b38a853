// Which reader a file is for.
#include "uplift/io/topology_file.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "uplift/core/error.hpp"
#include "uplift/io/amber.hpp"
#include "uplift/io/charmm.hpp"
#include "uplift/io/checkpoint.hpp"
#include "uplift/io/forcefield_xml.hpp"
#include "uplift/io/frames.hpp"
#include "uplift/io/gromacs.hpp"
#include "uplift/io/structure.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {

std::string file_suffix(const std::string& path) {
  std::filesystem::path name(path);
  if (name.extension() == ".gz") name = name.stem();
  std::string suffix = name.extension().string();
  if (!suffix.empty()) suffix.erase(0, 1);
  std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return suffix;
}

namespace {

std::vector<AtomLabel> labels_of(const Topology& topology) {
  std::vector<AtomLabel> labels;
  for (const Atom& atom : topology.atoms) {
    const Residue& residue = topology.residues[static_cast<std::size_t>(atom.residue)];
    labels.push_back({atom.name, residue.name, residue.number});
  }
  return labels;
}

Coordinates structure_coordinates(const Structure& structure) {
  return {"structure", structure.x, {}, structure.box, 0, true, labels_of(structure.topology)};
}

Coordinates last_frame(const std::string& path) {
  const std::unique_ptr<FrameReader> reader = open_trajectory(path);
  if (reader->frames() == 0) throw InputError(path + ": holds no frame; give coordinates of another file");
  TrajectoryFrame frame;
  reader->read(reader->frames() - 1, frame);
  Coordinates out{
      "last frame of " + reader->format(), std::move(frame.x), std::move(frame.v), {}, frame.time.value_or(0), true, {}};
  if (frame.box.periodic()) out.box = reduce_box(frame.box);
  if (const std::optional<System> system = reader->system()) out.labels = labels_of(system->topology);
  return out;
}

TopologyFile read_structure_topology(const SystemSettings& settings) {
  if (settings.forcefield.empty())
    throw InputError(
        settings.topology +
        ": a PDB or mmCIF file holds no parameters; name force fields as system.forcefield: [amber14sb, tip3p] (uplift "
        "convert: --forcefield amber14sb tip3p)");
  const Structure structure = read_structure(settings.topology);
  Parametrized made = apply_forcefield(structure, settings.forcefield);
  TopologyFile file;
  file.kind = "structure with a force field";
  file.topology = std::move(made.topology);
  file.force_field = std::move(made.force_field);
  file.box = structure.box;
  file.coordinates = structure_coordinates(structure);
  file.notes = std::move(made.notes);
  return file;
}

/// Of a run: its last state, which need not be a frame.
Coordinates checkpoint_coordinates(const std::string& path) {
  Checkpoint checkpoint = read_checkpoint(path);
  Coordinates coordinates;
  coordinates.kind = "checkpoint";
  coordinates.x = std::move(checkpoint.state.x);
  if (checkpoint.has_velocities) coordinates.v = std::move(checkpoint.state.v);
  if (checkpoint.state.box.periodic()) coordinates.box = checkpoint.state.box;
  coordinates.box_angles_given = true;
  coordinates.time = checkpoint.state.time;
  return coordinates;
}

}  // namespace

TopologyFile read_topology(const SystemSettings& settings) {
  if (is_structure_file(settings.topology)) return read_structure_topology(settings);
  const std::string suffix = file_suffix(settings.topology);
  if (suffix == "psf") return read_psf(settings.topology, settings.parameters);
  // Amber's prmtops are also called .top; theirs begin with %VERSION.
  if ((suffix == "top" || suffix == "itp") && !read_file(settings.topology).starts_with("%VERSION"))
    return read_gromacs_topology(settings.topology, {settings.define, settings.include});
  return read_prmtop(settings.topology);
}

Coordinates read_coordinates(const std::string& path) {
  if (file_suffix(path) == "gro") return read_gro(path);
  if (file_suffix(path) == "upc") return checkpoint_coordinates(path);
  if (file_suffix(path) == "h5md" || file_suffix(path) == "h5") return last_frame(path);
  if (file_suffix(path) == "crd" && is_charmm_card(read_file(path))) return read_charmm_card(path);
  if (is_structure_file(path)) {
    const Structure structure = read_structure(path);
    Coordinates coordinates = structure_coordinates(structure);
    // Of a trajectory of ours the last frame may be meant.
    if (structure.models > 1)
      coordinates.notes.push_back(path + ": the first of " + std::to_string(structure.models) + " models is taken");
    return coordinates;
  }
  Coordinates coordinates = read_amber_coordinates(path);
  coordinates.kind = "Amber coordinates";
  return coordinates;
}

void check(const TopologyFile& topology, const Coordinates& coordinates) {
  const auto expected = static_cast<std::size_t>(topology.topology.size());
  if (coordinates.x.size() != expected)
    throw InputError("the topology has " + std::to_string(expected) + " atoms but the coordinates have " +
                     std::to_string(coordinates.x.size()) +
                     " (the two files belong to different systems, or one was stripped); give files of one system");
}

std::optional<Box> choose_box(const TopologyFile& topology, const Coordinates& coordinates) {
  if (!coordinates.box || coordinates.box_angles_given || !topology.box) return coordinates.box;
  Vec3d lengths, angles, unused;
  box_parameters(*topology.box, unused, angles);
  box_parameters(*coordinates.box, lengths, unused);
  return make_box(lengths, angles);
}

}  // namespace uplift

#pragma once
// Topology files of every format that is read.
#include <optional>
#include <string>
#include <vector>

#include "uplift/io/coordinates.hpp"
#include "uplift/model/force_field.hpp"
#include "uplift/model/settings.hpp"
#include "uplift/model/topology.hpp"

namespace uplift {

/// What every reader of topologies gives.
struct TopologyFile {
  std::string kind;  ///< for people: "Amber topology"
  Topology topology;
  ForceField force_field;
  std::optional<Box> box;                  ///< where the topology has one
  std::vector<RestrainedAtom> restrained;  ///< by the topology itself, to their starting positions in all stages
  std::optional<Coordinates> coordinates;  ///< where the topology holds them too (PDB, mmCIF)
  std::vector<std::string> notes;          ///< choices that were made, for the log
  std::vector<std::string> warnings;       ///< what is likely to be a mistake
};

/// Reads system.topology with the files and words that belong to its format (system.define, .include, .parameters,
/// .forcefield). The name says which format it is, and the content where names are shared (.top). Throws InputError
/// ("file:line: what, why, cure") for anything wrong and for anything the engine cannot do.
TopologyFile read_topology(const SystemSettings& settings);

/// Throws InputError when the two files do not belong together: their atom counts differ.
void check(const TopologyFile& topology, const Coordinates& coordinates);

/// The same, and looks whether both files mean the same atoms where both name them. Returns a note when names differ that may
/// mean the same; throws InputError for an atom that must be another one, as its name in the coordinates is that of another
/// element. The paths are for messages.
std::vector<std::string> check(const TopologyFile& topology, const std::string& topology_path, const Coordinates& coordinates,
                               const std::string& coordinates_path);

/// Whether an atom of that element may have that name: names begin with their element, but for deuterium and CHARMM's ions.
bool name_fits(const std::string& name, int element);

/// The box of the coordinates, its angles taken from the topology when the coordinate file gives lengths only (as old Amber
/// files do); empty when the coordinates have none.
std::optional<Box> choose_box(const TopologyFile& topology, const Coordinates& coordinates);

/// "top" of "dir/x.top.gz": the suffix in small letters, without that of compression.
std::string file_suffix(const std::string& path);

}  // namespace uplift

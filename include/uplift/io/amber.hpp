#pragma once
// Amber's files: prmtop (also those made by CHAMBER) and coordinates as ASCII inpcrd/rst7 or NetCDF restart. All may be
// gzipped. Units are ours on the way out: nm, ps, kJ/mol, e, rad, Da.
#include <optional>
#include <string>
#include <vector>

#include "uplift/core/box.hpp"
#include "uplift/model/force_field.hpp"
#include "uplift/model/topology.hpp"

namespace uplift {

struct AmberTopology {
  Topology topology;
  ForceField force_field;
  std::optional<Box>
      box;  ///< of BOX_DIMENSIONS; empty without IFBOX, and for IFBOX 3, whose three angles the prmtop does not hold
  bool chamber = false;  ///< made by CHAMBER: a CHARMM force field
};

/// Reads a prmtop (format V0001.000 with %FLAG sections; ambermd.org/FileFormats.php). Exclusions hold the file's list, all
/// pairs within a water with virtual sites, and every 1-4 pair. Water with four or five sites gets its virtual sites; the
/// file's bonds and angles to them are in the force field like all others (constant in rigid water) but are no chemical bonds
/// of the topology. Throws InputError ("file:line: what, why, cure") for anything wrong and for anything the engine cannot do.
AmberTopology read_prmtop(const std::string& path);

struct Coordinates {
  std::vector<Vec3d> x;           ///< [atoms] nm
  std::vector<Vec3d> v;           ///< [atoms] nm/ps; empty when the file has none
  std::optional<Box> box;         ///< reduced; empty when the file has none or all its lengths are zero
  double time = 0;                ///< [ps]
  bool box_angles_given = false;  ///< false: the file has lengths only and `box` is rectangular; see choose_box
};

/// Reads coordinates; ASCII or NetCDF (AMBERRESTART convention, classic format) is told by the first bytes, not by the name.
/// With one or two atoms a lone last line may be velocities or box: it is a box when its values can be lengths of at least 5 A
/// and angles of 20 to 160 degrees. Throws InputError ("file:line: what, why, cure").
Coordinates read_amber_coordinates(const std::string& path);

/// Throws InputError when the two files do not belong together: their atom counts differ.
void check(const AmberTopology& topology, const Coordinates& coordinates);

/// The box of the coordinates, its angles taken from the prmtop when the coordinate file gives lengths only (as old Amber files
/// do); empty when the coordinates have none.
std::optional<Box> choose_box(const AmberTopology& topology, const Coordinates& coordinates);

}  // namespace uplift

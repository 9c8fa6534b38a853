#pragma once
// Amber's files: prmtop (also those made by CHAMBER) and coordinates as ASCII inpcrd/rst7 or NetCDF restart. All may be
// gzipped. Units are ours on the way out: nm, ps, kJ/mol, e, rad, Da.
#include <string>

#include "uplift/io/coordinates.hpp"
#include "uplift/io/topology_file.hpp"

namespace uplift {

/// `box` is that of BOX_DIMENSIONS; empty without IFBOX, and for IFBOX 3, whose three angles the prmtop does not hold.
struct AmberTopology : TopologyFile {
  bool chamber = false;  ///< made by CHAMBER: a CHARMM force field
};

/// Reads a prmtop (format V0001.000 with %FLAG sections; ambermd.org/FileFormats.php). Exclusions hold the file's list, all
/// pairs within a water with virtual sites, and every 1-4 pair. Water with four or five sites gets its virtual sites; the
/// file's bonds and angles to them are in the force field like all others (constant in rigid water) but are no chemical bonds
/// of the topology. Throws InputError ("file:line: what, why, cure") for anything wrong and for anything the engine cannot do.
AmberTopology read_prmtop(const std::string& path);

/// Reads coordinates; ASCII or NetCDF (AMBERRESTART convention, classic format) is told by the first bytes, not by the name.
/// With one or two atoms a lone last line may be velocities or box: it is a box when its values can be lengths of at least 5 A
/// and angles of 20 to 160 degrees. Throws InputError ("file:line: what, why, cure").
Coordinates read_amber_coordinates(const std::string& path);

}  // namespace uplift

#pragma once
// Amber's files for other programs: prmtop and coordinates.
#include <optional>
#include <string>
#include <vector>

#include "uplift/core/box.hpp"
#include "uplift/io/coordinates.hpp"
#include "uplift/model/force_field.hpp"
#include "uplift/model/topology.hpp"

namespace uplift {

/// Writes a prmtop (format V0001.000; ambermd.org/FileFormats.php) that has the same energies, to the nine digits of its
/// fields. CHAMBER's form is taken where the force field has Urey-Bradley terms, harmonic impropers, or 1-4 Lennard-Jones
/// parameters that are no multiples of the others, else the plain one. Water becomes WAT with an H-H bond, by which Amber's
/// programs know rigid water. Returns what the user should know. Throws InputError, by name, for what the format cannot hold,
/// SimulationError when the file cannot be written.
std::vector<std::string> write_prmtop(const std::string& path, const Topology& topology, const ForceField& force_field,
                                      const std::optional<Box>& box);

enum class AmberRestart { ascii, netcdf };  ///< seven decimals of an Angstrom; double precision
/// Writes positions, velocities if there are any, time and box (AMBERRESTART convention for NetCDF). Throws InputError where
/// the columns of the ASCII form are too narrow, SimulationError when the file cannot be written.
void write_amber_coordinates(const std::string& path, AmberRestart form, const std::string& title,
                             const Coordinates& coordinates);

/// The cell as Amber has it: a truncated octahedron by three angles of 109.47 degrees, a dodecahedron by three of 60 degrees
/// where its vectors lie so; in the orientation of `box`.
struct AmberCell {
  int ifbox;      ///< 1: rectangular, 2: truncated octahedron, 3: another cell
  Vec3d lengths;  ///< [A]
  Vec3d angles;   ///< [degrees]
};
AmberCell amber_cell(const Box& box);

}  // namespace uplift

#pragma once
// Coordinate files of every format that is read.
#include <optional>
#include <string>
#include <vector>

#include "uplift/core/box.hpp"
#include "uplift/core/vec3.hpp"

namespace uplift {

/// What a file calls an atom.
struct AtomLabel {
  std::string atom, residue;
  int residue_number;
};

struct Coordinates {
  std::string kind;                     ///< for people: "Amber coordinates"
  std::vector<Vec3d> x;                 ///< [atoms] nm
  std::vector<Vec3d> v;                 ///< [atoms] nm/ps; empty when the file has none
  std::optional<Box> box;               ///< reduced; empty when the file has none or all its lengths are zero
  double time = 0;                      ///< [ps]
  bool box_angles_given = false;        ///< false: the file has lengths only and `box` is rectangular; see choose_box
  std::vector<AtomLabel> labels;        ///< [atoms]; empty where the file does not name them (Amber)
  std::vector<std::string> notes = {};  ///< choices that were made, for the log
};

/// Reads a coordinate file; the name says which format it is: .gro is GROMACS, .crd with
/// titles CHARMM's CARD, .pdb .ent .cif .mmcif are structures, of .h5md .h5 the last frame is taken, of a checkpoint (.upc) its
/// state, all others Amber (ASCII or NetCDF, told by the first bytes). Throws InputError ("file:line: what, why, cure").
Coordinates read_coordinates(const std::string& path);

}  // namespace uplift

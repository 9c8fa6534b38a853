#pragma once
// PDB and mmCIF files as structures: atoms, residues, chains, bonds and a box, without any force field. Read with gemmi.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "uplift/core/box.hpp"
#include "uplift/core/vec3.hpp"
#include "uplift/model/topology.hpp"

namespace uplift {

struct Structure {
  std::string path;
  int models = 1;                  ///< in the file
  Topology topology;               ///< no types; masses by element, 0 for virtual sites (extra points of water, lone pairs)
  std::vector<Vec3d> x;            ///< [atoms] nm
  std::optional<Box> box;          ///< of CRYST1 or the cell; empty without one or for the 1 x 1 x 1 A dummy
  std::vector<bool> bonds_known;   ///< [residues] its bonds follow from the residue's name or from the file
  std::vector<bool> chain_break;   ///< [residues] TER, another chain, or too long a bond comes after it
  std::vector<std::string> notes;  ///< choices that were made, for the log: alternate locations, models, chain breaks
};

/// Whether the name is that of a PDB or mmCIF file: .pdb .ent .cif .mmcif, also gzipped.
bool is_structure_file(const std::string& path);

/// Reads the first model of a PDB (format 3.3 and what programs make of it) or mmCIF file, also gzipped. Of alternate locations
/// the one with the largest mean occupancy in its residue is taken, of equal ones that with more atoms, then the first. Bonds:
/// those of standard residues by their names, polymer bonds between neighbours that are near each other, SSBOND, LINK, CONECT
/// and struct_conn, disulfides by distance (0.3 nm), hydrogens to the nearest heavy atom of their residue. Throws InputError
/// ("file:line: what, why, cure").
Structure read_structure(const std::string& path);

/// Bonds of a structure whose atoms and residues are there: fills topology.bonds, bonds_known, chain_break and notes. `ter`
/// says after which residues a chain ends; `given` are pairs of atoms that are bonded in any case.
void find_bonds(Structure& structure, const std::vector<bool>& ter, const std::vector<std::array<int, 2>>& given);

}  // namespace uplift

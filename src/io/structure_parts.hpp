#pragma once
// What the PDB and the mmCIF reader hand to the code that makes a Structure of it.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "uplift/core/vec3.hpp"
#include "uplift/io/structure.hpp"

namespace uplift::structure {

struct RawAtom {
  std::string name;
  int element = 0;  ///< atomic number; 0: unknown
  char altloc = 0;  ///< 0: none
  double occupancy = 1;
  Vec3d x{};  ///< [nm]
  int serial = 0;
};
struct RawResidue {
  std::string name, chain;
  int number = 0;
  char insertion = ' ';
  bool ter = false;  ///< the chain ends after it
  std::vector<RawAtom> atoms;
};
struct AtomAddress {
  std::string chain, residue;
  int number = 0;
  char insertion = ' ';
  std::string atom;
};
struct RawStructure {
  std::string title;
  std::vector<RawResidue> residues;
  std::optional<std::array<double, 6>> cell;  ///< Angstrom and degrees
  std::string space_group;
  std::vector<std::array<AtomAddress, 2>> links;  ///< SSBOND, LINK, struct_conn
  std::vector<std::array<int, 2>> serial_bonds;   ///< CONECT
  int symmetry_bonds = 0;                         ///< to copies by the symmetry of the crystal, which are not in links
  int models = 1;
};

RawStructure parse_pdb(const std::string& path, const std::string& text);
RawStructure parse_mmcif(const std::string& path, const std::string& text);

}  // namespace uplift::structure

#pragma once
// What is known of standard residues by name: heavy-atom bonds, hydrogens and ideal geometry of amino acids and their caps,
// bonds of nucleotides. Force fields do not come in here; they are matched to the bonds later.
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace uplift {

/// A heavy atom by internal coordinates: `from` names three atoms a, b, c; this one is bonded to c.
struct IdealAtom {
  std::string name;
  std::array<std::string, 3> from;
  double length;   ///< to c [nm]
  double angle;    ///< at c, with b [rad]
  double torsion;  ///< a-b-c-this, IUPAC sign, of the L form [rad]
};

/// The hydrogens of one heavy atom.
struct IdealHydrogens {
  std::vector<std::string> names;
  std::string parent;
  bool planar = false;  ///< the parent is sp2: they lie in the plane of its neighbours
};

enum class ResidueKind { amino_acid, cap, nucleotide };

struct LibraryResidue {
  std::string name;  ///< three letters; variants by protonation as Amber names them (HID, ASH, CYX ...)
  char letter = 0;   ///< one-letter code; 0 for caps, nucleotides and variants
  ResidueKind kind = ResidueKind::amino_acid;
  std::vector<IdealAtom> side_chain;                       ///< heavy atoms from CB on, each after those that it hangs on
  std::vector<std::pair<std::string, std::string>> bonds;  ///< between all heavy atoms of the residue
  std::vector<IdealHydrogens> hydrogens;                   ///< within a chain: without those of charged ends
};

/// The residue of that name, also by its names in CHARMM (HSD) and at chain ends in Amber (NALA, DA5); nullptr when unknown.
/// Geometry: Engh and Huber, Acta Crystallogr. A 47, 392 (1991); torsions are those of common rotamers (Lovell et al., Proteins
/// 40, 389 (2000)), and hydrogens are placed by the hybridisation of their parents.
const LibraryResidue* library_residue(const std::string& name);
/// The amino acid of a one-letter code; nullptr when there is none.
const LibraryResidue* library_residue(char letter);
/// Whether the name is one that files give to water: HOH, WAT, SOL, TIP3 ...
bool is_water_name(const std::string& name);
/// Whether bonds to the element are coordination, in files of structures.
bool is_metal(int atomic_number);

/// The name that the library has for an atom of a file: O1P is OP1, C5* is C5', CD of ILE is CD1.
std::string library_atom_name(const LibraryResidue& residue, const std::string& name);

}  // namespace uplift

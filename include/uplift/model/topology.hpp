#pragma once
// What the molecules are: names, elements, residues, bonds. Knows nothing of force parameters.
#include <string>
#include <vector>

namespace uplift {

struct ForceField;

struct Atom {
  std::string name;  ///< PDB-style, "CA"
  std::string type;  ///< force-field type, "CT"
  int element = 0;   ///< atomic number; 0: virtual site or unknown
  double mass = 0;   ///< [Da]; 0 for a virtual site
  int residue = 0;   ///< index into Topology::residues
};

struct Residue {
  std::string name;   ///< "ALA"
  int number = 0;     ///< as in the input, or 1-based
  std::string chain;  ///< may be empty
  int first_atom = 0;
  int atom_count = 0;
  std::string insertion = {};  ///< code of one letter after the number (52A), mostly empty
};

struct Bond {
  int i = 0, j = 0;  ///< i < j
};

/// Immutable after parsing.
struct Topology {
  std::string title;
  std::vector<Atom> atoms;
  std::vector<Residue> residues;
  std::vector<Bond> bonds;  ///< chemical bonds only, sorted: no H-H bond of rigid water, no bond to a virtual site

  int size() const { return static_cast<int>(atoms.size()); }
};

/// Atoms grouped by connectivity (bonds, plus virtual sites with their parents): molecule_of[atom] numbers molecules from 0 in
/// the order of their first atoms.
struct Molecules {
  std::vector<int> molecule_of;
  int count = 0;
};

/// Molecules by the bonds of the topology, and virtual sites with their parents; harmonic bonds of the force field do not
/// count.
Molecules find_molecules(const Topology& topology, const ForceField& force_field);

/// Chemical symbol for an atomic number ("H"; "X" for 0 or unknown), and the reverse (0 when unknown).
std::string element_symbol(int atomic_number);
int element_number(const std::string& symbol);
/// The element whose standard weight is nearest to `mass` [Da]; 0 for masses below 0.5.
int element_from_mass(double mass);
/// Standard atomic weight [Da] (IUPAC 2021 abridged); 0 when unknown.
double element_mass(int atomic_number);

/// "atom 12 (CA of ALA 2)", as messages name an atom; counted from 1.
std::string describe_atom(const Topology& topology, int atom);

/// Water is recognised by shape (one oxygen, two hydrogens bonded to it, any virtual sites), not by residue name.
bool is_water(const Topology& topology, const Residue& residue);

}  // namespace uplift

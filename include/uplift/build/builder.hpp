#pragma once
// From a sequence or a structure with gaps to a system that can be run: hydrogens, side chains, water, ions.
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "uplift/io/forcefield_xml.hpp"
#include "uplift/io/structure.hpp"

namespace uplift {

enum class Conformation { extended, helix };
enum class BoxShape { cubic, rectangular, dodecahedron, octahedron };

struct BuildOptions {
  std::string sequence;   ///< one-letter codes (lower case: D form) or residue names with blanks or dashes; empty: `structure`
  std::string structure;  ///< a PDB or mmCIF file
  Conformation conformation = Conformation::extended;
  bool caps = false;                          ///< ACE and NME at the ends of chains, instead of charged groups
  double ph = 7;                              ///< decides protonation by model pKa values
  std::map<std::string, std::string> states;  ///< "A:57" or "57": name of the residue as it shall be, HID or ASH
  std::vector<std::string> remove;            ///< names of residues to leave out
  std::vector<std::string> forcefield;        ///< files
  bool water = true;                          ///< with water in a periodic box
  BoxShape shape = BoxShape::dodecahedron;
  double padding = 1.0;        ///< least distance between the solute and the box [nm]
  std::optional<double> edge;  ///< of the box [nm], instead of the padding
  double salt = 0;             ///< [mol/L], beyond what neutralises
  std::string positive = "NA", negative = "CL";
  std::uint64_t seed = 2026;
};

/// What was built, with its parameters; `structure` and `parameters` have the same atoms.
struct BuiltSystem {
  Structure structure;
  Parametrized parameters;
  std::vector<std::string> notes;  ///< what was done and decided, for the user
  int waters = 0, cations = 0, anions = 0;
};

/// Builds a system; the same options give the same system, bit for bit. Throws InputError when the input does not allow it.
BuiltSystem build_system(const BuildOptions& options);

/// What the run restrains while it warms up, as a selection: protein-heavy, without a protein all that is no water and no ion;
/// empty where that is nothing.
std::string restrained_atoms(const BuildOptions& options, const Topology& topology);

/// A YAML input that minimises, equilibrates and runs the system whose file is `structure_file` (as a path relative to the
/// input).
std::string run_input_text(const BuildOptions& options, const std::string& title, const std::string& structure_file,
                           const std::vector<std::string>& forcefield_names, const std::string& implicit_solvent,
                           const std::string& restrained);

/// A structure as mmCIF text (atoms, cell): for systems with more atoms than a PDB file can number.
std::string mmcif_text(const Structure& structure);

}  // namespace uplift

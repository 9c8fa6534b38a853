#pragma once
// The parts of the reader of GROMACS topologies: what a file holds before its molecules are put together, and who reads what.
// Units are GROMACS' own on the way in: nm, kJ/mol, degrees, Da, e.
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gromacs_preprocessor.hpp"
#include "uplift/io/topology_file.hpp"

namespace uplift::gromacs {

using Words = std::vector<std::string_view>;

/// The line in hand, with what is needed to complain about it.
struct Line {
  const Preprocessor& source;
  std::string section;  ///< "bonds"
  Words words;

  [[noreturn]] void fail(const std::string& message) const;
  /// Throws unless there are at least `count` words.
  void need(std::size_t count, const char* what) const;
  int integer(std::size_t word, const char* what) const;
  double real(std::size_t word, const char* what) const;
  /// All words from `first` on as numbers.
  std::vector<double> reals(std::size_t first) const;
};

struct Defaults {
  bool given = false;
  int combination_rule = 0;
  bool generate_pairs = false;
  double fudge_lj = 1, fudge_qq = 1;
};

struct AtomType {
  std::string name;
  int bonded = 0;   ///< number of the name that bonded parameters go by
  int element = 0;  ///< 0: not said
  double mass = 0, charge = 0;
  char particle = 'A';
  double v = 0, w = 0;  ///< c6 and c12, or sigma and epsilon, by the combination rule
};

/// Lennard-Jones as the engine has it.
struct LennardJones {
  double c6, c12;
};

/// Bonded interactions by their kind; functions that share parameters and formula share a kind.
enum class Kind {
  bond,
  harmonic,
  angle,
  urey_bradley,
  proper,
  periodic_improper,
  harmonic_improper,
  ryckaert_bellemans,
  fourier,
  constraint
};

/// What stands before the molecules: defaults, atom types and the parameters by type.
class ForceFieldTypes {
 public:
  void read_defaults(const Line& line);
  void read_atom_type(const Line& line);
  void read_pair_type(const Line& line);
  void read_nonbonded(const Line& line);
  void read_bonded(const Line& line, int atoms);  ///< bondtypes, constrainttypes, angletypes
  void read_dihedral_type(const Line& line);
  void read_cmap_type(const Line& line);

  const Defaults& defaults() const { return defaults_; }
  const AtomType& atom(int type) const { return atoms_[static_cast<std::size_t>(type)]; }
  int atom_types() const { return static_cast<int>(atoms_.size()); }
  /// Number of an atom type; throws when there is none.
  int find_atom_type(const Line& line, std::string_view name) const;

  LennardJones lennard_jones(int a, int b) const;
  /// Of [ pairs ] without parameters: of pairtypes, or made by the combination rule where gen-pairs allows it.
  LennardJones pair14(const Line& line, int a, int b) const;
  /// From two parameters as the combination rule reads them.
  LennardJones from_parameters(double v, double w) const;

  /// Parameters for atoms of these types (as numbers of atom types): one set, or several for a proper dihedral. Null when there
  /// are none.
  const std::vector<std::vector<double>>* bonded(Kind kind, const std::vector<int>& types) const;
  /// Number of the map for five atom types, -1 when there is none.
  int cmap(const std::array<int, 5>& types) const;
  const std::vector<CmapGrid>& cmap_grids() const { return cmap_grids_; }
  std::string type_names(const std::vector<int>& types) const;

 private:
  struct Entry {
    Kind kind;
    std::vector<int> types;  ///< numbers of bonded names; wildcard below
    std::vector<std::vector<double>> sets;
    Where last;
  };
  static constexpr int wildcard = -1;
  int bonded_name(std::string_view name);
  void add_bonded(const Line& line, Kind kind, std::vector<int> types, std::vector<double> parameters, bool may_repeat);
  const Entry* match(Kind kind, const std::vector<int>& names) const;

  Defaults defaults_;
  std::vector<AtomType> atoms_;
  std::unordered_map<std::string, int> atom_numbers_, bonded_numbers_;
  std::map<std::pair<int, int>, std::array<double, 2>> pair_types_, nonbonded_;
  std::vector<Entry> entries_;
  std::map<std::pair<Kind, std::vector<int>>, std::size_t> exact_;  ///< entries_ by kind and types
  std::map<Kind, std::vector<std::size_t>> dihedrals_;              ///< entries_ in the order of the file
  mutable std::map<std::pair<Kind, std::vector<int>>, const Entry*> found_;
  int last_dihedral_ = -1;  ///< entry of the line before
  std::map<std::array<int, 5>, int> cmap_numbers_;
  std::vector<CmapGrid> cmap_grids_;
};

/// A molecule type. Atoms are numbered from 0 within it; the force field's lj_type holds numbers of atom types.
struct Molecule {
  std::string name;
  int bonds_apart = 3;  ///< nrexcl
  Topology topology;
  ForceField force_field;
  std::vector<std::string> residue_numbers;  ///< with insertion codes, one a residue
  std::vector<std::array<int, 2>> links;     ///< bonds, constraints and settles, for exclusions by nrexcl
  std::vector<RestrainedAtom> restrained;
};

/// Reads the sections of molecules.
class MoleculeReader {
 public:
  explicit MoleculeReader(const ForceFieldTypes& types) : types_(types) {}
  /// A line of a section of the molecule type in hand. False when the section is none of a molecule's.
  bool read(const Line& line, Molecule& molecule) const;
  /// After its last line.
  void finish(Molecule& molecule) const;

 private:
  using Atoms = std::vector<int>;
  /// Parameters of an interaction: those of the line, or those by type.
  std::vector<std::vector<double>> parameters(const Line& line, const Molecule& m, const Atoms& atoms, Kind kind) const;
  Atoms atoms(const Line& line, const Molecule& m, std::size_t count) const;
  int function(const Line& line, std::size_t word) const;
  void atom(const Line& line, Molecule& m) const;
  void bond(const Line& line, Molecule& m) const;
  void constraint(const Line& line, Molecule& m) const;
  void settle(const Line& line, Molecule& m) const;
  void pair(const Line& line, Molecule& m) const;
  void explicit_pair(const Line& line, Molecule& m) const;
  void angle(const Line& line, Molecule& m) const;
  void dihedral(const Line& line, Molecule& m) const;
  void cmap(const Line& line, Molecule& m) const;
  void exclusion(const Line& line, Molecule& m) const;
  void restraint(const Line& line, Molecule& m) const;
  void virtual_site(const Line& line, Molecule& m, std::size_t parents) const;
  void virtual_site_n(const Line& line, Molecule& m) const;

  const ForceFieldTypes& types_;
};

/// Number of parameters of a kind, those of one state.
std::size_t parameter_count(Kind kind);
/// Parameters of one state; throws when a second state differs from it. `n`: of one state, where the kind does not tell.
std::vector<double> one_state(const Line& line, Kind kind, std::vector<double> given);
std::vector<double> one_state(const Line& line, std::size_t n, std::vector<double> given);
/// The kind of a function number of [ bonds ], [ angles ] or [ dihedrals ] (or of their types); throws, by name, for those that
/// the engine does not have.
Kind bond_kind(const Line& line, int function);
Kind angle_kind(const Line& line, int function);
Kind dihedral_kind(const Line& line, int function);

/// Adds a dihedral of a kind to a force field.
void add_dihedral(Kind kind, const std::array<int, 4>& atoms, const std::vector<double>& parameters, ForceField& ff);

/// Puts `count` copies of a molecule at the end of a system.
void append(const Molecule& molecule, int count, TopologyFile& out);

}  // namespace uplift::gromacs

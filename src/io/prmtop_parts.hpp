#pragma once
// The parts of the prmtop writer: sections of text, and what goes into them.
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "uplift/core/at.hpp"
#include "uplift/core/box.hpp"
#include "uplift/model/force_field.hpp"
#include "uplift/model/topology.hpp"

namespace uplift::prmtop {

/// How reals are printed. All readers know them by the %FORMAT line; VMD knows nine_digits only, so the plain form has no
/// other.
enum class Reals { nine_digits, seventeen_digits, five_decimals };

/// Sections as text, in the order in which they are put.
class SectionText {
 public:
  void head(const char* flag, const char* format, const std::vector<std::string>& comments = {});
  void line(const std::string& text) { out_ += text + '\n'; }
  void integers(const std::string& flag, const std::vector<int>& values, const char* format = "10I8");
  void reals(const std::string& flag, const std::vector<double>& values, Reals how = Reals::nine_digits,
             const std::vector<std::string>& comments = {});
  void words(const std::string& flag, const std::vector<std::string>& values);
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

/// Rows of parameters, each once, numbered from 1 in the order in which they come. Rows that print alike are one.
template <std::size_t n>
class Kinds {
 public:
  int number(const std::array<double, n>& row);
  std::vector<double> column(std::size_t k) const {
    std::vector<double> out;
    for (const auto& row : rows_) out.push_back(row[k]);
    return out;
  }
  int size() const { return static_cast<int>(rows_.size()); }

 private:
  std::map<std::string, int> numbers_;
  std::vector<std::array<double, n>> rows_;
};

/// What is written, and how messages call it.
struct Source {
  const std::string& path;
  const Topology& topology;
  const ForceField& ff;
  std::vector<bool> water;  ///< [residues]
  std::vector<std::string>& notes;

  /// Throws InputError.
  [[noreturn]] void cannot(const std::string& what, const std::string& cure = "") const;
  bool in_water(int atom) const { return water[at(topology.atoms[at(atom)].residue)]; }
  std::string name(int atom) const { return describe_atom(topology, atom); }
};

/// Divisors of a 1-4 pair's Coulomb and Lennard-Jones parts (SCEE, SCNB).
using Scales = std::array<double, 2>;

/// Lennard-Jones types and the 1-4 pairs, in the one form or the other.
struct Nonbonded {
  bool chamber = false;
  int types = 0;
  std::vector<int> type;                       ///< [atoms] from 0
  std::vector<double> c6, c12;                 ///< [types * types]
  std::vector<double> c6_14, c12_14;           ///< the same for 1-4 pairs; CHAMBER only
  std::map<std::array<int, 2>, Scales> pairs;  ///< by atoms i < j
  Scales usual{1.2, 2.0};                      ///< for dihedrals without a 1-4 pair
};
Nonbonded nonbonded(const Source& source);

/// Lists of atoms and numbers of kinds as the format has them; with hydrogen first, then without.
struct Bonded {
  std::array<std::vector<int>, 2> bonds, angles, dihedrals;
  Kinds<2> bond_kinds, angle_kinds;
  Kinds<5> dihedral_kinds;  ///< constant, periodicity, phase, SCEE, SCNB
  std::vector<int> urey_bradleys, impropers;
  Kinds<2> urey_bradley_kinds, improper_kinds;
  int terms(const std::vector<int>& list, int width) const { return static_cast<int>(list.size()) / width; }
};
Bonded bonded(const Source& source, const Nonbonded& nonbonded);
/// Bonds, with those that hold water and its virtual sites.
void add_bonds(const Source& source, Bonded& out);

/// Names as the format can hold them.
struct Labels {
  std::vector<std::string> atoms, types, residues;
};
Labels labels(const Source& source);

/// One section each of the maps, and the list of terms.
void put_cmaps(const Source& source, bool chamber, SectionText& out);
/// SOLVENT_POINTERS, ATOMS_PER_MOLECULE, BOX_DIMENSIONS.
void put_box(const Source& source, const Box& box, SectionText& out);

}  // namespace uplift::prmtop

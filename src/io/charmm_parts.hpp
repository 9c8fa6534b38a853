#pragma once
// The parts of the reader of CHARMM's files. Units are CHARMM's own on the way in: Angstrom, kcal/mol, degrees.
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "uplift/model/force_field.hpp"
#include "uplift/model/topology.hpp"

namespace uplift::charmm {

/// A PSF as it stands. Atoms are numbered from 0.
struct Psf {
  std::string path;
  Topology topology;  ///< types as in the file; no bonds yet
  std::vector<double> charges;
  std::vector<std::array<int, 2>> bonds;
  std::vector<std::array<int, 3>> angles;
  std::vector<std::array<int, 4>> dihedrals, impropers;
  std::vector<std::array<int, 8>> cross_terms;
  std::vector<std::array<int, 2>> exclusions;
  std::map<std::string, int> section_lines;  ///< line of each section, for messages
};

Psf read_psf_file(const std::string& path);

using Types = std::vector<std::string>;

struct Bond {
  double k, length;
};
struct Angle {
  double k, angle;
  std::optional<Bond> urey_bradley;
};
struct Torsion {
  double k;
  int periodicity;
  double phase;
};
struct Radius {  ///< epsilon is positive
  double epsilon, half_rmin;
};
struct Nonbonded {
  Radius normal, of_14;
};
struct PairFix {  ///< NBFIX: rmin, not half of it
  double epsilon, rmin, epsilon_14, rmin_14;
};

/// Parameters by type of all files. Types are in capitals.
struct Parameters {
  std::map<int, std::string> type_numbers;  ///< of MASS lines, for PSFs that give types as numbers
  std::map<std::string, int> elements;      ///< of MASS lines that name one
  std::map<Types, Bond> bonds;
  std::map<Types, Angle> angles;
  std::map<Types, std::vector<Torsion>> dihedrals, impropers;
  std::map<Types, CmapGrid> cmaps;
  std::map<std::string, Nonbonded> nonbonded;
  std::map<Types, PairFix> fixes;
  double e14_factor = 1;
  bool geometric = false;  ///< Rmin by the geometric mean
};

/// Reads a parameter, topology or stream file into `out`.
void read_parameters(const std::string& path, Parameters& out);

/// Types in the direction by which they are stored.
Types canonical(Types types);
/// Terms for four types: of dihedrals, the exact types, then X B C X; of impropers A B C D, A X X D, X B C D, X B C X, X X C D.
/// Null when there are none.
const std::vector<Torsion>* find_torsion(const std::map<Types, std::vector<Torsion>>& table, const Types& types, bool improper);

std::string capitals(std::string_view text);

}  // namespace uplift::charmm

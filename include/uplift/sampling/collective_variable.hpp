#pragma once
// Collective variables of stored frames.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "uplift/core/box.hpp"
#include "uplift/model/system.hpp"

namespace uplift {

/// What a variable is asked of: the stored atoms, in their order.
struct StoredSystem {
  Topology topology;
  std::vector<double> masses;  ///< [atoms] Da: what they weigh, whatever forces.hydrogen_mass makes of them
  std::vector<int> molecule;   ///< [atoms] their numbers; empty: not known
  std::vector<Vec3d> first;    ///< [atoms] nm: the default reference of rmsd(), the first frame of the first run
  std::string directory;       ///< of the run: where column() looks first
  std::string beside;          ///< where files are looked for next: the folder of the input; empty: none
  std::size_t frames = 0;      ///< of the trajectory: the rows that column() needs
  bool alone = true;           ///< of several runs each needs its own file for column()
};

/// Of a system whose trajectory has these atoms (ascending), before there is one.
StoredSystem part_to_be_stored(const System& system, const std::vector<int>& atoms, const std::vector<Vec3d>& x);

class CollectiveVariable {
 public:
  virtual ~CollectiveVariable() = default;
  std::string name, definition;  ///< "phi", "dihedral(4,6,8,14)"
  std::string unit;              ///< "deg", "nm", or "" of a column
  bool periodic = false;         ///< -180 to 180 degrees
  /// Value of frame number `frame` of the trajectory. `x` [stored atoms] nm.
  virtual double value(std::span<const Vec3d> x, const Box& box, std::size_t frame) const = 0;
};

/// Between atoms of one molecule vectors are as stored, for molecules are stored whole; to another molecule nearest images
/// count.
///
/// Reads "phi=dihedral(4,6,8,14)", or without the name: dihedral(i,j,k,l) and angle(i,j,k) [deg], distance(i,j) [nm],
/// phi(RESIDUE) and psi(RESIDUE) by residue number, or CHAIN:NUMBER where chains count anew [deg], rmsd(SELECTION) and
/// rmsd(SELECTION, FILE.pdb) after optimal superposition (Kabsch, Acta Crystallogr. A 32, 922 (1976)) [nm], gyration(SELECTION)
/// mass weighted [nm], column(FILE, N) of a text file with a row a frame of the trajectory. Atoms and columns count from 0,
/// atoms in the order of the trajectory. Files are looked for in the run's directory, beside the input and in the current
/// folder. Throws InputError naming the definition and what is wrong with it.
std::unique_ptr<CollectiveVariable> make_collective_variable(const std::string& text, const StoredSystem& system);

}  // namespace uplift

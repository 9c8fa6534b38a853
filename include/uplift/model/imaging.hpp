#pragma once
// Which periodic image of a molecule is shown: whole, unwrapped in time, around a centre. The physics does not depend on it.
#include <span>
#include <utility>
#include <vector>

#include "uplift/model/system.hpp"

namespace uplift {

/// How molecules hang together: each atom but the first of a molecule is placed next to one before it.
class MoleculeTree {
 public:
  /// By the bonds of the topology, and virtual sites by their parents.
  explicit MoleculeTree(const System& system);
  int molecules() const { return static_cast<int>(first_.size()) - 1; }
  /// Atoms of a molecule, in an order in which each is bonded to one before it.
  std::span<const int> atoms(int molecule) const;

  /// Bonds as they are, not across the box: every molecule in one piece, at the image of its first atom. `box` is reduced.
  void make_whole(const Box& box, std::vector<Vec3d>& x) const;

 private:
  std::vector<int> order_, parent_;  // by place; parent -1: the first atom of a molecule
  std::vector<int> first_;           // place of a molecule's first atom, and the end
};

/// Follows molecules across the faces of the box, frame after frame. A molecule moves as its centre does, by the nearest image
/// of its displacement in the present box, so that molecules stay as they are when the box changes: the toroidal view
/// preserving scheme of von Buelow, Bullerjahn and Hummer, J. Chem. Phys. 153, 021101 (2020), for centres. Displacements
/// between frames must be less than half of the box.
class Unwrapper {
 public:
  explicit Unwrapper(const MoleculeTree& tree) : tree_(tree) {}
  /// The next frame, its molecules whole; `box` is reduced.
  void operator()(const Box& box, std::vector<Vec3d>& x);

 private:
  const MoleculeTree& tree_;
  std::vector<Vec3d> before_, followed_;  // centres in the cell at the origin, and followed
};

/// Molecules of `atoms` go to the images nearest to the first of them. Molecules must be whole and `box` reduced.
void bring_together(const MoleculeTree& tree, const std::vector<int>& atoms, const Box& box, std::vector<Vec3d>& x);

/// Moves everything so that the geometric centre of `atoms` is the middle of the box (the origin without a box). `around`:
/// molecules of `atoms` are brought together before, and every molecule then goes to the image whose centre is nearest to that
/// middle; else none goes to another image. Molecules must be whole and `box` reduced.
void centre_on(const MoleculeTree& tree, const std::vector<int>& atoms, const Box& box, bool around, std::vector<Vec3d>& x);

}  // namespace uplift

#pragma once
// How many domains along each box vector, and where the walls between them are.
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "uplift/core/box.hpp"

namespace uplift {

/// Domains (x, y, z) on a grid whose planes are walls across box vectors; rank (x ny + y) nz + z.
class DomainGrid {
 public:
  /// Room that atoms of two groups (hydrogens and what they hang on) take beyond the walls of a domain, together [nm].
  static constexpr double usual_overhang = 0.25;

  /// The cut of `box` into `ranks` domains with the smallest halo for a reach [nm]; `overhang` where groups are larger than
  /// usual. Throws InputError when there is none.
  DomainGrid(const Box& box, int ranks, double reach, double overhang = usual_overhang);

  const std::array<int, 3>& counts() const { return counts_; }
  std::array<int, 3> cell(int rank) const;
  int rank(std::array<int, 3> cell) const;  ///< cells wrap round
  int owner(const Vec3d& fraction) const;   ///< of any image
  double low(int d, int index) const { return walls_[static_cast<std::size_t>(d)][static_cast<std::size_t>(index)]; }
  double high(int d, int index) const { return low(d, index + 1); }
  double narrowest(int d) const;  ///< domain along d, as a fraction
  /// Shifts walls towards equal work. `work` [ranks] in any unit; `least` [nm] is what a domain must stay wide where there are
  /// two, or more than three; one that is narrower already stays as it is.
  void balance(std::span<const std::int64_t> work, const Box& box, double least);

 private:
  std::array<int, 3> counts_{1, 1, 1};
  std::array<std::vector<double>, 3> walls_;  ///< [counts + 1] from 0 to 1
};

}  // namespace uplift

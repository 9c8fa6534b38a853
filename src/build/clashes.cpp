// Heavy atoms of the solute that lie in each other: caps in a short gap, side chains where there was no room, ligands.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "model.hpp"
#include "uplift/core/at.hpp"

namespace uplift::build {
namespace {

constexpr double clash = 0.13;  ///< [nm] as long as a bond; a minimisation may leave such atoms tangled

}  // namespace

void note_clashes(Model& model) {
  const Structure s = to_structure(model);
  const auto atom = [&](int i) -> const Atom& { return s.topology.atoms[at(i)]; };
  std::set<std::pair<int, int>> bonds;
  for (const Bond& b : s.topology.bonds) bonds.insert({b.i, b.j});
  std::vector<int> heavy;
  for (int i = 0; i < s.topology.size(); ++i)
    if (atom(i).element > 1) heavy.push_back(i);
  std::sort(heavy.begin(), heavy.end(), [&](int i, int j) { return s.x[at(i)].x < s.x[at(j)].x; });
  int count = 0;
  double least = clash;
  std::pair<int, int> nearest;
  for (std::size_t a = 0; a < heavy.size(); ++a)
    for (std::size_t b = a + 1; b < heavy.size() && s.x[at(heavy[b])].x - s.x[at(heavy[a])].x < clash; ++b) {
      const std::pair<int, int> pair = std::minmax(heavy[a], heavy[b]);
      const double d = distance(s.x[at(pair.first)], s.x[at(pair.second)]);
      if (d >= clash || bonds.contains(pair)) continue;
      ++count;
      if (d < least) {
        least = d;
        nearest = pair;
      }
    }
  if (count == 0) return;
  const auto name = [&](int i) { return atom(i).name + " of " + describe(model.residues[at(atom(i).residue)]); };
  model.notes.push_back(fmt::format(
      "{} and {} are {:.3f} nm apart and not bonded{}; a minimisation may leave them tangled: look at the structure",
      name(nearest.first), name(nearest.second), least,
      count > 1 ? fmt::format(", and so near are {} more pairs", count - 1) : ""));
}

}  // namespace uplift::build

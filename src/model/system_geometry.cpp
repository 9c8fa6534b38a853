// What can be wrong with coordinates before a run begins.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include "uplift/core/at.hpp"
#include "uplift/core/error.hpp"
#include "uplift/model/system.hpp"

namespace uplift {
namespace {

std::string number(double value) {
  std::string text = std::to_string(value);
  while (text.size() > 1 && text.back() == '0' && text[text.size() - 2] != '.') text.pop_back();
  return text;
}

constexpr double closest = 0.01;                // [nm] no two interacting atoms come so near; a bond is ten times as long
constexpr double cell_width = 0.25;             // [nm] a few atoms a cell
constexpr std::int64_t cells_across = 1 << 20;  // three cell numbers fit one 64-bit key

/// Atoms sorted by cell, so that the atoms of one cell and of its neighbours along z are consecutive.
class CellList {
 public:
  CellList(const Box& box, const std::vector<Vec3d>& x) : box_(box) {
    if (box.periodic()) {
      const Vec3d w = box.widths();
      count_ = {cells(w.x), cells(w.y), cells(w.z)};
    }
    sorted_.reserve(x.size());
    for (int i = 0; i < static_cast<int>(x.size()); ++i) sorted_.push_back({key(cell(x[at(i)])), i});
    std::sort(sorted_.begin(), sorted_.end());
  }

  /// Calls f(i, j) once for every pair of atoms in the same or in touching cells.
  template <class F>
  void for_pairs(F&& f) const {
    for (std::size_t first = 0; first < sorted_.size();) {
      const std::size_t last = end_of(first);
      std::array<std::int64_t, 27> seen{};
      int found = 0;
      for (int n = 0; n < 27; ++n) {
        const std::int64_t other = neighbour(sorted_[first].first, n / 9 - 1, n / 3 % 3 - 1, n % 3 - 1);
        // Each pair of cells once, from the lower; in a box of one or two cells the same neighbour comes up again.
        if (other < sorted_[first].first || std::find(seen.begin(), seen.begin() + found, other) != seen.begin() + found)
          continue;
        seen[at(found++)] = other;
        auto member = other == sorted_[first].first ? sorted_.begin() + static_cast<std::ptrdiff_t>(first)
                                                    : std::lower_bound(sorted_.begin() + static_cast<std::ptrdiff_t>(last),
                                                                       sorted_.end(), std::pair(other, 0));
        for (; member != sorted_.end() && member->first == other; ++member)
          for (std::size_t a = first; a < last; ++a)
            if (other != sorted_[first].first || sorted_[a].second < member->second) f(sorted_[a].second, member->second);
      }
      first = last;
    }
  }

 private:
  using Cell = std::array<std::int64_t, 3>;
  static std::int64_t cells(double width) {
    return std::clamp(static_cast<std::int64_t>(width / cell_width), std::int64_t{1}, cells_across);
  }
  static std::int64_t key(const Cell& c) { return (c[0] * (2 * cells_across) + c[1]) * (2 * cells_across) + c[2]; }
  std::size_t end_of(std::size_t first) const {
    std::size_t last = first;
    while (last < sorted_.size() && sorted_[last].first == sorted_[first].first) ++last;
    return last;
  }
  Cell cell(const Vec3d& r) const {
    if (!box_.periodic()) return {open(r.x), open(r.y), open(r.z)};
    const Vec3d s = box_.fraction(r);
    return {wrapped(s.x, count_[0]), wrapped(s.y, count_[1]), wrapped(s.z, count_[2])};
  }
  /// Without a box, cells are numbered from far below the coordinates that validate_geometry lets through; one is left free on
  /// each side.
  static std::int64_t open(double r) {
    return std::clamp(static_cast<std::int64_t>(std::floor(r / cell_width)) + cells_across / 2, std::int64_t{1},
                      cells_across - 2);
  }
  static std::int64_t wrapped(double s, std::int64_t n) {
    return std::min(n - 1, static_cast<std::int64_t>((s - std::floor(s)) * static_cast<double>(n)));
  }
  std::int64_t neighbour(std::int64_t k, int dx, int dy, int dz) const {
    Cell c{k / (2 * cells_across) / (2 * cells_across) + dx, k / (2 * cells_across) % (2 * cells_across) + dy,
           k % (2 * cells_across) + dz};
    if (box_.periodic())
      for (std::size_t d = 0; d < 3; ++d) c[d] = (c[d] + count_[d]) % count_[d];
    return key(c);
  }

  const Box& box_;
  Cell count_{0, 0, 0};
  std::vector<std::pair<std::int64_t, int>> sorted_;  ///< cell and atom
};

bool interact(const ForceField& ff, int i, int j) {
  if (ff.charges[at(i)] * ff.charges[at(j)] != 0) return true;
  const std::size_t type_pair = at(ff.lj_type[at(i)] * ff.lj_types + ff.lj_type[at(j)]);
  return ff.lj_c6[type_pair] != 0 || ff.lj_c12[type_pair] != 0;
}

void check_finite(const Topology& t, const std::vector<Vec3d>& x) {
  for (int i = 0; i < t.size(); ++i) {
    const Vec3d& r = x[at(i)];
    if (!std::isfinite(r.x) || !std::isfinite(r.y) || !std::isfinite(r.z))
      throw InputError(describe_atom(t, i) +
                       " has a coordinate that is not a number (the file is damaged, or comes from a run that blew up); take "
                       "an earlier one");
    if (std::abs(r.x) > 1e5 || std::abs(r.y) > 1e5 || std::abs(r.z) > 1e5)
      throw InputError(
          describe_atom(t, i) +
          " lies more than 100 micrometres away from the origin (units or file format mixed up?); check the coordinates");
  }
}

void check_box(const ForceSettings& forces, const Box& box) {
  if (forces.nonbonded == NonbondedMethod::no_cutoff) return;
  if (!box.periodic())
    throw InputError(
        "forces.nonbonded: pme or reaction-field needs a periodic box and the coordinates have none; give system.box, or "
        "nonbonded: no-cutoff");
  const Vec3d w = box.widths();
  const double half = std::min({w.x, w.y, w.z}) / 2;
  if (forces.cutoff > half * (1 + 1e-12))
    throw InputError("forces.cutoff: " + number(forces.cutoff) +
                     " nm is more than half of the smallest distance between opposite faces of the box, " + number(half) +
                     " nm (an atom would meet two images of another); use a smaller cutoff or a larger box");
}

void check_overlaps(const System& system, const Box& box, const std::vector<Vec3d>& x) {
  const Topology& t = system.topology;
  const auto& exclusions = system.force_field.exclusions;  // sorted
  std::array<int, 2> worst{-1, -1};
  double least = closest * closest;
  CellList(box, x).for_pairs([&](int i, int j) {
    const Vec3d d = box.image(x[at(i)] - x[at(j)]);
    const double r2 = dot(d, d);
    if (!(r2 < least) || !interact(system.force_field, i, j)) return;
    const std::array<int, 2> pair{std::min(i, j), std::max(i, j)};
    if (std::binary_search(exclusions.begin(), exclusions.end(), pair)) return;
    least = r2;
    worst = pair;
  });
  if (worst[0] < 0) return;
  throw InputError(
      describe_atom(t, worst[0]) + " and " + describe_atom(t, worst[1]) + " are " + number(std::sqrt(least)) +
      " nm apart (the force between them has no bounds); check the coordinates and the box for overlapping molecules");
}

}  // namespace

void validate_geometry(const System& system, const Box& box, const std::vector<Vec3d>& x) {
  if (static_cast<int>(x.size()) != system.topology.size())
    throw InputError("the coordinates hold " + std::to_string(x.size()) + " atoms, the topology " +
                     std::to_string(system.topology.size()) + " (they do not belong together); give matching files");
  check_finite(system.topology, x);
  check_box(system.forces, box);
  check_overlaps(system, box, x);
}

}  // namespace uplift

#include "uplift/model/imaging.hpp"

#include <cmath>

#include "uplift/core/assert.hpp"
#include "uplift/core/at.hpp"

namespace uplift {
namespace {

Vec3d centre_of(std::span<const int> atoms, const std::vector<Vec3d>& x) {
  Vec3d sum{0, 0, 0};
  for (const int i : atoms) sum += x[at(i)];
  return (1 / static_cast<double>(atoms.size())) * sum;
}

/// Into the cell at the origin.
Vec3d wrapped(const Box& box, const Vec3d& r) {
  if (!box.periodic()) return r;
  const Vec3d s = box.fraction(r);
  return box.position({s.x - std::floor(s.x), s.y - std::floor(s.y), s.z - std::floor(s.z)});
}

void shift(std::span<const int> atoms, const Vec3d& by, std::vector<Vec3d>& x) {
  for (const int i : atoms) x[at(i)] += by;
}

}  // namespace

MoleculeTree::MoleculeTree(const System& system) {
  const auto n = at(system.size());
  std::vector<std::vector<int>> neighbours(n);
  const auto link = [&](int i, int j) {
    neighbours[at(i)].push_back(j);
    neighbours[at(j)].push_back(i);
  };
  for (const Bond& b : system.topology.bonds) link(b.i, b.j);
  for (const VirtualSite& s : system.force_field.virtual_sites) link(s.parent0, s.site);
  std::vector<char> placed(n, 0);
  for (int start = 0; start < system.size(); ++start) {
    if (placed[at(start)]) continue;
    first_.push_back(static_cast<int>(order_.size()));
    order_.push_back(start);
    parent_.push_back(-1);
    placed[at(start)] = 1;
    for (std::size_t here = at(first_.back()); here < order_.size(); ++here)
      for (const int j : neighbours[at(order_[here])]) {
        if (placed[at(j)]) continue;
        placed[at(j)] = 1;
        order_.push_back(j);
        parent_.push_back(order_[here]);
      }
  }
  first_.push_back(static_cast<int>(order_.size()));
}

std::span<const int> MoleculeTree::atoms(int molecule) const {
  return std::span(order_).subspan(at(first_[at(molecule)]), at(first_[at(molecule) + 1] - first_[at(molecule)]));
}

void MoleculeTree::make_whole(const Box& box, std::vector<Vec3d>& x) const {
  UPLIFT_EXPECT(x.size() == order_.size());
  if (!box.periodic()) return;
  for (std::size_t k = 0; k < order_.size(); ++k) {
    if (parent_[k] < 0) continue;
    Vec3d& here = x[at(order_[k])];
    const Vec3d& parent = x[at(parent_[k])];
    here = parent + box.image(here - parent);
  }
}

void Unwrapper::operator()(const Box& box, std::vector<Vec3d>& x) {
  const bool first = before_.empty();
  for (int m = 0; m < tree_.molecules(); ++m) {
    const Vec3d centre = centre_of(tree_.atoms(m), x), here = wrapped(box, centre);
    if (first) {
      before_.push_back(here);
      followed_.push_back(centre);
      continue;
    }
    const Vec3d step = here - before_[at(m)];
    followed_[at(m)] += shortest_image(box, step);
    before_[at(m)] = here;
    shift(tree_.atoms(m), followed_[at(m)] - centre, x);
  }
}

void bring_together(const MoleculeTree& tree, const std::vector<int>& atoms, const Box& box, std::vector<Vec3d>& x) {
  if (!box.periodic()) return;
  std::vector<char> chosen(x.size(), 0);
  for (const int i : atoms) chosen[at(i)] = 1;
  bool first = true;
  Vec3d origin{};
  for (int m = 0; m < tree.molecules(); ++m) {
    const std::span<const int> members = tree.atoms(m);
    bool any = false;
    for (const int i : members) any = any || chosen[at(i)];
    if (!any) continue;
    const Vec3d centre = centre_of(members, x);
    if (first)
      origin = centre;
    else
      shift(members, origin + shortest_image(box, centre - origin) - centre, x);
    first = false;
  }
}

void centre_on(const MoleculeTree& tree, const std::vector<int>& atoms, const Box& box, bool around, std::vector<Vec3d>& x) {
  UPLIFT_EXPECT(!atoms.empty());
  if (around) bring_together(tree, atoms, box, x);
  const Vec3d middle = 0.5 * (box.a + box.b + box.c);
  const Vec3d by = middle - centre_of(atoms, x);
  for (Vec3d& r : x) r += by;
  if (!around || !box.periodic()) return;
  for (int m = 0; m < tree.molecules(); ++m) {
    const Vec3d centre = centre_of(tree.atoms(m), x);
    shift(tree.atoms(m), middle + shortest_image(box, centre - middle) - centre, x);
  }
}

}  // namespace uplift

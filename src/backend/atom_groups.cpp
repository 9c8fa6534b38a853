#include "uplift/backend/atom_groups.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "uplift/core/at.hpp"

namespace uplift {

std::vector<int> first_of_groups(const System& system) {
  std::vector<int> root(at(system.size()));
  std::iota(root.begin(), root.end(), 0);
  const auto find = [&](int i) {
    while (root[at(i)] != i) i = root[at(i)] = root[at(root[at(i)])];
    return i;
  };
  const auto join = [&](int i, int j) {
    const int a = find(i), b = find(j);
    root[at(std::max(a, b))] = std::min(a, b);
  };
  for (const Constraint& c : system.constraints) join(c.i, c.j);
  for (const RigidWater& w : system.rigid_waters) {
    join(w.oxygen, w.hydrogen1);
    join(w.oxygen, w.hydrogen2);
  }
  for (const VirtualSite& s : system.force_field.virtual_sites)
    for (int parent : {s.parent0, s.parent1, s.parent2}) join(s.site, parent);
  for (int i = 0; i < system.size(); ++i) root[at(i)] = find(i);
  return root;
}

double overhang_of_groups(const std::vector<int>& first_of_group, std::span<const Vec3d> x, const Box& box) {
  std::vector<double> radius(x.size(), 0.0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t first = at(first_of_group[i]);
    const Vec3d apart = box.image(x[i] - x[first]);
    radius[first] = std::max(radius[first], std::sqrt(dot(apart, apart)));
  }
  double largest = 0, second = 0;
  for (const double r : radius) {
    second = std::max(second, std::min(r, largest));
    largest = std::max(r, largest);
  }
  return largest + second;
}

MoleculeAtoms atoms_of_molecules(const Molecules& molecules) {
  MoleculeAtoms of{std::vector<int>(at(molecules.count) + 1, 0), std::vector<int>(molecules.molecule_of.size())};
  for (int m : molecules.molecule_of) ++of.start[at(m) + 1];
  std::partial_sum(of.start.begin(), of.start.end(), of.start.begin());
  std::vector<int> next(of.start.begin(), of.start.end() - 1);
  for (std::size_t i = 0; i < of.atoms.size(); ++i) of.atoms[at(next[at(molecules.molecule_of[i])]++)] = static_cast<int>(i);
  return of;
}

SpreadMolecules spread_molecules(const System& system) {
  const std::vector<int> group = first_of_groups(system);
  const std::vector<int>& molecule_of = system.molecules.molecule_of;
  const auto count = at(system.molecules.count);
  std::vector<int> first(count, -1);
  std::vector<double> mass(count, 0.0);
  std::vector<char> spread(count, 0);
  for (int i = 0; i < static_cast<int>(molecule_of.size()); ++i) {
    const std::size_t m = at(molecule_of[at(i)]);
    mass[m] += system.masses[at(i)];
    if (first[m] < 0) first[m] = group[at(i)];
    if (group[at(i)] != first[m]) spread[m] = 1;
  }
  SpreadMolecules found;
  for (std::size_t m = 0; m < count; ++m) {
    found.number.push_back(spread[m] ? static_cast<int>(found.mass.size()) : -1);
    if (spread[m]) found.mass.push_back(mass[m]);
  }
  return found;
}

}  // namespace uplift

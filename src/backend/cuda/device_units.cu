// Which atoms move together: waters, stars about one atom, groups of any other constraints, atoms without any.
#include <algorithm>
#include <numeric>

#include "backend/cuda/device_integration.cuh"

namespace uplift::UPLIFT_DEVICE {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// The atom that all of these constraints have in common, or -1.
int common_atom(std::span<const Constraint> group) {
  for (int candidate : {group[0].i, group[0].j})
    if (std::all_of(group.begin(), group.end(), [&](const Constraint& c) { return c.i == candidate || c.j == candidate; }))
      return candidate;
  return -1;
}

}  // namespace

Units::Units(const System& system) {
  const int atoms = system.size();
  std::vector<char> taken(at(atoms), 0);
  Lists lists[unit_kinds];
  std::vector<physics::WaterShape<double>> shapes;
  for (const RigidWater& w : system.rigid_waters) {
    lists[unit_water].atoms.insert(lists[unit_water].atoms.end(), {w.oxygen, w.hydrogen1, w.hydrogen2});
    shapes.push_back(
        physics::WaterShape<double>::from(system.masses[at(w.oxygen)], system.masses[at(w.hydrogen1)], w.oh, w.hh));
    for (int i : {w.oxygen, w.hydrogen1, w.hydrogen2}) taken[at(i)] = 1;
  }
  count_[unit_water] = static_cast<int>(shapes.size());
  shapes_ = DeviceBuffer<physics::WaterShape<double>>(shapes);

  std::vector<int> root(at(atoms));
  std::iota(root.begin(), root.end(), 0);
  const auto find = [&](int i) {
    while (root[at(i)] != i) i = root[at(i)] = root[at(root[at(i)])];
    return i;
  };
  for (const Constraint& c : system.constraints) {
    const int a = find(c.i), b = find(c.j);
    root[at(std::max(a, b))] = std::min(a, b);
  }
  constraints_ = system.constraints;
  std::stable_sort(constraints_.begin(), constraints_.end(),
                   [&](const Constraint& a, const Constraint& b) { return find(a.i) < find(b.i); });

  std::vector<int> group_start{0}, group_atoms, bond_start{0}, bond_atoms;
  std::vector<double> bond_length;
  const int count = static_cast<int>(constraints_.size());
  for (int first = 0, last = 0; first < count; first = last) {
    while (last < count && find(constraints_[at(last)].i) == find(constraints_[at(first)].i)) ++last;
    const std::span<const Constraint> group(constraints_.data() + first, at(last - first));
    for (const Constraint& c : group) taken[at(c.i)] = taken[at(c.j)] = 1;
    const int centre = common_atom(group);
    if (centre >= 0 && group.size() <= 3) {
      Lists& star = lists[unit_star1 + static_cast<int>(group.size()) - 1];
      star.atoms.push_back(centre);
      for (const Constraint& c : group) {
        star.atoms.push_back(c.i == centre ? c.j : c.i);
        star.length.push_back(c.length);
      }
      star.first_constraint.push_back(first);
      ++count_[unit_star1 + static_cast<int>(group.size()) - 1];
      continue;
    }
    const auto begin = static_cast<std::ptrdiff_t>(group_atoms.size());
    for (const Constraint& c : group) group_atoms.insert(group_atoms.end(), {c.i, c.j});
    std::sort(group_atoms.begin() + begin, group_atoms.end());
    group_atoms.erase(std::unique(group_atoms.begin() + begin, group_atoms.end()), group_atoms.end());
    const auto place = [&](int atom) {
      return static_cast<int>(std::lower_bound(group_atoms.begin() + begin, group_atoms.end(), atom) - group_atoms.begin() -
                              begin);
    };
    for (const Constraint& c : group) {
      bond_atoms.insert(bond_atoms.end(), {place(c.i), place(c.j)});
      bond_length.push_back(c.length);
    }
    group_start.push_back(static_cast<int>(group_atoms.size()));
    bond_start.push_back(static_cast<int>(bond_length.size()));
    lists[unit_general].first_constraint.push_back(first);
    ++count_[unit_general];
  }
  for (int i = 0; i < atoms; ++i)
    if (!taken[at(i)]) lists[unit_single].atoms.push_back(i);
  count_[unit_single] = static_cast<int>(lists[unit_single].atoms.size());

  for (int k = 0; k < unit_kinds; ++k) {
    atoms_[k] = DeviceBuffer<int>(lists[k].atoms);
    first_constraint_[k] = DeviceBuffer<int>(lists[k].first_constraint);
    length_[k] = DeviceBuffer<double>(lists[k].length);
  }
  group_start_ = DeviceBuffer<int>(group_start);
  group_atoms_ = DeviceBuffer<int>(group_atoms);
  bond_start_ = DeviceBuffer<int>(bond_start);
  bond_atoms_ = DeviceBuffer<int>(bond_atoms);
  bond_length_ = DeviceBuffer<double>(bond_length);
}

UnitsView Units::view() const {
  UnitsView v{};
  for (int k = 0; k < unit_kinds; ++k) {
    v.count[k] = count_[k];
    v.atoms[k] = atoms_[k].data();
    v.length[k] = length_[k].data();
    v.first_constraint[k] = first_constraint_[k].data();
  }
  v.shape = shapes_.data();
  v.group_start = group_start_.data();
  v.group_atoms = group_atoms_.data();
  v.bond_start = bond_start_.data();
  v.bond_atoms = bond_atoms_.data();
  v.bond_length = bond_length_.data();
  return v;
}

}  // namespace uplift::UPLIFT_DEVICE

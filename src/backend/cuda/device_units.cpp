// Which atoms move together: waters, stars about one atom, groups of any other constraints, atoms without any.
#include <algorithm>
#include <numeric>

#include "backend/cuda/device_integration.cuh"
#include "uplift/core/at.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

constexpr int atoms_of_unit[unit_kinds] = {1, 4, 3, 2, 3, 1};  // general groups have any number

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
  for (const RigidWater& w : system.rigid_waters) {
    all_[unit_water].atoms.insert(all_[unit_water].atoms.end(), {w.oxygen, w.hydrogen1, w.hydrogen2});
    all_shapes_.push_back(
        physics::WaterShape<double>::from(system.masses[at(w.oxygen)], system.masses[at(w.hydrogen1)], w.oh, w.hh));
    for (int i : {w.oxygen, w.hydrogen1, w.hydrogen2}) taken[at(i)] = 1;
  }

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

  std::vector<int>&group_start = all_groups_.group_start, &group_atoms = all_groups_.group_atoms,
  &bond_start = all_groups_.bond_start, &bond_atoms = all_groups_.bond_atoms;
  std::vector<double>& bond_length = all_groups_.bond_length;
  const int count = static_cast<int>(constraints_.size());
  for (int first = 0, last = 0; first < count; first = last) {
    while (last < count && find(constraints_[at(last)].i) == find(constraints_[at(first)].i)) ++last;
    const std::span<const Constraint> group(constraints_.data() + first, at(last - first));
    for (const Constraint& c : group) taken[at(c.i)] = taken[at(c.j)] = 1;
    const int centre = common_atom(group);
    if (centre >= 0 && group.size() <= 3) {
      Lists& star = all_[unit_star1 + 1 - static_cast<int>(group.size())];
      star.atoms.push_back(centre);
      for (const Constraint& c : group) {
        star.atoms.push_back(c.i == centre ? c.j : c.i);
        star.length.push_back(c.length);
      }
      star.first_constraint.push_back(first);
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
    all_[unit_general].first_constraint.push_back(first);
  }
  for (int i = 0; i < atoms; ++i)
    if (!taken[at(i)]) all_[unit_single].atoms.push_back(i);
  put([](int) { return true; }, nullptr);
}

void Units::set_share(const RankShare& share, cudaStream_t stream) {
  put([&](int atom) { return share.at_home(atom); }, stream);
}

/// Units whose atoms are at home. A unit is whole on one rank, so that any of its atoms will do.
template <class F>
void Units::put(F&& at_home, cudaStream_t stream) {
  Lists lists[unit_kinds];
  std::vector<physics::WaterShape<double>> shapes;
  Groups groups;
  water_.clear();
  constrained_ = 0;
  for (int kind = 0; kind < unit_kinds; ++kind) {
    const Lists& all = all_[kind];
    Lists& own = lists[kind];
    const int atoms = atoms_of_unit[kind], arms = kind == unit_single ? 0 : atoms - 1;
    const auto units = static_cast<int>(kind == unit_general ? all.first_constraint.size() : all.atoms.size() / at(atoms));
    count_[kind] = 0;
    for (int u = 0; u < units; ++u) {
      if (!at_home(kind == unit_general ? all_groups_.group_atoms[at(all_groups_.group_start[at(u)])]
                                        : all.atoms[at(u * atoms)]))
        continue;
      ++count_[kind];
      if (kind == unit_general) {
        constrained_ += groups.add(all_groups_, u);
        own.first_constraint.push_back(all.first_constraint[at(u)]);
        continue;
      }
      own.atoms.insert(own.atoms.end(), all.atoms.begin() + u * atoms, all.atoms.begin() + (u + 1) * atoms);
      if (kind == unit_water) {
        water_.push_back(u);
        shapes.push_back(all_shapes_[at(u)]);
        ++constrained_;
      } else if (kind != unit_single) {
        own.length.insert(own.length.end(), all.length.begin() + u * arms, all.length.begin() + (u + 1) * arms);
        own.first_constraint.push_back(all.first_constraint[at(u)]);
        constrained_ += arms;
      }
    }
    atoms_[kind].upload_to_front(own.atoms, stream);
    first_constraint_[kind].upload_to_front(own.first_constraint, stream);
    length_[kind].upload_to_front(own.length, stream);
  }
  shapes_.upload_to_front(shapes, stream);
  group_start_.upload_to_front(groups.group_start, stream);
  group_atoms_.upload_to_front(groups.group_atoms, stream);
  bond_start_.upload_to_front(groups.bond_start, stream);
  bond_atoms_.upload_to_front(groups.bond_atoms, stream);
  bond_length_.upload_to_front(groups.bond_length, stream);
  check(cudaStreamSynchronize(stream), "wait for the device");  // the vectors go
}

/// Takes over group u of others; returns how many constraints it has.
int Units::Groups::add(const Groups& from, int u) {
  const auto part = [](const auto& of, int first, int last, auto& to) {
    to.insert(to.end(), of.begin() + first, of.begin() + last);
  };
  const int bonds = from.bond_start[at(u)], bonds_end = from.bond_start[at(u) + 1];
  part(from.group_atoms, from.group_start[at(u)], from.group_start[at(u) + 1], group_atoms);
  part(from.bond_atoms, 2 * bonds, 2 * bonds_end, bond_atoms);
  part(from.bond_length, bonds, bonds_end, bond_length);
  group_start.push_back(static_cast<int>(group_atoms.size()));
  bond_start.push_back(static_cast<int>(bond_length.size()));
  return bonds_end - bonds;
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

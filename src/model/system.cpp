#include "uplift/model/system.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "model/rigidity.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/error.hpp"

namespace uplift {
namespace {

using Pair = std::pair<int, int>;

Pair ordered(int i, int j) { return {std::min(i, j), std::max(i, j)}; }

std::string number(double value) {
  std::string text = std::to_string(value);
  while (text.size() > 1 && text.back() == '0' && text[text.size() - 2] != '.') text.pop_back();
  return text;
}

/// Works out what is constrained; `build` leaves the System consistent.
class SystemBuilder {
 public:
  SystemBuilder(Topology topology, ForceField force_field, const ForceSettings& forces) {
    s_.topology = std::move(topology);
    s_.force_field = std::move(force_field);
    s_.forces = forces;
    s_.molecules = find_molecules(s_.topology, s_.force_field);
    s_.masses.reserve(s_.topology.atoms.size());
    for (const Atom& a : s_.topology.atoms) s_.masses.push_back(a.mass);
    for (const HarmonicBond& b : s_.force_field.bonds) bond_length_[ordered(b.i, b.j)] = b.r0;
    for (const FixedDistance& d : s_.force_field.fixed_distances) {
      bond_length_[ordered(d.i, d.j)] = d.length;
      fixed_.insert(ordered(d.i, d.j));
    }
  }

  System build() {
    check_masses();
    if (s_.forces.rigid_water || !fixed_.empty()) find_rigid_waters();
    for (const Pair& pair : fixed_)
      if (!(in_rigid_water(pair.first) && in_rigid_water(pair.second))) lengths_[pair] = bond_length_[pair];
    s_.force_field.fixed_distances.clear();
    if (s_.forces.hydrogen_mass) repartition(*s_.forces.hydrogen_mass);
    constrain_bonds();
    if (s_.forces.constraints == ConstraintMode::h_angles) constrain_angles();
    drop_constrained_terms();
    add_constraints();
    return std::move(s_);
  }

 private:
  bool hydrogen(int i) const { return s_.topology.atoms[at(i)].element == 1; }
  bool in_rigid_water(int i) const { return water_of_.size() > at(i) && water_of_[at(i)] >= 0; }

  void check_masses() const {
    std::vector<char> site(s_.topology.atoms.size(), 0);
    for (const VirtualSite& v : s_.force_field.virtual_sites) site[at(v.site)] = 1;
    for (int i = 0; i < s_.topology.size(); ++i)
      if (!site[at(i)] && !(s_.masses[at(i)] > 0))
        throw InputError(describe_atom(s_.topology, i) +
                         " has no mass and is not a virtual site (it could not move); give it a mass in the topology");
  }

  /// Water whose two O-H bonds are alike and whose H-H distance is known, from a bond or from the angle.
  void find_rigid_waters() {
    water_of_.assign(s_.topology.atoms.size(), -1);
    std::map<int, double> apex_angle;
    for (const HarmonicAngle& a : s_.force_field.angles)
      if (hydrogen(a.i) && hydrogen(a.k)) apex_angle[a.j] = a.theta0;
    for (const Residue& residue : s_.topology.residues) {
      if (!is_water(s_.topology, residue)) continue;
      int o = -1, h[2] = {-1, -1}, n = 0;
      for (int i = residue.first_atom; i < residue.first_atom + residue.atom_count; ++i) {
        if (s_.topology.atoms[at(i)].element == 8) o = i;
        if (hydrogen(i)) h[n++] = i;
      }
      const auto oh1 = bond_length_.find(ordered(o, h[0])), oh2 = bond_length_.find(ordered(o, h[1]));
      const auto hh = bond_length_.find(ordered(h[0], h[1]));
      if (!s_.forces.rigid_water) {
        if (!fixed_.count(ordered(o, h[0])) || !fixed_.count(ordered(o, h[1])) || !fixed_.count(ordered(h[0], h[1]))) continue;
        throw InputError("forces.rigid_water: false, but the topology itself holds the water of " +
                         describe_atom(s_.topology, o) +
                         " rigid (a GROMACS topology does without the define FLEXIBLE); set system.define: [FLEXIBLE], or "
                         "rigid_water: true");
      }
      if (oh1 == bond_length_.end() || oh2 == bond_length_.end()) continue;
      double d = 0;
      if (hh != bond_length_.end())
        d = hh->second;
      else if (apex_angle.count(o))
        d = 2 * oh1->second * std::sin(apex_angle[o] / 2);
      const bool symmetric = std::abs(oh1->second - oh2->second) < 1e-9 && s_.masses[at(h[0])] == s_.masses[at(h[1])];
      if (!(d > 0 && d < 2 * oh1->second))
        throw InputError(
            describe_atom(s_.topology, o) +
            ": water whose shape the topology does not give (no H-H bond, no H-O-H angle); set forces.rigid_water: false");
      for (int i = residue.first_atom; i < residue.first_atom + residue.atom_count; ++i) water_of_[at(i)] = 1;
      if (symmetric) {
        s_.rigid_waters.push_back({o, h[0], h[1], oh1->second, d});
      } else {  // three plain constraints
        lengths_[ordered(o, h[0])] = oh1->second;
        lengths_[ordered(o, h[1])] = oh2->second;
        lengths_[ordered(h[0], h[1])] = d;
      }
    }
  }

  void repartition(double mass) {
    const std::vector<double> before = s_.masses;
    for (const Bond& b : s_.topology.bonds) {
      if (hydrogen(b.i) == hydrogen(b.j)) continue;
      const int h = hydrogen(b.i) ? b.i : b.j, heavy = hydrogen(b.i) ? b.j : b.i;
      if (in_rigid_water(h) || s_.masses[at(h)] == mass) continue;  // a hydrogen between two heavy atoms takes from the first
      s_.masses[at(heavy)] -= mass - before[at(h)];
      s_.masses[at(h)] = mass;
    }
    for (int i = 0; i < s_.topology.size(); ++i)
      if (s_.masses[at(i)] != before[at(i)] && !hydrogen(i) && s_.masses[at(i)] < mass)
        throw InputError("forces.hydrogen_mass: " + number(mass) + " amu leaves " + describe_atom(s_.topology, i) + " with " +
                         number(s_.masses[at(i)]) + " amu, lighter than its hydrogens; choose a smaller hydrogen mass");
  }

  void constrain_bonds() {
    const ConstraintMode mode = s_.forces.constraints;
    if (mode == ConstraintMode::none) return;
    for (const Bond& b : s_.topology.bonds) {
      if (in_rigid_water(b.i) && in_rigid_water(b.j)) continue;
      if (mode != ConstraintMode::all_bonds && !hydrogen(b.i) && !hydrogen(b.j)) continue;
      const auto length = bond_length_.find(ordered(b.i, b.j));
      if (length != bond_length_.end()) lengths_[ordered(b.i, b.j)] = length->second;
    }
    // Amber's water has a spring between its hydrogens that is no bond of the topology, and as stiff as one.
    for (const auto& [pair, length] : bond_length_)
      if (hydrogen(pair.first) && hydrogen(pair.second) && !(in_rigid_water(pair.first) && in_rigid_water(pair.second)))
        lengths_[pair] = length;
  }

  /// H-X-H and H-O-X angles become the distance between their ends at the bonds' lengths, as OpenMM's HAngles does: a C-O bond
  /// of C-O-H stays flexible.
  void constrain_angles() {
    for (const HarmonicAngle& a : s_.force_field.angles) {
      const int hydrogens = hydrogen(a.i) + hydrogen(a.k);
      const bool wanted = hydrogens == 2 || (hydrogens == 1 && s_.topology.atoms[at(a.j)].element == 8);
      if (!wanted || (in_rigid_water(a.i) && in_rigid_water(a.k))) continue;
      const auto l1 = bond_length_.find(ordered(a.i, a.j)), l2 = bond_length_.find(ordered(a.j, a.k));
      if (l1 == bond_length_.end() || l2 == bond_length_.end()) continue;
      lengths_[ordered(a.i, a.k)] =
          std::sqrt(l1->second * l1->second + l2->second * l2->second - 2 * l1->second * l2->second * std::cos(a.theta0));
      fixed_angles_.insert({a.i, a.j, a.k});
    }
  }

  /// Three atoms on a line: there the third distance has no gradient of its own, and no constraint force that could hold it.
  void check_lines() const {
    std::map<int, std::vector<std::pair<int, double>>> neighbours;
    for (const auto& [pair, length] : lengths_) {
      neighbours[pair.first].push_back({pair.second, length});
      neighbours[pair.second].push_back({pair.first, length});
    }
    constexpr double room = 1e-4;  // of the length; 1.6 degrees from straight
    for (const auto& [j, ends] : neighbours)
      for (std::size_t a = 0; a < ends.size(); ++a)
        for (std::size_t b = 0; b < a; ++b) {
          const auto across = lengths_.find(ordered(ends[a].first, ends[b].first));
          if (across == lengths_.end() || across->second < (ends[a].second + ends[b].second) * (1 - room)) continue;
          throw InputError(
              "constraints hold " + describe_atom(s_.topology, ends[b].first) + ", " + describe_atom(s_.topology, j) + " and " +
              describe_atom(s_.topology, ends[a].first) +
              " on a line, which distances cannot do; leave the angle to its spring (constraints: h-bonds), or make the "
              "molecule of two atoms with mass and virtual sites between them");
        }
  }

  /// Those that follow from others stay out: they would count as degrees of freedom, and where angles are not consistent to the
  /// last digit (four hydrogens at 109.5 degrees) all cannot be met together. Bonds come first.
  void add_constraints() {
    check_lines();
    std::vector<Pair> held;
    for (const bool bond : {true, false})
      for (const auto& [pair, length] : lengths_)
        if ((bond_length_.count(pair) > 0) == bond) held.push_back(pair);
    const std::vector<char> follows = follows_from_others(held);
    for (std::size_t k = 0; k < held.size(); ++k)
      if (follows[k]) lengths_.erase(held[k]);
    for (const auto& [pair, length] : lengths_) s_.constraints.push_back({pair.first, pair.second, length});
  }

  bool fixed_distance(int i, int j) const {
    if (lengths_.count(ordered(i, j))) return true;
    return !s_.rigid_waters.empty() && in_rigid_water(i) && in_rigid_water(j) &&
           s_.topology.atoms[at(i)].residue == s_.topology.atoms[at(j)].residue;
  }

  /// Terms whose energy a constraint fixes leave the force field: they would only cost time.
  void drop_constrained_terms() {
    ForceField& ff = s_.force_field;
    std::erase_if(ff.bonds, [&](const HarmonicBond& b) { return fixed_distance(b.i, b.j); });
    std::erase_if(ff.urey_bradleys, [&](const UreyBradley& b) { return fixed_distance(b.i, b.k); });
    std::erase_if(ff.angles, [&](const HarmonicAngle& a) {
      return fixed_angles_.count({a.i, a.j, a.k}) ||
             (fixed_distance(a.i, a.j) && fixed_distance(a.j, a.k) && fixed_distance(a.i, a.k));
    });
  }

  System s_;
  std::map<Pair, double> bond_length_;
  std::map<Pair, double> lengths_;  ///< constraints, but for those of rigid water
  std::set<Pair> fixed_;            ///< by the input
  std::set<std::array<int, 3>> fixed_angles_;
  std::vector<int> water_of_;  ///< 1 in rigid water, else -1
};

}  // namespace

System make_system(Topology topology, ForceField force_field, const ForceSettings& forces) {
  return SystemBuilder(std::move(topology), std::move(force_field), forces).build();
}

int degrees_of_freedom(const System& system) {
  int dof = 0;
  for (double m : system.masses) dof += m > 0 ? 3 : 0;
  dof -= static_cast<int>(system.constraints.size()) + 3 * static_cast<int>(system.rigid_waters.size());
  if (system.remove_com) dof -= 3;
  return dof;
}

void place_virtual_sites(const ForceField& force_field, std::vector<Vec3d>& x) {
  for (const VirtualSite& s : force_field.virtual_sites) {
    const Vec3d r0 = x[at(s.parent0)], u = x[at(s.parent1)] - r0, w = x[at(s.parent2)] - r0;
    x[at(s.site)] = r0 + s.a * u + s.b * w + s.c * cross(u, w);
  }
}

}  // namespace uplift

// Bonds of a prmtop. In water they also hold what is no bond: its shape, and where its virtual sites are.
#include <algorithm>
#include <cmath>

#include "amber_parts.hpp"
#include "prmtop_parts.hpp"

namespace uplift::prmtop {
namespace {

/// Of rigid water whose input has no force constants: LEaP's value for the O-H bond of TIP3P [kcal/mol/A^2]. It holds water
/// that is run without constraints by mistake.
constexpr double rigid_bond = 553;
constexpr double tolerance = 1e-6;

std::array<int, 2> ordered(int i, int j) { return {std::min(i, j), std::max(i, j)}; }

class BondList {
 public:
  BondList(const Source& s, Bonded& out) : s_(s), out_(out) {}

  void add_all() {
    for (const HarmonicBond& b : s_.ff.bonds) add(b.i, b.j, b.k / amber::bond_constant, b.r0);
    for (const FixedDistance& d : s_.ff.fixed_distances) add_fixed(d);
    if (!s_.ff.fixed_distances.empty())
      s_.notes.push_back(
          s_.path +
          ": rigid water has no force constants in the input; its bonds have 553 kcal/mol/A^2 there, and must be "
          "constrained (SHAKE, SETTLE), as they are here");
    for (const HarmonicAngle& a : s_.ff.angles) angles_[ordered(a.i, a.k)] = a.theta0;
    for (std::size_t r = 0; r < s_.topology.residues.size(); ++r)
      if (s_.water[r]) shape_water(s_.topology.residues[r]);
    for (const VirtualSite& v : s_.ff.virtual_sites) add_site(v);
    compare_with_chemistry();
  }

 private:
  int element(int i) const { return s_.topology.atoms[at(i)].element; }

  void add(int i, int j, double k, double length) {
    auto& list = out_.bonds[element(i) == 1 || element(j) == 1 ? 0 : 1];
    list.insert(list.end(), {3 * i, 3 * j, out_.bond_kinds.number({k, length / amber::nm_per_angstrom})});
    lengths_[ordered(i, j)] = length;
  }
  void add_fixed(const FixedDistance& d) {
    if (!s_.in_water(d.i) || s_.topology.atoms[at(d.i)].residue != s_.topology.atoms[at(d.j)].residue)
      s_.cannot("the distance between " + s_.name(d.i) + " and " + s_.name(d.j) + " is fixed without a bond",
                "give them a bond, and forces.constraints");
    if (!lengths_.contains(ordered(d.i, d.j))) add(d.i, d.j, rigid_bond, d.length);
  }
  double length(int i, int j) const {
    const auto found = lengths_.find(ordered(i, j));
    return found == lengths_.end() ? -1 : found->second;
  }

  /// SETTLE of Amber's programs and of readers here wants an H-H bond; where an angle holds the water, that bond has no force.
  void shape_water(const Residue& residue) {
    int oxygen = -1;
    std::vector<int> h;
    for (int i = residue.first_atom; i < residue.first_atom + residue.atom_count; ++i) {
      if (element(i) == 8) oxygen = i;
      if (element(i) == 1) h.push_back(i);
    }
    if (length(h[0], h[1]) > 0) return;
    const auto angle = angles_.find(ordered(h[0], h[1]));
    const double a = length(oxygen, h[0]), b = length(oxygen, h[1]);
    if (angle == angles_.end() || !(a > 0) || !(b > 0)) return;
    add(h[0], h[1], 0, std::sqrt(a * a + b * b - 2 * a * b * std::cos(angle->second)));
  }

  /// The bond from oxygen to site says where the site is: on the bisector, or one of two lone pairs.
  void add_site(const VirtualSite& v) {
    const std::string site = "virtual site " + s_.name(v.site);
    if (!s_.in_water(v.site) || element(v.parent0) != 8 || element(v.parent1) != 1 || element(v.parent2) != 1)
      s_.cannot(site + " is not the fourth or fifth site of a water");
    const double oh = length(v.parent0, v.parent1), hh = length(v.parent1, v.parent2);
    if (!(oh > 0) || !(hh > 0) || hh > amber::straightest_water * oh ||
        std::abs(length(v.parent0, v.parent2) - oh) > tolerance * oh)
      s_.cannot(site + " belongs to a water whose shape is not known");
    if (std::abs(v.a - v.b) > tolerance * std::abs(v.a)) s_.cannot(site + " is not on the symmetry plane of its water");
    const double height = std::sqrt(oh * oh - hh * hh / 4);
    double distance = 2 * v.a * height;
    if (v.c != 0) {
      distance /= -std::cos(amber::tip5p_lone_pair_angle / 2);
      const double across = distance * std::sin(amber::tip5p_lone_pair_angle / 2) / (height * hh);
      if (!(distance > 0) || std::abs(std::abs(v.c) - across) > tolerance * across)
        s_.cannot(site + " is not a lone pair at the tetrahedral angle");
    }
    if (!(distance > 0)) s_.cannot(site + " is not on the side of the hydrogens");
    const double known = length(v.parent0, v.site);
    if (known < 0)
      add(v.parent0, v.site, 0, distance);
    else if (std::abs(known - distance) > tolerance * distance)
      s_.cannot(site + " has a bond to its oxygen of another length than its place");
  }

  void compare_with_chemistry() {
    std::map<std::array<int, 2>, bool> chemical;
    for (const Bond& b : s_.topology.bonds) {
      chemical[{b.i, b.j}] = true;
      if (!lengths_.contains({b.i, b.j}))
        s_.cannot("the bond between " + s_.name(b.i) + " and " + s_.name(b.j) + " has neither force constant nor length");
    }
    int others = 0;
    for (const HarmonicBond& b : s_.ff.bonds) others += !s_.in_water(b.i) && !chemical.contains(ordered(b.i, b.j));
    if (others)
      s_.notes.push_back(s_.path + ": " + std::to_string(others) +
                         " harmonic potentials between atoms that are not bonded are bonds there");
  }

  const Source& s_;
  Bonded& out_;
  std::map<std::array<int, 2>, double> lengths_, angles_;  ///< by atoms i < j
};

}  // namespace

void add_bonds(const Source& source, Bonded& out) { BondList(source, out).add_all(); }

}  // namespace uplift::prmtop

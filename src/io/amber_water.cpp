// Elements where the prmtop does not name them, chemical bonds, and the virtual sites of four- and five-site water.
#include <algorithm>
#include <cmath>
#include <utility>

#include "amber_parts.hpp"

namespace uplift::amber {
namespace {

constexpr double hydrogen_mass = 1.008;            ///< [Da]
constexpr double heaviest_hydrogen = 4.2;          ///< [Da] with repartitioned mass; 3.024 and 4 are usual
constexpr double tip5p_lone_pair_distance = 0.07;  ///< [nm] Mahoney and Jorgensen, J. Chem. Phys. 112, 8910 (2000), table I
constexpr double length_tolerance = 1e-6;          ///< relative; both O-H bonds of a water come from one parameter

/// First letter of a name such as "1HB2" or of a type such as "hc".
bool starts_with_hydrogen(const std::string& name) {
  const std::size_t at = name.find_first_not_of("0123456789");
  return at != std::string::npos && (name[at] == 'H' || name[at] == 'h');
}

bool looks_like_hydrogen(const Atom& atom) {
  return atom.mass > 0.5 && atom.mass < heaviest_hydrogen &&
         (starts_with_hydrogen(atom.name) || starts_with_hydrogen(atom.type));
}

/// Lengths of the prmtop's bonds by pair of atoms.
class BondLengths {
 public:
  explicit BondLengths(const std::vector<HarmonicBond>& bonds) {
    entries_.reserve(bonds.size());
    for (const HarmonicBond& b : bonds) entries_.push_back({std::min(b.i, b.j), std::max(b.i, b.j), b.r0});
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return key(a) < key(b); });
  }
  /// [nm]; negative when there is no such bond.
  double between(int i, int j) const {
    const Entry wanted{std::min(i, j), std::max(i, j), 0};
    const auto at = std::lower_bound(entries_.begin(), entries_.end(), wanted,
                                     [](const Entry& a, const Entry& b) { return key(a) < key(b); });
    return at != entries_.end() && key(*at) == key(wanted) ? at->length : -1;
  }

 private:
  struct Entry {
    int i, j;
    double length;
  };
  static std::pair<int, int> key(const Entry& e) { return {e.i, e.j}; }
  std::vector<Entry> entries_;
};

struct WaterAtoms {
  int oxygen = -1, hydrogen1 = -1, hydrogen2 = -1;
  std::vector<int> sites;
};

WaterAtoms sort_atoms(const Topology& topology, const Residue& residue) {
  WaterAtoms w;
  for (int i = residue.first_atom; i < residue.first_atom + residue.atom_count; ++i) {
    const Atom& a = topology.atoms[static_cast<std::size_t>(i)];
    if (a.mass == 0)
      w.sites.push_back(i);
    else if (a.element == 8)
      w.oxygen = i;
    else
      (w.hydrogen1 < 0 ? w.hydrogen1 : w.hydrogen2) = i;
  }
  return w;
}

/// Equilibrium H-O-H angles by oxygen, for files that give the angle instead of an H-H bond; negative elsewhere.
std::vector<double> water_angles(const AmberTopology& out) {
  std::vector<double> angles(static_cast<std::size_t>(out.topology.size()), -1);
  const auto element = [&](int i) { return out.topology.atoms[static_cast<std::size_t>(i)].element; };
  for (const HarmonicAngle& a : out.force_field.angles)
    if (element(a.j) == 8 && element(a.i) == 1 && element(a.k) == 1) angles[static_cast<std::size_t>(a.j)] = a.theta0;
  return angles;
}

/// M on the bisector (TIP4P: Jorgensen et al., J. Chem. Phys. 79, 926 (1983)): M = (1 - w) O + w/2 (H1 + H2), w = r_OM /
/// height, the height being that of the isosceles triangle H-O-H over H-H.
VirtualSite site_on_bisector(const WaterAtoms& w, double height, double r_om) {
  const double weight = r_om / height;
  return {w.sites[0], w.oxygen, w.hydrogen1, w.hydrogen2, weight / 2, weight / 2, 0};
}

/// Lone pairs of TIP5P, in the plane through the bisector perpendicular to the molecule, on the side away from the hydrogens.
/// (r1 - r0) + (r2 - r0) has length 2 height, (r1 - r0) x (r2 - r0) has length height r_HH.
std::pair<VirtualSite, VirtualSite> lone_pairs(const WaterAtoms& w, double height, double r_hh, double r_lone_pair) {
  const double half = tip5p_lone_pair_angle / 2;
  const double along = -r_lone_pair * std::cos(half) / (2 * height), across = r_lone_pair * std::sin(half) / (height * r_hh);
  return {{w.sites[0], w.oxygen, w.hydrogen1, w.hydrogen2, along, along, -across},
          {w.sites[1], w.oxygen, w.hydrogen1, w.hydrogen2, along, along, across}};
}

void add_virtual_sites(const Sections& sections, const std::vector<HarmonicBond>& bonds, const std::vector<bool>& water,
                       AmberTopology& out) {
  const Topology& topology = out.topology;
  ForceField& ff = out.force_field;
  const BondLengths lengths(bonds);
  const auto angles = water_angles(out);
  for (std::size_t r = 0; r < topology.residues.size(); ++r) {
    const Residue& residue = topology.residues[r];
    int first_site = -1;
    for (int i = residue.first_atom + residue.atom_count - 1; i >= residue.first_atom; --i)
      if (is_virtual(topology, i)) first_site = i;
    if (first_site < 0) continue;
    if (!water[r])
      sections.fail("MASS", describe_atom(topology, first_site) +
                                " has no mass (a virtual site), but its residue is not a water of one oxygen and "
                                "two bonded hydrogens; extra points are known for four- and five-site water only");
    const WaterAtoms w = sort_atoms(topology, residue);
    const std::string where = describe_atom(topology, w.oxygen);
    const double oh = lengths.between(w.oxygen, w.hydrogen1), oh2 = lengths.between(w.oxygen, w.hydrogen2);
    if (!(oh > 0) || std::abs(oh - oh2) > length_tolerance * oh)
      sections.fail("BOND_EQUIL_VALUE", "the water of " + where + " has virtual sites but its O-H bonds are not of one length");
    double hh = lengths.between(w.hydrogen1, w.hydrogen2);
    const double angle = angles[static_cast<std::size_t>(w.oxygen)];
    if (hh < 0 && angle > 0) hh = 2 * oh * std::sin(angle / 2);
    if (!(hh > 0) || hh > straightest_water * oh)
      sections.fail("BOND_EQUIL_VALUE",
                    "the water of " + where + " has virtual sites but no H-H bond or H-O-H angle that makes a triangle");
    const double height = std::sqrt(oh * oh - hh * hh / 4);
    const double r_site = lengths.between(w.oxygen, w.sites[0]);
    if (w.sites.size() == 1) {
      if (!(r_site > 0))
        sections.fail("BOND_EQUIL_VALUE",
                      "no bond from " + where + " to " + describe_atom(topology, w.sites[0]) +
                          " says how far the virtual site is from the oxygen; make the prmtop with that bond");
      ff.virtual_sites.push_back(site_on_bisector(w, height, r_site));
    } else {
      const auto [one, two] = lone_pairs(w, height, hh, r_site > 0 ? r_site : tip5p_lone_pair_distance);
      ff.virtual_sites.push_back(one);
      ff.virtual_sites.push_back(two);
    }
    for (int i = residue.first_atom; i < residue.first_atom + residue.atom_count; ++i)
      for (int j = i + 1; j < residue.first_atom + residue.atom_count; ++j) ff.exclusions.push_back({i, j});
  }
}

}  // namespace

void find_elements(const std::vector<HarmonicBond>& bonds, Topology& topology) {
  const auto unknown = [](const Atom& a) { return a.element == 0 && a.mass > 0; };
  if (std::none_of(topology.atoms.begin(), topology.atoms.end(), unknown)) return;
  // Mass repartitioning moves mass from a heavy atom to its hydrogens; given back, the heavy mass tells the element again.
  std::vector<double> mass(topology.atoms.size());
  for (std::size_t i = 0; i < mass.size(); ++i)
    mass[i] = looks_like_hydrogen(topology.atoms[i]) ? hydrogen_mass : topology.atoms[i].mass;
  for (const HarmonicBond& b : bonds) {
    const auto i = static_cast<std::size_t>(b.i), j = static_cast<std::size_t>(b.j);
    const bool hi = looks_like_hydrogen(topology.atoms[i]), hj = looks_like_hydrogen(topology.atoms[j]);
    if (hi && !hj) mass[j] += topology.atoms[i].mass - hydrogen_mass;
    if (hj && !hi) mass[i] += topology.atoms[j].mass - hydrogen_mass;
  }
  for (std::size_t i = 0; i < mass.size(); ++i)
    if (unknown(topology.atoms[i])) topology.atoms[i].element = element_from_mass(mass[i]);
}

void place_bonds(const Sections& sections, const std::vector<HarmonicBond>& bonds, AmberTopology& out) {
  Topology& topology = out.topology;
  out.force_field.bonds = bonds;
  for (const HarmonicBond& b : bonds)
    if (!is_virtual(topology, b.i) && !is_virtual(topology, b.j))
      topology.bonds.push_back({std::min(b.i, b.j), std::max(b.i, b.j)});
  const auto key = [](const Bond& b) { return std::pair(b.i, b.j); };
  std::sort(topology.bonds.begin(), topology.bonds.end(), [&](const Bond& a, const Bond& b) { return key(a) < key(b); });
  topology.bonds.erase(
      std::unique(topology.bonds.begin(), topology.bonds.end(), [&](const Bond& a, const Bond& b) { return key(a) == key(b); }),
      topology.bonds.end());
  std::vector<bool> water(topology.residues.size());
  for (std::size_t r = 0; r < water.size(); ++r) water[r] = is_water(topology, topology.residues[r]);
  // The H-H bond of water holds its shape and is no chemical bond.
  std::erase_if(topology.bonds, [&](const Bond& b) {
    const Atom &i = topology.atoms[static_cast<std::size_t>(b.i)], &j = topology.atoms[static_cast<std::size_t>(b.j)];
    return i.residue == j.residue && water[static_cast<std::size_t>(i.residue)] && i.element == 1 && j.element == 1;
  });
  const bool any_site = std::any_of(topology.atoms.begin(), topology.atoms.end(), [](const Atom& a) { return a.mass == 0; });
  if (any_site) add_virtual_sites(sections, bonds, water, out);
}

}  // namespace uplift::amber

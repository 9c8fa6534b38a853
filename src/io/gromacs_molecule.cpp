// The sections of a molecule type but for its virtual sites (gromacs_sites.cpp).
#include <algorithm>
#include <cmath>
#include <set>

#include "amber_parts.hpp"
#include "gromacs_parts.hpp"
#include "uplift/core/constants.hpp"

namespace uplift::gromacs {
namespace {

constexpr int most_bonds_apart = 10;
constexpr double largest_charge = 1000, heaviest = 1e6;

std::size_t index(int i) { return static_cast<std::size_t>(i); }

}  // namespace

bool MoleculeReader::read(const Line& line, Molecule& m) const {
  const std::string& s = line.section;
  if (s == "atoms")
    atom(line, m);
  else if (s == "bonds")
    bond(line, m);
  else if (s == "constraints")
    constraint(line, m);
  else if (s == "settles")
    settle(line, m);
  else if (s == "pairs")
    pair(line, m);
  else if (s == "pairs_nb")
    explicit_pair(line, m);
  else if (s == "angles")
    angle(line, m);
  else if (s == "dihedrals")
    dihedral(line, m);
  else if (s == "cmap")
    cmap(line, m);
  else if (s == "exclusions")
    exclusion(line, m);
  else if (s == "position_restraints")
    restraint(line, m);
  else if (s == "virtual_sites1")
    virtual_site(line, m, 1);
  else if (s == "virtual_sites2" || s == "dummies2")
    virtual_site(line, m, 2);
  else if (s == "virtual_sites3" || s == "dummies3")
    virtual_site(line, m, 3);
  else if (s == "virtual_sites4" || s == "dummies4")
    virtual_site(line, m, 4);
  else if (s == "virtual_sitesn" || s == "dummiesn")
    virtual_site_n(line, m);
  else
    return false;
  return true;
}

/// The first words of a line as distinct atoms of the molecule.
MoleculeReader::Atoms MoleculeReader::atoms(const Line& line, const Molecule& m, std::size_t count) const {
  line.need(count, "atoms of the interaction");
  Atoms found;
  for (std::size_t n = 0; n < count; ++n) {
    const int number = line.integer(n, "number of an atom");
    if (number < 1 || number > m.topology.size())
      line.fail("there is no atom " + std::to_string(number) + " in molecule " + in_quotes(m.name) + ", which has " +
                std::to_string(m.topology.size()) + " (atoms count from 1 in every molecule); correct it");
    if (std::find(found.begin(), found.end(), number - 1) != found.end())
      line.fail("atom " + std::to_string(number) + " comes up twice in one interaction; correct it");
    found.push_back(number - 1);
  }
  return found;
}

int MoleculeReader::function(const Line& line, std::size_t word) const { return line.integer(word, "function"); }

std::vector<std::vector<double>> MoleculeReader::parameters(const Line& line, const Molecule& m, const Atoms& atoms,
                                                            Kind kind) const {
  if (line.words.size() > atoms.size() + 1) return {one_state(line, kind, line.reals(atoms.size() + 1))};
  std::vector<int> types;
  for (int a : atoms) types.push_back(m.force_field.lj_type[index(a)]);
  const auto* sets = types_.bonded(kind, types);
  if (!sets)
    line.fail("no parameters here, and the force field has none of this function for the atom types " +
              types_.type_names(types) + "; add them, or include the file that has them");
  return *sets;
}

/// nr, type, residue number, residue, atom, charge group, then charge, mass and those of a B state.
void MoleculeReader::atom(const Line& line, Molecule& m) const {
  line.need(6, "number, type, residue number, residue, atom, charge group");
  const Words& w = line.words;
  Topology& t = m.topology;
  if (line.integer(0, "number of the atom") != t.size() + 1)
    line.fail("this is atom " + std::to_string(t.size() + 1) + " of its molecule and says " + in_quotes(w[0]) +
              "; atoms count from 1 without gaps");
  const int number = types_.find_atom_type(line, w[1]);
  const AtomType& type = types_.atom(number);
  const double charge = w.size() > 6 ? line.real(6, "charge") : type.charge,
               mass = w.size() > 7 ? line.real(7, "mass") : type.mass;
  if (std::abs(charge) > largest_charge) line.fail("an impossible charge; correct it");
  if (mass < 0 || mass > heaviest) line.fail("an impossible mass; correct it");
  if (w.size() > 8) {
    const AtomType& other = types_.atom(types_.find_atom_type(line, w[8]));
    const double other_charge = w.size() > 9 ? line.real(9, "charge of the B state") : other.charge;
    const double other_mass = w.size() > 10 ? line.real(10, "mass of the B state") : other.mass;
    if (other.name != type.name || other_charge != charge || other_mass != mass)
      line.fail("has a B state that differs from A (free-energy perturbation), which the engine does not do; give one state");
  }
  if (w.size() > 11) line.fail("the line has " + std::to_string(w.size()) + " words and may have 11; correct it");

  const bool same_residue = !t.residues.empty() && m.residue_numbers.back() == w[2] && t.residues.back().name == w[3];
  if (!same_residue) {
    std::string_view digits = w[2];
    if (!digits.empty() && std::isalpha(static_cast<unsigned char>(digits.back()))) digits.remove_suffix(1);  // insertion code
    int residue = 0;
    if (!parse_int(digits, residue)) line.fail(in_quotes(w[2]) + " is no residue number; correct it");
    t.residues.push_back({std::string(w[3]), residue, "", t.size(), 0, std::string(w[2].substr(digits.size()))});
    m.residue_numbers.emplace_back(w[2]);
  }
  ++t.residues.back().atom_count;
  const bool site = type.particle != 'A';
  t.atoms.push_back(
      {std::string(w[4]), type.name, site || mass == 0 ? 0 : type.element, mass, static_cast<int>(t.residues.size()) - 1});
  m.force_field.charges.push_back(charge);
  m.force_field.lj_type.push_back(number);
}

void MoleculeReader::bond(const Line& line, Molecule& m) const {
  const Atoms a = atoms(line, m, 2);
  const int f = function(line, 2);
  if (f != 6) m.links.push_back({a[0], a[1]});
  if (f == 5) {  // a connection: a bond without an energy
    m.topology.bonds.push_back({std::min(a[0], a[1]), std::max(a[0], a[1])});
    return;
  }
  const Kind kind = bond_kind(line, f);
  const auto p = parameters(line, m, a, kind)[0];
  if (p[0] < 0) line.fail("the length is negative; correct it");
  if (kind == Kind::bond) m.topology.bonds.push_back({std::min(a[0], a[1]), std::max(a[0], a[1])});
  m.force_field.bonds.push_back({a[0], a[1], p[0], p[1]});
}

void MoleculeReader::constraint(const Line& line, Molecule& m) const {
  const Atoms a = atoms(line, m, 2);
  const int f = function(line, 2);
  if (f != 1 && f != 2) line.fail("constraints have function 1 or 2, not " + std::to_string(f) + "; correct it");
  const auto p = parameters(line, m, a, Kind::constraint)[0];
  if (!(p[0] > 0)) line.fail("the length is not positive; correct it");
  m.force_field.fixed_distances.push_back({std::min(a[0], a[1]), std::max(a[0], a[1]), p[0]});
  if (f == 2) return;
  m.links.push_back({a[0], a[1]});
  m.topology.bonds.push_back({std::min(a[0], a[1]), std::max(a[0], a[1])});
}

void MoleculeReader::settle(const Line& line, Molecule& m) const {
  line.need(4, "oxygen, function 1, O-H and H-H lengths");
  const int o = line.integer(0, "number of the oxygen") - 1;
  if (o < 0 || o > m.topology.size() - 3)
    line.fail("the molecule has no three atoms from " + in_quotes(line.words[0]) + " on; correct it");
  if (function(line, 1) != 1) line.fail("settles have function 1; correct it");
  const double oh = line.real(2, "O-H length"), hh = line.real(3, "H-H length");
  if (!(oh > 0 && hh > 0 && hh < 2 * oh)) line.fail("no triangle has these lengths; correct them");
  for (int h : {o + 1, o + 2}) {
    m.links.push_back({o, h});
    m.topology.bonds.push_back({o, h});
    m.force_field.fixed_distances.push_back({o, h, oh});
  }
  m.force_field.fixed_distances.push_back({o + 1, o + 2, hh});
}

void MoleculeReader::pair(const Line& line, Molecule& m) const {
  const Atoms a = atoms(line, m, 2);
  const int f = line.words.size() > 2 ? function(line, 2) : 1;
  const auto& q = m.force_field.charges;
  const auto& type = m.force_field.lj_type;
  if (f == 1) {
    const bool own = line.words.size() > 3;
    LennardJones lj{};
    if (own) {
      const auto p = one_state(line, 2, line.reals(3));
      lj = types_.from_parameters(p[0], p[1]);
    } else {
      lj = types_.pair14(line, type[index(a[0])], type[index(a[1])]);
    }
    m.force_field.pairs14.push_back({a[0], a[1], types_.defaults().fudge_qq * q[index(a[0])] * q[index(a[1])], lj.c6, lj.c12});
  } else if (f == 2) {
    const auto p = one_state(line, 5, line.reals(3));
    const LennardJones lj = types_.from_parameters(p[3], p[4]);
    m.force_field.pairs14.push_back({a[0], a[1], p[0] * p[1] * p[2], lj.c6, lj.c12});
  } else {
    line.fail("function " + std::to_string(f) + " of pairs is not known to the engine; it has 1 and 2");
  }
}

void MoleculeReader::explicit_pair(const Line& line, Molecule& m) const {
  const Atoms a = atoms(line, m, 2);
  if (function(line, 2) != 1) line.fail("pairs_nb have function 1; correct it");
  const auto p = one_state(line, 4, line.reals(3));
  const LennardJones lj = types_.from_parameters(p[2], p[3]);
  m.force_field.pairs14.push_back({a[0], a[1], p[0] * p[1], lj.c6, lj.c12});
}

void MoleculeReader::angle(const Line& line, Molecule& m) const {
  const Atoms a = atoms(line, m, 3);
  const Kind kind = angle_kind(line, function(line, 3));
  const auto p = parameters(line, m, a, kind)[0];
  m.force_field.angles.push_back({a[0], a[1], a[2], p[0] * constants::radians_per_degree, p[1]});
  if (kind == Kind::urey_bradley && p[3] != 0) m.force_field.urey_bradleys.push_back({a[0], a[2], p[2], p[3]});
}

void MoleculeReader::dihedral(const Line& line, Molecule& m) const {
  const Atoms a = atoms(line, m, 4);
  const Kind kind = dihedral_kind(line, function(line, 4));
  for (const auto& p : parameters(line, m, a, kind)) {
    if ((kind == Kind::proper || kind == Kind::periodic_improper) && (std::abs(p[2]) > 100 || p[2] != std::round(p[2])))
      line.fail("the multiplicity is no whole number of reasonable size; correct it");
    add_dihedral(kind, {a[0], a[1], a[2], a[3]}, p, m.force_field);
  }
}

void MoleculeReader::cmap(const Line& line, Molecule& m) const {
  const Atoms a = atoms(line, m, 5);
  if (line.words.size() > 5 && function(line, 5) != 1) line.fail("CMAP has function 1; correct it");
  std::array<int, 5> types{};
  for (std::size_t n = 0; n < 5; ++n) types[n] = m.force_field.lj_type[index(a[n])];
  const int map = types_.cmap(types);
  if (map < 0)
    line.fail("there is no map in [ cmaptypes ] for the atom types " + types_.type_names({types.begin(), types.end()}) +
              "; include the file that has it");
  m.force_field.cmaps.push_back({a[0], a[1], a[2], a[3], a[4], map});
}

void MoleculeReader::exclusion(const Line& line, Molecule& m) const {
  const Atoms a = atoms(line, m, line.words.size());
  for (std::size_t n = 1; n < a.size(); ++n) m.force_field.exclusions.push_back({std::min(a[0], a[n]), std::max(a[0], a[n])});
}

void MoleculeReader::restraint(const Line& line, Molecule& m) const {
  const Atoms a = atoms(line, m, 1);
  if (const int f = function(line, 1); f != 1)
    line.fail("function " + std::to_string(f) + (f == 2 ? " (flat bottom)" : "") +
              " is not one that the engine has; it has 1 (harmonic)");
  const auto k = one_state(line, 3, line.reals(2));
  if (k[0] != k[1] || k[0] != k[2])
    line.fail("different force constants along x, y and z, which the engine does not have; give one for all three");
  if (k[0] < 0) line.fail("the force constant is negative; correct it");
  if (k[0] > 0) m.restrained.push_back({a[0], k[0]});
}

void MoleculeReader::finish(Molecule& m) const {
  Topology& t = m.topology;
  ForceField& ff = m.force_field;
  amber::find_elements(ff.bonds, t);
  const auto site = [&](int i) { return t.atoms[index(i)].mass == 0; };
  std::erase_if(t.bonds, [&](const Bond& b) { return site(b.i) || site(b.j); });
  const auto key = [](const Bond& b) { return std::pair(b.i, b.j); };
  std::sort(t.bonds.begin(), t.bonds.end(), [&](const Bond& a, const Bond& b) { return key(a) < key(b); });
  t.bonds.erase(std::unique(t.bonds.begin(), t.bonds.end(), [&](const Bond& a, const Bond& b) { return key(a) == key(b); }),
                t.bonds.end());
  // The H-H distance of water holds its shape and is no chemical bond.
  std::vector<char> water(t.residues.size());
  for (std::size_t r = 0; r < water.size(); ++r) water[r] = is_water(t, t.residues[r]);
  std::erase_if(t.bonds, [&](const Bond& b) {
    const Atom &i = t.atoms[index(b.i)], &j = t.atoms[index(b.j)];
    return i.element == 1 && j.element == 1 && i.residue == j.residue && water[index(i.residue)];
  });

  // Every atom within so many links of another excludes it.
  std::vector<std::vector<int>> near(index(t.size()));
  for (const auto& [i, j] : m.links) {
    near[index(i)].push_back(j);
    near[index(j)].push_back(i);
  }
  for (int first = 0; first < t.size(); ++first) {
    std::set<int> seen{first};
    std::vector<int> shell{first};
    for (int step = 0; step < m.bonds_apart && !shell.empty(); ++step) {
      std::vector<int> next;
      for (int i : shell)
        for (int j : near[index(i)])
          if (seen.insert(j).second) next.push_back(j);
      shell = std::move(next);
    }
    for (int other : seen)
      if (other > first) ff.exclusions.push_back({first, other});
  }
  std::sort(ff.exclusions.begin(), ff.exclusions.end());
  ff.exclusions.erase(std::unique(ff.exclusions.begin(), ff.exclusions.end()), ff.exclusions.end());
}

}  // namespace uplift::gromacs

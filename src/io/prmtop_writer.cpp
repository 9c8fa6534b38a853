// A prmtop, section by section.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "amber_parts.hpp"
#include "frames/files.hpp"
#include "prmtop_parts.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/amber_writer.hpp"

namespace uplift {
namespace prmtop {
namespace {

constexpr int most_atoms = 99'999'999 / 3;  ///< lists hold three times the number in eight columns

class Writer {
 public:
  Writer(const Source& source, const std::optional<Box>& box)
      : s_(source), box_(box), nonbonded_(nonbonded(source)), bonded_(bonded(source, nonbonded_)), labels_(labels(source)) {
    excluded_.resize(s_.topology.atoms.size());
    for (const auto& [i, j] : s_.ff.exclusions) excluded_[at(i)].push_back(j + 1);
  }

  std::string text() {
    // No date: the same input gives the same file.
    out_.line(fmt::format("{:<80}", "%VERSION  VERSION_STAMP = V0001.000  DATE = 01/01/00  00:00:00"));
    out_.head(nonbonded_.chamber ? "CTITLE" : "TITLE", "20a4");
    out_.line(fmt::format("{:<80.80}", title()));
    put_pointers();
    put_atoms();
    put_kinds();
    put_lennard_jones();
    put_lists();
    put_rest();
    return out_.take();
  }

 private:
  std::string title() const {
    std::string text = s_.topology.title.substr(0, s_.topology.title.find('\n'));
    for (char& c : text)
      if (c < ' ' || c > '~' || c == '%') c = ' ';
    return text;
  }

  void put_pointers() {
    int excluded = 0, largest = 0;
    for (const auto& list : excluded_) excluded += std::max<int>(1, static_cast<int>(list.size()));
    for (const Residue& r : s_.topology.residues) largest = std::max(largest, r.atom_count);
    const auto count = [&](const std::array<std::vector<int>, 2>& lists, std::size_t k, int width) {
      return bonded_.terms(lists[k], width);
    };
    const int bonds = count(bonded_.bonds, 1, 3), angles = count(bonded_.angles, 1, 4),
              dihedrals = count(bonded_.dihedrals, 1, 5);
    out_.integers("POINTERS", {s_.topology.size(),
                               nonbonded_.types,
                               count(bonded_.bonds, 0, 3),
                               bonds,
                               count(bonded_.angles, 0, 4),
                               angles,
                               count(bonded_.dihedrals, 0, 5),
                               dihedrals,
                               0,
                               0,
                               excluded,
                               static_cast<int>(s_.topology.residues.size()),
                               bonds,
                               angles,
                               dihedrals,
                               bonded_.bond_kinds.size(),
                               bonded_.angle_kinds.size(),
                               bonded_.dihedral_kinds.size(),
                               nonbonded_.types,
                               0,
                               0,
                               0,
                               0,
                               0,
                               0,
                               0,
                               0,
                               box_ ? amber_cell(*box_).ifbox : 0,
                               largest,
                               0,
                               static_cast<int>(s_.ff.virtual_sites.size())});
    if (!nonbonded_.chamber) return;
    out_.head("FORCE_FIELD_TYPE", "i2,a78");
    out_.line(fmt::format("{:<80}", " 1 CHARMM force field, written by uplift"));
  }

  template <class F>
  auto each_atom(F f) const {
    std::vector<decltype(f(0))> values;
    for (int i = 0; i < s_.topology.size(); ++i) values.push_back(f(i));
    return values;
  }

  void put_atoms() {
    out_.words("ATOM_NAME", labels_.atoms);
    const double factor = nonbonded_.chamber ? amber::chamber_charge_factor : constants::amber_charge_factor;
    const auto charges = each_atom([&](int i) { return s_.ff.charges[at(i)] * factor; });
    if (nonbonded_.chamber)
      out_.reals("CHARGE", charges, Reals::seventeen_digits, {"Atomic charge multiplied by sqrt(332.0716D0) (CCELEC)"});
    else
      out_.reals("CHARGE", charges);
    out_.integers("ATOMIC_NUMBER", each_atom([&](int i) { return s_.topology.atoms[at(i)].element; }));
    out_.reals("MASS", each_atom([&](int i) { return s_.topology.atoms[at(i)].mass; }));
    out_.integers("ATOM_TYPE_INDEX", each_atom([&](int i) { return nonbonded_.type[at(i)] + 1; }));
    out_.integers("NUMBER_EXCLUDED_ATOMS",
                  each_atom([&](int i) { return std::max(1, static_cast<int>(excluded_[at(i)].size())); }));
    std::vector<int> index;
    for (int i = 0; i < nonbonded_.types; ++i)
      for (int j = 0; j < nonbonded_.types; ++j)
        index.push_back(std::max(i, j) * (std::max(i, j) + 1) / 2 + std::min(i, j) + 1);
    out_.integers("NONBONDED_PARM_INDEX", index);
    out_.words("RESIDUE_LABEL", labels_.residues);
    std::vector<int> first;
    for (const Residue& r : s_.topology.residues) first.push_back(r.first_atom + 1);
    out_.integers("RESIDUE_POINTER", first);
  }

  void put_kinds() {
    out_.reals("BOND_FORCE_CONSTANT", bonded_.bond_kinds.column(0));
    out_.reals("BOND_EQUIL_VALUE", bonded_.bond_kinds.column(1));
    out_.reals("ANGLE_FORCE_CONSTANT", bonded_.angle_kinds.column(0));
    out_.reals("ANGLE_EQUIL_VALUE", bonded_.angle_kinds.column(1));
    if (nonbonded_.chamber) {
      const int terms = bonded_.terms(bonded_.urey_bradleys, 3);
      out_.integers("CHARMM_UREY_BRADLEY_COUNT", {terms, bonded_.urey_bradley_kinds.size()}, "2I8");
      out_.integers("CHARMM_UREY_BRADLEY", bonded_.urey_bradleys);
      out_.reals("CHARMM_UREY_BRADLEY_FORCE_CONSTANT", bonded_.urey_bradley_kinds.column(0), Reals::nine_digits,
                 {"K_ub: kcal/mol/A**2"});
      out_.reals("CHARMM_UREY_BRADLEY_EQUIL_VALUE", bonded_.urey_bradley_kinds.column(1), Reals::nine_digits, {"r_ub: A"});
    }
    out_.reals("DIHEDRAL_FORCE_CONSTANT", bonded_.dihedral_kinds.column(0));
    out_.reals("DIHEDRAL_PERIODICITY", bonded_.dihedral_kinds.column(1));
    out_.reals("DIHEDRAL_PHASE", bonded_.dihedral_kinds.column(2));
    out_.reals("SCEE_SCALE_FACTOR", bonded_.dihedral_kinds.column(3));
    out_.reals("SCNB_SCALE_FACTOR", bonded_.dihedral_kinds.column(4));
    if (!nonbonded_.chamber) return;
    out_.integers("CHARMM_NUM_IMPROPERS", {bonded_.terms(bonded_.impropers, 5)});
    out_.integers("CHARMM_IMPROPERS", bonded_.impropers);
    out_.integers("CHARMM_NUM_IMPR_TYPES", {bonded_.improper_kinds.size()}, "1I8");
    out_.reals("CHARMM_IMPROPER_FORCE_CONSTANT", bonded_.improper_kinds.column(0), Reals::nine_digits,
               {"K_psi: kcal/mole/rad**2"});
    out_.reals("CHARMM_IMPROPER_PHASE", bonded_.improper_kinds.column(1), Reals::nine_digits, {"psi: radians"});
  }

  /// Half of a symmetric table, as A or B coefficients in Amber's units.
  std::vector<double> half(const std::vector<double>& table, double unit) const {
    std::vector<double> out;
    for (int i = 0; i < nonbonded_.types; ++i)
      for (int j = 0; j <= i; ++j) out.push_back(table[at(i * nonbonded_.types + j)] / unit);
    return out;
  }
  void put_lennard_jones() {
    const Reals how = nonbonded_.chamber ? Reals::seventeen_digits : Reals::nine_digits;
    out_.reals("SOLTY", std::vector<double>(at(nonbonded_.types), 0.0));
    out_.reals("LENNARD_JONES_ACOEF", half(nonbonded_.c12, amber::c12_constant), how);
    out_.reals("LENNARD_JONES_BCOEF", half(nonbonded_.c6, amber::c6_constant), how);
    if (!nonbonded_.chamber) return;
    out_.reals("LENNARD_JONES_14_ACOEF", half(nonbonded_.c12_14, amber::c12_constant), how);
    out_.reals("LENNARD_JONES_14_BCOEF", half(nonbonded_.c6_14, amber::c6_constant), how);
  }

  void put_lists() {
    const std::array<const char*, 2> kinds{"INC_HYDROGEN", "WITHOUT_HYDROGEN"};
    for (std::size_t k = 0; k < 2; ++k) out_.integers(std::string("BONDS_") + kinds[k], bonded_.bonds[k]);
    for (std::size_t k = 0; k < 2; ++k) out_.integers(std::string("ANGLES_") + kinds[k], bonded_.angles[k]);
    for (std::size_t k = 0; k < 2; ++k) out_.integers(std::string("DIHEDRALS_") + kinds[k], bonded_.dihedrals[k]);
    std::vector<int> all;
    for (const auto& list : excluded_) {
      all.insert(all.end(), list.begin(), list.end());
      if (list.empty()) all.push_back(0);
    }
    out_.integers("EXCLUDED_ATOMS_LIST", all);
    for (const char* flag : {"HBOND_ACOEF", "HBOND_BCOEF", "HBCUT"}) out_.reals(flag, {});
  }

  void put_rest() {
    out_.words("AMBER_ATOM_TYPE", labels_.types);
    out_.words("TREE_CHAIN_CLASSIFICATION", each_atom([](int) { return std::string("BLA"); }));
    out_.integers("JOIN_ARRAY", each_atom([](int) { return 0; }));
    out_.integers("IROTAT", each_atom([](int) { return 0; }));
    if (box_) put_box(s_, *box_, out_);
    if (!s_.ff.gb.empty()) {
      out_.head("RADIUS_SET", "1a80");
      out_.line(fmt::format("{:<80}", "radii of the force field that the system was made with"));
      out_.reals("RADII", each_atom([&](int i) { return s_.ff.gb[at(i)].radius / amber::nm_per_angstrom; }));
      out_.reals("SCREEN", each_atom([&](int i) { return s_.ff.gb[at(i)].screen; }));
    }
    out_.integers("IPOL", {0}, "1I8");
    put_cmaps(s_, nonbonded_.chamber, out_);
    put_residues();
  }

  /// Numbers and chains as in the input, in sections of ParmEd's that others pass over.
  void put_residues() {
    bool counted = true, chains = false, wide = false;
    std::vector<int> numbers;
    std::vector<std::string> names;
    for (const Residue& r : s_.topology.residues) {
      numbers.push_back(r.number);
      names.push_back(r.chain);
      counted &= r.number == static_cast<int>(numbers.size());
      chains |= !r.chain.empty();
      wide |= r.number > 9999 || r.number < -999;
    }
    const auto fits = [](int n) { return n > -1'000'000 && n < 10'000'000; };
    if ((!counted || chains) && std::all_of(numbers.begin(), numbers.end(), fits))
      out_.integers("RESIDUE_NUMBER", numbers, wide ? "10I8" : "20I4");
    if (chains) out_.words("RESIDUE_CHAINID", names);
  }

  const Source& s_;
  const std::optional<Box>& box_;
  Nonbonded nonbonded_;
  Bonded bonded_;
  Labels labels_;
  std::vector<std::vector<int>> excluded_;
  SectionText out_;
};

}  // namespace

void put_box(const Source& s, const Box& box, SectionText& out) {
  const Molecules molecules = find_molecules(s.topology, s.ff);
  std::vector<int> sizes(at(molecules.count), 0);
  int last = 0;
  for (int i = 0; i < s.topology.size(); ++i) {
    const int m = molecules.molecule_of[at(i)];
    if (m < last)
      s.cannot("the atoms of one molecule do not stand together: " + s.name(i) + " comes after atoms of another molecule",
               "reorder the atoms of the input, or leave the box out");
    last = m;
    ++sizes[at(m)];
  }
  // Solvent: water and single atoms after the last residue that is neither.
  int last_solute = 0;
  const int residues = static_cast<int>(s.topology.residues.size());
  for (int r = 0; r < residues; ++r)
    if (!s.water[at(r)] && s.topology.residues[at(r)].atom_count > 1) last_solute = r + 1;
  const int first_solvent = last_solute < residues
                                ? molecules.molecule_of[at(s.topology.residues[at(last_solute)].first_atom)] + 1
                                : molecules.count + 1;
  const AmberCell cell = amber_cell(box);
  out.integers("SOLVENT_POINTERS", {last_solute, molecules.count, first_solvent}, "3I8");
  out.integers("ATOMS_PER_MOLECULE", sizes);
  if (std::abs(cell.angles.x - cell.angles.y) + std::abs(cell.angles.z - cell.angles.y) > 1e-6)
    s.notes.push_back(s.path +
                      ": has room for one angle of the cell, and this one has several; take the cell from the coordinates (in "
                      "OpenMM: AmberPrmtopFile(prmtop, periodicBoxVectors=AmberInpcrdFile(inpcrd).boxVectors))");
  out.reals("BOX_DIMENSIONS", {cell.angles.y, cell.lengths.x, cell.lengths.y, cell.lengths.z});
}

}  // namespace prmtop

AmberCell amber_cell(const Box& box) {
  const double degrees = constants::degrees_per_radian, nm = constants::nm_per_angstrom;
  const auto parameters = [&](const Box& b) {
    AmberCell cell{3, {}, {}};
    box_parameters(b, cell.lengths, cell.angles);
    cell.lengths = (1 / nm) * cell.lengths;
    cell.angles = degrees * cell.angles;
    return cell;
  };
  if (box.orthorhombic()) {
    AmberCell cell = parameters(box);
    return {1, cell.lengths, {90, 90, 90}};
  }
  // Other vectors of the same lattice, turned alike, with three equal angles: acos(-1/3) of a truncated octahedron, 60 degrees
  // of a dodecahedron.
  // PDB files have angles to 0.01 degrees, gro files lengths to 1e-5 nm: a cell that is this near is one of the two.
  constexpr double rounding = 1e-4;
  const auto by_angle = [&](double cosine) -> std::optional<AmberCell> {
    const auto equal = [&](const Vec3d& a, const Vec3d& b) {
      return std::abs(dot(a, b) / dot(a, a) - cosine) < rounding && std::abs(dot(b, b) / dot(a, a) - 1) < 2 * rounding;
    };
    for (int m = -2; m <= 2; ++m)
      for (int n = -2; n <= 2; ++n)
        for (int k = -2; k <= 2; ++k) {
          const Box other{box.a, box.b + static_cast<double>(m) * box.a,
                          box.c + static_cast<double>(n) * box.a + static_cast<double>(k) * box.b};
          if (!equal(other.a, other.b) || !equal(other.a, other.c) || !equal(other.b, other.c)) continue;
          const double angle = std::acos(cosine) * degrees;
          return AmberCell{cosine < 0 ? 2 : 3, parameters(other).lengths, {angle, angle, angle}};
        }
    return {};
  };
  if (const auto octahedron = by_angle(-1.0 / 3)) return *octahedron;
  if (const auto dodecahedron = by_angle(0.5)) return *dodecahedron;
  return parameters(box);
}

std::vector<std::string> write_prmtop(const std::string& path, const Topology& topology, const ForceField& ff,
                                      const std::optional<Box>& box) {
  std::vector<std::string> notes;
  prmtop::Source source{path, topology, ff, {}, notes};
  if (topology.size() > prmtop::most_atoms) source.cannot("there are " + std::to_string(topology.size()) + " atoms");
  for (const Residue& r : topology.residues) source.water.push_back(is_water(topology, r));
  std::set<int> sites;
  for (const VirtualSite& v : ff.virtual_sites) sites.insert(v.site);
  for (int i = 0; i < topology.size(); ++i) {
    const Atom& atom = topology.atoms[at(i)];
    if ((atom.mass == 0) != sites.contains(i) || (atom.mass == 0 && atom.element != 0))
      source.cannot(describe_atom(topology, i) +
                        (atom.mass == 0 ? " has no mass and is no virtual site" : " is a virtual site with mass"),
                    "give atoms masses, and virtual sites none");
  }
  const std::string text = prmtop::Writer(source, box).text();
  OutputFile file(path);
  file.write(text);
  file.close();
  return notes;
}

}  // namespace uplift

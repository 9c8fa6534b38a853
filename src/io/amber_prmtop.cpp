#include <algorithm>
#include <array>
#include <cmath>
#include <new>
#include <numeric>
#include <utility>

#include "amber_parts.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift::amber {
namespace {

/// Residue numbers and chains as in the PDB file the system came from. They are labels only: ParmEd writes numbers above 9999
/// too wide for their columns and cpptraj leaves both behind when it strips atoms, so sections that do not fit are passed over.
std::pair<std::vector<int>, std::vector<std::string>> read_residue_labels(const Sections& sections, std::size_t nres) {
  std::vector<int> numbers(nres);
  std::iota(numbers.begin(), numbers.end(), 1);
  std::vector<std::string> chains(nres);
  try {
    if (sections.has("RESIDUE_NUMBER")) numbers = sections.integers("RESIDUE_NUMBER", nres);
  } catch (const InputError&) {  // the numbers from 1 stay
  }
  try {
    if (sections.has("RESIDUE_CHAINID")) chains = sections.words("RESIDUE_CHAINID", nres);
  } catch (const InputError&) {  // no chains
  }
  return {numbers, chains};
}

bool any_nonzero(const std::vector<double>& values) {
  return std::any_of(values.begin(), values.end(), [](double v) { return v != 0; });
}

/// Features that change the forces and that the engine does not have. To ignore one would give wrong forces without a word.
void refuse_unsupported_sections(const Sections& sections) {
  for (const char* flag : {"LENNARD_JONES_CCOEF", "LENNARD_JONES_DCOEF", "LENNARD_JONES_DVALUE"})
    if (any_nonzero(sections.reals(flag)))
      sections.fail(flag,
                    "asks for the 12-6-4 ion model (its C/r^4 term), which the engine does not have; use 12-6 ion parameters");
  const auto ipol = sections.integers("IPOL");
  if (std::any_of(ipol.begin(), ipol.end(), [](int v) { return v != 0; }))
    sections.fail("IPOL", "asks for a polarisable force field, which the engine does not have; use one with fixed charges");
  if (ipol.empty() && any_nonzero(sections.reals("POLARIZABILITY")))
    sections.fail("POLARIZABILITY",
                  "asks for a polarisable force field, which the engine does not have; use one with fixed charges");
  constexpr std::array charmm = {"CHARMM_UREY_BRADLEY", "CHARMM_NUM_IMPROPERS", "CHARMM_NUM_IMPR_TYPES", "CHARMM_IMPROPER",
                                 "CHARMM_CMAP_"};
  for (const std::string& flag : sections.flags()) {
    if (flag.starts_with("AMOEBA"))
      sections.fail(flag, "asks for the AMOEBA force field, which the engine does not have; use one with fixed charges");
    if (flag.starts_with("LES_"))
      sections.fail(flag, "asks for locally enhanced sampling, which the engine does not have; make the prmtop without addles");
    if (flag.starts_with("CHARMM_") &&
        std::none_of(charmm.begin(), charmm.end(), [&](const char* known) { return flag.starts_with(known); }))
      sections.fail(flag, "holds a CHARMM term that this program does not know; make the prmtop without it");
  }
}

}  // namespace

Pointers read_pointers(const Sections& sections) {
  const std::string flag = "POINTERS";
  if (!sections.has(flag)) sections.fail(flag, "is missing; the file is truncated or is not a complete prmtop, make it again");
  const auto p = sections.integers(flag);
  if (p.size() < 30 || p.size() > 40)
    sections.fail(flag, "holds " + std::to_string(p.size()) + " numbers instead of 30 to 32; the file is truncated or damaged");
  for (std::size_t n = 0; n < 20; ++n)
    if (p[n] < 0)
      sections.fail(flag, "number " + std::to_string(n + 1) + " is negative, but it is a count; the file is damaged");
  const Pointers q{.natom = p[0],
                   .ntypes = p[1],
                   .nbonh = p[2],
                   .ntheth = p[4],
                   .nphih = p[6],
                   .nnb = p[10],
                   .nres = p[11],
                   .nbona = p[12],
                   .ntheta = p[13],
                   .nphia = p[14],
                   .numbnd = p[15],
                   .numang = p[16],
                   .nptra = p[17],
                   .nphb = p[19],
                   .ifbox = p[27]};
  if (q.natom == 0) sections.fail(flag, "announces no atoms (NATOM is 0); a system needs at least one");
  if (q.ntypes == 0) sections.fail(flag, "announces no atom types (NTYPES is 0); the file is damaged");
  if (q.nres == 0 || q.nres > q.natom)
    sections.fail(flag, "announces " + std::to_string(q.nres) + " residues (NRES) for " + std::to_string(q.natom) +
                            " atoms (NATOM); the file is damaged");
  if (p[9] != 0)
    sections.fail(flag,
                  "asks for locally enhanced sampling (NPARM), which the engine does not have; make the prmtop without addles");
  if (p[20] != 0)
    sections.fail(flag, "holds a free-energy perturbation (IFPERT), which the engine does not do; make an unperturbed prmtop");
  if (p[29] != 0)
    sections.fail(flag,
                  "asks for a solvent cap (IFCAP), which the engine does not have; use a periodic box or implicit solvent");
  if (q.ifbox < 0 || q.ifbox > 3)
    sections.fail(flag, "IFBOX is " + std::to_string(q.ifbox) +
                            " (0: no box, 1: rectangular, 2: truncated octahedron, 3: triclinic); the file is damaged");
  return q;
}

int atom_of_entry(const Sections& sections, const std::string& flag, int entry, const Topology& topology) {
  if (entry < 0 || entry % 3 != 0 || entry / 3 >= topology.size())
    sections.fail(flag, "entry " + std::to_string(entry) + " is not three times the number of an atom (0 to " +
                            std::to_string(3ll * (topology.size() - 1)) + "); the file is damaged or mixed up with another");
  return entry / 3;
}

int atom_of_number(const Sections& sections, const std::string& flag, int number, const Topology& topology) {
  if (number < 1 || number > topology.size())
    sections.fail(flag, "there is no atom " + std::to_string(number) + " (the file has " + std::to_string(topology.size()) +
                            "); the file is damaged or mixed up with another");
  return number - 1;
}

std::size_t type_of_entry(const Sections& sections, const std::string& flag, int entry, std::size_t count) {
  if (entry < 1 || static_cast<std::size_t>(entry) > count)
    sections.fail(flag, "there is no parameter " + std::to_string(entry) + " (the file has " + std::to_string(count) +
                            "); the file is damaged or mixed up with another");
  return static_cast<std::size_t>(entry) - 1;
}

void check_distinct(const Sections& sections, const std::string& flag, std::initializer_list<int> atoms,
                    const Topology& topology) {
  for (const int* a = atoms.begin(); a != atoms.end(); ++a)
    for (const int* b = a + 1; b != atoms.end(); ++b)
      if (*a == *b) sections.fail(flag, describe_atom(topology, *a) + " comes up twice in one term; the file is damaged");
}

bool is_virtual(const Topology& topology, int atom) { return topology.atoms[static_cast<std::size_t>(atom)].mass == 0; }

void read_atoms(const Sections& sections, const Pointers& p, AmberTopology& out) {
  const auto natom = static_cast<std::size_t>(p.natom), nres = static_cast<std::size_t>(p.nres);
  const auto masses = sections.reals("MASS", natom);
  const auto first_atoms = sections.integers("RESIDUE_POINTER", nres);
  const auto names = sections.words("ATOM_NAME", natom);
  const auto labels = sections.words("RESIDUE_LABEL", nres);
  const auto types = sections.words("AMBER_ATOM_TYPE", natom);
  const auto numbers = sections.has("ATOMIC_NUMBER") ? sections.integers("ATOMIC_NUMBER", natom) : std::vector<int>(natom);
  const auto [residue_numbers, chains] = read_residue_labels(sections, nres);

  Topology& topology = out.topology;
  topology.title = sections.text(sections.has("CTITLE") ? "CTITLE" : "TITLE");
  topology.residues.resize(nres);
  topology.atoms.resize(natom);
  for (std::size_t r = 0; r < nres; ++r) {
    const int first = first_atoms[r] - 1, next = r + 1 < nres ? first_atoms[r + 1] - 1 : p.natom;
    if (first < 0 || next <= first || next > p.natom || (r == 0 && first != 0))
      sections.fail("RESIDUE_POINTER", "residue " + std::to_string(r + 1) + " starts at atom " +
                                           std::to_string(first_atoms[r]) +
                                           " (first atoms must start at 1 and rise); the file is damaged");
    topology.residues[r] = {labels[r], residue_numbers[r], chains[r], first, next - first};
    for (int i = first; i < next; ++i) {
      const auto a = static_cast<std::size_t>(i);
      const int element = numbers[a] >= 1 && numbers[a] <= 118 ? numbers[a] : 0;
      topology.atoms[a] = {names[a], types[a], element, masses[a], static_cast<int>(r)};
      if (masses[a] < 0 || masses[a] > 1e6)
        sections.fail("MASS", describe_atom(topology, i) + " has an impossible mass; the file is damaged");
      if (masses[a] == 0 && element != 0)
        sections.fail("MASS", describe_atom(topology, i) + " has no mass although it is " + element_symbol(element) +
                                  " (only virtual sites have none); the file is damaged");
    }
  }
}

void read_gb(const Sections& sections, AmberTopology& out) {
  if (!sections.has("RADII") && !sections.has("SCREEN")) return;  // then there is no implicit solvent to be had
  const auto natom = static_cast<std::size_t>(out.topology.size());
  const auto radii = sections.reals("RADII", natom), screens = sections.reals("SCREEN", natom);
  out.force_field.gb.resize(natom);
  for (std::size_t i = 0; i < natom; ++i) {
    if (radii[i] < 0)
      sections.fail("RADII", describe_atom(out.topology, static_cast<int>(i)) + " has a negative radius; the file is damaged");
    out.force_field.gb[i] = {radii[i] * nm_per_angstrom, screens[i]};
  }
}

void read_box(const Sections& sections, const Pointers& p, AmberTopology& out) {
  if (p.ifbox == 0) return;
  const std::string flag = "BOX_DIMENSIONS";
  const auto b = sections.reals(flag, 4);  // beta [degrees], then the three lengths [A]
  if (b[1] == 0 && b[2] == 0 && b[3] == 0) return;
  if (!(b[1] > 0 && b[2] > 0 && b[3] > 0)) sections.fail(flag, "a box length is not positive; the file is damaged");
  const bool right = std::abs(b[0] - 90) < 1e-6;
  // IFBOX 1 with another beta, and IFBOX 3, do not say what the other two angles are: the coordinate file must.
  if (p.ifbox == 3 || (p.ifbox == 1 && !right)) return;
  const double angle = b[0] * constants::pi / 180;
  try {
    out.box = make_box({b[1] * nm_per_angstrom, b[2] * nm_per_angstrom, b[3] * nm_per_angstrom}, {angle, angle, angle});
  } catch (const InputError& e) {
    sections.fail(flag, e.what());
  }
}

}  // namespace uplift::amber

namespace uplift {

AmberTopology read_prmtop(const std::string& path) try {
  using namespace amber;
  const Sections sections(path, read_file(path));
  refuse_unsupported_sections(sections);
  const Pointers pointers = read_pointers(sections);
  AmberTopology out;
  out.chamber = sections.has("CTITLE");
  out.kind = out.chamber ? "Amber topology made by CHAMBER (CHARMM force field)" : "Amber topology";
  read_nonbonded(sections, pointers, out);  // first: CHARGE bounds the number of atoms by what the file holds
  read_atoms(sections, pointers, out);
  const auto bonds = read_bonds(sections, pointers, out.topology);
  find_elements(bonds, out.topology);
  read_angles(sections, pointers, out);
  place_bonds(sections, bonds, out);
  read_dihedrals(sections, pointers, out);
  read_cmaps(sections, out);
  read_charmm_terms(sections, out);
  read_exclusions(sections, pointers, out);
  read_gb(sections, out);
  read_box(sections, pointers, out);
  return out;
} catch (const std::bad_alloc&) {
  throw InputError(path + ": the system it describes does not fit into this machine's memory");
}

}  // namespace uplift

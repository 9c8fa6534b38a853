// Bonds, angles, periodic dihedrals with their 1-4 pairs.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include "amber_parts.hpp"

namespace uplift::amber {
namespace {

/// Calls use(flag, first value of the term) for each term of the two lists of one kind.
template <class Use>
void for_each_term(const Sections& sections, const char* with_hydrogen, int n_with, const char* without_hydrogen, int n_without,
                   std::size_t width, Use use) {
  for (const auto& [flag, n] :
       {std::pair<std::string, int>(with_hydrogen, n_with), std::pair<std::string, int>(without_hydrogen, n_without)}) {
    const auto list = sections.integers(flag, width * static_cast<std::size_t>(n));
    for (std::size_t at = 0; at < list.size(); at += width) use(flag, &list[at]);
  }
}

/// The scale of a 1-4 interaction is divided by; zero stands for "none".
std::vector<double> scale_factors(const Sections& sections, const std::string& flag, std::size_t count, double standard) {
  if (!sections.has(flag)) return std::vector<double>(count, 1 / standard);
  auto scales = sections.reals(flag, count);
  for (double& s : scales) {
    if (s < 0) sections.fail(flag, "a scale factor is negative; the file is damaged");
    s = s == 0 ? 0 : 1 / s;
  }
  return scales;
}

/// |entry|, with INT_MIN, which has none, going to something that is no atom either.
int magnitude(int entry) {
  return entry == std::numeric_limits<int>::min() ? std::numeric_limits<int>::max() : std::abs(entry);
}

struct Scaled14 {
  int i, j;
  double coulomb, lj;
};

/// Torsions about one bond share their end atoms, and so do those round a ring: each pair counts once.
void add_pairs14(const Sections& sections, std::vector<Scaled14>& pairs, AmberTopology& out) {
  ForceField& ff = out.force_field;
  const auto nt = static_cast<std::size_t>(ff.lj_types);
  const bool own_table = out.chamber || sections.has("LENNARD_JONES_14_ACOEF") || sections.has("LENNARD_JONES_14_BCOEF");
  std::vector<double> a, b;
  std::vector<int> index;
  if (own_table) {
    a = sections.reals("LENNARD_JONES_14_ACOEF", nt * (nt + 1) / 2);
    b = sections.reals("LENNARD_JONES_14_BCOEF", nt * (nt + 1) / 2);
    index = sections.integers("NONBONDED_PARM_INDEX", nt * nt);
  }
  const auto key = [](const Scaled14& p) { return std::pair(p.i, p.j); };
  std::stable_sort(pairs.begin(), pairs.end(), [&](const Scaled14& p, const Scaled14& q) { return key(p) < key(q); });
  for (std::size_t n = 0; n < pairs.size(); ++n) {
    const Scaled14& p = pairs[n];
    if (n > 0 && key(pairs[n - 1]) == key(p)) {
      if (pairs[n - 1].coulomb != p.coulomb || pairs[n - 1].lj != p.lj)
        sections.fail(
            "SCEE_SCALE_FACTOR",
            "the 1-4 pair of " + describe_atom(out.topology, p.i) + " and " + describe_atom(out.topology, p.j) +
                " has two different scales from two dihedrals; mark one dihedral as without 1-4 (negative third atom)");
      continue;
    }
    const auto i = static_cast<std::size_t>(p.i), j = static_cast<std::size_t>(p.j);
    const std::size_t at = static_cast<std::size_t>(ff.lj_type[i]) * nt + static_cast<std::size_t>(ff.lj_type[j]);
    double c6 = ff.lj_c6[at], c12 = ff.lj_c12[at];
    if (own_table && index[at] > 0) {
      c12 = a[static_cast<std::size_t>(index[at]) - 1] * c12_constant;
      c6 = b[static_cast<std::size_t>(index[at]) - 1] * c6_constant;
    }
    ff.pairs14.push_back({p.i, p.j, ff.charges[i] * ff.charges[j] * p.coulomb, c6 * p.lj, c12 * p.lj});
  }
}

}  // namespace

std::vector<HarmonicBond> read_bonds(const Sections& sections, const Pointers& p, const Topology& topology) {
  const auto types = static_cast<std::size_t>(p.numbnd);
  const auto k = sections.reals("BOND_FORCE_CONSTANT", types), r0 = sections.reals("BOND_EQUIL_VALUE", types);
  std::vector<HarmonicBond> bonds;
  for_each_term(sections, "BONDS_INC_HYDROGEN", p.nbonh, "BONDS_WITHOUT_HYDROGEN", p.nbona, 3,
                [&](const std::string& flag, const int* term) {
                  const int i = atom_of_entry(sections, flag, term[0], topology),
                            j = atom_of_entry(sections, flag, term[1], topology);
                  check_distinct(sections, flag, {i, j}, topology);
                  const std::size_t type = type_of_entry(sections, flag, term[2], types);
                  if (r0[type] < 0) sections.fail("BOND_EQUIL_VALUE", "a bond length is negative; the file is damaged");
                  bonds.push_back({i, j, r0[type] * nm_per_angstrom, k[type] * bond_constant});
                });
  return bonds;
}

void read_angles(const Sections& sections, const Pointers& p, AmberTopology& out) {
  const Topology& topology = out.topology;
  const auto types = static_cast<std::size_t>(p.numang);
  const auto force_constant = sections.reals("ANGLE_FORCE_CONSTANT", types),
             theta0 = sections.reals("ANGLE_EQUIL_VALUE", types);
  for_each_term(sections, "ANGLES_INC_HYDROGEN", p.ntheth, "ANGLES_WITHOUT_HYDROGEN", p.ntheta, 4,
                [&](const std::string& flag, const int* term) {
                  const int i = atom_of_entry(sections, flag, term[0], topology),
                            j = atom_of_entry(sections, flag, term[1], topology);
                  const int k = atom_of_entry(sections, flag, term[2], topology);
                  check_distinct(sections, flag, {i, j, k}, topology);
                  const std::size_t type = type_of_entry(sections, flag, term[3], types);
                  out.force_field.angles.push_back({i, j, k, theta0[type], force_constant[type] * angle_constant});
                });
}

void read_dihedrals(const Sections& sections, const Pointers& p, AmberTopology& out) {
  const Topology& topology = out.topology;
  const auto types = static_cast<std::size_t>(p.nptra);
  const auto barrier = sections.reals("DIHEDRAL_FORCE_CONSTANT", types), phase = sections.reals("DIHEDRAL_PHASE", types);
  const auto periodicity = sections.reals("DIHEDRAL_PERIODICITY", types);
  const auto scee = scale_factors(sections, "SCEE_SCALE_FACTOR", types, 1.2),
             scnb = scale_factors(sections, "SCNB_SCALE_FACTOR", types, 2.0);
  for (double n : periodicity)
    if (std::abs(n) > 100 || std::abs(n - std::round(n)) > 1e-3)
      sections.fail("DIHEDRAL_PERIODICITY", "a periodicity is not a whole number of reasonable size; the file is damaged");
  std::vector<Scaled14> pairs;
  for_each_term(
      sections, "DIHEDRALS_INC_HYDROGEN", p.nphih, "DIHEDRALS_WITHOUT_HYDROGEN", p.nphia, 5,
      [&](const std::string& flag, const int* term) {
        const int third = magnitude(term[2]), fourth = magnitude(term[3]);
        const int i = atom_of_entry(sections, flag, term[0], topology), j = atom_of_entry(sections, flag, term[1], topology);
        const int k = atom_of_entry(sections, flag, third, topology), l = atom_of_entry(sections, flag, fourth, topology);
        check_distinct(sections, flag, {i, j, k, l}, topology);
        const std::size_t type = type_of_entry(sections, flag, term[4], types);
        for (int atom : {i, j, k, l})
          if (is_virtual(topology, atom))
            sections.fail(
                flag, describe_atom(topology, atom) + " is a virtual site inside a dihedral, which the engine does not have");
        // Sign of the third atom: 1-4 interaction off (a further term of the same dihedral, a ring); of the fourth: improper,
        // no 1-4 either.
        out.force_field.dihedrals.push_back({i, j, k, l, static_cast<int>(std::abs(std::round(periodicity[type]))), phase[type],
                                             barrier[type] * kj_per_kcal, term[3] < 0});
        if (term[2] >= 0 && term[3] >= 0) pairs.push_back({std::min(i, l), std::max(i, l), scee[type], scnb[type]});
      });
  add_pairs14(sections, pairs, out);
}

}  // namespace uplift::amber

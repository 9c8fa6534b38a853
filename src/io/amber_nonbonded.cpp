// Charges, the Lennard-Jones table by type pair, exclusions.
#include <algorithm>
#include <cmath>
#include <utility>

#include "amber_parts.hpp"

namespace uplift::amber {
namespace {

constexpr double largest_charge = 1000;  ///< [e]

}  // namespace

void read_nonbonded(const Sections& sections, const Pointers& p, AmberTopology& out) {
  ForceField& ff = out.force_field;
  const auto natom = static_cast<std::size_t>(p.natom), nt = static_cast<std::size_t>(p.ntypes);
  ff.charges = sections.reals("CHARGE", natom);
  const double factor = out.chamber ? chamber_charge_factor : constants::amber_charge_factor;
  for (std::size_t i = 0; i < natom; ++i) {
    ff.charges[i] /= factor;
    if (std::abs(ff.charges[i]) > largest_charge)
      sections.fail("CHARGE", "atom " + std::to_string(i + 1) + " has an impossible charge; the file is damaged");
  }
  ff.lj_type = sections.integers("ATOM_TYPE_INDEX", natom);
  for (int& type : ff.lj_type) type = static_cast<int>(type_of_entry(sections, "ATOM_TYPE_INDEX", type, nt));

  // The table is used as it stands, pair by pair, so that off-diagonal changes (NBFIX) are kept.
  const auto index = sections.integers("NONBONDED_PARM_INDEX", nt * nt);
  const std::size_t pairs = nt * (nt + 1) / 2;
  const auto a = sections.reals("LENNARD_JONES_ACOEF", pairs), b = sections.reals("LENNARD_JONES_BCOEF", pairs);
  const auto hbond_a = sections.reals("HBOND_ACOEF"), hbond_b = sections.reals("HBOND_BCOEF");
  ff.lj_types = p.ntypes;
  ff.lj_c6.assign(nt * nt, 0);
  ff.lj_c12.assign(nt * nt, 0);
  for (std::size_t n = 0; n < nt * nt; ++n) {
    if (index[n] != index[(n % nt) * nt + n / nt])
      sections.fail("NONBONDED_PARM_INDEX", "types " + std::to_string(n / nt + 1) + " and " + std::to_string(n % nt + 1) +
                                                " have two different entries; the file is damaged");
    if (index[n] < 0) {
      // A negative entry is a 10-12 hydrogen-bond term; those of the ff9x files have zero coefficients: no interaction at all.
      if (!sections.has("HBOND_ACOEF") || !sections.has("HBOND_BCOEF"))
        sections.fail("HBOND_ACOEF",
                      "this section or HBOND_BCOEF is missing; the file is truncated or not a complete prmtop, make it again");
      const long long k = -static_cast<long long>(index[n]) - 1;
      if (k >= static_cast<long long>(std::min(hbond_a.size(), hbond_b.size())))
        sections.fail("NONBONDED_PARM_INDEX", "there is no 10-12 parameter " + std::to_string(k + 1) + "; the file is damaged");
      if (hbond_a[static_cast<std::size_t>(k)] != 0 || hbond_b[static_cast<std::size_t>(k)] != 0)
        sections.fail(
            "HBOND_ACOEF",
            "asks for 10-12 hydrogen-bond potentials, which the engine does not have; use a force field from ff94 on");
      continue;
    }
    const std::size_t k = type_of_entry(sections, "NONBONDED_PARM_INDEX", index[n], pairs);
    ff.lj_c12[n] = a[k] * c12_constant;
    ff.lj_c6[n] = b[k] * c6_constant;
  }
}

void read_exclusions(const Sections& sections, const Pointers& p, AmberTopology& out) {
  const std::string flag = "EXCLUDED_ATOMS_LIST";
  const auto counts = sections.integers("NUMBER_EXCLUDED_ATOMS", static_cast<std::size_t>(p.natom));
  const auto list = sections.integers(flag, static_cast<std::size_t>(p.nnb));
  auto& exclusions = out.force_field.exclusions;  // the pairs within water with virtual sites are there already
  exclusions.reserve(exclusions.size() + list.size() + out.force_field.pairs14.size());
  std::size_t at = 0;
  for (int i = 0; i < p.natom; ++i) {
    const int count = counts[static_cast<std::size_t>(i)];
    if (count < 0 || static_cast<std::size_t>(count) > list.size() - at)
      sections.fail("NUMBER_EXCLUDED_ATOMS",
                    "the counts do not add up to the length of EXCLUDED_ATOMS_LIST; the file is damaged");
    for (int n = 0; n < count; ++n) {
      const int other = list[at++];
      if (other == 0) continue;  // a placeholder: the atom has none
      const int j = atom_of_number(sections, flag, other, out.topology);
      if (i == j) sections.fail(flag, describe_atom(out.topology, i) + " excludes itself; the file is damaged");
      exclusions.push_back({std::min(i, j), std::max(i, j)});
    }
  }
  if (at != list.size()) sections.fail(flag, "is longer than the counts of NUMBER_EXCLUDED_ATOMS; the file is damaged");
  for (const Pair14& pair : out.force_field.pairs14) exclusions.push_back({pair.i, pair.j});
  std::sort(exclusions.begin(), exclusions.end());
  exclusions.erase(std::unique(exclusions.begin(), exclusions.end()), exclusions.end());
}

}  // namespace uplift::amber

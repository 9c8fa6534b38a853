// CMAP (ff19SB and CHAMBER), and CHAMBER's Urey-Bradley terms and harmonic impropers.
#include <cmath>

#include "amber_parts.hpp"

namespace uplift::amber {
namespace {

constexpr int smallest_resolution = 4;  ///< below it a periodic bicubic surface has no sense
constexpr int largest_resolution = 360;

std::string grid_flag(const std::string& prefix, std::size_t number) {
  return prefix + "CMAP_PARAMETER_" + (number < 10 ? "0" : "") + std::to_string(number);
}

void read_cmaps_of(const Sections& sections, const std::string& prefix, AmberTopology& out) {
  const std::string count_flag = prefix + "CMAP_COUNT", index_flag = prefix + "CMAP_INDEX";
  if (!sections.has(count_flag)) {
    if (sections.has(index_flag))
      sections.fail(index_flag, "there is no " + count_flag + " to go with it; the file is truncated or damaged");
    return;
  }
  ForceField& ff = out.force_field;
  const auto counts = sections.integers(count_flag, 2);
  if (counts[0] < 0 || counts[1] < 0) sections.fail(count_flag, "a count is negative; the file is damaged");
  const auto terms = static_cast<std::size_t>(counts[0]), grids = static_cast<std::size_t>(counts[1]);
  const auto resolutions = sections.integers(prefix + "CMAP_RESOLUTION", grids);
  const int first_grid = static_cast<int>(ff.cmap_grids.size());
  for (std::size_t g = 0; g < grids; ++g) {
    const int resolution = resolutions[g];
    if (resolution < smallest_resolution || resolution > largest_resolution)
      sections.fail(prefix + "CMAP_RESOLUTION",
                    "a map has " + std::to_string(resolution) + " points a side; the file is damaged");
    // phi is the slow index and both start at -180 degrees, as in CmapGrid.
    auto energy =
        sections.reals(grid_flag(prefix, g + 1), static_cast<std::size_t>(resolution) * static_cast<std::size_t>(resolution));
    for (double& e : energy) e *= kj_per_kcal;
    ff.cmap_grids.push_back({resolution, std::move(energy)});
  }
  const auto index = sections.integers(index_flag, 6 * terms);
  for (std::size_t n = 0; n < terms; ++n) {
    int atom[5];
    for (std::size_t a = 0; a < 5; ++a) atom[a] = atom_of_number(sections, index_flag, index[6 * n + a], out.topology);
    check_distinct(sections, index_flag, {atom[0], atom[1], atom[2], atom[3], atom[4]}, out.topology);
    const int map = first_grid + static_cast<int>(type_of_entry(sections, index_flag, index[6 * n + 5], grids));
    ff.cmaps.push_back({atom[0], atom[1], atom[2], atom[3], atom[4], map});
  }
}

void read_urey_bradleys(const Sections& sections, AmberTopology& out) {
  const std::string flag = "CHARMM_UREY_BRADLEY";
  if (!sections.has("CHARMM_UREY_BRADLEY_COUNT")) {
    if (sections.has(flag))
      sections.fail(flag, "there is no CHARMM_UREY_BRADLEY_COUNT to go with it; the file is truncated or damaged");
    return;
  }
  const auto counts = sections.integers("CHARMM_UREY_BRADLEY_COUNT", 2);
  if (counts[0] < 0 || counts[1] < 0) sections.fail("CHARMM_UREY_BRADLEY_COUNT", "a count is negative; the file is damaged");
  const auto terms = static_cast<std::size_t>(counts[0]), types = static_cast<std::size_t>(counts[1]);
  const auto list = sections.integers(flag, 3 * terms);
  const auto k = sections.reals("CHARMM_UREY_BRADLEY_FORCE_CONSTANT", types),
             r0 = sections.reals("CHARMM_UREY_BRADLEY_EQUIL_VALUE", types);
  for (std::size_t n = 0; n < terms; ++n) {
    const int a = atom_of_number(sections, flag, list[3 * n], out.topology),
              b = atom_of_number(sections, flag, list[3 * n + 1], out.topology);
    check_distinct(sections, flag, {a, b}, out.topology);
    const std::size_t type = type_of_entry(sections, flag, list[3 * n + 2], types);
    out.force_field.urey_bradleys.push_back({a, b, r0[type] * nm_per_angstrom, k[type] * bond_constant});
  }
}

void read_impropers(const Sections& sections, AmberTopology& out) {
  const std::string flag = "CHARMM_IMPROPERS";
  if (!sections.has("CHARMM_NUM_IMPROPERS")) {
    if (sections.has(flag))
      sections.fail(flag, "there is no CHARMM_NUM_IMPROPERS to go with it; the file is truncated or damaged");
    return;
  }
  const int terms = sections.integers("CHARMM_NUM_IMPROPERS", 1)[0], types = sections.integers("CHARMM_NUM_IMPR_TYPES", 1)[0];
  if (terms < 0 || types < 0) sections.fail("CHARMM_NUM_IMPROPERS", "a count is negative; the file is damaged");
  const auto list = sections.integers(flag, 5 * static_cast<std::size_t>(terms));
  const auto k = sections.reals("CHARMM_IMPROPER_FORCE_CONSTANT", static_cast<std::size_t>(types));
  const auto psi = sections.reals("CHARMM_IMPROPER_PHASE", static_cast<std::size_t>(types));
  for (std::size_t at = 0; at < list.size(); at += 5) {
    int atom[4];
    for (std::size_t n = 0; n < 4; ++n) atom[n] = atom_of_number(sections, flag, list[at + n], out.topology);
    check_distinct(sections, flag, {atom[0], atom[1], atom[2], atom[3]}, out.topology);
    const std::size_t type = type_of_entry(sections, flag, list[at + 4], k.size());
    // The section's own comment says degrees, yet radians are what most writers put there. Values are 0 or 180 degrees in
    // practice, so one within 2 pi is in radians.
    const double psi0 = std::abs(psi[type]) <= 2 * constants::pi ? psi[type] : psi[type] * constants::pi / 180;
    out.force_field.impropers.push_back({atom[0], atom[1], atom[2], atom[3], psi0, k[type] * angle_constant});
  }
}

}  // namespace

void read_cmaps(const Sections& sections, AmberTopology& out) {
  read_cmaps_of(sections, "", out);
  read_cmaps_of(sections, "CHARMM_", out);
}

void read_charmm_terms(const Sections& sections, AmberTopology& out) {
  read_urey_bradleys(sections, out);
  read_impropers(sections, out);
}

}  // namespace uplift::amber

#include "reference_structure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/io/text_file.hpp"
#include "uplift/io/topology_file.hpp"

namespace uplift {
namespace {

using Fail = std::function<void(const std::string&)>;

struct NamedAtom {
  Vec3d x;
  std::string name, residue;  ///< "CA", "ALA A   2 "
};

std::vector<NamedAtom> read_first_model(const std::string& file, const Fail& fail) {
  const std::string text = read_file(file);
  LineReader lines(text);
  std::vector<NamedAtom> all;
  while (!lines.done()) {
    const std::string_view line = lines.next();
    if (line.starts_with("ENDMDL")) break;
    if (!line.starts_with("ATOM ") && !line.starts_with("HETATM")) continue;
    Vec3d r{0, 0, 0};
    if (line.size() < 54 || !parse_real(line.substr(30, 8), r.x) || !parse_real(line.substr(38, 8), r.y) ||
        !parse_real(line.substr(46, 8), r.z))
      fail(file + ":" + std::to_string(lines.line()) + ": has no coordinates in columns 31 to 54");
    all.push_back({constants::nm_per_angstrom * r, std::string(trim(line.substr(12, 4))), std::string(line.substr(17, 10))});
  }
  return all;
}

/// Where residues begin, and the end.
template <class SameResidue>
std::vector<std::size_t> residue_starts(std::size_t atoms, SameResidue&& same) {
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < atoms; ++i)
    if (i == 0 || !same(i - 1, i)) starts.push_back(i);
  starts.push_back(atoms);
  return starts;
}

/// Which atom of the file each of these is.
std::vector<std::size_t> matched(const std::vector<NamedAtom>& found, const std::vector<int>& wanted, const Topology& t) {
  std::vector<std::size_t> place(wanted.size());
  std::iota(place.begin(), place.end(), std::size_t{0});
  const auto starts = residue_starts(wanted.size(), [&](std::size_t i, std::size_t j) {
    return t.atoms[at(wanted[i])].residue == t.atoms[at(wanted[j])].residue;
  });
  if (residue_starts(found.size(), [&](std::size_t i, std::size_t j) { return found[i].residue == found[j].residue; }) !=
      starts)
    return place;
  for (std::size_t r = 0; r + 1 < starts.size(); ++r) {
    const auto begin = place.begin() + static_cast<std::ptrdiff_t>(starts[r]),
               end = place.begin() + static_cast<std::ptrdiff_t>(starts[r + 1]);
    const std::vector<std::size_t> in_order(begin, end);
    std::vector<std::size_t> by_name;
    for (std::size_t i = starts[r]; i < starts[r + 1]; ++i)
      for (std::size_t k : in_order)
        if (found[k].name == t.atoms[at(wanted[i])].name) by_name.push_back(k);
    std::vector<std::size_t> each = by_name;
    std::sort(each.begin(), each.end());
    if (each == in_order) std::copy(by_name.begin(), by_name.end(), begin);  // all of them, and each once
  }
  return place;
}

}  // namespace

std::vector<Vec3d> reference_positions(const std::string& file, const std::vector<int>& which, const Topology& topology,
                                       const Fail& fail) {
  const std::vector<NamedAtom> found = read_first_model(file, fail);
  const auto atoms = at(topology.size());
  if (found.size() != which.size() && found.size() != atoms)
    fail(file + ": has " + std::to_string(found.size()) + " atoms; it needs those of the trajectory (" + std::to_string(atoms) +
         ") or the selected ones (" + std::to_string(which.size()) + ")");
  std::vector<int> wanted = which;
  if (found.size() == atoms) {
    wanted.resize(atoms);
    std::iota(wanted.begin(), wanted.end(), 0);
  }
  const std::vector<std::size_t> place = matched(found, wanted, topology);
  std::vector<Vec3d> x(atoms);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const Atom& atom = topology.atoms[at(wanted[i])];
    const NamedAtom& other = found[place[i]];
    if (atom.element > 0 && name_fits(atom.name, atom.element) && !name_fits(other.name, atom.element))
      fail(fmt::format(
          "{}: atom {} is {} of {}, and in its place among those that are wanted is {} of {} {}; atoms are found by "
          "their names in each residue, or else taken in order: give a file with the names or the order of "
          "topology.pdb",
          file, place[i] + 1, other.name, trim(other.residue), atom.name, topology.residues[at(atom.residue)].name,
          topology.residues[at(atom.residue)].number));
    x[at(wanted[i])] = other.x;
  }
  std::vector<Vec3d> chosen;
  for (int i : which) chosen.push_back(x[at(i)]);
  return chosen;
}

}  // namespace uplift

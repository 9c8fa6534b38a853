// Whether a topology and coordinates name the same atoms in the same order.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "uplift/core/error.hpp"
#include "uplift/io/topology_file.hpp"

namespace uplift {
namespace {

/// "1HB2" and "HB2'" as HB2: letters in capitals, from the first one on.
std::string letters(const std::string& name) {
  std::string out;
  for (const char c : name) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalpha(u))
      out += static_cast<char>(std::toupper(u));
    else if (!out.empty() && std::isdigit(u))
      out += c;
  }
  return out;
}

bool same(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::toupper(x) == std::toupper(y); });
}

}  // namespace

bool name_fits(const std::string& name, int element) {
  constexpr std::array<std::pair<const char*, int>, 8> others{
      {{"D", 1}, {"LIT", 3}, {"SOD", 11}, {"CLA", 17}, {"POT", 19}, {"RUB", 37}, {"CES", 55}, {"BAR", 56}}};
  const std::string text = letters(name);
  if (text.starts_with(letters(element_symbol(element)))) return true;
  return std::any_of(others.begin(), others.end(),
                     [&](const auto& o) { return o.second == element && text.starts_with(o.first); });
}

std::vector<std::string> check(const TopologyFile& file, const std::string& topology_path, const Coordinates& coordinates,
                               const std::string& coordinates_path) {
  if (coordinates.x.size() != file.topology.atoms.size())
    throw InputError(coordinates_path + ": has " + std::to_string(coordinates.x.size()) + " atoms, and the topology " +
                     topology_path + " has " + std::to_string(file.topology.atoms.size()) +
                     " (the two files belong to different systems, or one was stripped); give files of one system");
  const Topology& t = file.topology;
  if (coordinates.labels.size() != t.atoms.size()) return {};
  std::vector<bool> water;
  for (const Residue& r : t.residues) water.push_back(is_water(t, r));
  int differing = 0, wrong = 0, first = -1, first_wrong = -1;
  for (int i = 0; i < t.size(); ++i) {
    const Atom& atom = t.atoms[static_cast<std::size_t>(i)];
    const std::string& other = coordinates.labels[static_cast<std::size_t>(i)].atom;
    if (same(atom.name, other) || atom.element == 0) continue;
    // A name that says nothing of its element in the topology itself is no evidence.
    if (name_fits(atom.name, atom.element) && !name_fits(other, atom.element)) {
      if (wrong++ == 0) first_wrong = i;
    } else if (!water[static_cast<std::size_t>(atom.residue)]) {
      if (differing++ == 0) first = i;
    }
  }
  const auto both = [&](int i) {
    const Atom& atom = t.atoms[static_cast<std::size_t>(i)];
    const Residue& residue = t.residues[static_cast<std::size_t>(atom.residue)];
    const AtomLabel& label = coordinates.labels[static_cast<std::size_t>(i)];
    return fmt::format("atom {} is {} of {} {} in {} and {} of {} {} in {}", i + 1, atom.name, residue.name, residue.number,
                       topology_path, label.atom, label.residue, label.residue_number, coordinates_path);
  };
  if (wrong > 0)
    throw InputError(
        fmt::format("{}: {}, another element ({} such atom{}); atoms are taken in order, so that positions would go to the "
                    "wrong atoms: give "
                    "files of one system with the same order",
                    coordinates_path, both(first_wrong), wrong, wrong == 1 ? "" : "s"));
  if (differing == 0) return {};
  return {fmt::format("{}: {} atom name{} from the topology ({}); atoms are taken in order: check that it is the same order",
                      coordinates_path, differing, differing == 1 ? " differs" : "s differ", both(first))};
}

}  // namespace uplift

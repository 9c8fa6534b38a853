// `uplift info` of topologies, structures and coordinates.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "info_parts.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/io/charmm.hpp"
#include "uplift/io/coordinates.hpp"
#include "uplift/io/info.hpp"
#include "uplift/io/structure.hpp"
#include "uplift/io/topology_file.hpp"

namespace uplift::info {
namespace {

constexpr double grams_per_cm3 = 1e24 / constants::avogadro * 1e-3;  ///< of 1 Da/nm^3

std::string count_row(const char* name, std::size_t count) { return count ? row(name, std::to_string(count)) : ""; }

/// "76 ALA, 2000 WAT"
std::string kinds_row(const std::map<std::string, int>& names) {
  std::string kinds;
  for (const auto& [name, count] : names) kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", count, name);
  return row("kinds", kinds);
}
std::map<std::string, int> residue_names(const Topology& topology) {
  std::map<std::string, int> names;
  for (const Residue& residue : topology.residues) ++names[residue.name];
  return names;
}
std::string residues_row(const Topology& topology) {
  int waters = 0;
  for (const Residue& residue : topology.residues) waters += is_water(topology, residue);
  return row("residues", fmt::format("{}, {} of them water", topology.residues.size(), waters));
}
/// "2: A (1 to 68), B (1 to 20)", with the numbers of residues; these alone where there are no chains.
std::string chains_row(const Topology& topology) {
  std::map<std::string, std::pair<int, int>> chains;
  for (const Residue& residue : topology.residues) {
    auto& [least, most] = chains.try_emplace(residue.chain, residue.number, residue.number).first->second;
    least = std::min(least, residue.number);
    most = std::max(most, residue.number);
  }
  if (chains.empty()) return "";
  const auto range = [](const auto& ends) { return fmt::format("{} to {}", ends.first, ends.second); };
  const auto unnamed = chains.extract("");
  const std::string others = unnamed.empty() ? "" : range(unnamed.mapped());
  if (chains.empty()) return row("numbered", others);
  std::string names;
  for (const auto& [chain, ends] : chains) names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", chain, range(ends));
  return row("chains", fmt::format("{}: {}{}", chains.size(), names, unnamed.empty() ? "" : "; in none: " + others));
}
double total_mass(const Topology& topology) {
  double mass = 0;
  for (const Atom& atom : topology.atoms) mass += atom.mass;
  return mass;
}
std::string box_rows(const Box& box, double mass) {
  return row("box", box_text(box)) + row("density", fmt::format("{:.4f} g/cm^3", mass / box.volume() * grams_per_cm3));
}

}  // namespace

std::string row(const char* name, const std::string& value) { return fmt::format("  {:<14}{}\n", name, value); }

std::string box_text(const Box& box) {
  Vec3d lengths{}, angles{};
  box_parameters(box, lengths, angles);
  const double degrees = 180 / constants::pi;
  return fmt::format("{:.5f} x {:.5f} x {:.5f} nm, angles {:.3f} {:.3f} {:.3f} degrees, volume {:.4f} nm^3", lengths.x,
                     lengths.y, lengths.z, angles.x * degrees, angles.y * degrees, angles.z * degrees, box.volume());
}

std::string topology(const std::string& path, const SystemSettings& given) {
  SystemSettings settings = given;
  settings.topology = path;
  const bool bare = file_suffix(path) == "psf" && settings.parameters.empty();
  const TopologyFile file = bare ? read_psf_terms(path) : read_topology(settings);
  const Topology& t = file.topology;
  const ForceField& ff = file.force_field;
  double charge = 0;
  for (double q : ff.charges) charge += q;
  std::string text = file.kind + "\n";
  if (!t.title.empty()) text += row("title", t.title);
  text +=
      row("atoms", ff.virtual_sites.empty() ? std::to_string(t.size())
                                            : fmt::format("{}, {} of them virtual sites", t.size(), ff.virtual_sites.size()));
  text += residues_row(t) + chains_row(t);
  text += row("molecules", std::to_string(find_molecules(t, ff).count));
  text += row("total charge", fmt::format("{:.6f} e", std::round(charge * 1e6) / 1e6 + 0.0));
  text += row("total mass", fmt::format("{:.3f} Da", total_mass(t)));
  text += row("bonds", std::to_string(ff.bonds.size())) + row("angles", std::to_string(ff.angles.size()));
  text += row("dihedrals", std::to_string(ff.dihedrals.size()));
  text += count_row("impropers", ff.impropers.size()) + count_row("Urey-Bradley", ff.urey_bradleys.size());
  text += count_row("CMAP", ff.cmaps.size()) + count_row("1-4 pairs", ff.pairs14.size());
  text += count_row("fixed lengths", ff.fixed_distances.size()) + count_row("restrained", file.restrained.size());
  if (bare)
    text += row("note",
                "parameters are in other files (--parameters): without them dihedrals are counted once for all of their terms");
  else
    text += row("LJ types", std::to_string(ff.lj_types)) + row("GB radii", ff.gb.empty() ? "no" : "yes");
  if (file.box) text += box_rows(*file.box, total_mass(t));
  for (const std::string& note : file.notes) text += row("note", note);
  for (const std::string& warning : file.warnings) text += row("warning", warning);
  return text + kinds_row(residue_names(t));
}

std::string structure(const std::string& path) {
  const Structure s = read_structure(path);
  const Topology& t = s.topology;
  int hydrogens = 0, sites = 0, unknown = 0;
  for (const Atom& atom : t.atoms) {
    hydrogens += atom.element == 1;
    sites += atom.mass == 0;  // without a force field nothing ties them to their molecules
  }
  for (bool known : s.bonds_known) unknown += !known;
  std::string text = "structure\n";
  if (!t.title.empty()) text += row("title", t.title);
  text += row("atoms", fmt::format("{}, {} of them hydrogen", t.size(), hydrogens));
  text += residues_row(t) + chains_row(t);
  text += row("molecules", std::to_string(find_molecules(t, {}).count - sites)) + row("bonds", std::to_string(t.bonds.size()));
  if (unknown) text += row("note", fmt::format("the bonds of {} residues are not known", unknown));
  text += row("total mass", fmt::format("{:.3f} Da", total_mass(t)));
  text += s.box ? box_rows(*s.box, total_mass(t)) : row("box", "none");
  for (const std::string& note : s.notes) text += row("note", note);
  return text + kinds_row(residue_names(t));
}

std::string coordinates(const std::string& path) {
  const Coordinates c = read_coordinates(path);
  std::string text = c.kind + "\n" + row("atoms", std::to_string(c.x.size()));
  std::map<std::string, int> names;
  for (std::size_t i = 0; i < c.labels.size(); ++i) {
    const AtomLabel& a = c.labels[i];
    const bool next = i == 0 || a.residue_number != c.labels[i - 1].residue_number || a.residue != c.labels[i - 1].residue;
    if (next) ++names[a.residue];
  }
  int residues = 0;
  for (const auto& [name, count] : names) residues += count;
  if (residues) text += row("residues", std::to_string(residues));
  text += row("time", fmt::format("{:g} ps", c.time));
  text += row("velocities", c.v.empty() ? "no" : "yes");
  text += row("box", c.box ? box_text(*c.box) : "none");
  return text + (residues ? kinds_row(names) : "");
}

}  // namespace uplift::info

namespace uplift {

std::string atom_table(const Topology& topology, const std::vector<int>& atoms) {
  constexpr std::size_t most = 500;
  std::string text = fmt::format("{} of {} atoms, counted from 0 as in distance(0,1)\n", atoms.size(), topology.size());
  text += fmt::format("  {:>8}  {:<8}{:<9}{:<9}{:>6}   {}\n", "atom", "name", "element", "resname", "resid", "chain");
  for (std::size_t k = 0; k < std::min(most, atoms.size()); ++k) {
    const Atom& a = topology.atoms[static_cast<std::size_t>(atoms[k])];
    const Residue& r = topology.residues[static_cast<std::size_t>(a.residue)];
    text +=
        fmt::format("  {:>8}  {:<8}{:<9}{:<9}{:>6}{:<3}{}\n", atoms[k], a.name, a.element > 0 ? element_symbol(a.element) : "-",
                    r.name, r.number, r.insertion, r.chain.empty() ? "-" : r.chain);
  }
  if (atoms.size() > most) text += fmt::format("  and {} more; choose fewer to see them\n", atoms.size() - most);
  return text;
}

}  // namespace uplift

// Patches applied to templates, and what to say of residues that match nothing.
#include <fmt/format.h>

#include <algorithm>

#include "forcefield_xml_parts.hpp"
#include "uplift/core/at.hpp"
#include "uplift/io/text_file.hpp"
#include "uplift/model/residue_library.hpp"

namespace uplift::xml {
namespace {

std::string list(const std::vector<std::string>& names) {
  std::string all;
  for (std::size_t k = 0; k < names.size() && k < 12; ++k) all += (k ? ", " : "") + printable(names[k]);
  return names.size() > 12 ? all + fmt::format(" and {} more", names.size() - 12) : all;
}

struct Difference {
  const Template* of = nullptr;
  std::vector<std::string> missing, extra;
  std::size_t size() const { return missing.size() + extra.size(); }
};

/// By names of atoms; of hydrogens only how many there are on the whole, since their names differ between programs.
Difference difference(const Topology& topology, const Residue& residue, const Template& t, const Definitions& d) {
  Difference out{&t, {}, {}};
  const LibraryResidue* known = library_residue(residue.name);
  std::set<std::string> own;
  for (int i = residue.first_atom; i < residue.first_atom + residue.atom_count; ++i) {
    const std::string& name = topology.atoms[at(i)].name;
    own.insert(known ? library_atom_name(*known, name) : name);
  }
  for (const TemplateAtom& a : t.atoms)
    if (!own.count(a.name)) out.missing.push_back(a.name);
  for (const std::string& name : own)
    if (t.atom_named(name) < 0) out.extra.push_back(name);
  (void)d;
  return out;
}

}  // namespace

std::optional<Template> apply_patch(const Patch& patch, int residue, const Template& to) {
  const auto mine = [&](const PatchAtom& a) { return a.residue == residue; };
  Template out;
  out.name = to.name + "-" + patch.name;
  out.place = patch.place;
  std::vector<int> place(to.atoms.size(), -1);
  for (std::size_t i = 0; i < to.atoms.size(); ++i) {
    const bool removed = std::any_of(patch.removed.begin(), patch.removed.end(),
                                     [&](const PatchAtom& a) { return mine(a) && a.name == to.atoms[i].name; });
    if (removed) continue;
    place[i] = static_cast<int>(out.atoms.size());
    out.atoms.push_back(to.atoms[i]);
  }
  for (const TemplateAtom& a : patch.added[at(residue)]) {
    if (out.atom_named(a.name) >= 0) return {};
    out.atoms.push_back(a);
  }
  for (const TemplateAtom& a : patch.changed[at(residue)]) {
    const int i = out.atom_named(a.name);
    if (i < 0) return {};
    const int external = out.atoms[at(i)].external_bonds;
    out.atoms[at(i)] = a;
    out.atoms[at(i)].external_bonds = external;
  }
  for (const TemplateSite& s : to.sites) {
    const auto kept = [&](int i) { return place[at(i)] >= 0; };
    if (!kept(s.site) || !kept(s.exclude_with) || !std::all_of(s.atoms.begin(), s.atoms.end(), kept)) continue;
    TemplateSite moved = s;
    moved.site = place[at(s.site)];
    moved.exclude_with = place[at(s.exclude_with)];
    for (int& i : moved.atoms) i = place[at(i)];
    out.sites.push_back(moved);
  }
  for (const auto& [i, j] : to.bonds) {
    if (place[at(i)] < 0 || place[at(j)] < 0) continue;
    const std::string &a = to.atoms[at(i)].name, &c = to.atoms[at(j)].name;
    const bool removed = std::any_of(patch.removed_bonds.begin(), patch.removed_bonds.end(), [&](const auto& b) {
      return mine(b[0]) && mine(b[1]) && ((b[0].name == a && b[1].name == c) || (b[0].name == c && b[1].name == a));
    });
    if (!removed) out.bonds.push_back({place[at(i)], place[at(j)]});
  }
  for (const PatchAtom& a : patch.removed_external)
    if (const int i = mine(a) ? out.atom_named(a.name) : -1; i >= 0) out.atoms[at(i)].external_bonds = 0;
  for (const auto& [one, two] : patch.added_bonds) {
    const int i = mine(one) ? out.atom_named(one.name) : -1, j = mine(two) ? out.atom_named(two.name) : -1;
    if ((mine(one) && i < 0) || (mine(two) && j < 0)) return {};
    if (i >= 0 && j >= 0)
      out.bonds.push_back({i, j});
    else if (i >= 0 || j >= 0)
      ++out.atoms[at(std::max(i, j))].external_bonds;
  }
  for (const PatchAtom& a : patch.added_external) {
    if (!mine(a)) continue;
    const int i = out.atom_named(a.name);
    if (i < 0) return {};
    ++out.atoms[at(i)].external_bonds;
  }
  return out;
}

bool is_related(const Template& t, const std::string& name) {
  const LibraryResidue *known = library_residue(name), *of = library_residue(t.name);
  return t.name == name || (known && of && (of == known || of->bonds == known->bonds));
}

std::string explain_mismatch(const Structure& structure, const Topology& topology, int index, const Definitions& d,
                             const std::vector<std::vector<int>>& bonded) {
  const Residue& residue = topology.residues[at(index)];
  const std::string who = fmt::format("{}: residue {} {}{}", structure.path, residue.number, printable(residue.name),
                                      residue.chain.empty() ? "" : " of chain " + printable(residue.chain));
  Difference best;
  for (const Template& t : d.templates) {
    if (!is_related(t, residue.name)) continue;
    Difference now = difference(topology, residue, t, d);
    if (!best.of || now.size() < best.size()) best = std::move(now);
  }
  if (!best.of) {
    if (is_water(topology, residue) || is_water_name(residue.name))
      return who +
             " is water for which the force field has no residue; add a water model to system.forcefield (tip3p, tip4pew, "
             "spce, opc)";
    return who +
           fmt::format(
               " matches no residue of the force field, which has none of that name ({} residues in it); add a file for it "
               "to system.forcefield",
               d.templates.size());
  }
  if (best.size() > 0) {
    std::string what;
    if (!best.missing.empty()) what += " lacks " + list(best.missing);
    if (!best.extra.empty()) what += std::string(what.empty() ? " has " : " and has ") + list(best.extra) + " too many";
    return who + fmt::format("{} (compared with residue {} of the force field); `uplift build` adds what is missing", what,
                             printable(best.of->name));
  }
  int external = 0, expected = 0;
  for (int i = residue.first_atom; i < residue.first_atom + residue.atom_count; ++i)
    for (int j : bonded[at(i)]) external += j < residue.first_atom || j >= residue.first_atom + residue.atom_count;
  for (const TemplateAtom& a : best.of->atoms) expected += a.external_bonds;
  return who +
         fmt::format(
             " has the atoms of residue {} of the force field but other bonds ({} to other residues, where {} are expected); a "
             "chain may be broken or end there without its end group, which `uplift build` adds",
             printable(best.of->name), external, expected);
}

}  // namespace uplift::xml

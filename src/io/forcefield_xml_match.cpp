// Residues to templates: by elements and bonds, with patches where no template fits as it is.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "forcefield_xml_parts.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"
#include "uplift/model/residue_library.hpp"

namespace uplift::xml {
namespace {

/// Counts of elements, as a key.
std::string composition(const std::vector<int>& elements) {
  std::map<int, int> counts;
  for (int e : elements) ++counts[e];
  std::string key;
  for (const auto& [element, count] : counts) key += fmt::format("{}:{} ", element, count);
  return key;
}

std::string composition(const Template& t, const Definitions& d) {
  std::vector<int> elements;
  for (const TemplateAtom& a : t.atoms) elements.push_back(d.types[at(a.type)].element);
  return composition(elements);
}

/// Finds the template atom of every residue atom; atoms are taken so that each but the first is bonded to an earlier one.
class Matcher {
 public:
  Matcher(const Topology& topology, const std::vector<std::vector<int>>& bonded, const Residue& residue, const Template& t,
          const Definitions& d)
      : topology_(topology),
        bonded_(bonded),
        residue_(residue),
        t_(t),
        d_(d),
        n_(residue.atom_count),
        neighbours_(t.atoms.size()) {
    for (const auto& [i, j] : t.bonds) {
      neighbours_[at(i)].insert(j);
      neighbours_[at(j)].insert(i);
    }
  }

  std::vector<int> match() {
    if (n_ != static_cast<int>(t_.atoms.size())) return {};
    own_.assign(at(n_), {});
    external_.assign(at(n_), 0);
    for (int i = 0; i < n_; ++i)
      for (int j : bonded_[at(residue_.first_atom + i)]) {
        if (j >= residue_.first_atom && j < residue_.first_atom + n_)
          own_[at(i)].push_back(j - residue_.first_atom);
        else
          ++external_[at(i)];
      }
    find_order();
    found_.assign(at(n_), -1);
    taken_.assign(at(n_), false);
    return place(0) ? found_ : std::vector<int>{};
  }

 private:
  void find_order() {
    std::vector<bool> seen(at(n_), false);
    for (int start = 0; start < n_; ++start) {
      if (seen[at(start)]) continue;
      seen[at(start)] = true;
      order_.push_back(start);
      for (std::size_t k = order_.size() - 1; k < order_.size(); ++k)
        for (int j : own_[at(order_[k])])
          if (!seen[at(j)]) {
            seen[at(j)] = true;
            order_.push_back(j);
          }
    }
  }

  bool fits(int i, int candidate) const {
    const TemplateAtom& a = t_.atoms[at(candidate)];
    if (taken_[at(candidate)] || d_.types[at(a.type)].element != topology_.atoms[at(residue_.first_atom + i)].element)
      return false;
    if (neighbours_[at(candidate)].size() != own_[at(i)].size() || a.external_bonds != external_[at(i)]) return false;
    return std::all_of(own_[at(i)].begin(), own_[at(i)].end(),
                       [&](int j) { return found_[at(j)] < 0 || neighbours_[at(candidate)].count(found_[at(j)]); });
  }

  bool place(std::size_t k) {
    if (k == order_.size()) return true;
    if (++steps_ > 1000000) return false;  // symmetric cages would be tried for ever
    const int i = order_[k];
    // An atom of the same name first: with equivalent atoms it decides which is which.
    const int same_name = t_.atom_named(topology_.atoms[at(residue_.first_atom + i)].name);
    for (int n = -1; n < n_; ++n) {
      const int candidate = n < 0 ? same_name : n;
      if (candidate < 0 || (n >= 0 && n == same_name) || !fits(i, candidate)) continue;
      found_[at(i)] = candidate;
      taken_[at(candidate)] = true;
      if (place(k + 1)) return true;
      found_[at(i)] = -1;
      taken_[at(candidate)] = false;
    }
    return false;
  }

  const Topology& topology_;
  const std::vector<std::vector<int>>& bonded_;
  const Residue& residue_;
  const Template& t_;
  const Definitions& d_;
  int n_;
  long steps_ = 0;
  std::vector<std::set<int>> neighbours_;
  std::vector<std::vector<int>> own_;
  std::vector<int> external_, order_, found_;
  std::vector<bool> taken_;
};

using Shared = std::shared_ptr<const Template>;

/// Templates by composition, and the answers for residues that were asked before: most are water.
class Candidates {
 public:
  explicit Candidates(const Definitions& d) : d_(d) {}
  void add(Shared t) { by_composition_[composition(*t, d_)].push_back(std::move(t)); }

  Assignment find(const Topology& topology, const std::vector<std::vector<int>>& bonded, int residue) {
    const std::string key = fingerprint(topology, bonded, residue);
    const auto known = answers_.find(key);
    if (known != answers_.end()) return known->second;
    return answers_[key] = search(topology, bonded, residue);
  }

 private:
  static std::string fingerprint(const Topology& topology, const std::vector<std::vector<int>>& bonded, int residue) {
    const Residue& r = topology.residues[at(residue)];
    std::string key = r.name;
    for (int i = r.first_atom; i < r.first_atom + r.atom_count; ++i) {
      key += fmt::format(";{}:{}", topology.atoms[at(i)].name, topology.atoms[at(i)].element);
      for (int j : bonded[at(i)]) {
        const bool inside = j >= r.first_atom && j < r.first_atom + r.atom_count;
        key += inside ? fmt::format(",{}", j - r.first_atom) : ",x";
      }
    }
    return key;
  }

  Assignment search(const Topology& topology, const std::vector<std::vector<int>>& bonded, int residue) const {
    const Residue& r = topology.residues[at(residue)];
    std::vector<int> elements;
    for (int i = r.first_atom; i < r.first_atom + r.atom_count; ++i) elements.push_back(topology.atoms[at(i)].element);
    const auto list = by_composition_.find(composition(elements));
    if (list == by_composition_.end()) return {};
    std::vector<Assignment> found;
    for (const Shared& t : list->second)
      if (std::vector<int> atoms = Matcher(topology, bonded, r, *t, d_).match(); !atoms.empty()) found.push_back({t, atoms});
    if (found.empty()) return {};
    if (std::all_of(found.begin(), found.end(), [&](const Assignment& a) { return same(a, found.front()); }))
      return found.front();
    const auto named = std::find_if(found.begin(), found.end(), [&](const Assignment& a) { return a.of->name == r.name; });
    if (named != found.end()) return *named;
    std::string names;
    for (const Assignment& a : found) names += (names.empty() ? "" : ", ") + a.of->name;
    throw InputError(
        fmt::format("residue {} {} fits several templates with different parameters ({}); give it the name of one of them",
                    r.number, r.name, names));
  }

  static bool same(const Assignment& a, const Assignment& b) {
    if (a.of->sites != b.of->sites) return false;
    for (std::size_t i = 0; i < a.atom.size(); ++i) {
      const TemplateAtom &x = a.of->atoms[at(a.atom[i])], &y = b.of->atoms[at(b.atom[i])];
      if (x.type != y.type || x.parameters != y.parameters) return false;
    }
    return true;
  }

  const Definitions& d_;
  std::map<std::string, std::vector<Shared>> by_composition_;
  std::map<std::string, Assignment> answers_;
};

/// All that patches of one residue, alone and together, make of a template. Patches that touch the same atom do not go
/// together.
void patched(const Template& t, const std::vector<const Patch*>& patches, std::size_t from,
             const std::set<std::string>& touched, std::vector<Shared>& out) {
  constexpr std::size_t most = 4096;
  for (std::size_t k = from; k < patches.size() && out.size() < most; ++k) {
    const std::set<std::string>& names = patches[k]->names;
    if (std::any_of(names.begin(), names.end(), [&](const std::string& n) { return touched.count(n) > 0; })) continue;
    std::optional<Template> made = apply_patch(*patches[k], 0, t);
    if (!made) continue;
    out.push_back(std::make_shared<Template>(std::move(*made)));
    const Shared next = out.back();
    std::set<std::string> all = touched;
    all.insert(names.begin(), names.end());
    patched(*next, patches, k + 1, all, out);
  }
}

class Assigner {
 public:
  Assigner(const Structure& s, const Definitions& d)
      : s_(s), out_{d, s.topology, {}, {}, {}, {}, {}, s.notes}, plain_(d), d_(d) {}

  Assigned assign() {
    add_template_bonds();
    drop_coordination(d_, out_.topology, out_.notes);
    list_neighbours();
    for (const Template& t : d_.templates) plain_.add(std::make_shared<Template>(t));
    std::vector<int> unmatched;
    out_.assignments.resize(out_.topology.residues.size());
    for (int r = 0; r < static_cast<int>(out_.topology.residues.size()); ++r) {
      out_.assignments[at(r)] = plain_.find(out_.topology, out_.bonded, r);
      if (!out_.assignments[at(r)].of) unmatched.push_back(r);
    }
    if (!unmatched.empty() && !d_.patches.empty()) unmatched = try_patches(unmatched);
    if (!unmatched.empty()) fail(unmatched);
    record();
    return std::move(out_);
  }

 private:
  /// One line for all residues of a name that the force field has not got, one for each other; five lines at most.
  [[noreturn]] void fail(const std::vector<int>& unmatched) const {
    std::map<std::string, int> strangers;
    for (int r : unmatched) {
      const std::string& name = s_.topology.residues[at(r)].name;
      if (std::none_of(d_.templates.begin(), d_.templates.end(), [&](const Template& t) { return is_related(t, name); }))
        ++strangers[name];
    }
    std::vector<std::string> lines;
    std::set<std::string> said;
    for (int r : unmatched) {
      const std::string& name = s_.topology.residues[at(r)].name;
      const auto alike = strangers.find(name);
      if (alike != strangers.end() && !said.insert(name).second) continue;
      lines.push_back(explain_mismatch(s_, out_.topology, r, d_, out_.bonded));
      if (alike != strangers.end() && alike->second > 1)
        lines.back() += fmt::format(" (and so for {} more {})", alike->second - 1, printable(name));
    }
    const std::size_t shown = std::min<std::size_t>(lines.size(), 5);
    std::string message;
    for (std::size_t k = 0; k < shown; ++k) message += (k ? "\n" : "") + lines[k];
    if (lines.size() > shown) message += fmt::format("\nand {} more that match no template", lines.size() - shown);
    throw InputError(message);
  }

  /// Residues that the library does not know and the file gives no bonds for: those of a template with their name and atoms.
  void add_template_bonds() {
    bool added = false;
    for (std::size_t r = 0; r < out_.topology.residues.size(); ++r) {
      if (s_.bonds_known[r]) continue;
      const Residue& residue = out_.topology.residues[r];
      const auto found = d_.template_of.find(residue.name);
      if (found == d_.template_of.end()) continue;
      const Template& t = d_.templates[found->second];
      std::map<std::string, int> atoms;
      for (int i = residue.first_atom; i < residue.first_atom + residue.atom_count; ++i)
        atoms[out_.topology.atoms[at(i)].name] = i;
      if (atoms.size() != t.atoms.size() ||
          !std::all_of(t.atoms.begin(), t.atoms.end(), [&](const TemplateAtom& a) { return atoms.count(a.name) > 0; }))
        continue;
      for (const auto& [i, j] : t.bonds) {
        const int a = atoms[t.atoms[at(i)].name], b = atoms[t.atoms[at(j)].name];
        out_.topology.bonds.push_back({std::min(a, b), std::max(a, b)});
      }
      for (const TemplateAtom& a : t.atoms)
        if (d_.types[at(a.type)].element > 0 && out_.topology.atoms[at(atoms[a.name])].element == 0)
          out_.topology.atoms[at(atoms[a.name])].element = d_.types[at(a.type)].element;
      added = true;
    }
    if (!added) return;
    auto& bonds = out_.topology.bonds;
    const auto key = [](const Bond& b) { return std::pair(b.i, b.j); };
    std::sort(bonds.begin(), bonds.end(), [&](const Bond& a, const Bond& b) { return key(a) < key(b); });
    bonds.erase(std::unique(bonds.begin(), bonds.end(), [&](const Bond& a, const Bond& b) { return key(a) == key(b); }),
                bonds.end());
  }

  void list_neighbours() {
    out_.bonded.assign(at(out_.topology.size()), {});
    for (const Bond& b : out_.topology.bonds) {
      out_.bonded[at(b.i)].push_back(b.j);
      out_.bonded[at(b.j)].push_back(b.i);
    }
    for (auto& list : out_.bonded) std::sort(list.begin(), list.end());
  }

  std::vector<int> try_patches(const std::vector<int>& residues) {
    Candidates candidates(d_);
    std::map<std::string, std::vector<Shared>> by_template;
    for (const Template& t : d_.templates) {
      const auto allowed = d_.allowed.find(t.name);
      if (allowed == d_.allowed.end()) continue;
      std::vector<const Patch*> patches;
      for (const Patch& p : d_.patches)
        if (p.residues == 1 && allowed->second.count({p.name, 0})) patches.push_back(&p);
      patched(t, patches, 0, {}, by_template[t.name]);
      for (const Shared& made : by_template[t.name]) candidates.add(made);
    }
    std::vector<int> rest;
    for (int r : residues) {
      out_.assignments[at(r)] = candidates.find(out_.topology, out_.bonded, r);
      if (!out_.assignments[at(r)].of) rest.push_back(r);
    }
    for (const Patch& p : d_.patches)
      if (p.residues == 2 && !rest.empty()) try_pairs(p, by_template, rest);
    return rest;
  }

  /// Patches of two residues (disulfides), tried on pairs of unmatched residues that are bonded to each other.
  void try_pairs(const Patch& patch, const std::map<std::string, std::vector<Shared>>& by_template, std::vector<int>& rest) {
    std::array<Candidates, 2> candidates{Candidates(d_), Candidates(d_)};
    for (const auto& [name, allowed] : d_.allowed)
      for (int k = 0; k < 2; ++k) {
        const auto found = d_.template_of.find(name);
        if (!allowed.count({patch.name, k}) || found == d_.template_of.end()) continue;
        const auto add = [&](const Template& t) {
          if (std::optional<Template> made = apply_patch(patch, k, t)) candidates[at(k)].add(std::make_shared<Template>(*made));
        };
        add(d_.templates[found->second]);
        if (const auto more = by_template.find(name); more != by_template.end())
          for (const Shared& t : more->second) add(*t);
      }
    for (std::size_t m = 0; m < rest.size(); ++m)
      for (std::size_t n = 0; n < rest.size(); ++n) {
        if (m == n || rest[m] < 0 || rest[n] < 0) continue;
        const std::array<int, 2> pair{rest[m], rest[n]};
        std::array<Assignment, 2> found;
        for (int k = 0; k < 2; ++k) found[at(k)] = candidates[at(k)].find(out_.topology, out_.bonded, pair[at(k)]);
        if (!found[0].of || !found[1].of || !bonds_there(patch, pair, found)) continue;
        for (int k = 0; k < 2; ++k) out_.assignments[at(pair[at(k)])] = found[at(k)];
        rest[m] = rest[n] = -1;
      }
    std::erase(rest, -1);
  }

  bool bonds_there(const Patch& patch, const std::array<int, 2>& residues, const std::array<Assignment, 2>& found) const {
    const auto atom = [&](const PatchAtom& p) {
      const Assignment& a = found[at(p.residue)];
      for (std::size_t i = 0; i < a.atom.size(); ++i)
        if (a.of->atoms[at(a.atom[i])].name == p.name)
          return out_.topology.residues[at(residues[at(p.residue)])].first_atom + static_cast<int>(i);
      return -1;
    };
    for (const auto& [one, two] : patch.added_bonds) {
      if (one.residue == two.residue) continue;
      const int i = atom(one), j = atom(two);
      if (i < 0 || j < 0 || !std::binary_search(out_.bonded[at(i)].begin(), out_.bonded[at(i)].end(), j)) return false;
    }
    return true;
  }

  void record() {
    const auto n = at(out_.topology.size());
    out_.type.resize(n);
    out_.atom.resize(n);
    out_.template_index.resize(n);
    for (std::size_t r = 0; r < out_.assignments.size(); ++r) {
      const Assignment& a = out_.assignments[r];
      for (std::size_t k = 0; k < a.atom.size(); ++k) {
        const std::size_t i = at(out_.topology.residues[r].first_atom) + k;
        out_.atom[i] = &a.of->atoms[at(a.atom[k])];
        out_.template_index[i] = a.atom[k];
        out_.type[i] = out_.atom[i]->type;
        const AtomType& type = d_.types[at(out_.type[i])];
        out_.topology.atoms[i].type = type.name;
        out_.topology.atoms[i].mass = type.mass;
        // A site is where a template puts it; a massless atom without one would fall to pieces.
        if (type.mass == 0 &&
            std::none_of(a.of->sites.begin(), a.of->sites.end(), [&](const TemplateSite& s) { return s.site == a.atom[k]; }))
          throw InputError(a.of->place + ": " + describe_atom(out_.topology, static_cast<int>(i)) +
                           " has no mass and is no virtual site; the force field is incomplete or polarisable");
      }
    }
  }

  const Structure& s_;
  Assigned out_;
  Candidates plain_;
  const Definitions& d_;
};

}  // namespace

std::vector<int> match_residue(const Topology& topology, const std::vector<std::vector<int>>& bonded, int residue,
                               const Template& candidate, const Definitions& definitions) {
  return Matcher(topology, bonded, topology.residues[at(residue)], candidate, definitions).match();
}

int Assigned::in_system(std::size_t residue, int template_atom) const {
  const std::vector<int>& atoms = assignments[residue].atom;
  return topology.residues[residue].first_atom +
         static_cast<int>(std::find(atoms.begin(), atoms.end(), template_atom) - atoms.begin());
}

Assigned assign_templates(const Structure& structure, const Definitions& definitions) {
  return Assigner(structure, definitions).assign();
}

}  // namespace uplift::xml

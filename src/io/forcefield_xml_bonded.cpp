// Bonds, angles, torsions and CMAP: which definition each gets.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "forcefield_xml_parts.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/error.hpp"

namespace uplift::xml {
namespace {

std::string types_of(const Assigned& a, std::initializer_list<int> atoms) {
  std::string text;
  for (int i : atoms) text += (text.empty() ? "" : "-") + a.definitions.types[at(a.type[at(i)])].name;
  return text;
}

/// The first of `rules` that fits the types forwards or backwards; answers are kept by types. -1: none.
template <std::size_t N, class Rule>
class FirstMatch {
 public:
  FirstMatch(const Definitions& d, const std::vector<Rule>& rules) : d_(d), rules_(rules) {}
  int find(const std::array<int, N>& types) {
    const auto [answer, is_new] = answers_.try_emplace(types, -1);
    if (is_new)
      for (std::size_t r = 0; r < rules_.size(); ++r)
        if (fits(rules_[r].types, types)) {
          answer->second = static_cast<int>(r);
          break;
        }
    return answer->second;
  }
  /// Like find, but a rule without wildcards wins over those with them.
  int find_specific(const std::array<int, N>& types) {
    const auto [answer, is_new] = answers_.try_emplace(types, -1);
    if (is_new)
      for (std::size_t r = 0; r < rules_.size(); ++r) {
        if (!fits(rules_[r].types, types)) continue;
        if (answer->second < 0 || !rules_[r].wildcard) answer->second = static_cast<int>(r);
        if (!rules_[r].wildcard) break;
      }
    return answer->second;
  }

 private:
  bool fits(const std::array<TypeSpec, N>& specs, const std::array<int, N>& types) const {
    bool forwards = true, backwards = true;
    for (std::size_t k = 0; k < N; ++k) {
      forwards = forwards && d_.matches(specs[k], types[k]);
      backwards = backwards && d_.matches(specs[k], types[N - 1 - k]);
    }
    return forwards || backwards;
  }
  const Definitions& d_;
  const std::vector<Rule>& rules_;
  std::map<std::array<int, N>, int> answers_;
};

/// Three atoms bonded to a fourth, and the order of the four that the file's convention gives.
class ImproperMatch {
 public:
  explicit ImproperMatch(const Assigned& a) : a_(a), d_(a.definitions) {}

  /// -1: none; else the rule, with the atoms in `order`.
  template <class Rule>
  int find(const std::vector<Rule>& rules, const std::array<int, 4>& centre_first, std::array<int, 4>& order) const {
    int match = -1;
    for (std::size_t r = 0; r < rules.size(); ++r) {
      const Rule& rule = rules[r];
      if ((match >= 0 && rule.wildcard) || !fits(rule.types[0], centre_first[0])) continue;
      // Permutations of the three outer atoms in lexical order; the first that fits counts.
      std::array<int, 3> p{1, 2, 3};
      do {
        if (!fits(rule.types[1], centre_first[at(p[0])]) || !fits(rule.types[2], centre_first[at(p[1])]) ||
            !fits(rule.types[3], centre_first[at(p[2])]))
          continue;
        order = arranged(rule.ordering, rule.wildcard, centre_first[0], centre_first[at(p[0])], centre_first[at(p[1])],
                         centre_first[at(p[2])]);
        match = static_cast<int>(r);
        break;
      } while (std::next_permutation(p.begin(), p.end()));
    }
    return match;
  }

 private:
  bool fits(const TypeSpec& spec, int atom) const { return d_.matches(spec, a_.type[at(atom)]); }
  int element(int i) const { return a_.topology.atoms[at(i)].element; }
  int type(int i) const { return a_.type[at(i)]; }
  /// Where an atom stands: its residue, then its place in the template.
  std::pair<int, int> rank(int i) const { return {a_.topology.atoms[at(i)].residue, a_.template_index[at(i)]}; }

  std::array<int, 4> arranged(Ordering ordering, bool wildcard, int centre, int a, int b, int c) const {
    if (ordering == Ordering::amber) return amber(wildcard, centre, a, b, c);
    if (ordering == Ordering::smirnoff || (ordering == Ordering::charmm && !wildcard)) return {centre, a, b, c};
    // Carbon comes first, then the heavier element; of equal ones the earlier atom.
    if (element(a) == element(b) ? a > b : element(a) != 6 && (element(b) == 6 || lighter(a, b))) std::swap(a, b);
    return {a, b, centre, c};
  }
  bool lighter(int a, int b) const { return element_mass(element(a)) < element_mass(element(b)); }

  /// Outer atoms that the definition cannot tell apart stand in the order of residues and templates.
  std::array<int, 4> amber(bool wildcard, int centre, int a, int b, int c) const {
    const auto alike = [&](int i, int j) { return wildcard ? element(i) == element(j) : type(i) == type(j); };
    if (alike(a, c) && rank(a) > rank(c)) std::swap(a, c);
    if (alike(b, c) && rank(b) > rank(c)) std::swap(b, c);
    if ((wildcard || type_alike_first_two(a, b)) && rank(a) > rank(b)) std::swap(a, b);
    return {a, b, centre, c};
  }
  bool type_alike_first_two(int a, int b) const { return type(a) == type(b); }

  const Assigned& a_;
  const Definitions& d_;
};

void add_terms(const std::array<int, 4>& t, const TorsionRule& rule, bool improper, ForceField& out) {
  for (const TorsionTerm& term : rule.terms)
    if (term.k != 0) out.dihedrals.push_back({t[0], t[1], t[2], t[3], term.periodicity, term.phase, term.k, improper});
}

void add_improper(const std::array<int, 4>& t, const TorsionRule& rule, ForceField& out) {
  add_terms(t, rule, true, out);
  if (rule.ordering != Ordering::smirnoff) return;
  add_terms({t[0], t[2], t[3], t[1]}, rule, true, out);  // the three ways round the centre
  add_terms({t[0], t[3], t[1], t[2]}, rule, true, out);
}

void add_cmaps(const Assigned& a, const std::vector<std::array<int, 4>>& propers, ForceField& out) {
  const Definitions& d = a.definitions;
  if (d.cmaps.empty()) return;
  std::set<std::array<int, 5>> chains;
  for (const auto& t : propers) {
    for (int i : a.bonded[at(t[0])])
      if (i != t[1]) chains.insert({i, t[0], t[1], t[2], t[3]});
    for (int i : a.bonded[at(t[3])])
      if (i != t[2]) chains.insert({t[0], t[1], t[2], t[3], i});
  }
  FirstMatch<5, CmapRule> rules(d, d.cmaps);
  std::map<int, int> grid_of;  // only maps that are used
  for (const auto& c : chains) {
    const int rule =
        rules.find_specific({a.type[at(c[0])], a.type[at(c[1])], a.type[at(c[2])], a.type[at(c[3])], a.type[at(c[4])]});
    if (rule < 0) continue;
    const int map = d.cmaps[at(rule)].map;
    const auto [grid, is_new] = grid_of.try_emplace(map, static_cast<int>(out.cmap_grids.size()));
    if (is_new) out.cmap_grids.push_back(d.maps[at(map)]);
    out.cmaps.push_back({c[0], c[1], c[2], c[3], c[4], grid->second});
  }
}

}  // namespace

std::vector<std::array<int, 3>> find_angles(const Assigned& a) {
  std::vector<std::array<int, 3>> angles;
  for (int j = 0; j < a.topology.size(); ++j) {
    const auto& list = a.bonded[at(j)];
    for (std::size_t m = 0; m < list.size(); ++m)
      for (std::size_t n = m + 1; n < list.size(); ++n) angles.push_back({list[m], j, list[n]});
  }
  std::sort(angles.begin(), angles.end());
  return angles;
}

std::vector<std::array<int, 4>> find_propers(const Assigned& a, const std::vector<std::array<int, 3>>& angles) {
  std::set<std::array<int, 4>> found;
  const auto add = [&](int i, int j, int k, int l) {
    if (i == l || i == k || j == l) return;
    if (i < l)
      found.insert({i, j, k, l});
    else
      found.insert({l, k, j, i});
  };
  for (const auto& [i, j, k] : angles) {
    for (int h : a.bonded[at(i)]) add(h, i, j, k);
    for (int l : a.bonded[at(k)]) add(i, j, k, l);
  }
  return {found.begin(), found.end()};
}

void assign_bonded(const Assigned& a, ForceField& out, std::vector<std::string>& notes, const std::string& path) {
  const Definitions& d = a.definitions;
  (void)notes;
  FirstMatch<2, BondRule> bonds(d, d.bonds);
  for (const Bond& b : a.topology.bonds) {
    const int rule = bonds.find({a.type[at(b.i)], a.type[at(b.j)]});
    if (rule < 0)
      throw InputError(
          fmt::format("{}: the force field has no bond {} ({} and {}); the parameters are incomplete, add the file that "
                      "has them",
                      path, types_of(a, {b.i, b.j}), describe_atom(a.topology, b.i), describe_atom(a.topology, b.j)));
    out.bonds.push_back({b.i, b.j, d.bonds[at(rule)].length, d.bonds[at(rule)].k});
  }
  const std::vector<std::array<int, 3>> angles = find_angles(a);
  FirstMatch<3, AngleRule> angle_rules(d, d.angles), urey_bradleys(d, d.urey_bradleys);
  for (const auto& t : angles) {
    const std::array<int, 3> types{a.type[at(t[0])], a.type[at(t[1])], a.type[at(t[2])]};
    const int rule = angle_rules.find(types);
    const bool ring = std::binary_search(a.bonded[at(t[0])].begin(), a.bonded[at(t[0])].end(), t[2]);
    if (rule < 0 && !ring)
      throw InputError(
          fmt::format("{}: the force field has no angle {} (at {}); the parameters are incomplete, add the file that has "
                      "them",
                      path, types_of(a, {t[0], t[1], t[2]}), describe_atom(a.topology, t[1])));
    if (rule >= 0) out.angles.push_back({t[0], t[1], t[2], d.angles[at(rule)].angle, d.angles[at(rule)].k});
    const int ub = urey_bradleys.find(types);
    if (ub >= 0 && d.urey_bradleys[at(ub)].k != 0)
      out.urey_bradleys.push_back({t[0], t[2], d.urey_bradleys[at(ub)].angle, d.urey_bradleys[at(ub)].k});
  }
  assign_torsions(a, angles, out);
}

void assign_torsions(const Assigned& a, const std::vector<std::array<int, 3>>& angles, ForceField& out) {
  const Definitions& d = a.definitions;
  const std::vector<std::array<int, 4>> propers = find_propers(a, angles);
  FirstMatch<4, TorsionRule> periodic(d, d.propers), rb(d, d.rb_propers);
  FirstMatch<4, HarmonicRule> harmonic(d, d.harmonic_propers);
  for (const auto& t : propers) {
    const std::array<int, 4> types{a.type[at(t[0])], a.type[at(t[1])], a.type[at(t[2])], a.type[at(t[3])]};
    if (const int r = periodic.find_specific(types); r >= 0) add_terms(t, d.propers[at(r)], false, out);
    if (const int r = rb.find_specific(types); r >= 0) add_terms(t, d.rb_propers[at(r)], false, out);
    if (const int r = harmonic.find_specific(types); r >= 0) {
      const HarmonicRule& h = d.harmonic_propers[at(r)];
      out.impropers.push_back({t[0], t[1], t[2], t[3], h.theta0, h.force_constant});
    }
  }
  const ImproperMatch impropers(a);
  for (int centre = 0; centre < a.topology.size(); ++centre) {
    const auto& list = a.bonded[at(centre)];
    for (std::size_t i = 0; i < list.size(); ++i)
      for (std::size_t j = i + 1; j < list.size(); ++j)
        for (std::size_t k = j + 1; k < list.size(); ++k) {
          const std::array<int, 4> t{centre, list[i], list[j], list[k]};
          std::array<int, 4> order{};
          if (const int r = impropers.find(d.impropers, t, order); r >= 0) add_improper(order, d.impropers[at(r)], out);
          if (const int r = impropers.find(d.rb_impropers, t, order); r >= 0) add_improper(order, d.rb_impropers[at(r)], out);
          if (const int r = impropers.find(d.harmonic_impropers, t, order); r >= 0) {
            const HarmonicRule& h = d.harmonic_impropers[at(r)];
            out.impropers.push_back({order[0], order[1], order[2], order[3], h.theta0, h.force_constant});
          }
        }
  }
  add_cmaps(a, propers, out);
}

}  // namespace uplift::xml

namespace uplift {

Parametrized apply_forcefield(const Structure& structure, const std::vector<std::string>& files) try {
  const xml::Definitions definitions = xml::read_definitions(files);
  xml::Assigned assigned = xml::assign_templates(structure, definitions);
  Parametrized out;
  out.notes = assigned.notes;
  xml::assign_virtual_sites(assigned, out.force_field);
  xml::assign_bonded(assigned, out.force_field, out.notes, structure.path);
  xml::assign_nonbonded(assigned, out.force_field);
  xml::assign_radii(assigned, out.force_field);
  out.topology = std::move(assigned.topology);
  return out;
} catch (const std::bad_alloc&) {
  throw InputError(structure.path + ": the system it describes does not fit into this machine's memory");
}

}  // namespace uplift

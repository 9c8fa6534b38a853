// Charges, Lennard-Jones, exclusions, 1-4 pairs and GB radii: read, and assigned.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "forcefield_xml_parts.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift::xml {
namespace {

constexpr double scale_tolerance = 1e-5;  ///< files give 5/6 with six digits or more

void set_scale(const File& file, const pugi::xml_node& node, const char* name, std::optional<double>& scale) {
  const double value = file.number(node, name);
  if (value < 0 || value > 1e3) file.fail(node, std::string(name) + " makes no sense");
  if (scale && std::abs(*scale - value) > scale_tolerance)
    file.fail(node,
              fmt::format("{} is {:g}, and another file has {:g}; such force fields do not go together", name, value, *scale));
  if (!scale) scale = value;
}

/// Calls use(type) for each atom type that the element means.
template <class Use>
void for_types(const File& file, const pugi::xml_node& node, const Definitions& d, Use use) {
  const TypeSpec spec = read_specs(file, node, 1, d).front();
  for (std::size_t t = 0; t < d.types.size(); ++t)
    if (spec.kind == TypeSpec::Kind::type ? spec.id == static_cast<int>(t) : d.matches(spec, static_cast<int>(t)))
      use(static_cast<int>(t));
}

void check_lj(const File& file, const pugi::xml_node& node, double sigma, double epsilon) {
  if (sigma < 0 || sigma > 100 || epsilon < 0)
    file.fail(node, "sigma or epsilon is negative or too large to be one [nm, kJ/mol]");
}

void read_nonbonded(const File& file, const pugi::xml_node& node, Definitions& d) {
  set_scale(file, node, "coulomb14scale", d.coulomb14);
  set_scale(file, node, "lj14scale", d.lj14);
  std::set<std::string> from_residue;
  for (const pugi::xml_node& use : node.children("UseAttributeFromResidue")) from_residue.insert(file.text(use, "name"));
  for (const pugi::xml_node& n : node.children()) {
    const std::string tag = n.name();
    if (n.type() != pugi::node_element || tag == "UseAttributeFromResidue") continue;
    if (tag != "Atom") file.fail(n, "is not known inside <NonbondedForce>");
    NonbondedRule rule;
    rule.place = file.place(n);
    for (const auto& [name, value] :
         {std::pair("charge", &rule.charge), std::pair("sigma", &rule.sigma), std::pair("epsilon", &rule.epsilon)})
      if (!from_residue.count(name)) *value = file.number(n, name);
    check_lj(file, n, rule.sigma.value_or(0), rule.epsilon.value_or(0));
    for_types(file, n, d, [&](int type) { d.nonbonded[type] = rule; });
  }
}

void read_lennard_jones(const File& file, const pugi::xml_node& node, Definitions& d) {
  set_scale(file, node, "lj14scale", d.lennard_jones14);
  for (const pugi::xml_node& n : node.children()) {
    if (n.type() != pugi::node_element) continue;
    const std::string tag = n.name();
    if (tag != "Atom" && tag != "NBFixPair") file.fail(n, "is not known inside <LennardJonesForce>");
    const LjParameters lj{file.number(n, "sigma"), file.number(n, "epsilon")};
    check_lj(file, n, lj.sigma, lj.epsilon);
    if (tag == "NBFixPair") {
      const std::vector<TypeSpec> types = read_specs(file, n, 2, d);
      d.nbfixes.push_back({{types[0], types[1]}, lj, file.place(n)});
      continue;
    }
    LennardJonesRule rule{lj, lj};
    if (n.attribute("sigma14")) rule.lj14.sigma = file.number(n, "sigma14");
    if (n.attribute("epsilon14")) rule.lj14.epsilon = file.number(n, "epsilon14");
    check_lj(file, n, rule.lj14.sigma, rule.lj14.epsilon);
    for_types(file, n, d, [&](int type) { d.lennard_jones[type] = rule; });
  }
}

void read_gb(const File& file, const pugi::xml_node& node, Definitions& d) {
  for (const pugi::xml_node& n : node.children("Atom")) {
    const GbAtom gb{file.number(n, "radius"), file.number(n, "scale")};
    if (gb.radius < 0 || gb.radius > 1) file.fail(n, "a radius must be between 0 and 1 nm");
    for_types(file, n, d, [&](int type) { d.gb[type] = gb; });
  }
}

double c6(const LjParameters& p) { return 4 * p.epsilon * std::pow(p.sigma, 6); }
double c12(const LjParameters& p) { return 4 * p.epsilon * std::pow(p.sigma, 12); }
LjParameters combine(const LjParameters& a, const LjParameters& b) {
  return {(a.sigma + b.sigma) / 2, std::sqrt(a.epsilon * b.epsilon)};
}

/// Charges, and Lennard-Jones parameters of an atom for all its pairs and for 1-4 pairs.
class Parameters {
 public:
  explicit Parameters(const Assigned& a) : a_(a), d_(a.definitions) {}

  double charge(int i) const {
    const NonbondedRule& rule = rule_of(i);
    return rule.charge ? *rule.charge : from_residue(i, "charge");
  }
  LjParameters lj(int i) const {
    if (d_.lennard_jones14) return charmm(i).lj;
    const NonbondedRule& rule = rule_of(i);
    return {rule.sigma ? *rule.sigma : from_residue(i, "sigma"), rule.epsilon ? *rule.epsilon : from_residue(i, "epsilon")};
  }
  LjParameters lj14(int i) const { return d_.lennard_jones14 ? charmm(i).lj14 : lj(i); }
  const NbfixRule* nbfix(int type1, int type2) const {
    const NbfixRule* found = nullptr;
    for (const NbfixRule& rule : d_.nbfixes)
      if ((d_.matches(rule.types[0], type1) && d_.matches(rule.types[1], type2)) ||
          (d_.matches(rule.types[0], type2) && d_.matches(rule.types[1], type1))) {
        if (found)
          throw InputError(rule.place + ": a second NBFixPair for the same two atom types (the first: " + found->place + ")");
        found = &rule;
      }
    return found;
  }
  bool has_nbfix(int type) const {
    return std::any_of(d_.nbfixes.begin(), d_.nbfixes.end(), [&](const NbfixRule& rule) {
      return d_.matches(rule.types[0], type) || d_.matches(rule.types[1], type);
    });
  }

 private:
  std::string type_name(int i) const { return in_quotes(d_.types[at(a_.type[at(i)])].name); }
  const NonbondedRule& rule_of(int i) const {
    const auto found = d_.nonbonded.find(a_.type[at(i)]);
    if (found == d_.nonbonded.end())
      throw InputError("the force field has no <NonbondedForce> parameters for atom type " + type_name(i) + " of " +
                       describe_atom(a_.topology, i));
    return found->second;
  }
  const LennardJonesRule& charmm(int i) const {
    const auto found = d_.lennard_jones.find(a_.type[at(i)]);
    if (found == d_.lennard_jones.end())
      throw InputError("the force field has no <LennardJonesForce> parameters for atom type " + type_name(i) + " of " +
                       describe_atom(a_.topology, i) +
                       "; force fields with and without <LennardJonesForce> do not go together");
    return found->second;
  }
  double from_residue(int i, const char* name) const {
    const auto& parameters = a_.atom[at(i)]->parameters;
    const auto found = parameters.find(name);
    if (found == parameters.end())
      throw InputError(rule_of(i).place + ": " + name + " is to come from the residue, which has none for " +
                       describe_atom(a_.topology, i));
    return found->second;
  }

  const Assigned& a_;
  const Definitions& d_;
};

/// Types of the pair table: one for each set of parameters; an atom type with NBFIX has one of its own.
void fill_table(const Assigned& a, const Parameters& p, ForceField& out) {
  std::map<LjParameters, int> by_parameters;
  std::map<int, int> by_type;
  std::vector<LjParameters> parameters;
  std::vector<int> atom_type;  // of the table's types: one atom type that has it
  std::map<int, bool> fixed;
  for (int i = 0; i < a.topology.size(); ++i) {
    const int type = a.type[at(i)];
    const auto [known, first_of_type] = fixed.try_emplace(type, false);
    if (first_of_type) known->second = p.has_nbfix(type);
    const LjParameters lj = p.lj(i);
    const auto next = static_cast<int>(parameters.size());
    const int index =
        known->second ? by_type.try_emplace(type, next).first->second : by_parameters.try_emplace(lj, next).first->second;
    if (index == next) {
      parameters.push_back(lj);
      atom_type.push_back(type);
    }
    out.lj_type.push_back(index);
  }
  const std::size_t n = parameters.size();
  out.lj_types = static_cast<int>(n);
  out.lj_c6.resize(n * n);
  out.lj_c12.resize(n * n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      const NbfixRule* fix = fixed[atom_type[i]] && fixed[atom_type[j]] ? p.nbfix(atom_type[i], atom_type[j]) : nullptr;
      const LjParameters lj = fix ? fix->lj : combine(parameters[i], parameters[j]);
      out.lj_c6[i * n + j] = c6(lj);
      out.lj_c12[i * n + j] = c12(lj);
    }
}

/// Bonds as exclusions count them: a virtual site shares its parent's, and is excluded from it.
std::vector<std::set<int>> exclusion_bonds(const Assigned& a) {
  std::vector<std::set<int>> bonds(at(a.topology.size()));
  const auto add = [&](int i, int j) {
    if (i == j) return;
    bonds[at(i)].insert(j);
    bonds[at(j)].insert(i);
  };
  std::vector<std::vector<int>> children(at(a.topology.size()));
  for (std::size_t r = 0; r < a.assignments.size(); ++r) {
    for (const TemplateSite& s : a.assignments[r].of->sites)
      children[at(a.in_system(r, s.exclude_with))].push_back(a.in_system(r, s.site));
  }
  for (int i = 0; i < a.topology.size(); ++i)
    for (int j : a.bonded[at(i)]) {
      add(i, j);
      for (int c : children[at(i)]) {
        add(c, j);
        for (int e : children[at(j)]) add(c, e);
      }
    }
  for (int i = 0; i < a.topology.size(); ++i)
    for (int c : children[at(i)]) add(i, c);
  return bonds;
}

}  // namespace

void read_nonbonded_force(const File& file, const pugi::xml_node& node, Definitions& d) {
  const std::string tag = node.name();
  if (tag == "NonbondedForce") return read_nonbonded(file, node, d);
  if (tag == "LennardJonesForce") return read_lennard_jones(file, node, d);
  read_gb(file, node, d);
}

void assign_nonbonded(const Assigned& a, ForceField& out) {
  const Definitions& d = a.definitions;
  if (d.nonbonded.empty()) throw InputError("the force field has no <NonbondedForce>; a file is missing in system.forcefield");
  const Parameters p(a);
  for (int i = 0; i < a.topology.size(); ++i) out.charges.push_back(p.charge(i));
  fill_table(a, p, out);
  const double coulomb = d.coulomb14.value_or(1), lj = d.lennard_jones14 ? *d.lennard_jones14 : d.lj14.value_or(1);
  const std::vector<std::set<int>> bonds = exclusion_bonds(a);
  for (int i = 0; i < a.topology.size(); ++i) {
    std::set<int> near, far;  // within two bonds, and three
    for (int j : bonds[at(i)]) {
      near.insert(j);
      for (int k : bonds[at(j)]) near.insert(k);
    }
    for (int j : near)
      for (int k : bonds[at(j)])
        if (k > i && !near.count(k)) far.insert(k);
    for (int j : near)
      if (j > i) out.exclusions.push_back({i, j});
    for (int j : far) {
      out.exclusions.push_back({i, j});
      const NbfixRule* fix = d.nbfixes.empty() ? nullptr : p.nbfix(a.type[at(i)], a.type[at(j)]);
      const LjParameters pair = fix ? fix->lj : combine(p.lj14(i), p.lj14(j));
      out.pairs14.push_back({i, j, out.charges[at(i)] * out.charges[at(j)] * coulomb, c6(pair) * lj, c12(pair) * lj});
    }
  }
  std::sort(out.exclusions.begin(), out.exclusions.end());
}

void assign_radii(const Assigned& a, ForceField& out) {
  const Definitions& d = a.definitions;
  if (d.gb.empty() && d.radii.empty()) return;
  std::vector<GbAtom> gb(at(a.topology.size()), GbAtom{-1, 0});
  for (int i = 0; i < a.topology.size(); ++i) {
    GbAtom& own = gb[at(i)];
    if (const auto by_type = d.gb.find(a.type[at(i)]); by_type != d.gb.end()) own = by_type->second;
    const Atom& atom = a.topology.atoms[at(i)];
    const Residue& residue = a.topology.residues[at(atom.residue)];
    bool end_of_chain = false;
    for (int j = residue.first_atom; j < residue.first_atom + residue.atom_count; ++j)
      end_of_chain = end_of_chain || a.topology.atoms[at(j)].name == "OXT";
    for (const RadiusRule& rule : d.radii) {
      const auto& neighbours = a.bonded[at(i)];
      const bool bonded = rule.bonded_to < 0 || std::any_of(neighbours.begin(), neighbours.end(), [&](int j) {
                            return a.topology.atoms[at(j)].element == rule.bonded_to;
                          });
      if ((rule.element >= 0 && rule.element != atom.element) || !bonded ||
          (!rule.residue.empty() && rule.residue != residue.name) || (!rule.atom.empty() && rule.atom != atom.name) ||
          (rule.end_of_chain && !end_of_chain))
        continue;
      if (rule.radius) own.radius = *rule.radius;
      if (rule.screen) own.screen = *rule.screen;
    }
    // Radii of ions and water may be missing where there is no implicit solvent: the model says so when they are needed.
    if (own.radius < 0 && atom.element != 0) return;
    if (atom.element == 0) own = {0, 0};
  }
  out.gb = std::move(gb);
}

}  // namespace uplift::xml

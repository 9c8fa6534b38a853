// The force elements of the XML files, bonded ones; and the refusal of those that the engine does not have.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "forcefield_xml_parts.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift::xml {
namespace {

template <std::size_t N>
std::array<TypeSpec, N> specs(const File& file, const pugi::xml_node& node, const Definitions& d) {
  const std::vector<TypeSpec> read = read_specs(file, node, static_cast<int>(N), d);
  std::array<TypeSpec, N> out;
  std::copy(read.begin(), read.end(), out.begin());
  return out;
}

template <std::size_t N>
bool has_wildcard(const std::array<TypeSpec, N>& types) {
  return std::any_of(types.begin(), types.end(), [](const TypeSpec& t) { return t.kind == TypeSpec::Kind::any; });
}

/// Calls use(child) for each child of that name; any other element is refused.
template <class Use>
void for_children(const File& file, const pugi::xml_node& node, std::initializer_list<const char*> names, Use use) {
  for (const pugi::xml_node& child : node.children()) {
    if (child.type() != pugi::node_element) continue;
    const std::string tag = child.name();
    if (std::none_of(names.begin(), names.end(), [&](const char* n) { return tag == n; }))
      file.fail(child, fmt::format("is not known inside <{}>; the engine would not do what it asks for", node.name()));
    use(child);
  }
}

void read_bonds(const File& file, const pugi::xml_node& node, Definitions& d) {
  for_children(file, node, {"Bond"}, [&](const pugi::xml_node& n) {
    const double length = file.number(n, "length");
    if (length < 0) file.fail(n, "a bond length is negative");
    d.bonds.push_back({specs<2>(file, n, d), length, file.number(n, "k")});
  });
}

void read_angles(const File& file, const pugi::xml_node& node, Definitions& d) {
  for_children(file, node, {"Angle"}, [&](const pugi::xml_node& n) {
    d.angles.push_back({specs<3>(file, n, d), file.number(n, "angle"), file.number(n, "k")});
  });
}

/// AMOEBA's form is k (r - d)^2, ours k/2 (r - r0)^2.
void read_urey_bradleys(const File& file, const pugi::xml_node& node, Definitions& d) {
  for (const char* attribute : {"cubic", "quartic"})
    if (node.attribute(attribute) && file.number(node, attribute) != 0)
      file.fail(node, std::string("has a ") + attribute + " term, which the engine does not have");
  for_children(file, node, {"UreyBradley"}, [&](const pugi::xml_node& n) {
    d.urey_bradleys.push_back({specs<3>(file, n, d), file.number(n, "d"), 2 * file.number(n, "k")});
  });
}

Ordering ordering_of(const File& file, const pugi::xml_node& node, Ordering fallback) {
  const pugi::xml_attribute a = node.attribute("ordering");
  if (!a) return fallback;
  const std::string name = a.value();
  if (name == "default") return Ordering::standard;
  if (name == "charmm") return Ordering::charmm;
  if (name == "amber") return Ordering::amber;
  if (name == "smirnoff") return Ordering::smirnoff;
  file.fail(node, "there is no ordering " + in_quotes(name) + " (default, amber, charmm and smirnoff are known)");
}

TorsionRule read_torsion(const File& file, const pugi::xml_node& n, const Definitions& d) {
  TorsionRule r;
  r.types = specs<4>(file, n, d);
  r.wildcard = has_wildcard(r.types);
  for (int k = 1; n.attribute(fmt::format("phase{}", k).c_str()); ++k) {
    const std::string suffix = std::to_string(k);
    const int periodicity = file.integer(n, ("periodicity" + suffix).c_str());
    if (std::abs(periodicity) > 100) file.fail(n, "a periodicity beyond 100 makes no sense");
    r.terms.push_back(
        {std::abs(periodicity), file.number(n, ("phase" + suffix).c_str()), file.number(n, ("k" + suffix).c_str())});
  }
  return r;
}

void read_periodic(const File& file, const pugi::xml_node& node, Definitions& d) {
  const Ordering ordering = ordering_of(file, node, Ordering::standard);
  for_children(file, node, {"Proper", "Improper"}, [&](const pugi::xml_node& n) {
    TorsionRule r = read_torsion(file, n, d);
    r.ordering = ordering_of(file, n, ordering);
    (std::string(n.name()) == "Proper" ? d.propers : d.impropers).push_back(std::move(r));
  });
}

/// E = sum of c_n cos^n(psi), psi = phi - 180 degrees (Ryckaert and Bellemans, Chem. Phys. Lett. 30, 123 (1975)), by the powers
/// of the cosine written as cosines of multiples; what is constant goes into a term of periodicity 0.
std::vector<TorsionTerm> periodic_terms(const std::array<double, 6>& c) {
  const std::array<double, 6> a = {c[0] + c[2] / 2 + 3 * c[4] / 8,
                                   -(c[1] + 3 * c[3] / 4 + 10 * c[5] / 16),
                                   c[2] / 2 + c[4] / 2,
                                   -(c[3] / 4 + 5 * c[5] / 16),
                                   c[4] / 8,
                                   -c[5] / 16};
  std::vector<TorsionTerm> terms;
  double rest = a[0];
  for (int n = 1; n < 6; ++n) {
    const double k = a[static_cast<std::size_t>(n)];
    if (k != 0) terms.push_back({n, 0, k});
    rest -= k;
  }
  if (rest != 0) terms.push_back({0, 0, rest / 2});
  return terms;
}

void read_rb(const File& file, const pugi::xml_node& node, Definitions& d) {
  const Ordering ordering = ordering_of(file, node, Ordering::charmm);
  for_children(file, node, {"Proper", "Improper"}, [&](const pugi::xml_node& n) {
    TorsionRule r;
    r.types = specs<4>(file, n, d);
    r.wildcard = has_wildcard(r.types);
    r.ordering = ordering_of(file, n, ordering);
    std::array<double, 6> c{};
    for (std::size_t k = 0; k < 6; ++k) c[k] = file.number(n, fmt::format("c{}", k).c_str());
    r.terms = periodic_terms(c);
    (std::string(n.name()) == "Proper" ? d.rb_propers : d.rb_impropers).push_back(std::move(r));
  });
}

/// The factor f of energies f k (theta - theta0)^2, in the ways in which they are written; 0 for anything else.
double harmonic_factor(std::string energy) {
  std::erase_if(energy, [](unsigned char c) { return std::isspace(c); });
  while (energy.ends_with(";")) energy.pop_back();
  double factor = 1;
  for (const char* half : {"0.5*", "1/2*"})
    if (energy.starts_with(half)) {
      factor = 0.5;
      energy.erase(0, 4);
    }
  if (energy == "k*(theta-theta0)^2") return factor;
  const std::string periodic = "k*min(dtheta,2*pi-dtheta)^2;dtheta=abs(theta-theta0)";
  return energy == periodic || energy.starts_with(periodic + ";pi=3.14159") ? factor : 0;
}

void read_custom_torsion(const File& file, const pugi::xml_node& node, Definitions& d) {
  const std::string energy = file.text(node, "energy");
  const double factor = harmonic_factor(energy);
  if (factor == 0)
    file.fail(node,
              "the energy " + in_quotes(energy) + " is not known; of custom torsions only the harmonic k*(theta-theta0)^2 is");
  const Ordering ordering = ordering_of(file, node, Ordering::charmm);
  for_children(file, node, {"Proper", "Improper", "PerTorsionParameter"}, [&](const pugi::xml_node& n) {
    if (std::string(n.name()) == "PerTorsionParameter") return;
    HarmonicRule r{specs<4>(file, n, d), file.number(n, "theta0"), 2 * factor * file.number(n, "k"),
                   ordering_of(file, n, ordering), false};
    r.wildcard = has_wildcard(r.types);
    (std::string(n.name()) == "Proper" ? d.harmonic_propers : d.harmonic_impropers).push_back(r);
  });
}

/// The file's maps start at phi = psi = 0 with phi running fastest; ours at -180 degrees with psi running fastest.
CmapGrid read_map(const File& file, const pugi::xml_node& node) {
  std::vector<double> values;
  std::string word;
  const std::string text = std::string(node.child_value()) + " ";
  for (char c : text) {
    if (!std::isspace(static_cast<unsigned char>(c))) {
      word += c;
      continue;
    }
    double value = 0;
    if (word.empty()) continue;
    if (!parse_real(word, value)) file.fail(node, in_quotes(word) + " in a map is no number");
    values.push_back(value);
    word.clear();
  }
  const auto size = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(values.size()))));
  if (size * size != values.size() || size < 4 || size > 360)
    file.fail(node, fmt::format("a map must be square and have 4 to 360 points a side; this one has {} values", values.size()));
  if (size % 2 != 0) file.fail(node, "a map with an odd number of points has none at -180 degrees, which the engine needs");
  CmapGrid grid{static_cast<int>(size), std::vector<double>(values.size())};
  for (std::size_t phi = 0; phi < size; ++phi)
    for (std::size_t psi = 0; psi < size; ++psi)
      grid.energy[((phi + size / 2) % size) * size + (psi + size / 2) % size] = values[phi + size * psi];
  return grid;
}

void read_cmap(const File& file, const pugi::xml_node& node, Definitions& d) {
  const int first = static_cast<int>(d.maps.size());
  for (const pugi::xml_node& n : node.children("Map")) d.maps.push_back(read_map(file, n));
  for_children(file, node, {"Map", "Torsion"}, [&](const pugi::xml_node& n) {
    if (std::string(n.name()) == "Map") return;
    CmapRule r{specs<5>(file, n, d), first + file.integer(n, "map"), false};
    if (r.map < first || r.map >= static_cast<int>(d.maps.size())) file.fail(n, "there is no such map");
    r.wildcard = has_wildcard(r.types);
    d.cmaps.push_back(r);
  });
}

/// uplift's own element: GB radii by rules, as mbondi2 and mbondi3 are. The last rule that fits an atom counts.
void read_radii(const File& file, const pugi::xml_node& node, Definitions& d) {
  const auto element = [&](const pugi::xml_node& n, const char* name) {
    if (!n.attribute(name)) return -1;
    const int e = element_number(file.text(n, name));
    if (e == 0) file.fail(n, "there is no element " + in_quotes(file.text(n, name)));
    return e;
  };
  for_children(file, node, {"Radius"}, [&](const pugi::xml_node& n) {
    RadiusRule r;
    r.element = element(n, "element");
    r.bonded_to = element(n, "bondedTo");
    r.residue = n.attribute("residue").value();
    r.atom = n.attribute("atom").value();
    r.end_of_chain = std::string(n.attribute("where").value()) == "c-terminus";
    if (n.attribute("radius")) r.radius = file.number(n, "radius");
    if (n.attribute("scale")) r.screen = file.number(n, "scale");
    d.radii.push_back(r);
  });
}

/// A script that only compares versions of files that go together changes no force.
bool only_checks_version(const std::string& script) {
  return script.find("_charmm_ff_version") != std::string::npos && script.find("addForce") == std::string::npos &&
         script.find("registerTemplateMatcher") == std::string::npos && script.size() < 600;
}

}  // namespace

void read_force(const File& file, const pugi::xml_node& node, Definitions& d) {
  const std::string tag = node.name();
  if (tag == "AtomTypes" || tag == "Residues" || tag == "Patches" || tag == "Include" || tag == "Info") return;
  if (tag == "HarmonicBondForce") return read_bonds(file, node, d);
  if (tag == "HarmonicAngleForce") return read_angles(file, node, d);
  if (tag == "AmoebaUreyBradleyForce") return read_urey_bradleys(file, node, d);
  if (tag == "PeriodicTorsionForce") return read_periodic(file, node, d);
  if (tag == "RBTorsionForce") return read_rb(file, node, d);
  if (tag == "CustomTorsionForce") return read_custom_torsion(file, node, d);
  if (tag == "CMAPTorsionForce") return read_cmap(file, node, d);
  if (tag == "GBRadii") return read_radii(file, node, d);
  if (tag == "NonbondedForce" || tag == "LennardJonesForce" || tag == "GBSAOBCForce")
    return read_nonbonded_force(file, node, d);
  if (tag == "InitializationScript" && only_checks_version(node.child_value())) return;
  if (tag == "Script" || tag == "InitializationScript")
    file.fail(
        node,
        "holds Python code, which the engine does not run, and which may change forces; use a file without it (for CHARMM "
        "charmm36.xml, for implicit solvent mbondi2 or mbondi3 with forces.implicit_solvent)");
  file.fail(node, "the engine does not have this force; use a force field without it");
}

}  // namespace uplift::xml

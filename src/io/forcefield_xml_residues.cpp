// Atom types, residue templates and patches of the XML files.
#include <fmt/format.h>

#include <cmath>

#include "forcefield_xml_parts.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift::xml {
namespace {

constexpr std::size_t largest_template = 10000;

int type_named(const File& file, const pugi::xml_node& node, const Definitions& d) {
  const std::string name = file.text(node, "type");
  const auto found = d.type_of.find(name);
  if (found == d.type_of.end())
    file.fail(node,
              "there is no atom type " + in_quotes(name) + "; the file that defines it must be in system.forcefield, too");
  return found->second;
}

TemplateAtom read_atom(const File& file, const pugi::xml_node& node, const std::string& name, const Definitions& d) {
  TemplateAtom a;
  a.name = name;
  a.type = type_named(file, node, d);
  for (const pugi::xml_attribute& attribute : node.attributes()) {
    const std::string key = attribute.name();
    double value = 0;
    if (key != "name" && key != "type" && parse_real(attribute.value(), value)) a.parameters[key] = value;
  }
  return a;
}

int atom_in(const File& file, const pugi::xml_node& node, const char* by_name, const char* by_index, const Template& t) {
  if (node.attribute(by_name)) {
    const int i = t.atom_named(file.text(node, by_name));
    if (i < 0)
      file.fail(node, fmt::format("residue {} has no atom {}", in_quotes(t.name), in_quotes(file.text(node, by_name))));
    return i;
  }
  const int i = file.integer(node, by_index);
  if (i < 0 || i >= static_cast<int>(t.atoms.size()))
    file.fail(node, fmt::format("residue {} has no atom number {} (it has {})", in_quotes(t.name), i, t.atoms.size()));
  return i;
}

TemplateSite read_site(const File& file, const pugi::xml_node& node, const Template& t) {
  TemplateSite s;
  s.place = file.place(node);
  const std::string form = file.text(node, "type");
  const auto weights = [&](std::initializer_list<const char*> names) {
    std::size_t k = 0;
    for (const char* name : names) s.weights[k++] = file.number(node, name);
  };
  int count = 3;
  if (form == "average2") {
    s.form = TemplateSite::Form::average2;
    count = 2;
    weights({"weight1", "weight2"});
  } else if (form == "average3") {
    s.form = TemplateSite::Form::average3;
    weights({"weight1", "weight2", "weight3"});
  } else if (form == "outOfPlane") {
    s.form = TemplateSite::Form::out_of_plane;
    weights({"weight12", "weight13", "weightCross"});
  } else if (form == "localCoords") {
    s.form = TemplateSite::Form::local_coordinates;
    count = 0;
    while (node.attribute(fmt::format("wo{}", count + 1).c_str()) && count < 16) {
      ++count;
      s.origin.push_back(file.number(node, fmt::format("wo{}", count).c_str()));
      s.x.push_back(file.number(node, fmt::format("wx{}", count).c_str()));
      s.y.push_back(file.number(node, fmt::format("wy{}", count).c_str()));
    }
    s.position = {file.number(node, "p1"), file.number(node, "p2"), file.number(node, "p3")};
  } else {
    file.fail(node, "virtual sites of type " + in_quotes(form) +
                        " are not known (average2, average3, outOfPlane and localCoords are)");
  }
  s.site = atom_in(file, node, "siteName", "index", t);
  for (int n = 1; n <= count; ++n)
    s.atoms.push_back(atom_in(file, node, fmt::format("atomName{}", n).c_str(), fmt::format("atom{}", n).c_str(), t));
  if (s.atoms.empty()) file.fail(node, "a virtual site needs parent atoms");
  const bool average = s.form == TemplateSite::Form::average2 || s.form == TemplateSite::Form::average3;
  if (average && std::abs(s.weights[0] + s.weights[1] + s.weights[2] - 1) > 1e-5)
    file.fail(node, "the weights of an average do not add up to 1");
  s.exclude_with = node.attribute("excludeWith") ? file.integer(node, "excludeWith") : s.atoms[0];
  if (s.exclude_with < 0 || s.exclude_with >= static_cast<int>(t.atoms.size()))
    file.fail(node, "excludeWith is no atom of the residue");
  return s;
}

Template read_template(const File& file, const pugi::xml_node& node, Definitions& out) {
  Template t;
  t.name = file.text(node, "name");
  t.place = file.place(node);
  if (node.attribute("override")) t.override_level = file.integer(node, "override");
  if (std::string(node.attribute("rigidWater").value()) == "false")
    file.fail(node, "rigidWater=\"false\" is not done for single residues; use forces.rigid_water of the input");
  for (const pugi::xml_node& atom : node.children("Atom")) {
    const std::string name = file.text(atom, "name");
    if (t.atom_named(name) >= 0) file.fail(atom, "residue " + in_quotes(t.name) + " has two atoms " + in_quotes(name));
    if (t.atoms.size() >= largest_template) file.fail(atom, "a residue with more than 10,000 atoms is not read");
    t.atoms.push_back(read_atom(file, atom, name, out));
  }
  for (const pugi::xml_node& bond : node.children("Bond")) {
    const int i = atom_in(file, bond, "atomName1", "from", t), j = atom_in(file, bond, "atomName2", "to", t);
    if (i == j) file.fail(bond, "bonds an atom to itself");
    t.bonds.push_back({i, j});
  }
  for (const pugi::xml_node& bond : node.children("ExternalBond"))
    ++t.atoms[static_cast<std::size_t>(atom_in(file, bond, "atomName", "from", t))].external_bonds;
  for (const pugi::xml_node& site : node.children("VirtualSite")) t.sites.push_back(read_site(file, site, t));
  for (const pugi::xml_node& child : node.children())
    if (child.type() == pugi::node_element)
      if (const std::string tag = child.name();
          tag != "Atom" && tag != "Bond" && tag != "ExternalBond" && tag != "VirtualSite" && tag != "AllowPatch")
        file.fail(child, "is not known inside <Residue>; the engine would not do what it asks for");
  for (const pugi::xml_node& allow : node.children("AllowPatch")) {
    const std::string given = file.text(allow, "name");
    const std::size_t colon = given.find(':');
    int residue = 1;
    if (colon != std::string::npos && !parse_int(given.substr(colon + 1), residue))
      file.fail(allow, in_quotes(given) + " is not NAME or NAME:NUMBER");
    out.allowed[t.name].insert({given.substr(0, colon), residue - 1});
  }
  return t;
}

void add_template(const File& file, const pugi::xml_node& node, Template t, Definitions& out) {
  const auto there = out.template_of.find(t.name);
  if (there == out.template_of.end()) {
    out.template_of[t.name] = out.templates.size();
    out.templates.push_back(std::move(t));
    return;
  }
  Template& old = out.templates[there->second];
  if (t.override_level == old.override_level)
    file.fail(node, fmt::format(
                        "there is a residue {} already ({}); one of two files is too many, or one of them needs override=\"1\"",
                        in_quotes(t.name), old.place));
  if (t.override_level > old.override_level) old = std::move(t);
}

/// "2:SG" is SG of the second residue, "SG" that of the first.
PatchAtom patch_atom(const File& file, const pugi::xml_node& node, const char* attribute, const Patch& patch) {
  const std::string given = file.text(node, attribute);
  const std::size_t colon = given.find(':');
  PatchAtom a{0, given};
  if (colon != std::string::npos) {
    if (!parse_int(given.substr(0, colon), a.residue)) file.fail(node, in_quotes(given) + " is not NAME or NUMBER:NAME");
    --a.residue;
    a.name = given.substr(colon + 1);
  }
  if (a.residue < 0 || a.residue >= patch.residues)
    file.fail(node, fmt::format("{}: the patch has {} residues", in_quotes(given), patch.residues));
  return a;
}

Patch read_patch(const File& file, const pugi::xml_node& node, Definitions& out) {
  Patch p;
  p.name = file.text(node, "name");
  p.place = file.place(node);
  if (node.attribute("residues")) p.residues = file.integer(node, "residues");
  if (p.residues < 1 || p.residues > 16) file.fail(node, "the number of residues of a patch must be 1 to 16");
  p.added.resize(static_cast<std::size_t>(p.residues));
  p.changed.resize(static_cast<std::size_t>(p.residues));
  for (const pugi::xml_node& child : node.children()) {
    if (child.type() != pugi::node_element) continue;
    const std::string tag = child.name();
    if (tag == "AddAtom" || tag == "ChangeAtom") {
      const PatchAtom a = patch_atom(file, child, "name", p);
      p.names.insert(file.text(child, "name"));
      (tag == "AddAtom" ? p.added : p.changed)[static_cast<std::size_t>(a.residue)].push_back(
          read_atom(file, child, a.name, out));
    } else if (tag == "RemoveAtom") {
      p.names.insert(file.text(child, "name"));
      p.removed.push_back(patch_atom(file, child, "name", p));
    } else if (tag == "AddBond" || tag == "RemoveBond") {
      (tag == "AddBond" ? p.added_bonds : p.removed_bonds)
          .push_back({patch_atom(file, child, "atomName1", p), patch_atom(file, child, "atomName2", p)});
    } else if (tag == "AddExternalBond" || tag == "RemoveExternalBond") {
      (tag == "AddExternalBond" ? p.added_external : p.removed_external).push_back(patch_atom(file, child, "atomName", p));
    } else if (tag == "ApplyToResidue") {
      const PatchAtom r = patch_atom(file, child, "name", p);
      out.allowed[r.name].insert({p.name, r.residue});
    } else {
      file.fail(child, "is not known inside <Patch>; the engine would not do what it asks for");
    }
  }
  return p;
}

}  // namespace

int Template::atom_named(const std::string& wanted) const {
  for (std::size_t i = 0; i < atoms.size(); ++i)
    if (atoms[i].name == wanted) return static_cast<int>(i);
  return -1;
}

void read_types(const File& file, Definitions& out) {
  for (const pugi::xml_node& block : file.root().children("AtomTypes"))
    for (const pugi::xml_node& node : block.children("Type")) {
      AtomType t;
      t.name = file.text(node, "name");
      const std::string symbol = node.attribute("element").value();
      t.element = element_number(symbol == "D" ? "H" : symbol);
      if (!symbol.empty() && symbol != "X" && t.element == 0) file.fail(node, "there is no element " + in_quotes(symbol));
      t.mass = file.number(node, "mass");
      if (t.mass < 0 || t.mass > 1e6) file.fail(node, "a mass of " + in_quotes(file.text(node, "mass")) + " is impossible");
      const auto next = static_cast<int>(out.class_of.size());
      t.atom_class = out.class_of.try_emplace(file.text(node, "class"), next).first->second;
      if (!out.type_of.try_emplace(t.name, static_cast<int>(out.types.size())).second)
        file.fail(node,
                  "atom type " + in_quotes(t.name) + " is defined twice; two of the files are the same or do not go together");
      out.types.push_back(t);
    }
}

void read_residues(const File& file, Definitions& out) {
  for (const pugi::xml_node& block : file.root().children("Residues"))
    for (const pugi::xml_node& node : block.children("Residue")) add_template(file, node, read_template(file, node, out), out);
}

void read_patches(const File& file, Definitions& out) {
  for (const pugi::xml_node& block : file.root().children("Patches"))
    for (const pugi::xml_node& node : block.children("Patch")) out.patches.push_back(read_patch(file, node, out));
}

std::vector<TypeSpec> read_specs(const File& file, const pugi::xml_node& node, int count, const Definitions& d) {
  std::vector<TypeSpec> specs;
  for (int n = 1; n <= count; ++n) {
    const std::string suffix = count == 1 ? "" : std::to_string(n);
    const pugi::xml_attribute type = node.attribute(("type" + suffix).c_str()),
                              group = node.attribute(("class" + suffix).c_str());
    if (type && group) file.fail(node, fmt::format("has both type{0} and class{0}; an atom is given by one of them", suffix));
    if (!type && !group) file.fail(node, fmt::format("has neither type{0} nor class{0}", suffix));
    const std::string name = (type ? type : group).value();
    TypeSpec s;
    if (name.empty()) {
      s.kind = TypeSpec::Kind::any;
    } else {
      const auto& known = type ? d.type_of : d.class_of;
      const auto found = known.find(name);
      if (found != known.end()) s = {type ? TypeSpec::Kind::type : TypeSpec::Kind::atom_class, found->second};
    }
    specs.push_back(s);  // names that no atom type has cannot match: files are written for more types than they define
  }
  return specs;
}

}  // namespace uplift::xml

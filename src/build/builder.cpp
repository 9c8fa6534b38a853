#include "uplift/build/builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "model.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/model/system.hpp"

namespace uplift {
namespace build {
namespace {

/// As a PDB file has it: three decimals of an Angstrom.
Vec3d rounded(const Vec3d& x) {
  const auto one = [](double v) { return std::round(v * 1e4) / 1e4; };
  return {one(x.x), one(x.y), one(x.z)};
}

Model one_water(bool four_sites) {
  Model m;
  ModelResidue r{"HOH", "W", 1, {{"O", 8, {0, 0, 0}}, {"H1", 1, {0.09572, 0, 0}}, {"H2", 1, {-0.024, 0.0927, 0}}}};
  if (four_sites) r.atoms.push_back({"M", 0, {0.01, 0.01, 0}});
  m.residues.push_back(r);
  return m;
}

/// Whether the force field's water has a fourth site.
bool has_four_sites(const std::vector<std::string>& forcefield) {
  try {
    apply_forcefield(to_structure(one_water(false)), forcefield);
    return false;
  } catch (const InputError&) {
    try {
      apply_forcefield(to_structure(one_water(true)), forcefield);
      return true;
    } catch (const InputError&) {
      throw InputError(
          "none of the force fields has water of three or four sites; add tip3p, tip4pew, spce or opc, or use --water none");
    }
  }
}

int charge_of(const Parametrized& p, std::vector<std::string>& notes) {
  double sum = 0;
  for (double q : p.force_field.charges) sum += q;
  const double whole = std::round(sum);
  if (std::abs(sum - whole) > 0.01)
    notes.push_back(
        fmt::format("the solute has a charge of {:.4f} e, which is no whole number; ions neutralise {:g}", sum, whole));
  return static_cast<int>(whole);
}

std::set<std::string> not_in_the_library(const Model& model) {
  std::set<std::string> names;
  for (const ModelResidue& r : model.residues)
    if (!r.library) names.insert(r.name == "HOH" ? "water" : r.name);
  return names;
}

/// The force field's parameters of the solute, with its own notes. Amber's have none for an amino acid that is a whole chain.
Parametrized parametrize(const Model& model, const std::vector<std::string>& forcefield) {
  try {
    const Structure structure = to_structure(model);
    Parametrized made = apply_forcefield(structure, forcefield);
    made.notes.erase(made.notes.begin(), made.notes.begin() + static_cast<std::ptrdiff_t>(structure.notes.size()));
    return made;
  } catch (const InputError& error) {
    std::string what = error.what();
    // The cure of other commands is this one.
    for (const char* cure : {"; `uplift build` adds what is missing", ", which `uplift build` adds"})
      if (const std::size_t at = what.find(cure); at != std::string::npos) what.erase(at, std::string(cure).size());
    const InputError e(what);
    for (const ModelResidue& r : model.residues)
      if (r.is_amino_acid() && r.free_start() && r.free_end())
        throw InputError(
            std::string(e.what()) + "; " + describe(r) +
            " is a chain of its own, and Amber's force fields have no single amino acid with charged ends: use --caps");
    std::string strangers;
    for (const std::string& name : not_in_the_library(model)) strangers += " " + name;
    if (strangers.empty()) throw e;
    throw InputError(std::string(e.what()) +
                     "\nof what is no amino acid in the structure, --remove leaves residues out (--remove" + strangers +
                     "); --forcefield FILE adds parameters");
  }
}

}  // namespace

Structure to_structure(const Model& model) {
  Structure s;
  s.path = "the built system";
  s.topology.title = model.title;
  s.box = model.box;
  std::vector<bool> ter;
  std::vector<int> first;
  for (std::size_t r = 0; r < model.residues.size(); ++r) {
    const ModelResidue& residue = model.residues[r];
    first.push_back(s.topology.size());
    for (const ModelAtom& a : residue.atoms) {
      s.topology.atoms.push_back({a.name, "", a.element, element_mass(a.element), static_cast<int>(r)});
      s.x.push_back(rounded(a.x));
    }
    s.topology.residues.push_back(
        {residue.name, residue.number, residue.chain, first.back(), static_cast<int>(residue.atoms.size()), residue.insertion});
    ter.push_back(residue.chain_end || !residue.library || r + 1 == model.residues.size() || !model.residues[r + 1].library);
  }
  std::vector<std::array<int, 2>> given;
  const auto atom_of = [&](const BondEnd& end) {
    const std::vector<ModelAtom>& atoms = model.residues[at(end.residue)].atoms;
    if (end.name.empty()) return first[at(end.residue)] + end.atom;
    const auto found = std::find_if(atoms.begin(), atoms.end(), [&](const ModelAtom& a) { return a.name == end.name; });
    return found == atoms.end() ? -1 : first[at(end.residue)] + static_cast<int>(found - atoms.begin());
  };
  for (const auto& [a, b] : model.given_bonds)
    if (atom_of(a) >= 0 && atom_of(b) >= 0) given.push_back({atom_of(a), atom_of(b)});
  for (std::size_t r = 0; r < model.residues.size(); ++r) {
    const int other = model.residues[r].disulfide;
    if (other <= static_cast<int>(r)) continue;
    const auto sulfur = [&](std::size_t index) {
      const auto& atoms = model.residues[index].atoms;
      const auto found = std::find_if(atoms.begin(), atoms.end(), [](const ModelAtom& a) { return a.element == 16; });
      return first[index] + static_cast<int>(found - atoms.begin());
    };
    given.push_back({sulfur(r), sulfur(at(other))});
  }
  find_bonds(s, ter, given);
  return s;
}

}  // namespace build

BuiltSystem build_system(const BuildOptions& options) {
  using namespace build;
  Model model = options.sequence.empty() ? model_of_structure(options) : model_of_sequence(options);
  complete_heavy_atoms(model, options);
  choose_states(model, options);
  add_hydrogens(model);
  note_clashes(model);

  const bool four_sites = options.water && has_four_sites(options.forcefield);
  for (ModelResidue& r : model.residues)  // crystal water gets the sites of the model
    if (r.name == "HOH" && four_sites && !r.find("M")) r.atoms.push_back({"M", 0, r.atoms[0].x});

  BuiltSystem built;
  const Parametrized solute = parametrize(model, options.forcefield);
  model.notes.insert(model.notes.end(), solute.notes.begin(), solute.notes.end());
  const int charge = charge_of(solute, model.notes);
  model.notes.push_back(
      fmt::format("solute: {} residues, {} atoms, charge {:+d} e", model.residues.size(), model.atoms(), charge));
  if (options.water) {
    const Box box = choose_box(model, options);
    model.box = box;
    if (options.edge) check_images(model, box);  // padding sees to it otherwise
    add_water(model, box, four_sites);
    const std::array<int, 2> ions = add_ions(model, box, charge, options);
    built.cations = ions[0];
    built.anions = ions[1];
    built.waters = static_cast<int>(
        std::count_if(model.residues.begin(), model.residues.end(), [](const ModelResidue& r) { return r.name == "HOH"; }));
    model.notes.push_back(fmt::format("box: volume {:.2f} nm^3; {} waters, {} {}, {} {}", box.volume(), built.waters, ions[0],
                                      options.positive, ions[1], options.negative));
  } else {
    model.box.reset();
  }
  built.structure = to_structure(model);
  built.parameters = apply_forcefield(built.structure, options.forcefield);
  place_virtual_sites(built.parameters.force_field, built.structure.x);
  for (Vec3d& x : built.structure.x) x = rounded(x);
  built.notes = model.notes;
  return built;
}

}  // namespace uplift

// A structure file as a model: standard residues by the names of the library, hydrogens with the atoms that they belong to.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "model.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift::build {
namespace {

/// Hydrogens of an amino acid get the library's names, parent by parent, where there are as many as the library has; others
/// stay and are made anew later when they do not fit.
void name_hydrogens(ModelResidue& r) {
  std::map<std::string, std::vector<ModelAtom*>> by_parent;
  for (ModelAtom& h : r.atoms) {
    if (h.element != 1) continue;
    const ModelAtom* nearest = nullptr;
    for (const ModelAtom& a : r.atoms)
      if (a.element > 1 && (!nearest || distance(h.x, a.x) < distance(h.x, nearest->x))) nearest = &a;
    if (nearest) by_parent[nearest->name].push_back(&h);
  }
  for (const IdealHydrogens& ideal : r.library->hydrogens) {
    const auto own = by_parent.find(ideal.parent);
    if (own == by_parent.end() || own->second.size() != ideal.names.size()) continue;
    auto& list = own->second;
    std::stable_sort(list.begin(), list.end(), [](const ModelAtom* a, const ModelAtom* b) { return a->name < b->name; });
    for (std::size_t k = 0; k < list.size(); ++k) list[k]->name = ideal.names[k];
  }
}

/// Whether what is there of an amino acid is the mirror image of the L form.
bool is_d_form(const ModelResidue& r) {
  const ModelAtom *n = r.find("N"), *ca = r.find("CA"), *c = r.find("C"), *cb = r.find("CB");
  return n && ca && c && cb && dot(c->x - ca->x, cross(cb->x - ca->x, n->x - ca->x)) < 0;
}

/// Molecules that faces of the box cut, as in frames of simulations, in one piece: atoms are built at their neighbours.
void make_whole(Structure& s) {
  if (!s.box) return;
  std::vector<std::vector<int>> neighbours(at(s.topology.size()));
  for (const Bond& b : s.topology.bonds) {
    neighbours[at(b.i)].push_back(b.j);
    neighbours[at(b.j)].push_back(b.i);
  }
  std::vector<bool> seen(neighbours.size(), false);
  std::set<int> moved;  // residues
  for (int start = 0; start < s.topology.size(); ++start) {
    if (seen[at(start)]) continue;
    seen[at(start)] = true;
    std::vector<int> queue{start};
    for (std::size_t k = 0; k < queue.size(); ++k)
      for (int j : neighbours[at(queue[k])]) {
        if (seen[at(j)]) continue;
        seen[at(j)] = true;
        queue.push_back(j);
        const Vec3d &from = s.x[at(queue[k])], there = from + s.box->image(s.x[at(j)] - from);
        if (distance(there, s.x[at(j)]) < 1e-6) continue;
        s.x[at(j)] = there;
        moved.insert(s.topology.atoms[at(j)].residue);
      }
  }
  if (!moved.empty())
    s.notes.push_back(
        fmt::format("molecules were cut by the faces of the box and are in one piece now ({} residues moved); different "
                    "molecules stay where they were: look whether those that belong together are together",
                    moved.size()));
}

/// Selenium, which crystallographers bring into proteins for its phase, back into the sulfur that it stands for.
void make_methionine(Structure& s) {
  std::string names;
  for (Residue& r : s.topology.residues) {
    if (r.name != "MSE") continue;
    r.name = "MET";
    for (int i = r.first_atom; i < r.first_atom + r.atom_count; ++i) {
      Atom& a = s.topology.atoms[at(i)];
      if (a.element != 34) continue;
      a.element = 16;
      a.name = "SD";
    }
    names += fmt::format("{}{}{}{}", names.empty() ? "" : ", ", r.chain, r.chain.empty() ? "" : ":", r.number);
  }
  if (!names.empty()) s.notes.push_back("selenomethionine is built as methionine: " + names);
}

class Importer {
 public:
  explicit Importer(const BuildOptions& options) : options_(options), structure_(read_structure(options.structure)) {
    make_methionine(structure_);
    make_whole(structure_);
  }

  Model import() {
    model_.title = structure_.topology.title;
    model_.notes = structure_.notes;
    for (std::size_t r = 0; r < structure_.topology.residues.size(); ++r) add(r);
    if (model_.residues.empty()) throw InputError(options_.structure + ": nothing is left of it; check --remove");
    for (const std::string& name : options_.remove)
      if (!removed_.contains(name))
        model_.notes.push_back("--remove " + printable(name) + ": the structure has no residue of that name");
    link();
    return std::move(model_);
  }

 private:
  void add(std::size_t index) {
    const Residue& residue = structure_.topology.residues[index];
    place_of_.push_back(-1);
    for (const std::string& name : options_.remove)
      if (name == residue.name || (name == "water" && is_water_name(residue.name))) {
        removed_.insert(name);
        return;
      }
    ModelResidue r{residue.name,
                   residue.chain,
                   residue.number,
                   {},
                   library_residue(residue.name),
                   false,
                   false,
                   false,
                   -1,
                   false,
                   structure_.bonds_known[index]};
    r.insertion = residue.insertion;
    if (r.library && r.library->kind == ResidueKind::nucleotide) r.library = nullptr;
    for (int i = residue.first_atom; i < residue.first_atom + residue.atom_count; ++i) {
      const Atom& a = structure_.topology.atoms[at(i)];
      r.had_hydrogens = r.had_hydrogens || a.element == 1;
      r.atoms.push_back({r.library ? library_atom_name(*r.library, a.name) : a.name, a.element, structure_.x[at(i)]});
    }
    if (r.library) {
      r.name = r.library->name;
      name_hydrogens(r);
      r.d_form = is_d_form(r);
    }
    place_of_.back() = static_cast<int>(model_.residues.size());
    model_.residues.push_back(std::move(r));
    after_.push_back(index);
  }
  bool chained(const ModelResidue& r) const { return r.library != nullptr; }

  void link() {
    auto& all = model_.residues;
    for (std::size_t r = 0; r < all.size(); ++r) {
      if (!chained(all[r])) continue;
      const bool starts =
          r == 0 || !chained(all[r - 1]) || structure_.chain_break[after_[r - 1]] || after_[r] != after_[r - 1] + 1;
      all[r].chain_start = starts;
      if (r > 0 && starts && chained(all[r - 1])) all[r - 1].chain_end = true;
      if (r + 1 == all.size() || !chained(all[r + 1])) all[r].chain_end = true;
    }
    for (const Bond& b : structure_.topology.bonds) keep_bond(b);
    for (std::size_t r = 0; r + 1 < all.size(); ++r)
      if (all[r].free_end() && chained(all[r + 1]) && all[r].chain == all[r + 1].chain && !all[r].find("OXT") &&
          all[r].is_amino_acid() && all[r + 1].is_amino_acid())
        model_.notes.push_back(
            fmt::format("the chain is broken between {} and {}: both become ends of chains; add what is missing, or use "
                        "--caps for neutral ends",
                        describe(all[r]), describe(all[r + 1])));
  }

  /// Disulfides, bonds of residues that the library does not know, and between C and N where the chain does not go on so.
  void keep_bond(const Bond& bond) {
    const int ri = structure_.topology.atoms[at(bond.i)].residue, rj = structure_.topology.atoms[at(bond.j)].residue;
    const int mi = place_of_[at(ri)], mj = place_of_[at(rj)];
    if (mi < 0 || mj < 0) return;
    const Atom &a = structure_.topology.atoms[at(bond.i)], &b = structure_.topology.atoms[at(bond.j)];
    if (ri != rj && a.element == 16 && b.element == 16) {
      model_.residues[at(mi)].disulfide = mj;
      model_.residues[at(mj)].disulfide = mi;
    }
    const ModelResidue &one = model_.residues[at(mi)], &two = model_.residues[at(mj)];
    if (is_water_name(one.name) || is_water_name(two.name)) return;  // it is put together anew
    const BondEnd first = end_of(bond.i), second = end_of(bond.j);
    const bool between = ri != rj && !is_metal(a.element) && !is_metal(b.element);  // no coordination
    const bool on = between && leads_on(first, second), back = between && leads_on(second, first);
    if (on || back || !one.library || !two.library) model_.given_bonds.push_back({first, second});
  }
  /// Marks what the bond makes of an amino acid: it goes on where it would end, or its sulfur has no hydrogen.
  bool leads_on(const BondEnd& own, const BondEnd& other) {
    ModelResidue& r = model_.residues[at(own.residue)];
    if (!r.is_amino_acid()) return false;
    const bool stranger = other.name.empty();  // of a residue that the library does not know
    if (own.name == "SG" && stranger) r.bonded_sulfur = true;
    if (own.name == "N" && r.chain_start && (stranger || other.name == "C")) return r.bonded_start = true;
    if (own.name == "C" && r.chain_end && (stranger || other.name == "N")) return r.bonded_end = true;
    return false;
  }
  BondEnd end_of(int atom) const {
    const int residue = structure_.topology.atoms[at(atom)].residue, own = place_of_[at(residue)];
    const int index = atom - structure_.topology.residues[at(residue)].first_atom;
    const ModelResidue& r = model_.residues[at(own)];
    return {own, index, r.library ? r.atoms[at(index)].name : std::string()};
  }

  const BuildOptions& options_;
  Structure structure_;
  Model model_;
  std::set<std::string> removed_;   ///< names of options_.remove that were there
  std::vector<int> place_of_;       ///< model residue of each residue of the structure; -1: left out
  std::vector<std::size_t> after_;  ///< the reverse
};

}  // namespace

Model model_of_structure(const BuildOptions& options) { return Importer(options).import(); }

}  // namespace uplift::build

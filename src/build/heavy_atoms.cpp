// Missing heavy atoms: side chains by ideal internal coordinates, in the rotamer that has most room; carbonyl oxygens, ends of
// chains.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <utility>

#include "model.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"

namespace uplift::build {
namespace {

constexpr double degree = constants::radians_per_degree;
constexpr double angstrom = constants::nm_per_angstrom;
constexpr double worst_misfit = 0.03;   ///< [nm] of a bond; a minimisation mends less
constexpr double in_each_other = 0.27;  ///< [nm] nearer than hydrogen bonds are
constexpr int most_rounds = 8;          ///< of looking for other rotamers

class HeavyAtoms {
 public:
  HeavyAtoms(Model& model, const BuildOptions& options) : model_(model), options_(options) {}

  void complete() {
    add_caps();
    for (std::size_t r = 0; r < model_.residues.size(); ++r)
      if (model_.residues[r].is_amino_acid()) check_backbone(model_.residues[r]);
    for (std::size_t r = 0; r < model_.residues.size(); ++r) {
      if (!model_.residues[r].is_amino_acid()) continue;
      add_carbonyl(r);
      add_side_chain(r);
    }
    for (int n = 0; n < most_rounds && make_room(); ++n) continue;
  }

 private:
  void check_backbone(const ModelResidue& r) const {
    std::string missing;
    for (const char* name : {"N", "CA", "C"})
      if (!r.find(name)) missing += (missing.empty() ? "" : ", ") + std::string(name);
    if (!missing.empty())
      throw InputError(fmt::format(
          "{} lacks {} of its backbone, which cannot be placed; complete the loop with a modelling program, or leave "
          "the residue out",
          describe(r), missing));
  }

  void add_caps() {
    if (!options_.caps) return;
    auto& all = model_.residues;
    for (std::size_t r = 0; r < all.size(); ++r) {
      if (all[r].is_amino_acid() && all[r].free_start()) insert_ace(r++);
      if (all[r].is_amino_acid() && all[r].free_end()) insert_nme(r++);
    }
  }

  void shift_references(std::size_t from) {
    for (ModelResidue& r : model_.residues)
      if (r.disulfide >= static_cast<int>(from)) ++r.disulfide;
    for (auto& bond : model_.given_bonds)
      for (BondEnd& end : bond)
        if (end.residue >= static_cast<int>(from)) ++end.residue;
  }

  /// Beyond the nitrogen, in the plane of an ideal trans peptide with phi as an extended chain has it.
  void insert_ace(std::size_t r) {
    ModelResidue& next = model_.residues[r];
    check_backbone(next);
    const Vec3d n = next.find("N")->x, ca = next.find("CA")->x, c = next.find("C")->x;
    std::erase_if(next.atoms,
                  [](const ModelAtom& a) { return a.name == "H" || a.name == "H1" || a.name == "H2" || a.name == "H3"; });
    const Vec3d carbonyl =
        place(c, ca, n, 1.329 * angstrom, 121.7 * degree, (next.library->name == "PRO" ? -70 : -135) * degree);
    const Vec3d methyl = place(ca, n, carbonyl, 1.525 * angstrom, 116.2 * degree, constants::pi);
    const Vec3d oxygen = place(ca, n, carbonyl, 1.231 * angstrom, 123.0 * degree, 0);
    ModelResidue cap{
        "ACE", next.chain, next.number - 1, {{"CH3", 6, methyl}, {"C", 6, carbonyl}, {"O", 8, oxygen}}, library_residue("ACE"),
        true,  false};
    next.chain_start = false;
    model_.residues.insert(model_.residues.begin() + static_cast<std::ptrdiff_t>(r), cap);
    shift_references(r);
  }

  void insert_nme(std::size_t r) {
    ModelResidue& before = model_.residues[r];
    check_backbone(before);
    std::erase_if(before.atoms, [](const ModelAtom& a) { return a.name == "OXT"; });
    const Vec3d n = before.find("N")->x, ca = before.find("CA")->x, c = before.find("C")->x;
    const double psi = before.find("O") ? torsion(n, ca, c, before.find("O")->x) + constants::pi : 140 * degree;
    const Vec3d nitrogen = place(n, ca, c, 1.329 * angstrom, 116.2 * degree, psi);
    const Vec3d methyl = place(ca, c, nitrogen, 1.458 * angstrom, 121.7 * degree, constants::pi);
    ModelResidue cap{"NME", before.chain, before.number + 1, {{"N", 7, nitrogen}, {"C", 6, methyl}}, library_residue("NME"),
                     false, true};
    before.chain_end = false;
    model_.residues.insert(model_.residues.begin() + static_cast<std::ptrdiff_t>(r) + 1, cap);
    shift_references(r + 1);
  }

  static double torsion(const Vec3d& a, const Vec3d& b, const Vec3d& c, const Vec3d& d) {
    const Vec3d u = b - a, v = c - b, w = d - c, m = cross(u, v), n = cross(v, w);
    return std::atan2(dot(cross(m, n), unit(v)), dot(m, n));
  }

  void add_carbonyl(std::size_t index) {
    ModelResidue& r = model_.residues[index];
    const Vec3d n = r.find("N")->x, ca = r.find("CA")->x, c = r.find("C")->x;
    std::optional<Vec3d> next;
    if (r.bonded_end) next = model_.given_partner(static_cast<int>(index), "C");
    if (!r.chain_end && index + 1 < model_.residues.size())
      if (const ModelAtom* nitrogen = model_.residues[index + 1].find("N")) next = nitrogen->x;
    if (!r.find("O")) {
      const double psi = next ? torsion(n, ca, c, *next) : 140 * degree;
      r.atoms.push_back({"O", 8, place(n, ca, c, 1.231 * angstrom, 120.5 * degree, psi + constants::pi)});
      note(r, "O");
    }
    if (r.free_end() && !r.find("OXT")) {
      const double opposite = torsion(n, ca, c, r.find("O")->x) + constants::pi;
      r.atoms.push_back({"OXT", 8, place(n, ca, c, 1.249 * angstrom, 118.0 * degree, opposite)});
    }
  }

  void note(const ModelResidue& r, const std::string& atoms) {
    if (options_.sequence.empty()) model_.notes.push_back(describe(r) + ": " + atoms + " added");
  }

  void add_side_chain(std::size_t index) {
    ModelResidue& r = model_.residues[index];
    std::vector<const IdealAtom*> missing;
    for (const IdealAtom& ideal : r.library->side_chain)
      if (!r.find(ideal.name)) missing.push_back(&ideal);
    if (missing.empty()) return;
    const std::vector<ModelAtom> best = roomiest(r, missing, {0});
    // What hangs on an atom that is new is set anew, too, where the bond between them would be too long or too short.
    for (const IdealAtom& ideal : r.library->side_chain)
      if (misfit(r, best, ideal) > worst_misfit) {
        std::erase_if(r.atoms, [&](const ModelAtom& a) { return a.name == ideal.name; });
        return add_side_chain(index);
      }
    std::string names;
    for (const ModelAtom& a : best) names += (names.empty() ? "" : " ") + a.name;
    r.atoms.insert(r.atoms.end(), best.begin(), best.end());
    note(r, names);
    made_.push_back({index, std::move(missing)});
  }

  /// Side chains that came first saw less than all others: those that lie in something choose again. False: nothing has
  /// changed.
  bool make_room() {
    bool changed = false;
    for (const auto& [index, atoms] : made_) {
      ModelResidue& r = model_.residues[index];
      std::vector<ModelAtom> before;
      for (const IdealAtom* ideal : atoms) before.push_back(*r.find(ideal->name));
      if (crowding(r, before, in_each_other) == 0) continue;
      const double crowded = crowding(r, before);
      const ModelResidue kept = r;
      std::erase_if(r.atoms, [&](const ModelAtom& a) {
        return std::any_of(before.begin(), before.end(), [&](const ModelAtom& b) { return a.name == b.name; });
      });
      const std::vector<ModelAtom> best = roomiest(r, atoms, {0, -20, 20});
      if (crowding(r, best) < crowded - 1e-9) {
        r.atoms.insert(r.atoms.end(), best.begin(), best.end());
        changed = true;
      } else {
        r = kept;
      }
    }
    return changed;
  }

  /// The missing atoms in the rotamer that has most room. `beside`: how far from staggered torsions may be [degrees].
  std::vector<ModelAtom> roomiest(const ModelResidue& r, const std::vector<const IdealAtom*>& missing,
                                  std::initializer_list<double> beside) const {
    // Torsions that are free: those of the first atoms on N-CA-CB and on CA-CB-CG that are all missing. Rings of proline are
    // not.
    std::vector<double> turns;
    for (double staggered : {0, 120, 240})
      for (double more : beside) turns.push_back((staggered + more) * degree);
    const std::vector<double> chi1 = free_torsion(r, missing, "CA", "CB") ? turns : std::vector<double>{0},
                              chi2 = free_torsion(r, missing, "CB", "CG") ? turns : std::vector<double>{0};
    std::vector<ModelAtom> best;
    double least = 1e300;
    for (double turn1 : chi1)
      for (double turn2 : chi2) {
        const std::vector<ModelAtom> made = build(r, missing, turn1, turn2);
        double overlap = crowding(r, made);
        for (const IdealAtom& ideal : r.library->side_chain) overlap += 10 * misfit(r, made, ideal);
        if (overlap < least - 1e-9) {
          least = overlap;
          best = made;
        }
      }
    return best;
  }

  /// By how much the bond from a new atom to one that was there differs from its ideal length [nm].
  static double misfit(const ModelResidue& r, const std::vector<ModelAtom>& made, const IdealAtom& ideal) {
    const ModelAtom* there = r.find(ideal.name);
    const auto parent = std::find_if(made.begin(), made.end(), [&](const ModelAtom& a) { return a.name == ideal.from[2]; });
    return there && parent != made.end() ? std::abs(distance(there->x, parent->x) - ideal.length) : 0;
  }

  static bool free_torsion(const ModelResidue& r, const std::vector<const IdealAtom*>& missing, const char* b, const char* c) {
    if (r.library->name == "PRO") return false;
    bool any = false;
    for (const IdealAtom& ideal : r.library->side_chain) {
      if (ideal.from[1] != b || ideal.from[2] != c) continue;
      if (std::find(missing.begin(), missing.end(), &ideal) == missing.end()) return false;
      any = true;
    }
    return any;
  }

  std::vector<ModelAtom> build(const ModelResidue& r, const std::vector<const IdealAtom*>& missing, double turn1,
                               double turn2) const {
    std::vector<ModelAtom> made;
    const auto find = [&](const std::string& name) -> Vec3d {
      for (const ModelAtom& a : made)
        if (a.name == name) return a.x;
      if (const ModelAtom* a = r.find(name)) return a->x;
      throw InputError(describe(r) + " lacks " + name + ", on which other atoms are placed");
    };
    for (const IdealAtom* ideal : missing) {
      double torsion_angle = (r.d_form ? -1 : 1) * ideal->torsion;
      if (ideal->from[1] == "CA" && ideal->from[2] == "CB") torsion_angle += turn1;
      if (ideal->from[1] == "CB" && ideal->from[2] == "CG") torsion_angle += turn2;
      // Where a sibling on the same bond is there, the missing atom keeps its ideal angle to it.
      if (const IdealAtom* sibling = present_sibling(r, *ideal, made))
        torsion_angle = torsion(find(ideal->from[0]), find(ideal->from[1]), find(ideal->from[2]), find(sibling->name)) +
                        (r.d_form ? -1 : 1) * (ideal->torsion - sibling->torsion);
      made.push_back({ideal->name, element_number(ideal->name.substr(0, 1)),
                      place(find(ideal->from[0]), find(ideal->from[1]), find(ideal->from[2]), ideal->length, ideal->angle,
                            torsion_angle)});
    }
    return made;
  }

  static const IdealAtom* present_sibling(const ModelResidue& r, const IdealAtom& ideal, const std::vector<ModelAtom>& made) {
    for (const IdealAtom& other : r.library->side_chain)
      if (&other != &ideal && other.from == ideal.from && r.find(other.name) &&
          std::none_of(made.begin(), made.end(), [&](const ModelAtom& a) { return a.name == other.name; }))
        return &other;
    return nullptr;
  }

  static bool is_side_chain(const ModelResidue& r, const std::string& name) {
    return std::any_of(r.library->side_chain.begin(), r.library->side_chain.end(),
                       [&](const IdealAtom& ideal) { return ideal.name == name; });
  }

  /// How much the atoms lie in others: heavy atoms that are not bonded are at least 0.3 nm apart.
  double crowding(const ModelResidue& own, const std::vector<ModelAtom>& made, double apart = 0.32) const {
    double sum = 0;
    for (const ModelResidue& r : model_.residues)
      for (const ModelAtom& a : r.atoms) {
        if (a.element == 1) continue;
        const bool near = &r == &own && (a.name == "CB" || a.name == "CA" || a.name == "N" || a.name == "C");
        if (near || (&r == &own && is_side_chain(r, a.name))) continue;
        for (const ModelAtom& m : made) {
          const double d = distance(a.x, m.x);
          if (d < apart) sum += (apart - d) * (apart - d);
        }
      }
    return sum;
  }

  struct SideChain {
    std::size_t residue;
    std::vector<const IdealAtom*> atoms;
  };

  Model& model_;
  const BuildOptions& options_;
  std::vector<SideChain> made_;
};

}  // namespace

void complete_heavy_atoms(Model& model, const BuildOptions& options) { HeavyAtoms(model, options).complete(); }

}  // namespace uplift::build

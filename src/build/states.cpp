// Which form each residue takes. Model pKa values: Thurlkill, Grimsley, Scholtz and Pace, Protein Sci. 15, 1214 (2006).
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "model.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift::build {
namespace {

struct Pka {
  const char* residue;
  double value;
  const char* above;  ///< form above it; empty: the force fields have none
  const char* below;
};
constexpr Pka model_pka[] = {
    {"ASP", 3.9, "ASP", "ASH"},  {"GLU", 4.3, "GLU", "GLH"}, {"HIS", 6.5, "HIE", "HIP"}, {"CYS", 8.6, "CYM", "CYS"},
    {"LYS", 10.4, "LYN", "LYS"}, {"TYR", 9.8, "", "TYR"},    {"ARG", 12.3, "", "ARG"},
};
constexpr double terminal_acid = 3.7, terminal_amine = 8.0;
constexpr double hydrogen_bond = 0.35;  ///< [nm] between heavy atoms
constexpr double metal_bond = 0.28;     ///< [nm] from a metal to its ligands: 0.19 to 0.25 to nitrogen and sulfur

/// The name without the form: HIS of HID, HIE and HIP.
std::string family(const std::string& name) {
  if (name == "HID" || name == "HIE" || name == "HIP") return "HIS";
  if (name == "ASH") return "ASP";
  if (name == "GLH") return "GLU";
  if (name == "LYN") return "LYS";
  if (name == "CYX" || name == "CYM") return "CYS";
  return name;
}

void set_form(ModelResidue& r, const std::string& form) {
  r.name = form;
  r.library = library_residue(form);
}

/// The oxygen that an atom of the ring can give a hydrogen bond to: its distance.
double nearest_acceptor(const Model& model, const ModelResidue& own, const Vec3d& nitrogen) {
  double best = 1e9;
  for (const ModelResidue& r : model.residues) {
    if (&r == &own || !r.library) continue;
    for (const char* name : {"O", "OXT", "OD1", "OD2", "OE1", "OE2"})
      if (const ModelAtom* a = r.find(name)) best = std::min(best, distance(a->x, nitrogen));
  }
  return best;
}

/// The metal that an atom is bound to; nothing when there is none within reach.
const ModelResidue* metal_at(const Model& model, const Vec3d& x) {
  for (const ModelResidue& r : model.residues)
    for (const ModelAtom& a : r.atoms)
      if (is_metal(a.element) && distance(a.x, x) < metal_bond) return &r;
  return nullptr;
}

/// HID when ND1 is nearer to an acceptor than NE2 is, within the length of a hydrogen bond; else HIE, the commoner tautomer.
std::string tautomer(const Model& model, const ModelResidue& r) {
  const ModelAtom *nd1 = r.find("ND1"), *ne2 = r.find("NE2");
  if (!nd1 || !ne2) return "HIE";
  if (metal_at(model, ne2->x)) return "HID";  // no proton between a nitrogen and its metal
  if (metal_at(model, nd1->x)) return "HIE";
  const double d = nearest_acceptor(model, r, nd1->x), e = nearest_acceptor(model, r, ne2->x);
  return d < hydrogen_bond && d < e ? "HID" : "HIE";
}

/// The form that the hydrogens of the file show; empty when they show none.
std::string form_in_file(const ModelResidue& r) {
  const auto has = [&](const char* name) { return r.find(name) != nullptr; };
  const std::string kind = family(r.name);
  if (!r.had_hydrogens) return "";
  if (kind == "HIS") return has("HD1") && has("HE2") ? "HIP" : has("HD1") ? "HID" : has("HE2") ? "HIE" : "";
  if (kind == "ASP") return has("HD2") || has("HD1") ? "ASH" : "ASP";
  if (kind == "GLU") return has("HE2") || has("HE1") ? "GLH" : "GLU";
  return "";
}

class States {
 public:
  States(Model& model, const BuildOptions& options) : model_(model), options_(options) {}

  void choose() {
    for (ModelResidue& r : model_.residues)
      if (r.is_amino_acid()) choose_one(r);
    for (const auto& [key, form] : options_.states)
      if (!used_.count(key))
        throw InputError("--state " + key + "=" + form + ": there is no such residue; give CHAIN:NUMBER or NUMBER");
    const bool ends = std::any_of(model_.residues.begin(), model_.residues.end(),
                                  [](const ModelResidue& r) { return r.is_amino_acid() && (r.free_start() || r.free_end()); });
    if (ends && (options_.ph < terminal_acid || options_.ph > terminal_amine))
      model_.notes.push_back(
          fmt::format("pH {:g}: ends of chains would be neutral (model pKa {:g} and {:g}), which the Amber force fields do "
                      "not have; they stay charged, or use --caps",
                      options_.ph, terminal_acid, terminal_amine));
  }

 private:
  std::string wanted(const ModelResidue& r) {
    const std::string number = std::to_string(r.number) + r.insertion;
    for (const std::string& key : {r.chain + ":" + number, number}) {
      const auto found = options_.states.find(key);
      if (found == options_.states.end()) continue;
      used_.insert(key);
      return found->second;
    }
    return "";
  }

  void choose_one(ModelResidue& r) {
    const std::string kind = family(r.name), asked = wanted(r);
    if (!asked.empty()) {
      if (!library_residue(asked) || family(library_residue(asked)->name) != kind)
        throw InputError("--state: " + describe(r) + " cannot become " + in_quotes(asked) +
                         "; forms are HID HIE HIP, ASP ASH, GLU GLH, LYS LYN, CYS CYM");
      set_form(r, library_residue(asked)->name);
      return;
    }
    if (r.disulfide >= 0 || r.bonded_sulfur) return set_form(r, "CYX");
    if (r.name == "CYX") {
      model_.notes.push_back(describe(r) + " is named CYX but no sulfur is near enough for a disulfide; it becomes CYS");
      set_form(r, "CYS");
    }
    if (r.name != kind && r.name != "HIS") return;  // the file names the form
    if (const ModelAtom* sulfur = kind == "CYS" ? r.find("SG") : nullptr)
      if (const ModelResidue* metal = metal_at(model_, sulfur->x))
        model_.notes.push_back(
            fmt::format("{}: its sulfur is at {} and gets a hydrogen; if it is a thiolate, ask for it by --state {}{}{}{}=CYM",
                        describe(r), describe(*metal), r.chain, r.chain.empty() ? "" : ":", r.number, r.insertion));
    if (const std::string form = form_in_file(r); !form.empty()) return set_form(r, form);
    for (const Pka& p : model_pka) {
      if (kind != p.residue) continue;
      const bool above = options_.ph > p.value;
      const std::string form = above ? p.above : p.below;
      if (form.empty()) {
        model_.notes.push_back(
            fmt::format("pH {:g} is above the model pKa of {} ({:g}); the Amber force fields have no form without its proton, "
                        "which it keeps",
                        options_.ph, describe(r), p.value));
      } else if (form != r.name && kind != "HIS" && (r.free_start() || r.free_end())) {
        model_.notes.push_back(
            fmt::format("pH {:g}, model pKa {:g}: {} would become {}, which the Amber force fields do not have at the ends of "
                        "chains; it stays as it is (or use --caps)",
                        options_.ph, p.value, describe(r), form));
      } else if (kind == "HIS" && above) {
        set_form(r, tautomer(model_, r));
        const bool bound =
            (r.find("ND1") && metal_at(model_, r.find("ND1")->x)) || (r.find("NE2") && metal_at(model_, r.find("NE2")->x));
        model_.notes.push_back(describe(r) + (bound ? ": tautomer by its metal" : ": tautomer by hydrogen bonds"));
      } else if (form != r.name) {
        set_form(r, form);
        model_.notes.push_back(fmt::format("{}: pH {:g}, model pKa {:g}", describe(r), options_.ph, p.value));
      }
    }
  }

  Model& model_;
  const BuildOptions& options_;
  std::set<std::string> used_;
};

}  // namespace

void choose_states(Model& model, const BuildOptions& options) { States(model, options).choose(); }

}  // namespace uplift::build

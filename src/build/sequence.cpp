// Chains from sequences. Backbone: Engh and Huber, Acta Crystallogr. A 47, 392 (1991); every peptide bond trans.
#include <fmt/format.h>

#include <cctype>
#include <cmath>

#include "model.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift::build {
namespace {

constexpr double degree = constants::radians_per_degree;

struct Entry {
  const LibraryResidue* library;
  bool d_form;
};

/// An amino acid or a cap; "G" and "DA" are nucleotides to the library, but not here.
const LibraryResidue* peptide_residue(const std::string& name) {
  const LibraryResidue* residue = library_residue(name);
  return residue && residue->kind != ResidueKind::nucleotide ? residue : nullptr;
}

Entry entry_of_letter(char letter) {
  return {library_residue(static_cast<char>(std::toupper(static_cast<unsigned char>(letter)))),
          std::islower(static_cast<unsigned char>(letter)) != 0};
}

Entry entry_of_name(std::string word) {
  if (word.size() == 1 && entry_of_letter(word[0]).library) return entry_of_letter(word[0]);
  bool d = false;
  for (char& c : word) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const LibraryResidue* residue = peptide_residue(word);
  if (!residue && word.size() == 4 && word[0] == 'D') {  // DALA
    residue = peptide_residue(word.substr(1));
    d = residue != nullptr;
  }
  if (!residue)
    throw InputError("--sequence: there is no amino acid " + in_quotes(word) +
                     "; names are ALA, HIE, CYX ..., with a D in front for the D form (DALA), ACE and NME");
  return {residue, d};
}

/// "GYDPET", "GLY TYR ASP", "GLY-TYR-ASP", "G-Y-D". One word that names a residue is that residue: "ALA" is alanine, "A-L-A" a
/// peptide.
std::vector<Entry> parse(const std::string& sequence) {
  std::vector<std::string> words;
  std::string word;
  for (char c : sequence + " ") {
    if (std::isspace(static_cast<unsigned char>(c)) || c == '-' || c == ',') {
      if (!word.empty()) words.push_back(word);
      word.clear();
    } else {
      word += c;
    }
  }
  std::vector<Entry> entries;
  if (words.size() == 1 && !peptide_residue(words[0])) {
    for (std::size_t n = 0; n < words[0].size(); ++n) {
      const Entry entry = entry_of_letter(words[0][n]);
      if (!entry.library)
        throw InputError(
            fmt::format("--sequence: letter {} is {}, which is no amino acid; use one-letter codes (lower case for the D form) "
                        "or names of residues with blanks between them",
                        n + 1, in_quotes(std::string(1, words[0][n]))));
      entries.push_back(entry);
    }
  } else {
    for (const std::string& w : words) entries.push_back(entry_of_name(w));
  }
  if (entries.empty()) throw InputError("--sequence: is empty; give one-letter codes (GYDPETGTWG) or names of residues");
  for (std::size_t n = 0; n < entries.size(); ++n)
    if (entries[n].library->kind == ResidueKind::cap && (entries[n].library->name == "ACE" ? n != 0 : n + 1 != entries.size()))
      throw InputError("--sequence: " + entries[n].library->name + " can only stand at its end of the chain");
  if (entries.size() == 1 && entries[0].library->kind == ResidueKind::cap)
    throw InputError("--sequence: a cap alone is no chain");
  return entries;
}

/// Backbone torsions [radians]; proline's ring allows no other phi.
std::array<double, 2> torsions(const Entry& e, Conformation conformation) {
  double phi = conformation == Conformation::helix ? -57.8 : -135, psi = conformation == Conformation::helix ? -47.0 : 140;
  if (e.library->name == "PRO") phi = -70;
  const double hand = e.d_form ? -1 : 1;
  return {hand * phi * degree, hand * psi * degree};
}

/// The chain grows from its start: each atom is placed on the three before it.
class Chain {
 public:
  explicit Chain(const BuildOptions& options) : options_(options) {}

  Model build() {
    std::vector<Entry> entries = parse(options_.sequence);
    if (options_.caps) {
      if (entries.front().library->name != "ACE") entries.insert(entries.begin(), {library_residue("ACE"), false});
      if (entries.back().library->kind != ResidueKind::cap || entries.size() == 1)
        entries.push_back({library_residue("NME"), false});
    }
    int number = entries.front().library->name == "ACE" ? 0 : 1;
    for (std::size_t n = 0; n < entries.size(); ++n) {
      ModelResidue r;
      r.name = entries[n].library->name;
      r.chain = "A";
      r.number = number++;
      r.library = entries[n].library;
      r.d_form = entries[n].d_form;
      r.chain_start = n == 0;
      r.chain_end = n + 1 == entries.size();
      add_backbone(r, entries[n], n > 0 ? entries[n - 1] : entries[n]);
      model_.residues.push_back(r);
    }
    model_.title = options_.sequence;
    return std::move(model_);
  }

 private:
  Vec3d next(double length_angstrom, double angle, double torsion) {
    const std::size_t n = last_.size();
    last_.push_back(
        place(last_[n - 3], last_[n - 2], last_[n - 1], length_angstrom * constants::nm_per_angstrom, angle * degree, torsion));
    return last_.back();
  }

  void add_backbone(ModelResidue& r, const Entry& e, const Entry& before) {
    const double length = constants::nm_per_angstrom;
    if (last_.empty()) last_ = {{0, 0.1, 0}, {-0.05, 0, 0}, {0, 0, 0}};  // a frame to start from
    const bool first = r.chain_start;
    if (r.library->name == "ACE") {
      last_ = {{0, 0.1, 0}, {0, 0, 0}, {1.525 * length, 0, 0}};  // before CH3, CH3, C
      r.atoms = {{"CH3", 6, last_[1]},
                 {"C", 6, last_[2]},
                 {"O", 8, place(last_[0], last_[1], last_[2], 1.231 * length, 120.5 * degree, 0)}};
      return;
    }
    const double psi = torsions(before, options_.conformation)[1];
    const bool after_ace = before.library->name == "ACE";
    if (first)
      r.atoms.push_back({"N", 7, last_.back()});
    else
      r.atoms.push_back({"N", 7, next(1.329, 116.2, after_ace ? constants::pi : psi)});
    if (r.library->name == "NHE") return;
    const auto [phi, own_psi] = torsions(e, options_.conformation);
    const char* alpha = r.library->name == "NME" ? "C" : "CA";
    r.atoms.push_back({alpha, 6, next(1.458, 121.7, constants::pi)});
    if (r.library->name == "NME") return;
    r.atoms.push_back({"C", 6, next(1.525, 111.0, phi)});
    const Vec3d n = r.atoms[0].x, ca = r.atoms[1].x, c = r.atoms[2].x;
    r.atoms.push_back({"O", 8, place(n, ca, c, 1.231 * length, 120.5 * degree, own_psi + constants::pi)});
  }

  const BuildOptions& options_;
  std::vector<Vec3d> last_;
  Model model_;
};

}  // namespace

Model model_of_sequence(const BuildOptions& options) { return Chain(options).build(); }

}  // namespace uplift::build

#include "backbone.hpp"

#include <optional>
#include <vector>

#include "uplift/core/at.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

class Backbone {
 public:
  explicit Backbone(const Topology& topology) : t_(topology) {}

  /// Atom of this name in residue `r`, or -1.
  int atom(int r, const char* name) const {
    if (r < 0 || r >= static_cast<int>(t_.residues.size())) return -1;
    const Residue& residue = t_.residues[at(r)];
    for (int i = residue.first_atom; i < residue.first_atom + residue.atom_count; ++i)
      if (t_.atoms[at(i)].name == name) return i;
    return -1;
  }
  bool complete(int r) const { return atom(r, "N") >= 0 && atom(r, "CA") >= 0 && atom(r, "C") >= 0; }

  /// The atom of this name in another residue that is bonded to `i`, or -1.
  int across(int i, const char* name, int step) const {
    const int r = t_.atoms[at(i)].residue;
    if (t_.bonds.empty()) {
      const int next = atom(r + step, name);
      return next >= 0 && t_.residues[at(r + step)].chain == t_.residues[at(r)].chain ? next : -1;
    }
    for (const Bond& bond : t_.bonds) {
      if (bond.i != i && bond.j != i) continue;
      const Atom& other = t_.atoms[at(bond.i == i ? bond.j : bond.i)];
      if (other.residue != r && other.name == name) return bond.i == i ? bond.j : bond.i;
    }
    return -1;
  }

  std::optional<std::array<int, 4>> angle(bool phi, int r) const {
    const int n = atom(r, "N"), ca = atom(r, "CA"), c = atom(r, "C"), far = phi ? across(n, "C", -1) : across(c, "N", 1);
    if (far < 0) return std::nullopt;
    return phi ? std::array{far, n, ca, c} : std::array{n, ca, c, far};
  }

 private:
  const Topology& t_;
};

std::string residue_text(const Residue& r) { return r.name + " " + std::to_string(r.number); }

/// What to write in place of a number that several residues have.
std::string choices(const Topology& t, const Backbone& backbone, const std::string& word, const std::vector<int>& found) {
  std::vector<std::string> all;
  for (int r : found) {
    const Residue& residue = t.residues[at(r)];
    bool alone = !residue.chain.empty();
    for (int other : found) alone = alone && (other == r || t.residues[at(other)].chain != residue.chain);
    std::string one;
    if (alone) {
      one = word + "(" + residue.chain + ":" + std::to_string(residue.number) + ")";
    } else if (const auto atoms = backbone.angle(word == "phi", r)) {
      for (int i : *atoms) one += (one.empty() ? "dihedral(" : ",") + std::to_string(i);
      one += ")";
    }
    if (!one.empty()) all.push_back(one);
  }
  std::string text;
  for (std::size_t k = 0; k < all.size() && k < 4; ++k) text += (k == 0 ? "" : " or ") + all[k];
  return text.empty() ? "dihedral(i,j,k,l)" : text;
}

}  // namespace

std::array<int, 4> backbone_dihedral(const Topology& t, const std::string& word, const std::string& which,
                                     const std::function<void(const std::string&)>& fail) {
  const std::size_t colon = which.rfind(':');
  const std::string chain(colon == std::string::npos ? "" : trim(which.substr(0, colon)));
  int number = 0;
  if (!parse_int(trim(which.substr(colon == std::string::npos ? 0 : colon + 1)), number))
    fail("'" + which + "' is no number of a residue; write " + word + "(2), or " + word + "(A:2) with its chain");
  const Backbone backbone(t);
  std::vector<int> named, found;
  for (int r = 0; r < static_cast<int>(t.residues.size()); ++r) {
    const Residue& residue = t.residues[at(r)];
    if (residue.number != number || (colon != std::string::npos && residue.chain != chain)) continue;
    named.push_back(r);
    if (backbone.complete(r)) found.push_back(r);  // waters and ions have numbers, too
  }
  const std::string what = "residue " + which;
  if (named.empty()) fail("there is no " + what + (colon == std::string::npos ? "" : " (chain:number)"));
  if (found.empty()) fail(what + " has no " + word + ": it has no atoms N, CA and C");
  if (found.size() > 1) {
    fail(what + " may be " + std::to_string(found.size()) + " residues (" + residue_text(t.residues[at(found[0])]) + ", " +
         residue_text(t.residues[at(found[1])]) + (found.size() > 2 ? " ...)" : ")") + "; write " +
         choices(t, backbone, word, found));
  }
  const auto atoms = backbone.angle(word == "phi", found[0]);
  if (!atoms)
    fail(what + " has no " + word + ": " +
         (word == "phi" ? "no C of another residue is bonded to its N" : "no N of another residue is bonded to its C") +
         ", as at the end of a chain or where the neighbour is not stored");
  return *atoms;
}

}  // namespace uplift

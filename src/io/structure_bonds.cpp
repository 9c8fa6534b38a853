// Bonds of a structure: by names within standard residues, by the file where it says so, by distance for hydrogens and
// disulfides.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "structure_parts.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/error.hpp"
#include "uplift/model/residue_library.hpp"

namespace uplift::structure {
namespace {

constexpr double longest_link = 0.25;      ///< [nm] between neighbours in a chain; a bond is 0.133 to 0.161
constexpr double longest_disulfide = 0.3;  ///< [nm] S-S; a bond is 0.205

class BondFinder {
 public:
  BondFinder(Structure& s, const std::vector<bool>& ter) : s_(s), ter_(ter), links_(at(s.topology.size())) {}

  void find(const std::vector<std::array<int, 2>>& given) {
    const auto residues = s_.topology.residues.size();
    s_.bonds_known.assign(residues, false);
    s_.chain_break.assign(ter_.begin(), ter_.end());
    for (std::size_t r = 0; r < residues; ++r) s_.bonds_known[r] = bonds_within(r);
    for (const auto& [i, j] : given) {
      if (element(i) == 0 || element(j) == 0) continue;
      add(i, j);
      const int ri = s_.topology.atoms[at(i)].residue;
      if (ri == s_.topology.atoms[at(j)].residue) s_.bonds_known[at(ri)] = true;
    }
    for (std::size_t r = 0; r + 1 < residues; ++r)
      if (!s_.chain_break[r]) link_to_next(r);
    find_disulfides();
    for (std::size_t r = 0; r < residues; ++r)
      if (s_.topology.residues[r].atom_count == 1 || s_.bonds_known[r]) attach_hydrogens(r);
    for (const auto& [i, j] : bonds_) s_.topology.bonds.push_back({i, j});
  }

 private:
  int element(int i) const { return s_.topology.atoms[at(i)].element; }
  double distance(int i, int j) const {
    Vec3d d = s_.x[at(i)] - s_.x[at(j)];
    if (s_.box) d = s_.box->image(d);
    return std::sqrt(dot(d, d));
  }
  void add(int i, int j) {
    if (i == j || !bonds_.insert({std::min(i, j), std::max(i, j)}).second) return;
    links_[at(i)].push_back(j);
    links_[at(j)].push_back(i);
  }
  int atom_named(std::size_t r, const std::string& name) const {
    const Residue& residue = s_.topology.residues[r];
    const LibraryResidue* known = library_residue(residue.name);
    for (int i = residue.first_atom; i < residue.first_atom + residue.atom_count; ++i) {
      const std::string& own = s_.topology.atoms[at(i)].name;
      if (own == name || (known && library_atom_name(*known, own) == name)) return i;
    }
    return -1;
  }

  /// Between heavy atoms of a standard residue, and of water.
  bool bonds_within(std::size_t r) {
    const Residue& residue = s_.topology.residues[r];
    if (residue.atom_count == 1) return true;
    const LibraryResidue* known = library_residue(residue.name);
    if (!known) return water(residue);
    std::map<std::string, int> atoms;
    for (int i = residue.first_atom; i < residue.first_atom + residue.atom_count; ++i) {
      const std::string name = library_atom_name(*known, s_.topology.atoms[at(i)].name);
      if (!atoms.try_emplace(name, i).second)
        throw InputError(
            fmt::format("{}: {} comes twice in one residue (atoms {} and {}), so its bonds are not known; atoms of a "
                        "residue need different names",
                        s_.path, describe_atom(s_.topology, i), atoms[name] + 1, i + 1));
    }
    for (const auto& [a, b] : known->bonds) {
      const auto i = atoms.find(a), j = atoms.find(b);
      if (i != atoms.end() && j != atoms.end()) add(i->second, j->second);
    }
    return true;
  }

  bool water(const Residue& residue) {
    int oxygen = -1, oxygens = 0;
    std::vector<int> hydrogens;
    for (int i = residue.first_atom; i < residue.first_atom + residue.atom_count; ++i) {
      if (element(i) == 8) oxygen = i, ++oxygens;
      if (element(i) == 1) hydrogens.push_back(i);
      if (element(i) > 1 && element(i) != 8) return false;
    }
    if (oxygens != 1 || hydrogens.size() > 2) return false;
    for (int h : hydrogens) add(oxygen, h);
    return true;
  }

  /// Peptide or phosphodiester bond to the next residue of the chain.
  void link_to_next(std::size_t r) {
    const LibraryResidue *one = library_residue(s_.topology.residues[r].name),
                         *next = library_residue(s_.topology.residues[r + 1].name);
    if (!one || !next) return;
    const bool nucleic = one->kind == ResidueKind::nucleotide;
    if (nucleic != (next->kind == ResidueKind::nucleotide)) return;
    const int i = atom_named(r, nucleic ? "O3'" : "C"), j = atom_named(r + 1, nucleic ? "P" : "N");
    if (i < 0 || j < 0 || one->name == "NME" || one->name == "NHE") return;
    const double d = distance(i, j);
    if (d <= longest_link) {
      add(i, j);
      return;
    }
    s_.chain_break[r] = true;
    s_.notes.push_back(fmt::format("{} and {} are {:.2f} nm apart: the chain is broken there", describe_atom(s_.topology, i),
                                   describe_atom(s_.topology, j), d));
  }

  void find_disulfides() {
    std::vector<int> sulfurs;
    for (std::size_t r = 0; r < s_.topology.residues.size(); ++r) {
      const LibraryResidue* known = library_residue(s_.topology.residues[r].name);
      if (!known || (known->name != "CYS" && known->name != "CYX")) continue;
      const int sg = atom_named(r, "SG");
      const auto bonded_sulfur = [&](int i) { return element(i) == 16; };
      if (sg < 0 || atom_named(r, "HG") >= 0 || atom_named(r, "HG1") >= 0) continue;
      if (std::any_of(links_[at(sg)].begin(), links_[at(sg)].end(), bonded_sulfur)) continue;
      sulfurs.push_back(sg);
    }
    for (std::size_t a = 0; a < sulfurs.size(); ++a)
      for (std::size_t b = a + 1; b < sulfurs.size(); ++b)
        if (distance(sulfurs[a], sulfurs[b]) < longest_disulfide) {
          add(sulfurs[a], sulfurs[b]);
          s_.notes.push_back(fmt::format("disulfide between {} and {}, by their distance",
                                         describe_atom(s_.topology, sulfurs[a]), describe_atom(s_.topology, sulfurs[b])));
        }
  }

  /// A hydrogen without a bond goes to the nearest heavy atom of its residue: names of hydrogens differ between programs.
  void attach_hydrogens(std::size_t r) {
    const Residue& residue = s_.topology.residues[r];
    for (int h = residue.first_atom; h < residue.first_atom + residue.atom_count; ++h) {
      if (element(h) != 1 || !links_[at(h)].empty()) continue;
      int nearest = -1;
      for (int i = residue.first_atom; i < residue.first_atom + residue.atom_count; ++i)
        if (element(i) > 1 && (nearest < 0 || distance(h, i) < distance(h, nearest))) nearest = i;
      if (nearest >= 0) add(h, nearest);
    }
  }

  Structure& s_;
  const std::vector<bool>& ter_;
  std::vector<std::vector<int>> links_;
  std::set<std::pair<int, int>> bonds_;
};

}  // namespace
}  // namespace uplift::structure

namespace uplift {

void find_bonds(Structure& structure, const std::vector<bool>& ter, const std::vector<std::array<int, 2>>& given) {
  structure::BondFinder(structure, ter).find(given);
}

}  // namespace uplift

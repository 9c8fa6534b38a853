#include "uplift/model/topology.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "uplift/model/force_field.hpp"

namespace uplift {
namespace {

/// Disjoint sets; the root of a set is its lowest member.
class Sets {
 public:
  explicit Sets(int n) : parent_(static_cast<std::size_t>(n)) { std::iota(parent_.begin(), parent_.end(), 0); }
  int root(int i) {
    while (at(i) != i) {
      at(i) = at(at(i));
      i = at(i);
    }
    return i;
  }
  void join(int i, int j) {
    i = root(i);
    j = root(j);
    at(std::max(i, j)) = std::min(i, j);
  }

 private:
  int& at(int i) { return parent_[static_cast<std::size_t>(i)]; }
  std::vector<int> parent_;
};

bool bonded(const std::vector<Bond>& sorted, int i, int j) {
  const Bond wanted{std::min(i, j), std::max(i, j)};
  const auto key = [](const Bond& b) { return std::pair(b.i, b.j); };
  const auto at =
      std::lower_bound(sorted.begin(), sorted.end(), wanted, [&](const Bond& a, const Bond& b) { return key(a) < key(b); });
  return at != sorted.end() && key(*at) == key(wanted);
}

/// Names come from files: nothing that a terminal would act on goes into a message.
std::string plain(std::string name) {
  for (char& c : name)
    if (c < ' ' || c > '~') c = '?';
  return name;
}

}  // namespace

Molecules find_molecules(const Topology& topology, const ForceField& force_field) {
  Sets sets(topology.size());
  for (const Bond& b : topology.bonds) sets.join(b.i, b.j);
  for (const VirtualSite& s : force_field.virtual_sites)
    for (int parent : {s.parent0, s.parent1, s.parent2}) sets.join(s.site, parent);
  Molecules molecules;
  molecules.molecule_of.resize(static_cast<std::size_t>(topology.size()));
  for (int i = 0; i < topology.size(); ++i) {
    // A root is the lowest atom of its molecule, so it has its number before any other member asks for it.
    const int root = sets.root(i);
    molecules.molecule_of[static_cast<std::size_t>(i)] =
        root == i ? molecules.count++ : molecules.molecule_of[static_cast<std::size_t>(root)];
  }
  return molecules;
}

std::string describe_atom(const Topology& topology, int atom) {
  const Atom& a = topology.atoms[static_cast<std::size_t>(atom)];
  const Residue& r = topology.residues[static_cast<std::size_t>(a.residue)];
  return "atom " + std::to_string(atom + 1) + " (" + plain(a.name) + " of " + plain(r.name) + " " + std::to_string(r.number) +
         ")";
}

bool is_water(const Topology& topology, const Residue& residue) {
  if (residue.atom_count < 3 || residue.atom_count > 5) return false;
  int oxygen = -1, hydrogens[2] = {-1, -1}, n_hydrogen = 0;
  for (int i = residue.first_atom; i < residue.first_atom + residue.atom_count; ++i) {
    const Atom& atom = topology.atoms[static_cast<std::size_t>(i)];
    if (atom.element == 8 && oxygen < 0) {
      oxygen = i;
    } else if (atom.element == 1 && n_hydrogen < 2) {
      hydrogens[n_hydrogen++] = i;
    } else if (!(atom.element == 0 && atom.mass == 0)) {
      return false;
    }
  }
  if (oxygen < 0 || n_hydrogen != 2) return false;
  if (bonded(topology.bonds, oxygen, hydrogens[0]) && bonded(topology.bonds, oxygen, hydrogens[1])) return true;
  // Readers keep bonds sorted. A small topology made by hand may not be; a scan of all bonds for each residue is cheap there
  // only.
  if (topology.bonds.size() > 10000) return false;
  int found = 0;
  for (const Bond& b : topology.bonds)
    for (int h : hydrogens) found += (b.i == oxygen && b.j == h) || (b.i == h && b.j == oxygen);
  return found == 2;
}

}  // namespace uplift

#pragma once
// What tests of building share: short ways to build, and to look at what came of it.
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

#include "support/prmtop_builder.hpp"
#include "uplift/build/builder.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/error.hpp"

namespace uplift::test {

inline double distance(const Vec3d& a, const Vec3d& b) { return std::sqrt(dot(a - b, a - b)); }

inline BuildOptions with_forcefield(BuildOptions options, const std::vector<std::string>& names) {
  options.forcefield.clear();
  for (const std::string& name : names) options.forcefield.push_back(find_forcefield(name, "."));
  return options;
}
inline BuildOptions in_vacuum(const std::string& sequence) {
  BuildOptions options;
  options.sequence = sequence;
  options.water = false;
  return with_forcefield(options, {"amber14sb"});
}
inline BuildOptions from_file(const std::string& path) {
  BuildOptions options = in_vacuum("");
  options.structure = path;
  return options;
}
inline BuiltSystem build(const BuildOptions& options) { return build_system(options); }
inline std::string error_of(const BuildOptions& options) {
  try {
    build_system(options);
  } catch (const InputError& e) {
    return e.what();
  }
  return "no error";
}
inline double charge(const BuiltSystem& built) {
  double sum = 0;
  for (double q : built.parameters.force_field.charges) sum += q;
  return sum;
}

/// A structure by residue and atom name.
class Looked {
 public:
  explicit Looked(Structure s) : s_(std::move(s)) {}
  const std::string& name(int residue) const { return s_.topology.residues.at(at(residue)).name; }
  int residue(const std::string& wanted) const {
    for (int r = 0; r < static_cast<int>(s_.topology.residues.size()); ++r)
      if (name(r) == wanted) return r;
    return -1;
  }
  int atom(int residue, const std::string& name) const {
    const Residue& r = s_.topology.residues.at(at(residue));
    for (int i = r.first_atom; i < r.first_atom + r.atom_count; ++i)
      if (s_.topology.atoms[at(i)].name == name) return i;
    return -1;
  }
  bool has(int residue, const std::string& name) const { return atom(residue, name) >= 0; }
  Vec3d x(int residue, const std::string& name) const { return s_.x.at(at(atom(residue, name))); }
  bool bonded(const std::pair<int, std::string>& a, const std::pair<int, std::string>& b) const {
    const int i = atom(a.first, a.second), j = atom(b.first, b.second);
    for (const Bond& bond : s_.topology.bonds)
      if ((bond.i == i && bond.j == j) || (bond.i == j && bond.j == i)) return true;
    return false;
  }

 private:
  Structure s_;
};

/// PDB text of the atoms that `keep(index)` wants.
template <class Keep>
std::string pdb_of(const Structure& s, Keep keep) {
  std::string text;
  int number = 0;
  std::string chain;
  for (int i = 0; i < s.topology.size(); ++i) {
    if (!keep(i)) continue;
    const Atom& a = s.topology.atoms[at(i)];
    const Residue& r = s.topology.residues[at(a.residue)];
    if (!chain.empty() && r.chain != chain) text += "TER\n";
    chain = r.chain;
    char line[100];
    std::snprintf(line, sizeof line, "ATOM  %5d %-4s %3s %1s%4d    %8.3f%8.3f%8.3f  1.00  0.00          %2s\n", ++number,
                  (a.name.size() < 4 ? " " + a.name : a.name).c_str(), r.name.c_str(), r.chain.c_str(), r.number,
                  10 * s.x[at(i)].x, 10 * s.x[at(i)].y, 10 * s.x[at(i)].z, element_symbol(a.element).c_str());
    text += line;
  }
  return text + "END\n";
}

}  // namespace uplift::test

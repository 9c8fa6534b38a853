#pragma once
// A small made-up system with everything that a trajectory can hold: a two-residue molecule, an ion, water with a virtual site.
#include <cmath>
#include <string>
#include <vector>

#include "uplift/core/constants.hpp"
#include "uplift/model/system.hpp"

namespace uplift::sample {

inline void add_residue(System& system, const std::string& name, const std::string& chain, const std::vector<Atom>& atoms,
                        const std::vector<double>& charges) {
  Topology& t = system.topology;
  t.residues.push_back({name, static_cast<int>(t.residues.size()) + 1, chain, t.size(), static_cast<int>(atoms.size())});
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    t.atoms.push_back(atoms[i]);
    t.atoms.back().residue = static_cast<int>(t.residues.size()) - 1;
    system.masses.push_back(atoms[i].mass);
    system.force_field.charges.push_back(charges[i]);
    system.force_field.lj_type.push_back(0);
  }
}

/// ALA-like + NME-like in one molecule, Na+, then `waters` four-point waters; 12 + 4 * waters atoms.
inline System make_system(int waters, bool periodic = true) {
  System system;
  Topology& t = system.topology;
  t.title = "sample";
  add_residue(system, "ALA", "A",
              {{"N", "N", 7, 14.01, 0},
               {"H", "H", 1, 1.008, 0},
               {"CA", "CX", 6, 12.01, 0},
               {"HA", "H1", 1, 1.008, 0},
               {"HB11", "HC", 1, 1.008, 0},
               {"C", "C", 6, 12.01, 0},
               {"O", "O", 8, 16.0, 0}},
              {-0.4, 0.27, 0.03, 0.08, 0.02, 0.6, -0.6});
  add_residue(system, "NME", "A",
              {{"N", "N", 7, 14.01, 0}, {"H", "H", 1, 1.008, 0}, {"CH3", "CT", 6, 12.01, 0}, {"HH31", "H1", 1, 1.008, 0}},
              {-0.4, 0.27, 0.1, 0.03});
  t.bonds = {{0, 1}, {0, 2}, {2, 3}, {2, 4}, {2, 5}, {5, 6}, {5, 7}, {7, 8}, {7, 9}, {9, 10}};
  system.molecules.molecule_of.assign(11, 0);
  add_residue(system, "Na+", "", {{"Na+", "Na+", 11, 22.99, 0}}, {1.0});
  system.molecules.molecule_of.push_back(1);
  for (int w = 0; w < waters; ++w) {
    const int o = t.size();
    add_residue(system, "WAT", "",
                {{"O", "OW", 8, 16.0, 0}, {"H1", "HW", 1, 1.008, 0}, {"H2", "HW", 1, 1.008, 0}, {"EPW", "EP", 0, 0, 0}},
                {0, 0.52, 0.52, -1.04});
    t.bonds.push_back({o, o + 1});
    t.bonds.push_back({o, o + 2});
    system.force_field.virtual_sites.push_back({o + 3, o, o + 1, o + 2, 0.13, 0.13, 0});
    system.molecules.molecule_of.insert(system.molecules.molecule_of.end(), 4, 2 + w);
  }
  system.molecules.count = 2 + waters;
  for (std::size_t i = 0; i < system.masses.size(); ++i)  // repartitioned hydrogens: effective masses differ from the input's
    if (t.atoms[i].element == 1 && i < 11) system.masses[i] = 3.024;
  system.forces.nonbonded = periodic ? NonbondedMethod::pme : NonbondedMethod::no_cutoff;
  return system;
}

/// Positions [nm] that a check can work out again: atom i of frame n at (0.1 i + 0.01 n, sin i, -0.05 i).
inline std::vector<Vec3d> positions(int atoms, int frame) {
  std::vector<Vec3d> x;
  for (int i = 0; i < atoms; ++i) x.push_back({0.1 * i + 0.01 * frame, std::sin(i), -0.05 * i});
  return x;
}

inline Box box(const std::string& kind, int frame) {
  const double edge = 3.0 + 0.001 * frame, right = constants::pi / 2;
  if (kind == "orthorhombic") return make_box({edge, edge + 1, edge + 2}, {right, right, right});
  if (kind == "triclinic") {  // truncated octahedron
    const double angle = std::acos(-1.0 / 3);
    return make_box({edge, edge, edge}, {angle, angle, angle});
  }
  return {};
}

}  // namespace uplift::sample

#pragma once
// The parameters of every force, in nm, kJ/mol, e, rad. Immutable after parsing; indices are atom numbers from 0.
#include <array>
#include <string>
#include <vector>

namespace uplift {

struct HarmonicBond {  ///< E = k/2 (r - r0)^2
  int i, j;
  double r0;  ///< [nm]
  double k;   ///< [kJ/mol/nm^2]
};
struct FixedDistance {  ///< held whatever the settings say: the input has it as a constraint, not as a bond
  int i, j;
  double length;  ///< [nm]
};
struct HarmonicAngle {  ///< E = k/2 (theta - theta0)^2, j is the apex
  int i, j, k;
  double theta0;          ///< [rad]
  double force_constant;  ///< [kJ/mol/rad^2]
};
struct UreyBradley {  ///< E = k/2 (r - r0)^2 between the ends of an angle
  int i, k;
  double r0;              ///< [nm]
  double force_constant;  ///< [kJ/mol/nm^2]
};
struct PeriodicDihedral {  ///< E = k (1 + cos(n phi - phase)), IUPAC sign (trans = 180 degrees)
  int i, j, k, l;
  int periodicity;  ///< n >= 0
  double phase;     ///< [rad]
  double barrier;   ///< k [kJ/mol]
  bool improper;    ///< flagged improper in the input; same energy, counted as `dihedral`
};
struct HarmonicImproper {  ///< E = k/2 (phi - phi0)^2, the difference taken in (-pi, pi]
  int i, j, k, l;
  double phi0;            ///< [rad]
  double force_constant;  ///< [kJ/mol/rad^2]
};
struct CmapTorsion {  ///< two dihedrals i-j-k-l and j-k-l-m on map number `map`
  int i, j, k, l, m;
  int map;
};
struct CmapGrid {  ///< energies [kJ/mol] at phi, psi = -pi + 2 pi n/resolution; index phi * resolution + psi
  int resolution;
  std::vector<double> energy;
};
struct Pair14 {  ///< E = K q/r + c12/r^12 - c6/r^6, scaling included; listed in `exclusions` too
  int i, j;
  double charge_product;  ///< [e^2]
  double c6;              ///< [kJ nm^6/mol]
  double c12;             ///< [kJ nm^12/mol]
};
struct VirtualSite {  ///< r = r0 + a (r1-r0) + b (r2-r0) + c (r1-r0) x (r2-r0)
  int site;
  int parent0, parent1, parent2;
  double a, b;
  double c;  ///< [1/nm]
};
struct RestrainedAtom {  ///< to its starting position: E = k/2 |x - x0|^2
  int atom;
  double k;  ///< [kJ/mol/nm^2]
};
struct GbAtom {
  double radius;  ///< intrinsic radius [nm]
  double screen;  ///< screening factor of the input file (GBn and GBn2 use their own)
};

struct ForceField {
  std::vector<HarmonicBond> bonds;             ///< every bond of the input, those of water (H-H too) included
  std::vector<FixedDistance> fixed_distances;  ///< make_system turns them into constraints
  std::vector<HarmonicAngle> angles;
  std::vector<UreyBradley> urey_bradleys;
  std::vector<PeriodicDihedral> dihedrals;
  std::vector<HarmonicImproper> impropers;
  std::vector<CmapTorsion> cmaps;
  std::vector<CmapGrid> cmap_grids;
  std::vector<Pair14> pairs14;
  std::vector<VirtualSite> virtual_sites;
  std::vector<double> charges;  ///< [e], one an atom
  std::vector<int> lj_type;     ///< one an atom
  int lj_types = 0;
  std::vector<double> lj_c6, lj_c12;           ///< [lj_types^2], symmetric: E = c12/r^12 - c6/r^6
  std::vector<GbAtom> gb;                      ///< empty or one an atom
  std::vector<std::array<int, 2>> exclusions;  ///< pairs i < j, sorted, unique: no direct-space interaction
};

}  // namespace uplift

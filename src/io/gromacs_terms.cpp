// Dihedrals as periodic terms, and copies of molecules in a system.
#include <cmath>

#include "gromacs_parts.hpp"
#include "uplift/core/constants.hpp"

namespace uplift::gromacs {
namespace {

/// sum over n of a_n cos(n phi), exactly: the constant becomes a term of multiplicity zero.
void add_series(const std::array<int, 4>& d, const std::array<double, 6>& a, ForceField& ff) {
  double constant = a[0];
  for (int n = 1; n < 6; ++n) {
    const double amplitude = a[static_cast<std::size_t>(n)];
    if (amplitude == 0) continue;
    ff.dihedrals.push_back({d[0], d[1], d[2], d[3], n, amplitude < 0 ? constants::pi : 0, std::abs(amplitude), false});
    constant -= std::abs(amplitude);  // k (1 + cos) holds k besides the cosine
  }
  if (constant != 0) ff.dihedrals.push_back({d[0], d[1], d[2], d[3], 0, 0, constant / 2, false});  // k (1 + cos 0) is 2 k
}

/// E = sum of C_n cos^n(psi), psi = phi - 180 degrees (Ryckaert and Bellemans, Chem. Phys. Lett. 30, 123 (1975)), by the
/// multiple angles of powers of the cosine.
std::array<double, 6> ryckaert_bellemans_series(const std::vector<double>& c) {
  std::array<double, 6> p{};  // of powers of cos(phi)
  for (std::size_t n = 0; n < 6; ++n) p[n] = n % 2 ? -c[n] : c[n];
  return {p[0] + p[2] / 2 + 3 * p[4] / 8,
          p[1] + 3 * p[3] / 4 + 5 * p[5] / 8,
          p[2] / 2 + p[4] / 2,
          p[3] / 4 + 5 * p[5] / 16,
          p[4] / 8,
          p[5] / 16};
}

void shift_and_add(const ForceField& from, int shift, ForceField& to) {
  for (HarmonicBond t : from.bonds) t.i += shift, t.j += shift, to.bonds.push_back(t);
  for (FixedDistance t : from.fixed_distances) t.i += shift, t.j += shift, to.fixed_distances.push_back(t);
  for (HarmonicAngle t : from.angles) t.i += shift, t.j += shift, t.k += shift, to.angles.push_back(t);
  for (UreyBradley t : from.urey_bradleys) t.i += shift, t.k += shift, to.urey_bradleys.push_back(t);
  for (PeriodicDihedral t : from.dihedrals) t.i += shift, t.j += shift, t.k += shift, t.l += shift, to.dihedrals.push_back(t);
  for (HarmonicImproper t : from.impropers) t.i += shift, t.j += shift, t.k += shift, t.l += shift, to.impropers.push_back(t);
  for (CmapTorsion t : from.cmaps) t.i += shift, t.j += shift, t.k += shift, t.l += shift, t.m += shift, to.cmaps.push_back(t);
  for (Pair14 t : from.pairs14) t.i += shift, t.j += shift, to.pairs14.push_back(t);
  for (VirtualSite t : from.virtual_sites)
    t.site += shift, t.parent0 += shift, t.parent1 += shift, t.parent2 += shift, to.virtual_sites.push_back(t);
  for (const auto& [i, j] : from.exclusions) to.exclusions.push_back({i + shift, j + shift});
  to.charges.insert(to.charges.end(), from.charges.begin(), from.charges.end());
  to.lj_type.insert(to.lj_type.end(), from.lj_type.begin(), from.lj_type.end());
}

}  // namespace

void add_dihedral(Kind kind, const std::array<int, 4>& d, const std::vector<double>& p, ForceField& ff) {
  switch (kind) {
    case Kind::harmonic_improper:
      ff.impropers.push_back({d[0], d[1], d[2], d[3], p[0] * constants::radians_per_degree, p[1]});
      break;
    case Kind::ryckaert_bellemans:
      add_series(d, ryckaert_bellemans_series(p), ff);
      break;
    case Kind::fourier:  // E = (F1 (1 + cos) + F2 (1 - cos 2) + F3 (1 + cos 3) + F4 (1 - cos 4))/2
      add_series(d, {(p[0] + p[1] + p[2] + p[3]) / 2, p[0] / 2, -p[1] / 2, p[2] / 2, -p[3] / 2, 0}, ff);
      break;
    default: {
      // A negative multiplicity is the same cosine with the other sign of the phase.
      const int n = static_cast<int>(std::abs(p[2]));
      ff.dihedrals.push_back({d[0], d[1], d[2], d[3], n, (p[2] < 0 ? -p[0] : p[0]) * constants::radians_per_degree, p[1],
                              kind == Kind::periodic_improper});
    }
  }
}

void append(const Molecule& molecule, int count, TopologyFile& out) {
  const Topology& from = molecule.topology;
  Topology& to = out.topology;
  // Residues of molecules of one residue are counted on, as there are thousands of the same number otherwise.
  const bool renumber = from.residues.size() == 1 && count > 1;
  for (int copy = 0; copy < count; ++copy) {
    const int atoms = to.size(), residues = static_cast<int>(to.residues.size());
    const int number = to.residues.empty() ? 1 : to.residues.back().number + 1;
    for (Atom a : from.atoms) {
      a.residue += residues;
      to.atoms.push_back(std::move(a));
    }
    for (Residue r : from.residues) {
      r.first_atom += atoms;
      if (renumber) r.number = number;
      to.residues.push_back(std::move(r));
    }
    for (const Bond& b : from.bonds) to.bonds.push_back({b.i + atoms, b.j + atoms});
    for (const RestrainedAtom& r : molecule.restrained) out.restrained.push_back({r.atom + atoms, r.k});
    shift_and_add(molecule.force_field, atoms, out.force_field);
  }
}

}  // namespace uplift::gromacs

// Bonded terms, one SIMD lane a term. Displacements are taken between double positions, moved to the nearest image and only
// then rounded to the working precision: a bond a micrometre from the origin is as exact as one at it.
#include <cstdint>

#include "cpu/bonded_kernels.hpp"
#include "cpu/simd.hpp"
#include "physics/bonded/cmap.hpp"
#include "physics/bonded/harmonic_angle.hpp"
#include "physics/bonded/harmonic_bond.hpp"
#include "physics/bonded/harmonic_improper.hpp"
#include "physics/bonded/pair14.hpp"
#include "physics/bonded/periodic_dihedral.hpp"

namespace uplift::cpu::UPLIFT_ISA {
namespace {

using Wide = Pack<double>;
using WideTag = Wide::Tag;

// ---- loading and storing
// ------------------------------------------------------------------------------------------------------

UPLIFT_HD Wide gather(const double* base, const int* index) {
  const hn::Rebind<std::int32_t, WideTag> narrow;
  const hn::RebindToSigned<WideTag> wide;
  return hn::GatherIndex(WideTag(), base, hn::PromoteTo(wide, hn::LoadU(narrow, index)));
}

// Positions of one atom of each lane, in as many wide registers as a pack of T has lanes for.
template <class T>
struct Positions {
  static constexpr int parts = Pack<T>::width / Wide::width;
  Vec3<Wide> part[parts];
};
template <class T>
UPLIFT_HD Positions<T> positions(const double* x, const int* index) {
  Positions<T> r;
  for (int p = 0; p < Positions<T>::parts; ++p) {
    const int* at = index + p * Wide::width;
    r.part[p] = {gather(x, at), gather(x + 1, at), gather(x + 2, at)};
  }
  return r;
}

UPLIFT_HD Pack<float> rounded(Wide low, Wide high) {
  const Pack<float>::Tag tag;
  const hn::Half<Pack<float>::Tag> half;
  return hn::Combine(tag, hn::DemoteTo(half, high.v), hn::DemoteTo(half, low.v));
}

template <class T>
UPLIFT_HD Vec3<Pack<T>> displacement(const physics::ImageCell& cell, const Positions<T>& to, const Positions<T>& from) {
  const Vec3<Wide> low = physics::nearest_image(cell, to.part[0] - from.part[0]);
  if constexpr (sizeof(T) == 8) {
    return low;
  } else {
    const Vec3<Wide> high = physics::nearest_image(cell, to.part[1] - from.part[1]);
    return {rounded(low.x, high.x), rounded(low.y, high.y), rounded(low.z, high.z)};
  }
}

template <class T>
UPLIFT_HD void store(T* p, Pack<T> value) {
  value.store(p);
}
UPLIFT_HD void store(float* p, Wide value) {
  const hn::Rebind<float, WideTag> narrow;
  hn::StoreU(hn::DemoteTo(narrow, value.v), narrow, p);
}
template <class Real, class Work, class P>
UPLIFT_HD void store_force(const BondedList<Real, Work>& list, int atom, int t, const Vec3<P>& f) {
  const int at = atom * list.padded + t;
  store(list.force_x + at, f.x);
  store(list.force_y + at, f.y);
  store(list.force_z + at, f.z);
}

template <class Real, class Work>
UPLIFT_HD Pack<Work> parameter(const BondedList<Real, Work>& list, int p, int t) {
  return Pack<Work>::load(list.parameters + p * list.padded + t);
}

// Sums over terms are kept in double whatever the terms are in. Each value is first rounded to a multiple of 2^-32 kJ/mol, so
// that sums (below 2^20) are exact and do not depend on how terms are shared out.
UPLIFT_HD Wide widened(Wide value) {
  const Wide magic(0x1.8p20);
  return (value + magic) - magic;
}
UPLIFT_HD Wide widened(Pack<float> value) {
  const hn::Half<Pack<float>::Tag> half;
  return widened(Wide(hn::PromoteTo(WideTag(), hn::LowerHalf(half, value.v)))) +
         widened(Wide(hn::PromoteTo(WideTag(), hn::UpperHalf(half, value.v))));
}

struct Totals {
  Wide energy[2] = {Wide(0.0), Wide(0.0)};
  Wide virial[9] = {Wide(0.0), Wide(0.0), Wide(0.0), Wide(0.0), Wide(0.0), Wide(0.0), Wide(0.0), Wide(0.0), Wide(0.0)};

  template <class P>
  UPLIFT_HD void add_virial(const Vec3<P>& r, const Vec3<P>& f) {
    const P d[3] = {r.x, r.y, r.z}, g[3] = {f.x, f.y, f.z};
    for (int a = 0; a < 3; ++a)
      for (int b = 0; b < 3; ++b) virial[3 * a + b] += widened(d[a] * g[b]);
  }
  UPLIFT_HD void finish(BondedTask& task) const {
    if (task.energies)
      for (int e = 0; e < 2; ++e) task.energy[e] += energy[e].sum();
    if (task.virial)
      for (int w = 0; w < 9; ++w) task.virial_sum[w] += virial[w].sum();
  }
};

// ---- kernels
// ------------------------------------------------------------------------------------------------------------------

template <class Real>
void bond(const BondedList<Real, double>& list, BondedTask& task) {
  Totals totals;
  for (int t = task.first; t < task.last; t += Wide::width) {
    const Vec3<Wide> r_ij = displacement<double>(task.cell, positions<double>(task.x, list.atoms[0] + t),
                                                 positions<double>(task.x, list.atoms[1] + t));
    const auto result = physics::harmonic_bond(r_ij, parameter(list, 0, t), parameter(list, 1, t));
    store_force(list, 0, t, result.force_i);
    store_force(list, 1, t, -result.force_i);
    if (task.energies) totals.energy[0] += widened(result.energy);
    if (task.virial) totals.add_virial(r_ij, result.force_i);
  }
  totals.finish(task);
}

template <class Real>
void pair14(const BondedList<Real, Real>& list, BondedTask& task) {
  using P = Pack<Real>;
  Totals totals;
  for (int t = task.first; t < task.last; t += P::width) {
    const Vec3<P> r_ij =
        displacement<Real>(task.cell, positions<Real>(task.x, list.atoms[0] + t), positions<Real>(task.x, list.atoms[1] + t));
    const auto result = physics::pair14(r_ij, parameter(list, 0, t), parameter(list, 1, t), parameter(list, 2, t));
    store_force(list, 0, t, result.force_i);
    store_force(list, 1, t, -result.force_i);
    if (task.energies) {
      totals.energy[0] += widened(result.lj);
      totals.energy[1] += widened(result.coulomb);
    }
    if (task.virial) totals.add_virial(r_ij, result.force_i);
  }
  totals.finish(task);
}

template <class Real>
void angle(const BondedList<Real, double>& list, BondedTask& task) {
  Totals totals;
  for (int t = task.first; t < task.last; t += Wide::width) {
    const auto apex = positions<double>(task.x, list.atoms[1] + t);
    const Vec3<Wide> r_ij = displacement<double>(task.cell, positions<double>(task.x, list.atoms[0] + t), apex);
    const Vec3<Wide> r_kj = displacement<double>(task.cell, positions<double>(task.x, list.atoms[2] + t), apex);
    const auto result = physics::harmonic_angle(r_ij, r_kj, parameter(list, 0, t), parameter(list, 1, t));
    store_force(list, 0, t, result.force_i);
    store_force(list, 1, t, -(result.force_i + result.force_k));
    store_force(list, 2, t, result.force_k);
    if (task.energies) totals.energy[0] += widened(result.energy);
    if (task.virial) {
      totals.add_virial(r_ij, result.force_i);
      totals.add_virial(r_kj, result.force_k);
    }
  }
  totals.finish(task);
}

// The three bond vectors of a dihedral and the angle they make.
template <class T>
struct Torsion {
  Vec3<Pack<T>> F, G, H;
  physics::DihedralAngle<Pack<T>> angle;
};
template <class T>
UPLIFT_HD Torsion<T> torsion(const BondedTask& task, const int* const* atoms, int t) {
  const auto j = positions<T>(task.x, atoms[1] + t), k = positions<T>(task.x, atoms[2] + t);
  Torsion<T> s;
  s.F = displacement<T>(task.cell, positions<T>(task.x, atoms[0] + t), j);
  s.G = displacement<T>(task.cell, j, k);
  s.H = displacement<T>(task.cell, positions<T>(task.x, atoms[3] + t), k);
  s.angle = physics::dihedral_angle(s.F, s.G, s.H);
  return s;
}

// About atom j: r_i = F, r_k = -G, r_l = H - G.
template <class T>
UPLIFT_HD void add_torsion_virial(Totals& totals, const Torsion<T>& s, const Pack<T>& slope) {
  totals.add_virial(s.F, -slope * s.angle.gradient_i);
  totals.add_virial(s.G, slope * s.angle.gradient_k);
  totals.add_virial(s.H - s.G, -slope * s.angle.gradient_l);
}

template <class Real>
UPLIFT_HD void finish_torsion(const BondedList<Real, Real>& list, const BondedTask& task, Totals& totals, int t,
                              const Torsion<Real>& s, const physics::DihedralEnergy<Pack<Real>>& result) {
  store_force(list, 0, t, -result.slope * s.angle.gradient_i);
  store_force(list, 1, t, -result.slope * s.angle.gradient_j);
  store_force(list, 2, t, -result.slope * s.angle.gradient_k);
  store_force(list, 3, t, -result.slope * s.angle.gradient_l);
  if (task.energies) totals.energy[0] += widened(result.energy);
  if (task.virial) add_torsion_virial(totals, s, result.slope);
}

template <class Real>
void dihedral(const BondedList<Real, Real>& list, BondedTask& task) {
  using P = Pack<Real>;
  Totals totals;
  for (int t = task.first; t < task.last; t += P::width) {
    const Torsion<Real> s = torsion<Real>(task, list.atoms, t);
    const auto harmonic = [&](int n) __attribute__((always_inline)) {
      return physics::DihedralHarmonic<P>{parameter(list, 2 * n - 1, t), parameter(list, 2 * n, t)};
    };
    finish_torsion(list, task, totals, t, s,
                   physics::periodic_dihedral(s.angle.cosine, s.angle.sine, parameter(list, 0, t), list.order, harmonic));
  }
  totals.finish(task);
}

template <class Real>
void improper(const BondedList<Real, Real>& list, BondedTask& task) {
  Totals totals;
  for (int t = task.first; t < task.last; t += Pack<Real>::width) {
    const Torsion<Real> s = torsion<Real>(task, list.atoms, t);
    finish_torsion(list, task, totals, t, s,
                   physics::harmonic_improper(s.angle.cosine, s.angle.sine, parameter(list, 0, t), parameter(list, 1, t),
                                              parameter(list, 2, t)));
  }
  totals.finish(task);
}

template <class Real>
void cmap(const BondedList<Real, double>& list, BondedTask& task) {
  Totals totals;
  const hn::RebindToSigned<WideTag> whole;
  const hn::Rebind<std::int32_t, WideTag> narrow;
  for (int t = task.first; t < task.last; t += Wide::width) {
    const Torsion<double> phi = torsion<double>(task, list.atoms, t), psi = torsion<double>(task, list.atoms + 1, t);
    const Wide resolution = parameter(list, 0, t), strength = parameter(list, 1, t);
    const auto along_phi = physics::cmap_cell(phi.angle.cosine, phi.angle.sine, resolution);
    const auto along_psi = physics::cmap_cell(psi.angle.cosine, psi.angle.sine, resolution);
    const Wide cell = Wide(16.0) * (along_phi.cell * resolution + along_psi.cell);
    const auto start = hn::Add(hn::ConvertTo(whole, cell.v), hn::PromoteTo(whole, hn::LoadU(narrow, list.table_start + t)));
    const auto coefficient = [&](int c) __attribute__((always_inline)) {
      return Wide(hn::GatherIndex(WideTag(), list.table + c, start));
    };
    const auto result = physics::cmap_energy(along_phi.fraction, along_psi.fraction, resolution, coefficient);
    const Wide slope_phi = strength * result.slope_phi, slope_psi = strength * result.slope_psi;
    store_force(list, 0, t, -slope_phi * phi.angle.gradient_i);
    store_force(list, 1, t, -(slope_phi * phi.angle.gradient_j + slope_psi * psi.angle.gradient_i));
    store_force(list, 2, t, -(slope_phi * phi.angle.gradient_k + slope_psi * psi.angle.gradient_j));
    store_force(list, 3, t, -(slope_phi * phi.angle.gradient_l + slope_psi * psi.angle.gradient_k));
    store_force(list, 4, t, -slope_psi * psi.angle.gradient_l);
    if (task.energies) totals.energy[0] += widened(strength * result.energy);
    if (task.virial) {
      add_torsion_virial(totals, phi, slope_phi);
      add_torsion_virial(totals, psi, slope_psi);
    }
  }
  totals.finish(task);
}

}  // namespace

extern const BondedKernels bonded_kernels;
const BondedKernels bonded_kernels{
    {bond<float>, angle<float>, dihedral<float>, improper<float>, cmap<float>, pair14<float>},
    {bond<double>, angle<double>, dihedral<double>, improper<double>, cmap<double>, pair14<double>}};

}  // namespace uplift::cpu::UPLIFT_ISA

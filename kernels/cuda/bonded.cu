#include <cuda/adding.cuh>
#include <cuda/bonded.cuh>

#include "physics/bonded/cmap.hpp"
#include "physics/bonded/dihedral_angle.hpp"
#include "physics/bonded/harmonic_angle.hpp"
#include "physics/bonded/harmonic_bond.hpp"
#include "physics/bonded/harmonic_improper.hpp"
#include "physics/bonded/pair14.hpp"
#include "physics/bonded/periodic_dihedral.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

constexpr unsigned block_threads = 128;

/// What a thread adds up and adds to.
struct Work {
  const Vec3d* x;
  physics::ImageCell cell;
  SumsView sums;
  bool virial_wanted;
  double energy[2] = {0, 0};
  Virial virial;

  __device__ Vec3d position(int atom) const { return x[atom]; }
  /// Differences are taken in double, and then rounded.
  template <class T>
  __device__ Vec3<T> between(const Vec3d& a, const Vec3d& b) const {
    const Vec3d d = physics::nearest_image(cell, a - b);
    return {static_cast<T>(d.x), static_cast<T>(d.y), static_cast<T>(d.z)};
  }
  template <class T>
  __device__ void force(int atom, const Vec3<T>& f) const {
    add_force(sums, atom, {static_cast<double>(f.x), static_cast<double>(f.y), static_cast<double>(f.z)});
  }
  template <class T>
  __device__ void add_virial(const Vec3<T>& r, const Vec3<T>& f) {
    if (virial_wanted)
      virial.add({static_cast<double>(r.x), static_cast<double>(r.y), static_cast<double>(r.z)},
                 {static_cast<double>(f.x), static_cast<double>(f.y), static_cast<double>(f.z)});
  }
};

template <class T>
__device__ T parameter(const double* p, int k) {
  return static_cast<T>(p[k]);
}

struct Bond {
  __device__ static void run(const BondedView&, int, const int* atoms, const double* p, Work& work) {
    const Vec3d r = work.between<double>(work.position(atoms[0]), work.position(atoms[1]));
    const auto result = physics::harmonic_bond(r, p[0], p[1]);
    work.force(atoms[0], result.force_i);
    work.force(atoms[1], -result.force_i);
    work.energy[0] += result.energy;
    work.add_virial(r, result.force_i);
  }
};

struct Angle {
  __device__ static void run(const BondedView&, int, const int* atoms, const double* p, Work& work) {
    const Vec3d apex = work.position(atoms[1]);
    const Vec3d r_ij = work.between<double>(work.position(atoms[0]), apex),
                r_kj = work.between<double>(work.position(atoms[2]), apex);
    const auto result = physics::harmonic_angle(r_ij, r_kj, p[0], p[1]);
    work.force(atoms[0], result.force_i);
    work.force(atoms[1], -(result.force_i + result.force_k));
    work.force(atoms[2], result.force_k);
    work.energy[0] += result.energy;
    work.add_virial(r_ij, result.force_i);
    work.add_virial(r_kj, result.force_k);
  }
};

template <class T>
struct Torsion {
  Vec3<T> F, G, H;
  physics::DihedralAngle<T> angle;

  __device__ Torsion(const Work& work, const int* atoms) {
    const Vec3d j = work.position(atoms[1]), k = work.position(atoms[2]);
    F = work.between<T>(work.position(atoms[0]), j);
    G = work.between<T>(j, k);
    H = work.between<T>(work.position(atoms[3]), k);
    angle = physics::dihedral_angle(F, G, H);
  }
  /// About atom j: r_i = F, r_k = -G, r_l = H - G.
  __device__ void add_virial(Work& work, T slope) const {
    work.add_virial(F, -slope * angle.gradient_i);
    work.add_virial(G, slope * angle.gradient_k);
    work.add_virial(H - G, -slope * angle.gradient_l);
  }
  __device__ void finish(Work& work, const int* atoms, const physics::DihedralEnergy<T>& result) const {
    work.force(atoms[0], -result.slope * angle.gradient_i);
    work.force(atoms[1], -result.slope * angle.gradient_j);
    work.force(atoms[2], -result.slope * angle.gradient_k);
    work.force(atoms[3], -result.slope * angle.gradient_l);
    work.energy[0] += static_cast<double>(result.energy);
    add_virial(work, result.slope);
  }
};

template <class T>
struct Dihedral {
  __device__ static void run(const BondedView& list, int, const int* atoms, const double* p, Work& work) {
    const Torsion<T> torsion(work, atoms);
    const auto harmonic = [&](int n) {
      return physics::DihedralHarmonic<T>{parameter<T>(p, 2 * n - 1), parameter<T>(p, 2 * n)};
    };
    torsion.finish(
        work, atoms,
        physics::periodic_dihedral(torsion.angle.cosine, torsion.angle.sine, parameter<T>(p, 0), list.order, harmonic));
  }
};

template <class T>
struct Improper {
  __device__ static void run(const BondedView&, int, const int* atoms, const double* p, Work& work) {
    const Torsion<T> torsion(work, atoms);
    torsion.finish(work, atoms,
                   physics::harmonic_improper(torsion.angle.cosine, torsion.angle.sine, parameter<T>(p, 0), parameter<T>(p, 1),
                                              parameter<T>(p, 2)));
  }
};

struct Cmap {
  __device__ static void run(const BondedView& list, int row, const int* atoms, const double* p, Work& work) {
    const Torsion<double> phi(work, atoms), psi(work, atoms + 1);
    const double resolution = p[0], strength = p[1];
    const auto along_phi = physics::cmap_cell(phi.angle.cosine, phi.angle.sine, resolution);
    const auto along_psi = physics::cmap_cell(psi.angle.cosine, psi.angle.sine, resolution);
    const double* patch =
        list.table + list.table_start[row] + 16 * static_cast<int>(along_phi.cell * resolution + along_psi.cell);
    const auto result =
        physics::cmap_energy(along_phi.fraction, along_psi.fraction, resolution, [&](int c) { return patch[c]; });
    const double slope_phi = strength * result.slope_phi, slope_psi = strength * result.slope_psi;
    work.force(atoms[0], -slope_phi * phi.angle.gradient_i);
    work.force(atoms[1], -(slope_phi * phi.angle.gradient_j + slope_psi * psi.angle.gradient_i));
    work.force(atoms[2], -(slope_phi * phi.angle.gradient_k + slope_psi * psi.angle.gradient_j));
    work.force(atoms[3], -(slope_phi * phi.angle.gradient_l + slope_psi * psi.angle.gradient_k));
    work.force(atoms[4], -slope_psi * psi.angle.gradient_l);
    work.energy[0] += strength * result.energy;
    phi.add_virial(work, slope_phi);
    psi.add_virial(work, slope_psi);
  }
};

template <class T>
struct OneFour {
  __device__ static void run(const BondedView&, int, const int* atoms, const double* p, Work& work) {
    const Vec3<T> r = work.between<T>(work.position(atoms[0]), work.position(atoms[1]));
    const auto result = physics::pair14(r, parameter<T>(p, 0), parameter<T>(p, 1), parameter<T>(p, 2));
    work.force(atoms[0], result.force_i);
    work.force(atoms[1], -result.force_i);
    work.energy[0] += static_cast<double>(result.lj);
    work.energy[1] += static_cast<double>(result.coulomb);
    work.add_virial(r, result.force_i);
  }
};

/// T: of torsions and 1-4 pairs.
template <class T>
__device__ void run(const BondedView& list, int row, Work& work) {
  const int* atoms = list.atoms + row * list.atoms_per_row;
  const double* p = list.parameters + row * list.parameters_per_row;
  switch (list.kind) {
    case BondedKind::bond:
      Bond::run(list, row, atoms, p, work);
      break;
    case BondedKind::angle:
      Angle::run(list, row, atoms, p, work);
      break;
    case BondedKind::dihedral:
      Dihedral<T>::run(list, row, atoms, p, work);
      break;
    case BondedKind::improper:
      Improper<T>::run(list, row, atoms, p, work);
      break;
    case BondedKind::cmap:
      Cmap::run(list, row, atoms, p, work);
      break;
    case BondedKind::pair14:
      OneFour<T>::run(list, row, atoms, p, work);
  }
}

/// First block of each list, and of what comes after the last.
struct Blocks {
  int first[most_bonded_lists + 1];
};

template <class T>
__global__ void __launch_bounds__(block_threads)
    bonded_kernel(BondedLists lists, Blocks blocks, const Vec3d* x, physics::ImageCell cell, SumsView sums, Tally tally) {
  const int block = static_cast<int>(blockIdx.x);
  int number = 0;
  while (block >= blocks.first[number + 1]) ++number;
  const BondedView& list = lists.list[number];
  const int row = (block - blocks.first[number]) * static_cast<int>(block_threads) + static_cast<int>(threadIdx.x);
  Work work{x, cell, sums, tally.virial, {0, 0}, {}};
  if (row < list.count) run<T>(list, row, work);
  if (tally.energies) {
    add_of_warp(sums.energy + list.first, work.energy[0]);
    if (list.second != list.first) add_of_warp(sums.energy + list.second, work.energy[1]);
  }
  if (tally.virial) work.virial.flush(sums);
}

}  // namespace

void launch_bonded(const BondedLists& lists, const Vec3d* x, const physics::ImageCell& cell, const SumsView& sums, Tally tally,
                   bool mixed, cudaStream_t stream) {
  Blocks blocks{};
  for (int k = 0; k < lists.count; ++k)
    blocks.first[k + 1] =
        blocks.first[k] + (lists.list[k].count + static_cast<int>(block_threads) - 1) / static_cast<int>(block_threads);
  const cuda::LaunchShape shape{static_cast<unsigned>(blocks.first[lists.count]), block_threads};
  if (shape.blocks == 0) return;
  if (mixed)
    UPLIFT_LAUNCH(bonded_kernel<float>, shape, stream, lists, blocks, x, cell, sums, tally);
  else
    UPLIFT_LAUNCH(bonded_kernel<double>, shape, stream, lists, blocks, x, cell, sums, tally);
}

}  // namespace uplift::UPLIFT_DEVICE

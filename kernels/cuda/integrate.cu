#include <cuda/adding.cuh>
#include <cuda/integrate.cuh>

#include "physics/bonded/virtual_site.hpp"
#include "physics/integrate/scaled_molecule.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

constexpr unsigned block_threads = 128;

__device__ int thread_number() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }

__global__ void __launch_bounds__(block_threads) moments_kernel(AtomsView atoms, AtomList those, Fixed* sums) {
  const int n = thread_number(), i = n < those.count ? those[n] : -1;
  const Vec3d v = i >= 0 ? atoms.v[i] : Vec3d{0, 0, 0};
  const double m = i >= 0 ? atoms.mass[i] : 0;
  add_of_warp(sums, 0.5 * m * dot(v, v));
  add_of_warp(sums + 1, m * v.x);
  add_of_warp(sums + 2, m * v.y);
  add_of_warp(sums + 3, m * v.z);
}

__global__ void __launch_bounds__(block_threads)
    worst_force_kernel(AtomList atoms, LevelsView levels, const Shared* shared, unsigned long long* worst) {
  const int n = thread_number();
  if (n >= atoms.count) return;
  const int i = atoms[n];
  const Vec3d force = force_of(levels, shared, i);
  const auto bits = static_cast<unsigned>(__float_as_int(static_cast<float>(std::sqrt(dot(force, force)))));
  atomicMax(worst, static_cast<unsigned long long>(bits) << 32 | ~static_cast<unsigned>(i));
}

__global__ void __launch_bounds__(block_threads)
    scale_box_kernel(AtomsView atoms, MoleculesView molecules, Vec3d factor, bool velocities) {
  const int n = thread_number();
  if (n >= molecules.count) return;
  const int m = molecules.molecule ? molecules.molecule[n] : n;
  Vec3d centre{0, 0, 0}, momentum{0, 0, 0};
  double mass = 0;
  for (int k = molecules.start[m]; k < molecules.start[m + 1]; ++k) {
    const int i = molecules.atoms[k];
    mass += atoms.mass[i];
    centre += atoms.mass[i] * atoms.x[i];
    momentum += atoms.mass[i] * atoms.v[i];
  }
  if (!(mass > 0)) return;
  const physics::MoleculeChange scaled = physics::scaled_molecule(factor, mass, centre, momentum);
  for (int k = molecules.start[m]; k < molecules.start[m + 1]; ++k) {
    const int i = molecules.atoms[k];
    atoms.x[i] += scaled.shift;
    if (velocities && atoms.mass[i] > 0) atoms.v[i] += scaled.change;
  }
}

constexpr double place_scale = 0x1p24;

__global__ void __launch_bounds__(block_threads) spread_sums_kernel(AtomsView atoms, AtomList home, SpreadView spread) {
  const int n = thread_number();
  if (n >= home.count) return;
  const int i = home[n], m = spread.of_atom[i];
  if (m < 0) return;
  const Vec3d x = (atoms.mass[i] * place_scale) * atoms.x[i], p = atoms.mass[i] * atoms.v[i];
  Fixed* to = spread.sums + 6 * static_cast<std::ptrdiff_t>(m);
  add(to, __double2ll_rn(x.x));
  add(to + 1, __double2ll_rn(x.y));
  add(to + 2, __double2ll_rn(x.z));
  add(to + 3, fixed_energy(p.x));
  add(to + 4, fixed_energy(p.y));
  add(to + 5, fixed_energy(p.z));
}

__global__ void __launch_bounds__(block_threads)
    scale_spread_kernel(AtomsView atoms, AtomList home, SpreadView spread, Vec3d factor, bool velocities) {
  const int n = thread_number();
  if (n >= home.count) return;
  const int i = home[n], m = spread.of_atom[i];
  if (m < 0 || !(spread.mass[m] > 0)) return;
  const Fixed* from = spread.sums + 6 * static_cast<std::ptrdiff_t>(m);
  const auto place = [&](int k) { return static_cast<double>(from[k]) / place_scale; };
  const physics::MoleculeChange scaled = physics::scaled_molecule(
      factor, spread.mass[m], {place(0), place(1), place(2)}, {from_fixed(from[3]), from_fixed(from[4]), from_fixed(from[5])});
  atoms.x[i] += scaled.shift;
  if (velocities && atoms.mass[i] > 0) atoms.v[i] += scaled.change;
}

__global__ void __launch_bounds__(block_threads) place_sites_kernel(AtomsView atoms, SitesView sites) {
  const int s = thread_number();
  if (s >= sites.count) return;
  const int* a = sites.atoms + 4 * s;
  const double* p = sites.parameters + 3 * s;
  const Vec3d r0 = atoms.x[a[1]];
  atoms.x[a[0]] = physics::virtual_site_position(r0, atoms.x[a[2]] - r0, atoms.x[a[3]] - r0, p[0], p[1], p[2]);
}

__global__ void __launch_bounds__(block_threads)
    spread_sites_kernel(AtomsView atoms, SitesView sites, SumsView sums, bool virial) {
  const int s = thread_number();
  Virial change;
  if (s < sites.count) {
    const int* a = sites.atoms + 4 * s;
    const double* p = sites.parameters + 3 * s;
    Fixed* own = sums.force + 3 * static_cast<std::ptrdiff_t>(a[0]);
    const Vec3d f{from_fixed(own[0]), from_fixed(own[1]), from_fixed(own[2])};
    own[0] = own[1] = own[2] = 0;
    const Vec3d r0 = atoms.x[a[1]], u = atoms.x[a[2]] - r0, w = atoms.x[a[3]] - r0;
    const auto parents = physics::spread_virtual_site_force(u, w, p[0], p[1], p[2], f);
    // A site out of the plane of its parents contributes another virial there than its spread force does on the parents.
    if (p[2] != 0) {
      change.add(u, parents.on1);
      change.add(w, parents.on2);
      change.add(-(atoms.x[a[0]] - r0), f);
    }
    add_force(sums, a[1], parents.on0);
    add_force(sums, a[2], parents.on1);
    add_force(sums, a[3], parents.on2);
  }
  if (virial) change.flush(sums);
}

}  // namespace

using cuda::cover;

void launch_moments(const AtomsView& atoms, const AtomList& those, Fixed* sums, cudaStream_t stream) {
  UPLIFT_LAUNCH(moments_kernel, cover(those.count, block_threads), stream, atoms, those, sums);
}
void launch_spread_sums(const AtomsView& atoms, const AtomList& home, const SpreadView& spread, cudaStream_t stream) {
  if (home.count > 0) UPLIFT_LAUNCH(spread_sums_kernel, cover(home.count, block_threads), stream, atoms, home, spread);
}
void launch_scale_spread(const AtomsView& atoms, const AtomList& home, const SpreadView& spread, const ScaleBox& stage,
                         cudaStream_t stream) {
  if (home.count > 0)
    UPLIFT_LAUNCH(scale_spread_kernel, cover(home.count, block_threads), stream, atoms, home, spread, stage.factor,
                  stage.velocities);
}
void launch_worst_force(const AtomList& atoms, const LevelsView& levels, const Shared* shared, unsigned long long* worst,
                        cudaStream_t stream) {
  UPLIFT_LAUNCH(worst_force_kernel, cover(atoms.count, block_threads), stream, atoms, levels, shared, worst);
}
void launch_scale_box(const AtomsView& atoms, const MoleculesView& molecules, const ScaleBox& stage, cudaStream_t stream) {
  UPLIFT_LAUNCH(scale_box_kernel, cover(molecules.count, block_threads), stream, atoms, molecules, stage.factor,
                stage.velocities);
}
void launch_place_sites(const AtomsView& atoms, const SitesView& sites, cudaStream_t stream) {
  if (sites.count > 0) UPLIFT_LAUNCH(place_sites_kernel, cover(sites.count, block_threads), stream, atoms, sites);
}
void launch_spread_sites(const AtomsView& atoms, const SitesView& sites, const SumsView& sums, bool virial,
                         cudaStream_t stream) {
  if (sites.count > 0)
    UPLIFT_LAUNCH(spread_sites_kernel, cover(sites.count, block_threads), stream, atoms, sites, sums, virial);
}

}  // namespace uplift::UPLIFT_DEVICE

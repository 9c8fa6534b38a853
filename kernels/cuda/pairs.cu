#include <cuda/pairs.cuh>

#include "physics/bonded/position_restraint.hpp"
#include "physics/pair/lennard_jones.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/model/energies.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

constexpr unsigned block_threads = 128;

__device__ int thread_number() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }
__device__ Fixed* energy_of(const SumsView& sums, EnergyTerm term) { return sums.energy + static_cast<int>(term); }

/// A fraction of the box as an integer; not a number becomes 0, and the blow-up check finds the atom.
__device__ std::int32_t lattice(double fraction) {
  const double u = fraction - std::floor(fraction);
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(u >= 0 && u < 1 ? static_cast<std::uint64_t>(u * 0x1p32 + 0.5) : 0));
}
__device__ void set(std::int32_t& to, double fraction, double) { to = lattice(fraction); }
__device__ void set(double& to, double fraction, double position) { to = fraction == fraction ? fraction - std::floor(fraction) : position; }

template <class real>
__global__ void __launch_bounds__(block_threads)
    place_kernel(const Vec3d* x, const double* charge, const int* type, int atoms, BoxView box, PairSite<real>* sites) {
  const int i = thread_number();
  if (i >= atoms) return;
  PairSite<real> site;
  const Vec3d r = x[i];
  if (box.ax > 0) {
    const double sz = r.z / box.cz, sy = (r.y - sz * box.cy) / box.by, sx = (r.x - sy * box.bx - sz * box.cx) / box.ax;
    set(site.x, sx, r.x);
    set(site.y, sy, r.y);
    set(site.z, sz, r.z);
  } else if constexpr (sizeof(real) == 8) {
    site.x = r.x;
    site.y = r.y;
    site.z = r.z;
  }
  site.charge = static_cast<real>(std::sqrt(constants::coulomb) * charge[i]);
  site.type = type[i];
  sites[i] = site;
}

/// Difference of two coordinates, in [-1/2, 1/2] of the box where there is one.
__device__ float difference(std::int32_t a, std::int32_t b, bool) {
  return static_cast<float>(static_cast<std::int32_t>(static_cast<std::uint32_t>(a) - static_cast<std::uint32_t>(b)));
}
__device__ double difference(double a, double b, bool periodic) {
  const double d = a - b;
  return periodic ? d - std::nearbyint(d) : d;
}

/// What one atom collects; energies and virial are counted from both sides of a pair, so each side takes half.
template <class real>
struct Collected {
  Vec3<real> force{0, 0, 0};
  real lj = 0, coulomb = 0, virial[6] = {0, 0, 0, 0, 0, 0};
};

template <class real, CoulombForm form>
__device__ void add_pair(const PairParameters<real>& p, const PairSite<real>& i, const PairSite<real>& j, Collected<real>& sum) {
  const real ux = difference(i.x, j.x, p.periodic), uy = difference(i.y, j.y, p.periodic), uz = difference(i.z, j.z, p.periodic);
  const Vec3<real> d{p.a[0] * ux + p.a[1] * uy + p.a[2] * uz, p.a[3] * uy + p.a[4] * uz, p.a[5] * uz};
  const real r2 = dot(d, d);
  if (!(r2 < p.cutoff2)) return;
  const real inverse_r = physics::rsqrt(r2), inverse_r2 = inverse_r * inverse_r;
  const int table = i.type * p.types + j.type;
  physics::PairTerm<real> lj = physics::lennard_jones(inverse_r2, p.c6[table], p.c12[table]);
  if (p.switching) lj = physics::switched(lj, r2 * inverse_r, inverse_r, p.switch_on, p.switch_inverse_width);
  const real qq = i.charge * j.charge;
  physics::PairTerm<real> coulomb;
  if constexpr (form == CoulombForm::ewald)
    coulomb = physics::coulomb_ewald(r2, inverse_r, qq, p.erf);
  else if constexpr (form == CoulombForm::reaction_field)
    coulomb = physics::coulomb_reaction_field(r2, inverse_r, qq, p.rf_k, p.rf_c);
  else
    coulomb = physics::coulomb_plain(inverse_r, qq);
  const Vec3<real> f = (lj.force_over_r + coulomb.force_over_r) * d;
  sum.force += f;
  sum.lj += lj.energy;
  sum.coulomb += coulomb.energy;
  sum.virial[0] += d.x * f.x;
  sum.virial[1] += d.y * f.y;
  sum.virial[2] += d.z * f.z;
  sum.virial[3] += d.x * f.y;
  sum.virial[4] += d.x * f.z;
  sum.virial[5] += d.y * f.z;
}

/// A block takes one tile of partners after the other into shared memory; sums of a tile are in `real`, sums of tiles in double.
template <class real, CoulombForm form>
__global__ void __launch_bounds__(block_threads) pairs_kernel(PairParameters<real> p, const PairSite<real>* sites, SumsView sums, bool tally) {
  UPLIFT_SHARED(PairSite<real>[block_threads], tile);
  const int i = thread_number(), lane = static_cast<int>(threadIdx.x);
  const bool active = i < p.atoms;
  const PairSite<real> own = sites[active ? i : 0];
  int next = active ? p.exclusion_start[i] : 0;
  const int end = active ? p.exclusion_start[i + 1] : 0;
  Vec3d force{0, 0, 0};
  double lj = 0, coulomb = 0, virial[6] = {0, 0, 0, 0, 0, 0};
  for (int first = 0; first < p.atoms; first += static_cast<int>(block_threads)) {
    if (first + lane < p.atoms) tile[lane] = sites[first + lane];
    __syncthreads();
    const int count = p.atoms - first < static_cast<int>(block_threads) ? p.atoms - first : static_cast<int>(block_threads);
    Collected<real> sum;
    for (int k = 0; active && k < count; ++k) {
      const int j = first + k;
      while (next < end && p.exclusions[next] < j) ++next;
      if (j == i || (next < end && p.exclusions[next] == j)) continue;
      add_pair<real, form>(p, own, tile[k], sum);
    }
    force += Vec3d{static_cast<double>(sum.force.x), static_cast<double>(sum.force.y), static_cast<double>(sum.force.z)};
    lj += static_cast<double>(sum.lj);
    coulomb += static_cast<double>(sum.coulomb);
    for (int k = 0; k < 6; ++k) virial[k] += static_cast<double>(sum.virial[k]);
    __syncthreads();
  }
  if (active) add_force(sums, i, force);
  if (!tally) return;
  add_of_warp(energy_of(sums, EnergyTerm::lj), 0.5 * lj);
  add_of_warp(energy_of(sums, EnergyTerm::coulomb_direct), 0.5 * coulomb);
  const int place[6] = {0, 4, 8, 1, 2, 5}, mirror[6] = {-1, -1, -1, 3, 6, 7};
  for (int k = 0; k < 6; ++k) {
    add_of_warp(sums.virial + place[k], 0.5 * virial[k]);
    if (mirror[k] >= 0) add_of_warp(sums.virial + mirror[k], 0.5 * virial[k]);
  }
}

__global__ void __launch_bounds__(block_threads)
    excluded_kernel(const int* pairs, int count, const Vec3d* x, const double* charge, physics::ImageCell cell, double alpha, SumsView sums, bool tally) {
  const int n = thread_number();
  double energy = 0;
  Virial virial;
  if (n < count) {
    const int i = pairs[2 * n], j = pairs[2 * n + 1];
    const Vec3d d = physics::nearest_image(cell, x[i] - x[j]);
    const double r = std::sqrt(dot(d, d)), qq = constants::coulomb * charge[i] * charge[j];
    energy = -qq * physics::erf_over_r(alpha, r);
    const Vec3d f = (-qq * physics::erf_force_over_r(alpha, r)) * d;
    add_force(sums, i, f);
    add_force(sums, j, -f);
    virial.add(d, f);
  }
  if (!tally) return;
  add_of_warp(energy_of(sums, EnergyTerm::coulomb_direct), energy);
  for (int k = 0; k < 9; ++k) add_of_warp(sums.virial + k, virial.w[k]);
}

__global__ void __launch_bounds__(block_threads)
    restraints_kernel(RestraintsView restraints, const Vec3d* x, physics::ImageCell cell, SumsView sums, bool tally) {
  const int n = thread_number();
  double energy = 0;
  Virial virial;
  if (n < restraints.count) {
    const Vec3d arm = restraints.arm[n];
    const Vec3d d = physics::nearest_image(cell, x[restraints.atoms[n]] - (restraints.centre[n] + arm));
    const auto result = physics::position_restraint(d, restraints.k[n]);
    add_force(sums, restraints.atoms[n], result.force);
    energy = result.energy;
    virial.add(d + arm, result.force);
  }
  if (!tally) return;
  add_of_warp(energy_of(sums, EnergyTerm::restraint), energy);
  for (int k = 0; k < 9; ++k) add_of_warp(sums.virial + k, virial.w[k]);
}

}  // namespace

using cuda::cover;

template <class real>
void launch_pair_sites(const Vec3d* x, const double* charge, const int* type, int atoms, const BoxView& box, PairSite<real>* sites, cudaStream_t stream) {
  UPLIFT_LAUNCH(place_kernel<real>, cover(atoms, block_threads), stream, x, charge, type, atoms, box, sites);
}
template void launch_pair_sites<float>(const Vec3d*, const double*, const int*, int, const BoxView&, PairSite<float>*, cudaStream_t);
template void launch_pair_sites<double>(const Vec3d*, const double*, const int*, int, const BoxView&, PairSite<double>*, cudaStream_t);

template <class real>
void launch_pairs(CoulombForm form, const PairParameters<real>& p, const PairSite<real>* sites, const SumsView& sums, bool tally, cudaStream_t stream) {
  const cuda::LaunchShape shape = cover(p.atoms, block_threads);
  switch (form) {
    case CoulombForm::plain:
      UPLIFT_LAUNCH((pairs_kernel<real, CoulombForm::plain>), shape, stream, p, sites, sums, tally);
      break;
    case CoulombForm::reaction_field:
      UPLIFT_LAUNCH((pairs_kernel<real, CoulombForm::reaction_field>), shape, stream, p, sites, sums, tally);
      break;
    case CoulombForm::ewald:
      UPLIFT_LAUNCH((pairs_kernel<real, CoulombForm::ewald>), shape, stream, p, sites, sums, tally);
  }
}
template void launch_pairs<float>(CoulombForm, const PairParameters<float>&, const PairSite<float>*, const SumsView&, bool, cudaStream_t);
template void launch_pairs<double>(CoulombForm, const PairParameters<double>&, const PairSite<double>*, const SumsView&, bool, cudaStream_t);

void launch_excluded(const int* pairs, int count, const Vec3d* x, const double* charge, const physics::ImageCell& cell, double alpha,
                     const SumsView& sums, bool tally, cudaStream_t stream) {
  if (count > 0) UPLIFT_LAUNCH(excluded_kernel, cover(count, block_threads), stream, pairs, count, x, charge, cell, alpha, sums, tally);
}
void launch_restraints(const RestraintsView& restraints, const Vec3d* x, const physics::ImageCell& cell, const SumsView& sums, bool tally,
                       cudaStream_t stream) {
  if (restraints.count > 0) UPLIFT_LAUNCH(restraints_kernel, cover(restraints.count, block_threads), stream, restraints, x, cell, sums, tally);
}

}  // namespace uplift::UPLIFT_DEVICE

#include <cuda/pair_forces.cuh>

#include "physics/pair/lennard_jones.hpp"
#include "uplift/model/energies.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

constexpr unsigned block_threads = 128;

__device__ int thread_number() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }

struct Site {
  Vec3d x;
  double charge;
  TabledLj lj;
};
__device__ Site site_of(const PairsView& pairs, const Vec3d* x, int i) {
  return {x[i], std::sqrt(constants::coulomb) * pairs.charge[i], {pairs.type[i]}};
}

/// A block takes one tile of partners after the other into shared memory. Pairs are counted from both sides, so each side has
/// half of the energy.
__global__ void __launch_bounds__(block_threads)
    all_pairs_kernel(PairsView pairs, PairParameters<double> p, const Vec3d* x, SumsView sums, Tally tally) {
  UPLIFT_SHARED(Site[block_threads], tile);
  const int i = thread_number(), lane = static_cast<int>(threadIdx.x);
  const bool active = i < pairs.atoms;
  const Site own = site_of(pairs, x, active ? i : 0);
  int next = active ? pairs.exclusion_start[i] : 0;
  const int end = active ? pairs.exclusion_start[i + 1] : 0;
  Vec3d force{0, 0, 0};
  PairTally sum;
  constexpr bool may_switch = false;  // what would be switched off has no cutoff
  for (int first = 0; first < pairs.atoms; first += static_cast<int>(block_threads)) {
    if (first + lane < pairs.atoms) tile[lane] = site_of(pairs, x, first + lane);
    __syncthreads();
    const int count =
        pairs.atoms - first < static_cast<int>(block_threads) ? pairs.atoms - first : static_cast<int>(block_threads);
    for (int k = 0; active && k < count; ++k) {
      const int j = first + k;
      while (next < end && pairs.exclusions[next] < j) ++next;
      if (j == i || (next < end && pairs.exclusions[next] == j)) continue;
      const Vec3d d = own.x - tile[k].x;
      const auto f = pair_force<CoulombForm::plain, LjKind::table, 0, may_switch>(p, dot(d, d), own.charge * tile[k].charge,
                                                                                  own.lj, tile[k].lj);
      force += f.force_over_r * d;
      if (tally.energies || tally.virial) sum.add(d, f);
    }
    __syncthreads();
  }
  if (active) add_force(sums, i, force);
  if (tally.energies) sum.flush_energies(sums, 0.5);
  if (tally.virial) sum.flush_virial(sums, 0.5);
}

__global__ void __launch_bounds__(block_threads)
    excluded_kernel(const int* pairs, int count, const Vec3d* x, const double* charge, physics::ImageCell cell, double alpha,
                    SumsView sums, Tally tally) {
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
  if (tally.energies) add_of_warp(sums.energy + static_cast<int>(EnergyTerm::coulomb_direct), energy);
  if (tally.virial) virial.flush(sums);
}

}  // namespace

using cuda::cover;

void launch_all_pairs(const PairsView& pairs, const PairParameters<double>& p, const Vec3d* x, const SumsView& sums,
                      Tally tally, cudaStream_t stream) {
  if (pairs.atoms > 0) UPLIFT_LAUNCH(all_pairs_kernel, cover(pairs.atoms, block_threads), stream, pairs, p, x, sums, tally);
}

void launch_excluded(const int* pairs, int count, const Vec3d* x, const double* charge, const physics::ImageCell& cell,
                     double alpha, const SumsView& sums, Tally tally, cudaStream_t stream) {
  if (count > 0)
    UPLIFT_LAUNCH(excluded_kernel, cover(count, block_threads), stream, pairs, count, x, charge, cell, alpha, sums, tally);
}

}  // namespace uplift::UPLIFT_DEVICE

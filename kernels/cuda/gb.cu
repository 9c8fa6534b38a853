#include <cuda/adding.cuh>
#include <cuda/gb.cuh>

#include "physics/gb/born_energy.hpp"
#include "physics/gb/born_integral.hpp"
#include "physics/gb/born_radius.hpp"
#include "physics/gb/neck_integral.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/model/energies.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

constexpr unsigned block_threads = 128;

__device__ int thread_number() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }
__device__ Fixed* energy_of(const SumsView& sums) { return sums.energy + static_cast<int>(EnergyTerm::implicit_solvent); }

struct Separation {
  Vec3d d;
  double r2;
};
__device__ Separation between(const Vec3d& a, const Vec3d& b) {
  const Vec3d d = a - b;
  const double r2 = dot(d, d);
  return {d, r2 > 1e-8 ? r2 : 1e-8};  // atoms at one place: 1e-4 nm, no 1/0
}

/// What the sphere of j does to the integral of i.
__device__ double integral(const GbView& gb, int i, int j, double r2) {
  const double inverse_r = physics::rsqrt(r2), r = r2 * inverse_r, s = gb.scaled[j];
  double value = r2 < gb.near2 ? physics::born_integral(r, inverse_r, gb.rho[i], 1 / gb.rho[i], s)
                               : physics::born_integral_far(inverse_r * inverse_r, s * s, 0.5 * s * s * s);
  if (gb.radius_types > 0) {
    const int at = gb.radius_type[i] * gb.radius_types + gb.radius_type[j];
    value += physics::neck_integral(r, inverse_r, gb.radius[i] + gb.radius[j] + gb.neck_cut, gb.neck_distance[at],
                                    gb.neck_height[at])
                 .value;
  }
  return value;
}
/// Its derivative by the distance, over the distance.
__device__ double integral_slope(const GbView& gb, int i, int j, double r2) {
  const double inverse_r = physics::rsqrt(r2), r = r2 * inverse_r, s = gb.scaled[j];
  double value = r2 < gb.near2 ? physics::born_integral_slope(r, inverse_r, gb.rho[i], s)
                               : physics::born_integral_far_slope(inverse_r * inverse_r, s * s, 0.5 * s * s * s);
  if (gb.radius_types > 0) {
    const int at = gb.radius_type[i] * gb.radius_types + gb.radius_type[j];
    value += physics::neck_integral(r, inverse_r, gb.radius[i] + gb.radius[j] + gb.neck_cut, gb.neck_distance[at],
                                    gb.neck_height[at])
                 .slope_over_r;
  }
  return value;
}

__global__ void __launch_bounds__(block_threads) born_radii_kernel(GbView gb, const Vec3d* x, SumsView sums, Tally tally) {
  const int i = thread_number();
  double energy = 0;
  if (i < gb.count) {
    double sum = 0;
    for (int j = 0; j < gb.count; ++j)
      if (j != i) sum += integral(gb, i, j, between(x[i], x[j]).r2);
    const auto born = gb.tanh_form
                          ? physics::born_radius_tanh(sum, gb.rho[i], gb.radius[i], gb.alpha[i], gb.beta[i], gb.gamma[i])
                          : physics::born_radius_inverse(sum, gb.rho[i]);
    const auto self = physics::born_self(gb.charge[i] * gb.charge[i], born.radius,
                                         physics::Dielectric<double>{gb.inverse_in, gb.inverse_out, gb.kappa});
    energy = self.energy;
    double slope = self.slope;
    if (gb.surface) {
      const auto ace = physics::ace_surface(gb.radius[i], born.radius);
      energy += ace.energy;
      slope += ace.slope;
    }
    gb.born[i] = born.radius;
    gb.self_slope[i] = slope;
    gb.radius_slope[i] = born.slope;
  }
  if (tally.energies) add_of_warp(energy_of(sums), energy);
}

template <bool salt>
__global__ void __launch_bounds__(block_threads) born_pairs_kernel(GbView gb, const Vec3d* x, SumsView sums, Tally tally) {
  const int i = thread_number();
  double energy = 0;
  if (i < gb.count) {
    const physics::Dielectric<double> medium{gb.inverse_in, gb.inverse_out, gb.kappa};
    Vec3d force{0, 0, 0};
    double slope = gb.self_slope[i];
    for (int j = 0; j < gb.count; ++j) {
      if (j == i) continue;
      const Separation s = between(x[i], x[j]);
      const double bb = gb.born[i] * gb.born[j];
      const auto pair = physics::born_pair<salt>(s.r2, gb.charge[i] * gb.charge[j], bb, 0.25 / bb, medium);
      force += pair.force_over_r * s.d;
      slope += pair.born_slope * gb.born[j];
      energy += 0.5 * pair.energy;
    }
    add_force(sums, i, force);
    gb.integral_slope[i] = slope * gb.radius_slope[i];
  }
  if (tally.energies) add_of_warp(energy_of(sums), energy);
}

__global__ void __launch_bounds__(block_threads) born_chain_kernel(GbView gb, const Vec3d* x, SumsView sums) {
  const int i = thread_number();
  if (i >= gb.count) return;
  Vec3d force{0, 0, 0};
  for (int j = 0; j < gb.count; ++j) {
    if (j == i) continue;
    const Separation s = between(x[i], x[j]);
    force -=
        (gb.integral_slope[i] * integral_slope(gb, i, j, s.r2) + gb.integral_slope[j] * integral_slope(gb, j, i, s.r2)) * s.d;
  }
  add_force(sums, i, force);
}

}  // namespace

void launch_gb(const GbView& gb, const Vec3d* x, const SumsView& sums, Tally tally, cudaStream_t stream) {
  const cuda::LaunchShape shape = cuda::cover(gb.count, block_threads);
  UPLIFT_LAUNCH(born_radii_kernel, shape, stream, gb, x, sums, tally);
  if (gb.kappa > 0)
    UPLIFT_LAUNCH(born_pairs_kernel<true>, shape, stream, gb, x, sums, tally);
  else
    UPLIFT_LAUNCH(born_pairs_kernel<false>, shape, stream, gb, x, sums, tally);
  UPLIFT_LAUNCH(born_chain_kernel, shape, stream, gb, x, sums);
}

}  // namespace uplift::UPLIFT_DEVICE

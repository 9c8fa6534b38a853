#include <cuda/move_units.cuh>

#include <climits>

#include "physics/integrate/langevin.hpp"
#include "physics/integrate/velocity_rescaling.hpp"
#include "uplift/core/random.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

struct Counted {
  Fixed heat = 0, kinetic = 0, momentum[3] = {0, 0, 0};
};

__device__ Fixed kinetic_energy(double mass, const Vec3d& v) { return fixed_energy(0.5 * mass * dot(v, v)); }

/// Level after level, as one kick after the other would.
template <class Unit>
__device__ void kick(Unit& u, const Moves& moves, const Move& m, const LevelFactors* factors) {
  for (int l = 0; l < most_force_levels; ++l) {
    if (!moves.force[l]) continue;
    const double weight = factors[l].in_kick(m.weight[l], m.boost_weight);
    if (weight == 0) continue;
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < u.size(); ++k) {
      const Fixed* f = moves.force[l] + 3 * static_cast<std::ptrdiff_t>(u.atom(k));
      const double scale = m.dt * weight * u.inverse_mass(k);
      Vec3d& v = u.v(k);
      v = {physics::kick(v.x, from_fixed(f[0]), scale), physics::kick(v.y, from_fixed(f[1]), scale),
           physics::kick(v.z, from_fixed(f[2]), scale)};
    }
  }
}

template <class Unit>
__device__ void add_noise(Unit& u, int k, const Move& m, std::int64_t step) {
  const Vec3d noise = gaussian3(m.seed, NoisePurpose::langevin, noise_step(step, m.substep), u.atom(k));
  const double size = m.spread * std::sqrt(u.inverse_mass(k));
  Vec3d& v = u.v(k);
  v = {physics::ornstein_uhlenbeck(v.x, m.decay, size, noise.x), physics::ornstein_uhlenbeck(v.y, m.decay, size, noise.y),
       physics::ornstein_uhlenbeck(v.z, m.decay, size, noise.z)};
}

/// Were all constraints met?
template <class Unit, class Constraints>
__device__ bool run(Unit& u, const double* masses, const Constraints& constraints, const Moves& moves, Shared* shared,
                    Counted& counted) {
  bool met = true;
  for (int n = 0; n < moves.count; ++n) {
    const Move& m = moves.move[n];
    const auto each = [&](auto&& f) {
      UPLIFT_DEVICE_UNROLL
      for (int k = 0; k < u.size(); ++k) f(k);
    };
    switch (m.kind) {
      case MoveKind::kick:
        kick(u, moves, m, shared->factors);
        break;
      case MoveKind::drift:
        each([&](int k) {
          const Vec3d v = u.v(k);
          Vec3d& x = u.x(k);
          x = {physics::drift(x.x, v.x, m.dt), physics::drift(x.y, v.y, m.dt), physics::drift(x.z, v.z, m.dt)};
        });
        break;
      case MoveKind::noise:
        each([&](int k) { add_noise(u, k, m, shared->step); });
        break;
      case MoveKind::save:
        each([&](int k) { u.saved(k) = u.x(k); });
        break;
      case MoveKind::constrain_positions:
        met = constraints.positions(u, 1 / m.dt, moves.tolerance) && met;
        break;
      case MoveKind::constrain_velocities:
        met = constraints.velocities(u, false, moves.tolerance) && met;
        break;
      case MoveKind::constrain_velocities_at_saved:
        met = constraints.velocities(u, true, moves.tolerance) && met;
        break;
      case MoveKind::count_heat:
        each([&](int k) {
          const Fixed energy = kinetic_energy(masses[u.atom(k)], u.v(k));
          counted.heat += m.dt < 0 ? -energy : energy;
        });
        break;
      case MoveKind::sum_kinetic:
        each([&](int k) {
          const double mass = masses[u.atom(k)];
          counted.kinetic += kinetic_energy(mass, u.v(k));
          counted.momentum[0] += fixed_energy(mass * u.v(k).x);
          counted.momentum[1] += fixed_energy(mass * u.v(k).y);
          counted.momentum[2] += fixed_energy(mass * u.v(k).z);
        });
        break;
      case MoveKind::transform:
        each([&](int k) {
          if (u.inverse_mass(k) > 0) u.v(k) = shared->factor * u.v(k) + shared->shift;
        });
    }
  }
  return met;
}

template <class Constraints>
__device__ void report(const Constraints& constraints, Shared* shared) {
  constraints.report(shared);
  atomicMin(&shared->failed_step, static_cast<long long>(shared->step));
}

/// Tells the pair list where atoms are, unless it is not to hear it from here.
struct NoList {
  __device__ int slot(int) const { return -1; }
  __device__ void place(int, const Vec3d&) const {}
  __device__ void note() const {}
};
struct TellsList {
  const Placing<float>& placing;
  ListState::Moved moved{0, 0};

  __device__ int slot(int atom) const { return placing.slot_of_atom[atom]; }
  __device__ void place(int slot, const Vec3d& x) { UPLIFT_DEVICE::place(placing, slot, x, moved); }
  __device__ void note() const { UPLIFT_DEVICE::note(placing, moved, blockIdx.x == 0 && threadIdx.x == 0); }
};

/// `constraints_of` a unit, by its number. Every lane of the warp must call it.
template <int n, class List, class F>
__device__ void run_in_lanes(const AtomsView& atoms, const int* list, int count, int warp, const Moves& moves, Shared* shared,
                             Counted& counted, List& tells, F&& constraints_of) {
  if (!InLanes<n>::any(count, warp)) return;
  InLanes<n> unit(atoms, list, count, warp, moves.loads_saved);
  const int slot = tells.slot(unit.index);
  const bool met = run(unit, atoms.mass, constraints_of(unit.unit), moves, shared, counted);
  unit.store(atoms, moves.stores_saved);
  if (unit.active) tells.place(slot, unit.position);
  if (!unit.active) counted = {};
  if (unit.active && !met) report(constraints_of(unit.unit), shared);
}

template <int arms, class List>
__device__ void run_star(const AtomsView& atoms, const UnitsView& units, UnitKind kind, int warp, const Moves& moves,
                         Shared* shared, Counted& counted, List& tells) {
  const double* length = units.length[kind];
  const int* constraint = units.first_constraint[kind];
  run_in_lanes<arms + 1>(atoms, units.atoms[kind], units.count[kind], warp, moves, shared, counted, tells, [&](int u) {
    return StarOf<arms>{length + arms * u, constraint[u]};
  });
}

/// Units that a warp works on.
__device__ __host__ constexpr int units_of_warp(int kind) {
  constexpr int units[unit_kinds] = {static_cast<int>(warp_lanes), InLanes<4>::units_of_warp, InLanes<3>::units_of_warp,
                                     InLanes<2>::units_of_warp,    InLanes<3>::units_of_warp, InLanes<1>::units_of_warp};
  return units[kind];
}

/// First block of each kind, and of what comes after the last.
struct Blocks {
  int first[unit_kinds + 1];
};

template <bool places>
__global__ void __launch_bounds__(block_threads)
    moves_kernel(AtomsView atoms, UnitsView units, Blocks blocks, Moves moves, Shared* shared, Placing<float> placing) {
  const int block = static_cast<int>(blockIdx.x);
  int kind = 0, first_block = 0;
  UPLIFT_DEVICE_UNROLL
  for (int k = 1; k < unit_kinds; ++k)
    if (block >= blocks.first[k]) {
      kind = k;
      first_block = blocks.first[k];
    }
  const int warp = (block - first_block) * block_warps + static_cast<int>(threadIdx.x / warp_lanes);
  Counted counted;
  auto tells = [&] {
    if constexpr (places)
      return TellsList{placing};
    else
      return NoList{};
  }();
  switch (kind) {  // names of kinds, not the number: arrays of parameters have no address
    case unit_water:
      run_in_lanes<3>(atoms, units.atoms[unit_water], units.count[unit_water], warp, moves, shared, counted, tells, [&](int u) {
        return Water{units.shape + u, u};
      });
      break;
    case unit_star1:
      run_star<1>(atoms, units, unit_star1, warp, moves, shared, counted, tells);
      break;
    case unit_star2:
      run_star<2>(atoms, units, unit_star2, warp, moves, shared, counted, tells);
      break;
    case unit_star3:
      run_star<3>(atoms, units, unit_star3, warp, moves, shared, counted, tells);
      break;
    case unit_single:
      run_in_lanes<1>(atoms, units.atoms[unit_single], units.count[unit_single], warp, moves, shared, counted, tells,
                      [](int) { return Unconstrained{}; });
      break;
    default: {
      const int u = warp * static_cast<int>(warp_lanes) + static_cast<int>(threadIdx.x % warp_lanes);
      if (u >= units.count[unit_general]) break;
      const int first = units.group_start[u], bond = units.bond_start[u];
      InMemory group{units.group_start[u + 1] - first, units.group_atoms + first, atoms};
      const General constraints{units.bond_start[u + 1] - bond, units.bond_atoms + 2 * bond, units.bond_length + bond,
                                units.first_constraint[unit_general][u]};
      if (!run(group, atoms.mass, constraints, moves, shared, counted)) report(constraints, shared);
      for (int k = 0; k < group.size(); ++k) tells.place(tells.slot(group.atom(k)), group.x(k));
    }
  }
  tells.note();
  const auto flush = [](Fixed* to, Fixed value) {
    const Fixed sum = warp_sum(value);
    if (threadIdx.x % warp_lanes == 0 && sum != 0) add(to, sum);
  };
  bool heat = false, kinetic = false;
  for (int n = 0; n < moves.count; ++n) {
    heat = heat || moves.move[n].kind == MoveKind::count_heat;
    kinetic = kinetic || moves.move[n].kind == MoveKind::sum_kinetic;
  }
  if (heat) flush(&shared->heat_change, counted.heat);
  if (!kinetic) return;
  flush(&shared->kinetic, counted.kinetic);
  for (int d = 0; d < 3; ++d) flush(shared->momentum + d, counted.momentum[d]);
}

__device__ void end_step(Shared* shared) {
  shared->heat += from_fixed(shared->heat_change);
  shared->heat_change = 0;
  ++shared->step;
}
__global__ void end_step_kernel(Shared* shared) { end_step(shared); }
/// One warp, a lane a term: everybody waits for this kernel, and one thread would wait for each number.
__global__ void bias_kernel(Shared* shared, TalliesView tallies, double constants, ApplyBias stage, bool ends_step) {
  static_assert(energy_term_count <= static_cast<int>(warp_lanes));
  const int lane = static_cast<int>(threadIdx.x);
  Fixed term = 0;
  UPLIFT_DEVICE_UNROLL
  for (int l = 0; l < most_force_levels; ++l)
    if (tallies.energy[l] && lane < energy_term_count) term += tallies.energy[l][lane];
  const Fixed dihedral = __shfl_sync(all_lanes, term, static_cast<int>(EnergyTerm::dihedral)),
              cmap = __shfl_sync(all_lanes, term, static_cast<int>(EnergyTerm::cmap)), all = warp_sum(term);
  if (lane > 0) return;
  shared->bias.apply(stage.bias, {from_fixed(dihedral), from_fixed(cmap), from_fixed(all) + constants}, stage.torsions_only,
                     stage.gather);
  for (int l = 0; l < most_force_levels; ++l) shared->factors[l] = shared->bias.factors_of(l, stage.torsion_level);
  if (ends_step) end_step(shared);
}
__global__ void set_step_kernel(Shared* shared, std::int64_t step) { shared->step = step; }
__global__ void add_heat_kernel(Shared* shared, double amount) { shared->heat += amount; }

__global__ void forget_failures_kernel(Shared* shared) {
  shared->failed_water = shared->failed_constraint = INT_MAX;
  shared->failed_step = LLONG_MAX;
}

__device__ void forget_sums(Shared* shared) {
  shared->kinetic = shared->momentum[0] = shared->momentum[1] = shared->momentum[2] = 0;
}

__device__ void rescale(Shared* shared, const physics::Rescaling& by) {
  forget_sums(shared);
  shared->factor = by.factor;
  shared->shift = {0, 0, 0};
  shared->heat += by.heat;
}

__global__ void rescale_kernel(Shared* shared, RescaleVelocities stage, int degrees) {
  rescale(shared, physics::draw_rescaling(from_fixed(shared->kinetic), degrees, stage.temperature, stage.dt * stage.friction,
                                          stage.seed, noise_step(shared->step, stage.substep)));
}

__global__ void move_chain_kernel(Shared* shared, MoveNoseHooverChain stage, int degrees) {
  rescale(shared, physics::move_chain_with_heat(shared->chain, from_fixed(shared->kinetic), degrees, stage.temperature,
                                                1 / stage.friction, stage.dt));
}

__global__ void stop_drift_kernel(Shared* shared, double total_mass) {
  const Vec3d momentum{from_fixed(shared->momentum[0]), from_fixed(shared->momentum[1]), from_fixed(shared->momentum[2])};
  shared->factor = 1;
  shared->shift = (-1 / total_mass) * momentum;
  shared->heat -= 0.5 * dot(momentum, momentum) / total_mass;
  forget_sums(shared);
}

constexpr cuda::LaunchShape one_thread{1, 1}, one_warp{1, warp_lanes};

}  // namespace

void launch_moves(const AtomsView& atoms, const UnitsView& units, const Moves& moves, Shared* shared,
                  const Placing<float>* placing, cudaStream_t stream) {
  Blocks blocks{};
  for (int k = 0; k < unit_kinds; ++k)
    blocks.first[k + 1] =
        blocks.first[k] + (units.count[k] + block_warps * units_of_warp(k) - 1) / (block_warps * units_of_warp(k));
  if (blocks.first[unit_kinds] == 0 || moves.count == 0) return;
  const cuda::LaunchShape shape{static_cast<unsigned>(blocks.first[unit_kinds]), block_threads};
  if (placing)
    UPLIFT_LAUNCH(moves_kernel<true>, shape, stream, atoms, units, blocks, moves, shared, *placing);
  else
    UPLIFT_LAUNCH(moves_kernel<false>, shape, stream, atoms, units, blocks, moves, shared, Placing<float>{});
}
void launch_end_step(Shared* shared, cudaStream_t stream) { UPLIFT_LAUNCH(end_step_kernel, one_thread, stream, shared); }
void launch_bias(Shared* shared, const TalliesView& tallies, double constants, const ApplyBias& stage, bool ends_step,
                 cudaStream_t stream) {
  UPLIFT_LAUNCH(bias_kernel, one_warp, stream, shared, tallies, constants, stage, ends_step);
}
void launch_forget_failures(Shared* shared, cudaStream_t stream) {
  UPLIFT_LAUNCH(forget_failures_kernel, one_thread, stream, shared);
}
void launch_set_step(Shared* shared, std::int64_t step, cudaStream_t stream) {
  UPLIFT_LAUNCH(set_step_kernel, one_thread, stream, shared, step);
}
void launch_add_heat(Shared* shared, double amount, cudaStream_t stream) {
  UPLIFT_LAUNCH(add_heat_kernel, one_thread, stream, shared, amount);
}
void launch_rescale(Shared* shared, const RescaleVelocities& stage, int degrees, cudaStream_t stream) {
  UPLIFT_LAUNCH(rescale_kernel, one_thread, stream, shared, stage, degrees);
}
void launch_move_chain(Shared* shared, const MoveNoseHooverChain& stage, int degrees, cudaStream_t stream) {
  UPLIFT_LAUNCH(move_chain_kernel, one_thread, stream, shared, stage, degrees);
}
void launch_stop_drift(Shared* shared, double total_mass, cudaStream_t stream) {
  UPLIFT_LAUNCH(stop_drift_kernel, one_thread, stream, shared, total_mass);
}

}  // namespace uplift::UPLIFT_DEVICE

#include <cuda/moves.cuh>

#include "physics/constrain/shake.hpp"
#include "physics/integrate/langevin.hpp"
#include "physics/integrate/velocity_rescaling.hpp"
#include "uplift/core/random.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

constexpr unsigned block_threads = 64;  // few units have a long way to go: spread them over all multiprocessors
constexpr int most_sweeps = 1000;

__device__ bool finite(const Vec3d& a) { return a.x - a.x == 0 && a.y - a.y == 0 && a.z - a.z == 0; }

/// The atoms of a unit in registers. Every index is known when compiling, once loops are unrolled.
template <int n>
struct InRegisters {
  static constexpr int size() { return n; }
  int index[n];
  Vec3d position[n], velocity[n], old[n];
  double weight[n];

  __device__ InRegisters(const AtomsView& atoms, const int* list, bool loads_saved) {
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < n; ++k) {
      index[k] = list[k];
      position[k] = atoms.x[index[k]];
      velocity[k] = atoms.v[index[k]];
      old[k] = n > 1 && loads_saved ? atoms.saved[index[k]] : Vec3d{0, 0, 0};
      weight[k] = atoms.inverse_mass[index[k]];
    }
  }
  __device__ void store(const AtomsView& atoms, bool stores_saved) const {
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < n; ++k) {
      atoms.x[index[k]] = position[k];
      atoms.v[index[k]] = velocity[k];
      if (n > 1 && stores_saved) atoms.saved[index[k]] = old[k];
    }
  }
  __device__ int atom(int k) const { return index[k]; }
  __device__ Vec3d& x(int k) { return position[k]; }
  __device__ Vec3d& v(int k) { return velocity[k]; }
  __device__ Vec3d& saved(int k) { return old[k]; }
  __device__ double inverse_mass(int k) const { return weight[k]; }
};

/// In shared memory, where registers would not do. Neighbouring threads are 24 bytes apart, which no two of them meet in one
/// bank.
template <int n>
struct InShared {
  static constexpr int size() { return n; }
  int index[n];
  Vec3d *position, *velocity, *old;  ///< of this thread; its next atom is block_threads on
  const double* weight;              ///< of all atoms

  __device__ InShared(const AtomsView& atoms, const int* list, bool loads_saved, Vec3d* room) : weight(atoms.inverse_mass) {
    position = room + threadIdx.x;
    velocity = position + n * block_threads;
    old = velocity + n * block_threads;
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < n; ++k) {
      index[k] = list[k];
      x(k) = atoms.x[index[k]];
      v(k) = atoms.v[index[k]];
      if (loads_saved) saved(k) = atoms.saved[index[k]];
    }
  }
  __device__ void store(const AtomsView& atoms, bool stores_saved) {
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < n; ++k) {
      atoms.x[index[k]] = x(k);
      atoms.v[index[k]] = v(k);
      if (stores_saved) atoms.saved[index[k]] = saved(k);
    }
  }
  __device__ int atom(int k) const { return index[k]; }
  __device__ Vec3d& x(int k) { return position[k * static_cast<int>(block_threads)]; }
  __device__ Vec3d& v(int k) { return velocity[k * static_cast<int>(block_threads)]; }
  __device__ Vec3d& saved(int k) { return old[k * static_cast<int>(block_threads)]; }
  __device__ double inverse_mass(int k) const { return weight[index[k]]; }
};

/// Of any number, where they are.
struct InMemory {
  int n;
  const int* list;
  AtomsView atoms;
  __device__ int size() const { return n; }
  __device__ int atom(int k) const { return list[k]; }
  __device__ Vec3d& x(int k) { return atoms.x[list[k]]; }
  __device__ Vec3d& v(int k) { return atoms.v[list[k]]; }
  __device__ Vec3d& saved(int k) { return atoms.saved[list[k]]; }
  __device__ double inverse_mass(int k) const { return atoms.inverse_mass[list[k]]; }
};

struct Unconstrained {
  template <class Unit>
  __device__ bool positions(Unit&, double, double) const {
    return true;
  }
  template <class Unit>
  __device__ bool velocities(Unit&, bool, double) const {
    return true;
  }
  __device__ static void report(Shared*) {}
};

struct Water {
  const physics::WaterShape<double>* shape;
  int number;

  template <class Unit>
  __device__ bool positions(Unit& u, double per_dt, double) const {
    const physics::WaterSites<double> moved{u.x(0), u.x(1), u.x(2)},
        done = physics::settle_positions(*shape, {u.saved(0), u.saved(1), u.saved(2)}, moved);
    if (!finite(done.o) || !finite(done.h1) || !finite(done.h2)) return false;
    u.v(0) += per_dt * (done.o - moved.o);
    u.v(1) += per_dt * (done.h1 - moved.h1);
    u.v(2) += per_dt * (done.h2 - moved.h2);
    u.x(0) = done.o;
    u.x(1) = done.h1;
    u.x(2) = done.h2;
    return true;
  }
  template <class Unit>
  __device__ bool velocities(Unit& u, bool at_saved, double) const {
    const auto at = at_saved ? physics::WaterSites<double>{u.saved(0), u.saved(1), u.saved(2)}
                             : physics::WaterSites<double>{u.x(0), u.x(1), u.x(2)};
    const auto v = physics::settle_velocities(*shape, at, {u.v(0), u.v(1), u.v(2)});
    u.v(0) = v.o;
    u.v(1) = v.h1;
    u.v(2) = v.h2;
    return true;
  }
  __device__ void report(Shared* shared) const { atomicMin(&shared->failed_water, number); }
};

template <int arms>
struct StarOf {
  const double* length;
  int first_constraint;

  template <class Unit>
  __device__ physics::StarShape<double, arms> shape(const Unit& u) const {
    physics::StarShape<double, arms> s;
    s.inverse_mass_centre = u.inverse_mass(0);
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < arms; ++k) {
      s.inverse_mass[k] = u.inverse_mass(k + 1);
      s.length2[k] = length[k] * length[k];
    }
    return s;
  }
  template <class Unit>
  __device__ bool positions(Unit& u, double per_dt, double tolerance) const {
    const auto s = shape(u);
    Vec3d reference[arms];
    physics::Star<double, arms> star;
    star.centre = u.x(0);
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < arms; ++k) {
      reference[k] = u.saved(k + 1) - u.saved(0);
      star.arm[k] = u.x(k + 1);
    }
    bool met = false;
    for (int sweep = 0; sweep < most_sweeps && !met; ++sweep) {
      const auto swept = physics::shake_sweep(s, reference, star);
      star = swept.star;
      met = swept.worst <= tolerance;
      if (swept.worst != swept.worst) return false;
    }
    u.v(0) += per_dt * (star.centre - u.x(0));
    u.x(0) = star.centre;
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < arms; ++k) {
      u.v(k + 1) += per_dt * (star.arm[k] - u.x(k + 1));
      u.x(k + 1) = star.arm[k];
    }
    return met;
  }
  template <class Unit>
  __device__ bool velocities(Unit& u, bool at_saved, double tolerance) const {
    const auto s = shape(u);
    Vec3d direction[arms];
    physics::Star<double, arms> star;
    star.centre = u.v(0);
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < arms; ++k) {
      direction[k] = at_saved ? u.saved(k + 1) - u.saved(0) : u.x(k + 1) - u.x(0);
      star.arm[k] = u.v(k + 1);
    }
    bool met = false;
    for (int sweep = 0; sweep < most_sweeps && !met; ++sweep) {
      const auto swept = physics::rattle_sweep(s, direction, star);
      star = swept.star;
      met = swept.worst <= tolerance;
      if (swept.worst != swept.worst) return false;
    }
    u.v(0) = star.centre;
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < arms; ++k) u.v(k + 1) = star.arm[k];
    return met;
  }
  __device__ void report(Shared* shared) const { atomicMin(&shared->failed_constraint, first_constraint); }
};

/// Constraint after constraint, each a star of one arm, until all are met.
struct General {
  int bonds;
  const int* places;
  const double* length;
  int first_constraint;

  __device__ static physics::StarShape<double, 1> shape(const InMemory& u, const int* p, double length) {
    return {u.inverse_mass(p[0]), {u.inverse_mass(p[1])}, {length * length}};
  }
  template <class Sweep>
  __device__ bool sweep_until(double tolerance, Sweep&& one) const {
    for (int sweep = 0; sweep < most_sweeps; ++sweep) {
      double worst = 0;
      for (int b = 0; b < bonds; ++b) {
        const double error = one(places + 2 * b, length[b]);
        worst = error > worst || error != error ? error : worst;
      }
      if (worst <= tolerance) return true;
      if (worst != worst) return false;
    }
    return false;
  }
  __device__ bool positions(InMemory& u, double per_dt, double tolerance) const {
    return sweep_until(tolerance, [&](const int* p, double l) {
      const Vec3d reference[1] = {u.saved(p[1]) - u.saved(p[0])};
      const physics::Star<double, 1> was{u.x(p[0]), {u.x(p[1])}};
      const auto swept = physics::shake_sweep(shape(u, p, l), reference, was);
      u.x(p[0]) = swept.star.centre;
      u.x(p[1]) = swept.star.arm[0];
      u.v(p[0]) += per_dt * (swept.star.centre - was.centre);
      u.v(p[1]) += per_dt * (swept.star.arm[0] - was.arm[0]);
      return swept.worst;
    });
  }
  __device__ bool velocities(InMemory& u, bool at_saved, double tolerance) const {
    return sweep_until(tolerance, [&](const int* p, double l) {
      const Vec3d direction[1] = {at_saved ? u.saved(p[1]) - u.saved(p[0]) : u.x(p[1]) - u.x(p[0])};
      const auto swept = physics::rattle_sweep(shape(u, p, l), direction, {u.v(p[0]), {u.v(p[1])}});
      u.v(p[0]) = swept.star.centre;
      u.v(p[1]) = swept.star.arm[0];
      return swept.worst;
    });
  }
  __device__ void report(Shared* shared) const { atomicMin(&shared->failed_constraint, first_constraint); }
};

struct Counted {
  Fixed heat = 0, kinetic = 0, momentum[3] = {0, 0, 0};
};

template <class Unit>
__device__ Fixed kinetic_energy(Unit& u, int k) {
  const double w = u.inverse_mass(k);
  return w > 0 ? fixed_energy(0.5 * dot(u.v(k), u.v(k)) / w) : 0;
}

template <class Unit>
__device__ void kick(Unit& u, int k, const Moves& moves, const Move& m, const LevelFactors* factors) {
  // Level after level, as one kick after the other would.
  for (int l = 0; l < most_force_levels; ++l) {
    const double weight = m.weight[l] * factors[l].own + m.boost_weight * factors[l].boost;
    if (!moves.force[l] || weight == 0) continue;
    const Fixed* f = moves.force[l] + 3 * static_cast<std::ptrdiff_t>(u.atom(k));
    const double scale = m.dt * weight * u.inverse_mass(k);
    Vec3d& v = u.v(k);
    v = {physics::kick(v.x, from_fixed(f[0]), scale), physics::kick(v.y, from_fixed(f[1]), scale),
         physics::kick(v.z, from_fixed(f[2]), scale)};
  }
}

template <class Unit>
__device__ void add_noise(Unit& u, int k, const Move& m, std::int64_t step) {
  const Vec3d noise = gaussian3(m.seed, NoisePurpose::langevin, step * m.substeps + m.substep, u.atom(k));
  const double size = m.spread * std::sqrt(u.inverse_mass(k));
  Vec3d& v = u.v(k);
  v = {physics::ornstein_uhlenbeck(v.x, m.decay, size, noise.x), physics::ornstein_uhlenbeck(v.y, m.decay, size, noise.y),
       physics::ornstein_uhlenbeck(v.z, m.decay, size, noise.z)};
}

template <class Unit, class Constraints>
__device__ void run(Unit& u, const Constraints& constraints, const Moves& moves, Shared* shared, Counted& counted) {
  bool met = true;
  for (int n = 0; n < moves.count; ++n) {
    const Move& m = moves.move[n];
    const auto each = [&](auto&& f) {
      UPLIFT_DEVICE_UNROLL
      for (int k = 0; k < u.size(); ++k) f(k);
    };
    switch (m.kind) {
      case MoveKind::kick:
        each([&](int k) { kick(u, k, moves, m, shared->factors); });
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
        each([&](int k) { counted.heat += m.dt < 0 ? -kinetic_energy(u, k) : kinetic_energy(u, k); });
        break;
      case MoveKind::sum_kinetic:
        each([&](int k) {
          const double mass = u.inverse_mass(k) > 0 ? 1 / u.inverse_mass(k) : 0;
          counted.kinetic += kinetic_energy(u, k);
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
  if (met) return;
  constraints.report(shared);
  atomicMin(&shared->failed_step, static_cast<long long>(shared->step));
}

template <int n, class Constraints>
__device__ void run_in_registers(const AtomsView& atoms, const int* list, const Constraints& constraints, const Moves& moves,
                                 Shared* shared, Counted& counted) {
  InRegisters<n> unit(atoms, list, moves.loads_saved);
  run(unit, constraints, moves, shared, counted);
  unit.store(atoms, moves.stores_saved);
}

template <int n, class Constraints>
__device__ void run_in_shared(const AtomsView& atoms, const int* list, const Constraints& constraints, const Moves& moves,
                              Shared* shared, Counted& counted, Vec3d* room) {
  InShared<n> unit(atoms, list, moves.loads_saved, room);
  run(unit, constraints, moves, shared, counted);
  unit.store(atoms, moves.stores_saved);
}

/// First block of each kind, and of what comes after the last.
struct Blocks {
  int first[unit_kinds + 1];
};

__global__ void __launch_bounds__(block_threads)
    moves_kernel(AtomsView atoms, UnitsView units, Blocks blocks, Moves moves, Shared* shared) {
  UPLIFT_SHARED(Vec3d[3 * 4 * block_threads], room);
  const int block = static_cast<int>(blockIdx.x);
  int kind = 0;
  while (block >= blocks.first[kind + 1]) ++kind;
  const int u = (block - blocks.first[kind]) * static_cast<int>(block_threads) + static_cast<int>(threadIdx.x);
  Counted counted;
  if (u < units.count[kind]) {
    switch (kind) {
      case unit_water:
        run_in_registers<3>(atoms, units.atoms[kind] + 3 * u, Water{units.shape + u, u}, moves, shared, counted);
        break;
      case unit_star1:
        run_in_registers<2>(atoms, units.atoms[kind] + 2 * u,
                            StarOf<1>{units.length[kind] + u, units.first_constraint[kind][u]}, moves, shared, counted);
        break;
      case unit_star2:
        run_in_registers<3>(atoms, units.atoms[kind] + 3 * u,
                            StarOf<2>{units.length[kind] + 2 * u, units.first_constraint[kind][u]}, moves, shared, counted);
        break;
      case unit_star3:
        run_in_shared<4>(atoms, units.atoms[kind] + 4 * u,
                         StarOf<3>{units.length[kind] + 3 * u, units.first_constraint[kind][u]}, moves, shared, counted, room);
        break;
      case unit_single:
        run_in_registers<1>(atoms, units.atoms[kind] + u, Unconstrained{}, moves, shared, counted);
        break;
      default: {
        const int first = units.group_start[u], bond = units.bond_start[u];
        InMemory group{units.group_start[u + 1] - first, units.group_atoms + first, atoms};
        run(group,
            General{units.bond_start[u + 1] - bond, units.bond_atoms + 2 * bond, units.bond_length + bond,
                    units.first_constraint[kind][u]},
            moves, shared, counted);
      }
    }
  }
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
__global__ void bias_kernel(Shared* shared, TalliesView tallies, double constants, ApplyBias stage, bool ends_step) {
  Fixed all = 0, dihedral = 0, cmap = 0;
  for (int l = 0; l < most_force_levels; ++l) {
    if (!tallies.energy[l]) continue;
    for (int k = 0; k < energy_term_count; ++k) all += tallies.energy[l][k];
    dihedral += tallies.energy[l][static_cast<int>(EnergyTerm::dihedral)];
    cmap += tallies.energy[l][static_cast<int>(EnergyTerm::cmap)];
  }
  shared->bias.apply(stage.bias, {from_fixed(dihedral), from_fixed(cmap), from_fixed(all) + constants}, stage.torsions_only,
                     stage.gather);
  for (int l = 0; l < most_force_levels; ++l)
    shared->factors[l] = l == stage.torsion_level ? shared->bias.torsions : shared->bias.others;
  if (ends_step) end_step(shared);
}
__global__ void set_step_kernel(Shared* shared, std::int64_t step) { shared->step = step; }
__global__ void add_heat_kernel(Shared* shared, double amount) { shared->heat += amount; }

__device__ void forget_sums(Shared* shared) {
  shared->kinetic = shared->momentum[0] = shared->momentum[1] = shared->momentum[2] = 0;
}

__global__ void rescale_kernel(Shared* shared, RescaleVelocities stage, int degrees) {
  const double kinetic = from_fixed(shared->kinetic);
  forget_sums(shared);
  shared->factor = 1;
  shared->shift = {0, 0, 0};
  if (!(kinetic > 0) || degrees <= 0) return;
  const std::int64_t draw = shared->step * stage.substeps + stage.substep;
  const double target = 0.5 * degrees * constants::boltzmann * stage.temperature;
  const double first = gaussian3(stage.seed, NoisePurpose::thermostat, draw, 0).x;
  const double others = chi_squared(degrees - 1, stage.seed, NoisePurpose::thermostat, draw, 1);
  const double wanted = physics::rescaled_kinetic_energy(kinetic, target, degrees, stage.dt * stage.friction, first, others);
  shared->factor = std::sqrt(wanted / kinetic);
  shared->heat += wanted - kinetic;
}

__global__ void move_chain_kernel(Shared* shared, MoveNoseHooverChain stage, int degrees) {
  const double kinetic = from_fixed(shared->kinetic), tau = 1 / stage.friction;
  forget_sums(shared);
  shared->factor = 1;
  shared->shift = {0, 0, 0};
  if (degrees <= 0) return;
  const double before = physics::chain_energy(shared->chain, degrees, stage.temperature, tau);
  shared->factor = physics::move_chain(shared->chain, kinetic, degrees, stage.temperature, tau, stage.dt);
  shared->heat -= physics::chain_energy(shared->chain, degrees, stage.temperature, tau) - before;
}

__global__ void stop_drift_kernel(Shared* shared, double total_mass) {
  shared->factor = 1;
  shared->shift = (-1 / total_mass) *
                  Vec3d{from_fixed(shared->momentum[0]), from_fixed(shared->momentum[1]), from_fixed(shared->momentum[2])};
  forget_sums(shared);
}

constexpr cuda::LaunchShape one_thread{1, 1};

}  // namespace

void launch_moves(const AtomsView& atoms, const UnitsView& units, const Moves& moves, Shared* shared, cudaStream_t stream) {
  Blocks blocks{};
  for (int k = 0; k < unit_kinds; ++k)
    blocks.first[k + 1] =
        blocks.first[k] + (units.count[k] + static_cast<int>(block_threads) - 1) / static_cast<int>(block_threads);
  if (blocks.first[unit_kinds] > 0 && moves.count > 0)
    UPLIFT_LAUNCH(moves_kernel, (cuda::LaunchShape{static_cast<unsigned>(blocks.first[unit_kinds]), block_threads}), stream,
                  atoms, units, blocks, moves, shared);
}
void launch_end_step(Shared* shared, cudaStream_t stream) { UPLIFT_LAUNCH(end_step_kernel, one_thread, stream, shared); }
void launch_bias(Shared* shared, const TalliesView& tallies, double constants, const ApplyBias& stage, bool ends_step,
                 cudaStream_t stream) {
  UPLIFT_LAUNCH(bias_kernel, one_thread, stream, shared, tallies, constants, stage, ends_step);
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

#pragma once
// A unit of integration, atoms that constraints tie together: in the hands of a lane for each atom, or of one lane with the
// atoms in memory; and how its constraints are met. Part of moves.cu.
#include <cuda/moves.cuh>
#include <cuda/place_site.cuh>

#include "physics/constrain/shake.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {  // of moves.cu

constexpr unsigned block_threads = 64;  // few units have a long way to go: spread them over all multiprocessors
constexpr int block_warps = static_cast<int>(block_threads / warp_lanes);
constexpr int most_steps = 50, most_sweeps = 1000;  // a star is there after a few

__device__ bool finite(const Vec3d& a) { return a.x - a.x == 0 && a.y - a.y == 0 && a.z - a.z == 0; }

/// A unit of n atoms in as many lanes that follow each other. Each moves its own atom; for constraints each gets a copy of the
/// others and works out the same, which takes no longer than if one did. Lanes that are left over do as those of the warp's
/// first unit do, and keep nothing of it. All lanes of a warp must do the same.
template <int n>
struct InLanes {
  static constexpr int units_of_warp = static_cast<int>(warp_lanes) / n;
  static constexpr int size() { return 1; }
  int unit, place, first;  ///< which one, which of its atoms, and the lane of its first
  bool active;
  int index;
  Vec3d position, velocity, old;
  double weight;

  /// Has the `warp`th warp of a kind any?
  __device__ static bool any(int count, int warp) { return warp * units_of_warp < count; }
  /// The unit of this lane in the `warp`th warp of its kind.
  __device__ InLanes(const AtomsView& atoms, const int* list, int count, int warp, bool loads_saved) {
    const int lane = static_cast<int>(threadIdx.x % warp_lanes), number = warp * units_of_warp + lane / n;
    place = lane % n;
    active = lane / n < units_of_warp && number < count;
    unit = active ? number : warp * units_of_warp;
    first = active ? lane - place : 0;
    index = list[n * unit + place];
    position = atoms.x[index];
    velocity = atoms.v[index];
    old = n > 1 && loads_saved ? atoms.saved[index] : Vec3d{0, 0, 0};
    weight = atoms.inverse_mass[index];
  }
  __device__ void store(const AtomsView& atoms, bool stores_saved) const {
    __syncwarp();  // lanes that are left over have read
    if (!active) return;
    atoms.x[index] = position;
    atoms.v[index] = velocity;
    if (n > 1 && stores_saved) atoms.saved[index] = old;
  }
  // Of the atom that is this lane's.
  __device__ int atom(int) const { return index; }
  __device__ Vec3d& x(int) { return position; }
  __device__ Vec3d& v(int) { return velocity; }
  __device__ Vec3d& saved(int) { return old; }
  __device__ double inverse_mass(int) const { return weight; }

  /// What the lane of the k-th atom has.
  __device__ double of(double own, int k) const { return __shfl_sync(all_lanes, own, first + k); }
  __device__ Vec3d of(const Vec3d& own, int k) const { return {of(own.x, k), of(own.y, k), of(own.z, k)}; }
  /// Of values for all atoms that of this lane's. Chosen by bits: of `place == k` the compiler makes a table in memory.
  __device__ Vec3d own(const Vec3d (&all)[n]) const {
    static_assert(n <= 4);
    const bool odd = (place & 1) != 0, late = (place & 2) != 0;
    const auto choose = [](bool second, const Vec3d& a, const Vec3d& b) {
      return Vec3d{second ? b.x : a.x, second ? b.y : a.y, second ? b.z : a.z};
    };
    const Vec3d early = choose(odd, all[0], all[n > 1 ? 1 : 0]);
    return n > 2 ? choose(late, early, choose(odd, all[n > 2 ? 2 : 0], all[n - 1])) : early;
  }
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
  __device__ static physics::WaterSites<double> sites(const Unit& u, const Vec3d& own) {
    return {u.of(own, 0), u.of(own, 1), u.of(own, 2)};
  }
  template <class Unit>
  __device__ bool positions(Unit& u, double per_dt, double) const {
    const auto done = physics::settle_positions(*shape, sites(u, u.old), sites(u, u.position));
    if (!finite(done.o) || !finite(done.h1) || !finite(done.h2)) return false;
    const Vec3d all[3] = {done.o, done.h1, done.h2}, own = u.own(all);
    u.velocity += per_dt * (own - u.position);
    u.position = own;
    return true;
  }
  template <class Unit>
  __device__ bool velocities(Unit& u, bool at_saved, double) const {
    const auto v = physics::settle_velocities(*shape, sites(u, at_saved ? u.old : u.position), sites(u, u.velocity));
    const Vec3d all[3] = {v.o, v.h1, v.h2};
    u.velocity = u.own(all);
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
    s.inverse_mass_centre = u.of(u.weight, 0);
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < arms; ++k) {
      s.inverse_mass[k] = u.of(u.weight, k + 1);
      s.length2[k] = length[k] * length[k];
    }
    return s;
  }
  template <class Unit>
  __device__ static physics::Star<double, arms> star(const Unit& u, const Vec3d& own) {
    physics::Star<double, arms> s;
    s.centre = u.of(own, 0);
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < arms; ++k) s.arm[k] = u.of(own, k + 1);
    return s;
  }
  template <class Unit>
  __device__ static Vec3d own(const Unit& u, const physics::Star<double, arms>& s) {
    Vec3d all[arms + 1] = {s.centre};
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < arms; ++k) all[k + 1] = s.arm[k];
    return u.own(all);
  }
  /// Arms less centre.
  __device__ static void directions(const physics::Star<double, arms>& s, Vec3d (&direction)[arms]) {
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < arms; ++k) direction[k] = s.arm[k] - s.centre;
  }
  template <class Unit>
  __device__ bool positions(Unit& u, double per_dt, double tolerance) const {
    const auto s = shape(u);
    Vec3d reference[arms];
    directions(star(u, u.old), reference);
    auto now = star(u, u.position);
    bool met = false;
    for (int step = 0; step < most_steps && !met; ++step) {
      const auto done = physics::shake_step(s, reference, now);
      now = done.star;
      met = done.worst <= tolerance;
      if (!finite(now.centre)) return false;
    }
    const Vec3d x = own(u, now);
    u.velocity += per_dt * (x - u.position);
    u.position = x;
    return met;
  }
  template <class Unit>
  __device__ bool velocities(Unit& u, bool at_saved, double) const {
    const auto s = shape(u);
    Vec3d direction[arms];
    directions(star(u, at_saved ? u.old : u.position), direction);
    const auto now = physics::rattle(s, direction, star(u, u.velocity)).star;
    u.velocity = own(u, now);
    return finite(now.centre);
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
      const auto swept = physics::shake_step(shape(u, p, l), reference, was);
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
      const auto swept = physics::rattle(shape(u, p, l), direction, {u.v(p[0]), {u.v(p[1])}});
      u.v(p[0]) = swept.star.centre;
      u.v(p[1]) = swept.star.arm[0];
      return swept.worst;
    });
  }
  __device__ void report(Shared* shared) const { atomicMin(&shared->failed_constraint, first_constraint); }
};

}  // namespace
}  // namespace uplift::UPLIFT_DEVICE

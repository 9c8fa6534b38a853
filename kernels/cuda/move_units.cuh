#pragma once
// A unit of integration, atoms that constraints tie together, in the hands of one thread: where its atoms are kept (registers
// or memory), and how its constraints are met. Part of moves.cu.
#include <cuda/moves.cuh>

#include "physics/constrain/shake.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {  // of moves.cu

constexpr unsigned block_threads = 64;              // few units have a long way to go: spread them over all multiprocessors
constexpr int most_steps = 50, most_sweeps = 1000;  // a star is there after three

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
    for (int step = 0; step < most_steps && !met; ++step) {
      const auto done = physics::shake_step(s, reference, star);
      star = done.star;
      met = done.worst <= tolerance;
      if (!finite(star.centre)) return false;
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
  __device__ bool velocities(Unit& u, bool at_saved, double) const {
    Vec3d direction[arms];
    physics::Star<double, arms> star;
    star.centre = u.v(0);
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < arms; ++k) {
      direction[k] = at_saved ? u.saved(k + 1) - u.saved(0) : u.x(k + 1) - u.x(0);
      star.arm[k] = u.v(k + 1);
    }
    star = physics::rattle(shape(u), direction, star).star;
    u.v(0) = star.centre;
    UPLIFT_DEVICE_UNROLL
    for (int k = 0; k < arms; ++k) u.v(k + 1) = star.arm[k];
    return finite(star.centre);
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

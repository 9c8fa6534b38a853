// r-RESPA on forces made for the test, against the scheme written out by hand, and its statistics under Langevin dynamics.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "support/toy_backend.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/random.hpp"
#include "uplift/engine/simulation.hpp"

namespace uplift {
namespace {

using test::ToyBackend;

constexpr ForceGroups slow_group = static_cast<unsigned>(ForceGroup::pme_reciprocal);
constexpr ForceGroups fast_groups = all_force_groups & ~slow_group;

Vec3d noise(int i, int k) { return gaussian3(9, NoisePurpose::initial_velocities, k, i); }

/// A stiff spring to each atom's place, and a soft one between neighbours, not linear.
double stiff(std::span<const Vec3d> x, std::vector<Vec3d>& f) {
  double e = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Vec3d d = x[i] - Vec3d{0.3 * static_cast<double>(i), 0, 0};
    e += 5000 * dot(d, d);
    f[i] -= 10000.0 * d;
  }
  return e;
}
double soft(std::span<const Vec3d> x, std::vector<Vec3d>& f) {
  double e = 0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const Vec3d r = x[i + 1] - x[i];
    const double r2 = dot(r, r);
    e += 300 * r2 * r2;
    f[i] += 1200 * r2 * r;
    f[i + 1] -= 1200 * r2 * r;
  }
  return e;
}

State start(int n) {
  State s;
  for (int i = 0; i < n; ++i) {
    s.x.push_back(Vec3d{0.3 * i, 0, 0} + 0.02 * noise(i, 0));
    s.v.push_back(0.5 * noise(i, 1));
  }
  return s;
}

DynamicsSettings settings(IntegratorKind integrator, double dt, std::vector<ForceLevel> levels) {
  DynamicsSettings d;
  d.integrator = integrator;
  d.timestep = dt;
  d.levels = std::move(levels);
  return d;
}

State run(const DynamicsSettings& d, int atoms, int steps, bool with_soft = true) {
  const System system = test::free_atoms(atoms, 12);
  ToyBackend backend(system, stiff);
  if (with_soft) backend.slow_force = soft;
  Simulation s(system, backend, start(atoms), d);
  s.begin();
  for (int n = 0; n < steps; ++n) s.step();
  return s.state();
}

double distance(const State& a, const State& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.x.size(); ++i) {
    const Vec3d d = a.x[i] - b.x[i];
    most = std::max(most, std::sqrt(dot(d, d)));
  }
  return most;
}

TEST(MultipleTimeStep, InnerStepsAreVerletWhenTheSlowForceIsZero) {
  const State whole = run(settings(IntegratorKind::verlet, 0.001, {}), 6, 400, false);
  const State split = run(settings(IntegratorKind::verlet, 0.004, {{fast_groups, 1}, {slow_group, 4}}), 6, 100, false);
  EXPECT_EQ(std::memcmp(whole.x.data(), split.x.data(), sizeof(Vec3d) * whole.x.size()), 0);
  EXPECT_EQ(std::memcmp(whole.v.data(), split.v.data(), sizeof(Vec3d) * whole.v.size()), 0);
}

/// exp(dt/2 L_slow) [exp(h/2 L_fast) exp(h L_drift) exp(h/2 L_fast)]^n exp(dt/2 L_slow), Tuckerman et al. (1992), eq. 2.22.
TEST(MultipleTimeStep, IsRespaWrittenOut) {
  const int atoms = 6, inner = 4;
  const double dt = 0.004, h = dt / inner, mass = 12;
  State s = start(atoms);
  std::vector<Vec3d> f;
  const auto kick = [&](double (*force)(std::span<const Vec3d>, std::vector<Vec3d>&), double time) {
    f.assign(s.x.size(), {0, 0, 0});
    force(s.x, f);
    for (std::size_t i = 0; i < f.size(); ++i) s.v[i] += (time / mass) * f[i];
  };
  for (int n = 0; n < 100; ++n) {
    kick(soft, dt / 2);
    for (int k = 0; k < inner; ++k) {
      kick(stiff, h / 2);
      for (std::size_t i = 0; i < s.x.size(); ++i) s.x[i] += h * s.v[i];
      kick(stiff, h / 2);
    }
    kick(soft, dt / 2);
  }
  const State split = run(settings(IntegratorKind::verlet, dt, {{slow_group, inner}, {fast_groups, 1}}), atoms, 100);
  EXPECT_LT(distance(s, split), 1e-9);  // forces are rounded to 2^-33 kJ/mol/nm, 400 inner steps of 10 radians in all
}

TEST(MultipleTimeStep, ErrorFallsWithTheSquareOfTheOuterStep) {
  const std::vector<ForceLevel> levels = {{fast_groups, 1}, {slow_group, 4}};
  const State exact = run(settings(IntegratorKind::verlet, 0.4 / 25600, {}), 6, 25600);
  const double coarse = distance(run(settings(IntegratorKind::verlet, 0.4 / 100, levels), 6, 100), exact);
  const double fine = distance(run(settings(IntegratorKind::verlet, 0.4 / 200, levels), 6, 200), exact);
  EXPECT_NEAR(coarse / fine, 4, 0.2);
}

TEST(MultipleTimeStep, ComputesEachLevelAsOftenAsItMustAndEnergiesOfAllAtTheEnd) {
  const System system = test::free_atoms(5, 12);
  ToyBackend backend(system, stiff);
  backend.slow_force = soft;
  Simulation s(system, backend, start(5), settings(IntegratorKind::verlet, 0.004, {{fast_groups, 1}, {slow_group, 4}}));
  s.begin();
  EXPECT_EQ(backend.force_calls, 1);
  EXPECT_EQ(backend.slow_calls, 1);
  for (int n = 0; n < 10; ++n) s.step();
  EXPECT_EQ(backend.force_calls, 41);
  EXPECT_EQ(backend.slow_calls, 11);
  const Frame frame = s.observe();
  std::vector<Vec3d> f(5, Vec3d{0, 0, 0});
  const double energy = stiff(frame.state.x, f) + soft(frame.state.x, f);
  EXPECT_NEAR(frame.energies.potential(), energy, 1e-9 * energy);
  for (int i = 0; i < 5; ++i) EXPECT_NEAR(frame.forces[at(i)].x, f[at(i)].x, 1e-8);
}

/// <x^2> and <v^2> of independent wells made of a fast and a slow spring: the split must not heat or cool. Impulses change the
/// sampled distribution by a part of order (omega_slow dt)^2, here 0.1^2/4.
TEST(MultipleTimeStep, LangevinKeepsTheTemperature) {
  const int atoms = 2000, steps = 3000, settle = 300;
  const double mass = 12, fast = 30000, slow = 480;
  const System system = test::free_atoms(atoms, mass);
  const auto spring = [](double k) {
    return [k](std::span<const Vec3d> x, std::vector<Vec3d>& f) {
      for (std::size_t i = 0; i < x.size(); ++i) f[i] -= k * x[i];
      return 0.0;
    };
  };
  ToyBackend backend(system, spring(fast));
  backend.slow_force = spring(slow);
  DynamicsSettings d = settings(IntegratorKind::langevin, 0.016, {{fast_groups, 1}, {slow_group, 4}});
  d.friction = 5;
  d.seed = 3;
  State s;
  s.x.assign(at(atoms), Vec3d{0, 0, 0});
  draw_velocities(system, 300, 5, s);
  Simulation simulation(system, backend, s, d);
  simulation.begin();
  const double kt = constants::boltzmann * 300;
  std::vector<double> x2(at(atoms), 0), v2(at(atoms), 0);
  for (int n = 0; n < steps; ++n) {
    simulation.step();
    if (n < settle || n % 5 != 0) continue;
    const State now = simulation.state();
    for (int i = 0; i < atoms; ++i) {
      x2[at(i)] += dot(now.x[at(i)], now.x[at(i)]) * (fast + slow) / kt / (3.0 * (steps - settle) / 5);
      v2[at(i)] += dot(now.v[at(i)], now.v[at(i)]) * mass / kt / (3.0 * (steps - settle) / 5);
    }
  }
  for (const std::vector<double>* values : {&x2, &v2}) {
    double sum = 0, squares = 0;
    for (double v : *values) {
      sum += v;
      squares += v * v;
    }
    const double mean = sum / atoms, error = std::sqrt((squares / atoms - mean * mean) / atoms);
    EXPECT_LT(error, 0.002);
    EXPECT_NEAR(mean, 1, 4 * error + 0.0025) << (values == &x2 ? "positions" : "velocities");
  }
}

TEST(MultipleTimeStep, EveryInnerStepHasNoiseOfItsOwn) {
  const System system = test::free_atoms(2, 12);
  const auto free = [](std::span<const Vec3d>, std::vector<Vec3d>&) { return 0.0; };
  const auto end = [&](double dt, std::vector<ForceLevel> levels, int steps) {
    ToyBackend backend(system, free);
    DynamicsSettings d = settings(IntegratorKind::langevin, dt, std::move(levels));
    d.seed = 11;
    Simulation s(system, backend, start(2), d);
    s.begin();
    for (int n = 0; n < steps; ++n) s.step();
    return s.state();
  };
  // 300 free flights of 1 ps friction time: velocities of both are Maxwellian and independent, not sums of one draw.
  const State one = end(0.004, {}, 1), split = end(0.004, {{fast_groups, 1}, {slow_group, 2}}, 1);
  const DynamicsSettings half = settings(IntegratorKind::langevin, 0.002, {});
  const double a = std::exp(-half.friction * 0.002), b = std::sqrt((1 - a * a) * constants::boltzmann * 300 / 12);
  const State s = start(2);
  const Vec3d first = gaussian3(11, NoisePurpose::langevin, noise_step(1, 0), 0),
              second = gaussian3(11, NoisePurpose::langevin, noise_step(1, 1), 0);
  EXPECT_NEAR(split.v[0].x, a * (a * s.v[0].x + b * first.x) + b * second.x, 1e-13);
  EXPECT_NE(one.v[0].x, split.v[0].x);
}

}  // namespace
}  // namespace uplift

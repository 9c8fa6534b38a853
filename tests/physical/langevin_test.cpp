// Statistics of motion on forces whose averages are known.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "support/toy_backend.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/random.hpp"
#include "uplift/engine/simulation.hpp"

namespace uplift {
namespace {

struct Mean {
  double value, error;  ///< error: standard error from the scatter of independent members
};
Mean mean_of(const std::vector<double>& samples) {
  double sum = 0, squares = 0;
  for (double s : samples) sum += s;
  const double n = static_cast<double>(samples.size()), mean = sum / n;
  for (double s : samples) squares += (s - mean) * (s - mean);
  return {mean, std::sqrt(squares / (n * (n - 1)))};
}

/// The middle scheme samples a harmonic well exactly, positions and velocities, at any stable time step (Zhang et al. 2019,
/// section 3): <x^2> = kT/k and <v^2> = kT/m. Velocities lag half a step behind, so <x v> = (dt/2) kT/m.
TEST(Langevin, SamplesAHarmonicWellExactlyEvenAtALargeTimestep) {
  const int atoms = 1000, steps = 3200, settle = 200;
  const double mass = 12, k = 1200, dt = 0.08;  // omega = 10/ps, omega dt = 0.8: Verlet's kinetic energy would be 16 % too low
  const System system = test::free_atoms(atoms, mass);
  test::ToyBackend backend(system, [k](std::span<const Vec3d> x, std::vector<Vec3d>& f) {
    for (std::size_t i = 0; i < x.size(); ++i) f[i] = -k * x[i];
    return 0.0;
  });
  DynamicsSettings d;
  d.timestep = dt;
  d.friction = 2;
  d.temperature = 300;
  d.seed = 77;
  State s;
  s.x.assign(at(atoms), Vec3d{0, 0, 0});
  draw_velocities(system, 300, 5, s);
  Simulation simulation(system, backend, s, d);
  simulation.begin();
  std::vector<double> x2(at(atoms), 0), v2(at(atoms), 0), v4(at(atoms), 0), xv(at(atoms), 0);
  const double kt = constants::boltzmann * 300;
  for (int n = 0; n < steps; ++n) {
    simulation.step();
    if (n < settle) continue;
    const State now = simulation.state();
    for (int i = 0; i < atoms; ++i) {
      const Vec3d &x = now.x[at(i)], &v = now.v[at(i)];
      const double per = 1.0 / (3 * (steps - settle));
      x2[at(i)] += dot(x, x) * k / kt * per;
      v2[at(i)] += dot(v, v) * mass / kt * per;
      xv[at(i)] += dot(x, v) * std::sqrt(k * mass) / kt * per;
      for (double u : {v.x, v.y, v.z}) v4[at(i)] += u * u * u * u * mass * mass / (kt * kt) * per;
    }
  }
  // Atoms are independent of each other: their scatter gives the error. Five sigma.
  for (const auto& [samples, expected] :
       {std::pair(x2, 1.0), std::pair(v2, 1.0), std::pair(v4, 3.0), std::pair(xv, std::sqrt(k / mass) * dt / 2)}) {
    const Mean m = mean_of(samples);
    EXPECT_LT(std::abs(m.value - expected), 5 * m.error);
    EXPECT_LT(m.error, 0.01) << "too little sampling to say anything";
  }
}

/// Rigid water and constrained bonds in harmonic wells: the temperature per degree of freedom is the thermostat's.
TEST(Langevin, TemperatureOfConstrainedMolecules) {
  Topology t;
  ForceField ff;
  const int molecules = 400;
  for (int k = 0; k < molecules; ++k) {
    test::add_water(t, ff);
    test::add_molecule(t, ff, "CH3", {6, 1, 1, 1}, {12.01, 1.008, 1.008, 1.008}, {{0, 1, 0.109}, {0, 2, 0.109}, {0, 3, 0.109}});
  }
  test::finish(t, ff);
  ForceSettings settings;
  settings.nonbonded = NonbondedMethod::no_cutoff;
  const System system = make_system(t, ff, settings);
  const int dof = degrees_of_freedom(system);
  ASSERT_EQ(dof, molecules * (6 + 9));
  test::ToyBackend backend(system, [](std::span<const Vec3d> x, std::vector<Vec3d>& f) {
    for (std::size_t i = 0; i < x.size(); ++i) f[i] = -100.0 * x[i];
    return 0.0;
  });
  State s;
  const double height = std::sqrt(0.09572 * 0.09572 - 0.15139 * 0.15139 / 4), a = 0.109 / std::sqrt(3.0);
  for (int k = 0; k < molecules; ++k)
    for (const Vec3d& r : {Vec3d{0, 0, 0}, Vec3d{height, 0.15139 / 2, 0}, Vec3d{height, -0.15139 / 2, 0}, Vec3d{0, 0, 0},
                           Vec3d{a, a, a}, Vec3d{a, -a, -a}, Vec3d{-a, a, -a}})
      s.x.push_back(r);
  draw_velocities(system, 300, 9, s);
  DynamicsSettings d;
  d.timestep = 0.002;
  d.friction = 5;
  d.temperature = 300;
  d.seed = 8;
  Simulation simulation(system, backend, s, d);
  simulation.begin();
  std::vector<double> of_water(at(molecules), 0), of_methyl(at(molecules), 0);
  const int steps = 3000, settle = 500;
  for (int n = 0; n < steps; ++n) {
    simulation.step();
    if (n < settle || n % 5) continue;
    const State now = simulation.state();
    for (int i = 0; i < now.size(); ++i) {
      const int molecule = i / 7;
      (i % 7 < 3 ? of_water : of_methyl)[at(molecule)] +=
          system.masses[at(i)] * dot(now.v[at(i)], now.v[at(i)]) / ((steps - settle) / 5);
    }
  }
  for (const auto& [samples, freedom] : {std::pair(of_water, 6), std::pair(of_methyl, 9)}) {
    const Mean m = mean_of(samples);
    const double temperature = m.value / (freedom * constants::boltzmann), error = m.error / (freedom * constants::boltzmann);
    // The time step makes an error of (omega dt)^2/12 or so of fast librations: here omega dt is below 0.1, under 0.1 %.
    EXPECT_LT(std::abs(temperature - 300), 5 * error + 0.3);
    EXPECT_LT(error, 2.0);
  }
}

/// Without a thermostat, constrained molecules that pull at each other keep their energy: no drift beyond the statistical one.
TEST(Verlet, ConstrainedMoleculesKeepTheirEnergy) {
  Topology t;
  ForceField ff;
  const int molecules = 8, groups = 8;
  for (int k = 0; k < molecules; ++k) {
    test::add_water(t, ff);
    test::add_molecule(t, ff, "CH3", {6, 1, 1, 1}, {12.01, 1.008, 1.008, 1.008}, {{0, 1, 0.109}, {0, 2, 0.109}, {0, 3, 0.109}});
  }
  test::finish(t, ff);
  ForceSettings settings;
  settings.nonbonded = NonbondedMethod::no_cutoff;
  const System system = make_system(t, ff, settings);
  // Every atom in a well of its own kind, with ripples: chaotic for a molecule, and no molecule sees another. Groups are runs
  // of their own, whose slopes tell how far the mean slope is to be trusted: the energy wanders more slowly than one run is
  // long.
  const auto ripples = [](std::span<const Vec3d> x, std::vector<Vec3d>& f) {
    double e = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double depth = 1 + static_cast<double>(i % 7);
      e += 20 * dot(x[i], x[i]);
      f[i] -= 40.0 * x[i];
      const double q = 10;  // [1/nm]
      e += depth * std::cos(q * x[i].x) * std::cos(q * x[i].y) + depth * std::cos(q * x[i].z);
      f[i] += (depth * q) * Vec3d{std::sin(q * x[i].x) * std::cos(q * x[i].y), std::cos(q * x[i].x) * std::sin(q * x[i].y),
                                  std::sin(q * x[i].z)};
    }
    return e;
  };
  const double height = std::sqrt(0.09572 * 0.09572 - 0.15139 * 0.15139 / 4), a = 0.109 / std::sqrt(3.0);
  const auto start = [&](int group) {
    State s;
    for (int k = 0; k < molecules; ++k) {
      const Vec3d centre = 0.2 * gaussian3(1, NoisePurpose::barostat, group, k);
      for (const Vec3d& r : {Vec3d{0, 0, 0}, Vec3d{height, 0.15139 / 2, 0}, Vec3d{height, -0.15139 / 2, 0}})
        s.x.push_back(centre + r);
      for (const Vec3d& r : {Vec3d{0, 0, 0}, Vec3d{a, a, a}, Vec3d{a, -a, -a}, Vec3d{-a, a, -a}})
        s.x.push_back(centre + Vec3d{0.2, 0.2, 0.2} + r);
    }
    draw_velocities(system, 300, static_cast<std::uint64_t>(9 + group), s);
    return s;
  };
  struct Energy final : Recorder {
    bool due(std::int64_t step) const override { return step % 10 == 0; }
    void record(const Frame& frame) override { values.push_back(frame.conserved); }
    std::vector<double> values;
  };
  struct Course {
    double slope, scatter;  ///< [kJ/mol/ps], [kJ/mol] about the means of blocks
  };
  const auto run = [&](double dt, int group) {
    test::ToyBackend backend(system, ripples, 1, 1e-8);
    DynamicsSettings d;
    d.integrator = IntegratorKind::verlet;
    d.timestep = dt;
    Simulation simulation(system, backend, start(group), d);
    Energy energy;
    simulation.add(energy);
    simulation.begin();
    // The energy that Verlet keeps differs from this one by a term of second order in dt, which itself relaxes: let it.
    const int relax = static_cast<int>(std::lround(30 / dt)), steps = relax + static_cast<int>(std::lround(40 / dt));
    for (int n = 0; n < steps; ++n) simulation.step();
    energy.values.erase(energy.values.begin(), energy.values.begin() + relax / 10);
    const std::size_t blocks = 10, per_block = energy.values.size() / blocks;
    std::vector<double> block(blocks, 0.0);
    for (std::size_t k = 0; k < blocks * per_block; ++k)
      block[k / per_block] += energy.values[k] / static_cast<double>(per_block);
    double slope = 0, norm = 0, scatter = 0;
    for (std::size_t k = 0; k < blocks; ++k) {
      const double u = 40.0 / blocks * (static_cast<double>(k) - 4.5);  // [ps]
      slope += u * block[k];
      norm += u * u;
    }
    for (std::size_t k = 0; k < blocks * per_block; ++k) scatter += std::pow(energy.values[k] - block[k / per_block], 2);
    return Course{slope / norm, scatter / static_cast<double>(blocks * per_block)};
  };
  const double unit = constants::boltzmann * 300 * degrees_of_freedom(system) * 1e-3;  // 1 kT/ns/dof in kJ/mol/ps
  double scatter[2] = {0, 0};
  for (const int fine : {0, 1}) {
    std::vector<double> slope;
    for (int g = 0; g < groups; ++g) {
      const Course course = run(fine ? 0.001 : 0.002, g);
      slope.push_back(course.slope / unit);
      scatter[fine] += course.scatter;
    }
    const auto drift = mean_of(slope);
    EXPECT_LT(std::abs(drift.value), 5 * drift.error) << "kT/ns/dof";
    EXPECT_LT(drift.error, fine ? 1e-3 : 4e-3) << "too little sampling to see a drift";
    RecordProperty(fine ? "fine" : "coarse", std::to_string(drift.value) + " +- " + std::to_string(drift.error) + " kT/ns/dof");
  }
  EXPECT_NEAR(std::sqrt(scatter[0] / scatter[1]), 4, 0.8);  // the energy oscillates with the square of the time step
}

}  // namespace
}  // namespace uplift

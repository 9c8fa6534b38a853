// Statistics of motion on forces whose averages are known.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "support/toy_backend.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/random.hpp"
#include "uplift/engine/simulation.hpp"

namespace uplift {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

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
  const int molecules = 40;
  for (int k = 0; k < molecules; ++k) {
    test::add_water(t, ff);
    test::add_molecule(t, ff, "CH3", {6, 1, 1, 1}, {12.01, 1.008, 1.008, 1.008}, {{0, 1, 0.109}, {0, 2, 0.109}, {0, 3, 0.109}});
  }
  test::finish(t, ff);
  ForceSettings settings;
  settings.nonbonded = NonbondedMethod::no_cutoff;
  const System system = make_system(t, ff, settings);
  // Every atom in a well of its own kind, with ripples: chaotic for a molecule, and no molecule sees another, so that the
  // average over them is stationary soon.
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
  State s;
  const double height = std::sqrt(0.09572 * 0.09572 - 0.15139 * 0.15139 / 4), a = 0.109 / std::sqrt(3.0);
  for (int k = 0; k < molecules; ++k) {
    const Vec3d centre = 0.2 * gaussian3(1, NoisePurpose::barostat, 0, k);
    for (const Vec3d& r : {Vec3d{0, 0, 0}, Vec3d{height, 0.15139 / 2, 0}, Vec3d{height, -0.15139 / 2, 0}})
      s.x.push_back(centre + r);
    for (const Vec3d& r : {Vec3d{0, 0, 0}, Vec3d{a, a, a}, Vec3d{a, -a, -a}, Vec3d{-a, a, -a}})
      s.x.push_back(centre + Vec3d{0.2, 0.2, 0.2} + r);
  }
  draw_velocities(system, 300, 9, s);
  struct Energy final : Recorder {
    bool due(std::int64_t step) const override { return step % 10 == 0; }
    void record(const Frame& frame) override { values.push_back(frame.conserved); }
    std::vector<double> values;
  };
  const auto run = [&](double dt) {
    test::ToyBackend backend(system, ripples, 1, 1e-8);
    DynamicsSettings d;
    d.integrator = IntegratorKind::verlet;
    d.timestep = dt;
    Simulation simulation(system, backend, s, d);
    Energy energy;
    simulation.add(energy);
    simulation.begin();
    // The energy that Verlet keeps differs from this one by a term of second order in dt, which itself relaxes: let it.
    const int relax = static_cast<int>(std::lround(30 / dt)), steps = relax + static_cast<int>(std::lround(40 / dt));
    for (int n = 0; n < steps; ++n) simulation.step();
    energy.values.erase(energy.values.begin(), energy.values.begin() + relax / 10);
    // Ten block means: their slope by least squares, and its error from what they scatter about the line.
    const std::size_t per_block = energy.values.size() / 10;
    std::vector<double> block(10, 0.0);
    for (std::size_t k = 0; k < 10 * per_block; ++k) block[k / per_block] += energy.values[k] / static_cast<double>(per_block);
    const double mean = mean_of(block).value;
    double slope = 0, norm = 0, rest = 0, scatter = 0;
    for (std::size_t k = 0; k < 10; ++k) {
      const double u = 4 * (static_cast<double>(k) - 4.5);  // [ps]
      slope += u * (block[k] - mean);
      norm += u * u;
    }
    slope /= norm;
    for (std::size_t k = 0; k < 10; ++k) rest += std::pow(block[k] - mean - slope * 4 * (static_cast<double>(k) - 4.5), 2);
    for (double e : energy.values) scatter += (e - mean) * (e - mean) / static_cast<double>(energy.values.size());
    return std::array<double, 3>{slope, std::sqrt(rest / 8 / norm), std::sqrt(scatter)};
  };
  const double unit = constants::boltzmann * 300 * degrees_of_freedom(system) * 1e-3;  // 1 kT/ns/dof in kJ/mol/ps
  const auto coarse = run(0.002), fine = run(0.001);
  EXPECT_LT(std::abs(fine[0]), 5 * fine[1]);
  EXPECT_LT(fine[1] / unit, 5e-4) << "too little sampling to see a drift";
  EXPECT_LT(std::abs(coarse[0]), 5 * coarse[1]);
  EXPECT_NEAR(coarse[2] / fine[2], 4, 1.2);  // the energy oscillates with the square of the time step
  RecordProperty("drift_kT_per_ns_per_dof", std::to_string(fine[0] / unit) + " +- " + std::to_string(fine[1] / unit));
}

}  // namespace
}  // namespace uplift

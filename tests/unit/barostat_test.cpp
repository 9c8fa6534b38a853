// Barostats: the stage that scales the box, the formulas, and the distribution of the volume of a gas that is known exactly.
#include "uplift/engine/barostat.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "physics/integrate/cell_rescaling.hpp"
#include "physics/integrate/volume_move.hpp"
#include "support/toy_backend.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/engine/simulation.hpp"

namespace uplift {
namespace {

double no_force(std::span<const Vec3d>, std::vector<Vec3d>&) { return 0; }

/// Waters and lone atoms in a triclinic box.
struct Mixture {
  Mixture() {
    Topology t;
    ForceField ff;
    for (int k = 0; k < 3; ++k) test::add_water(t, ff);
    test::add_molecule(t, ff, "ION", {11}, {23}, {});
    test::finish(t, ff);
    ForceSettings settings;
    settings.nonbonded = NonbondedMethod::reaction_field;
    system = make_system(std::move(t), std::move(ff), settings);
    state.box = {{4, 0, 0}, {1, 3.5, 0}, {-0.5, 0.7, 3}};
    for (int i = 0; i < 10; ++i) {
      const double k = i / 3;
      state.x.push_back({k + 0.05 * (i % 3), 2 * k - 0.07 * (i % 2), -k + 0.01 * i});
      state.v.push_back({0.3 * i, -0.1 * i * i, 0.5});
    }
  }
  System system;
  State state;
};

TEST(ScaleBox, MovesMoleculesByTheirCentres) {
  Mixture m;
  test::ToyBackend backend(m.system, no_force, 2);
  backend.upload(m.state);
  const Vec3d factor{1.1, 0.9, 1.25};
  const Stage stages[] = {ScaleBox{factor, true}};
  backend.run(stages, {}, 1);
  State now;
  backend.download(now);
  EXPECT_DOUBLE_EQ(now.box.b.x, 1.1 * m.state.box.b.x);
  EXPECT_DOUBLE_EQ(now.box.c.y, 0.9 * m.state.box.c.y);
  EXPECT_DOUBLE_EQ(now.box.c.z, 1.25 * m.state.box.c.z);
  EXPECT_DOUBLE_EQ(now.box.volume(), 1.1 * 0.9 * 1.25 * m.state.box.volume());
  for (std::size_t first : {0u, 3u, 6u, 9u}) {
    const std::size_t count = first == 9 ? 1 : 3;
    const auto centre = [&](const std::vector<Vec3d>& a) {
      Vec3d sum{0, 0, 0};
      double mass = 0;
      for (std::size_t i = first; i < first + count; ++i) {
        sum += m.system.masses[i] * a[i];
        mass += m.system.masses[i];
      }
      return (1 / mass) * sum;
    };
    const Vec3d x0 = centre(m.state.x), x1 = centre(now.x), v0 = centre(m.state.v), v1 = centre(now.v);
    EXPECT_NEAR(x1.x, factor.x * x0.x, 1e-14);
    EXPECT_NEAR(x1.y, factor.y * x0.y, 1e-14);
    EXPECT_NEAR(x1.z, factor.z * x0.z, 1e-14);
    EXPECT_NEAR(v1.x, v0.x / factor.x, 1e-14);
    EXPECT_NEAR(v1.y, v0.y / factor.y, 1e-14);
    EXPECT_NEAR(v1.z, v0.z / factor.z, 1e-14);
    for (std::size_t i = first + 1; i < first + count; ++i) {
      const Vec3d apart = (now.x[i] - now.x[first]) - (m.state.x[i] - m.state.x[first]);
      const Vec3d drift = (now.v[i] - now.v[first]) - (m.state.v[i] - m.state.v[first]);
      EXPECT_LT(std::sqrt(dot(apart, apart)), 1e-14);
      EXPECT_LT(std::sqrt(dot(drift, drift)), 1e-14);
    }
  }
}

TEST(ScaleBox, RestoredConfigurationHasTheSameBits) {
  Mixture m;
  test::ToyBackend backend(m.system, no_force);
  backend.upload(m.state);
  const Stage stages[] = {SaveConfiguration{}, ScaleBox{{1.1, 1.1, 1.1}, false}, RestoreConfiguration{}};
  backend.run(stages, {}, 1);
  State now;
  backend.download(now);
  EXPECT_EQ(now.box.c.y, m.state.box.c.y);
  for (std::size_t i = 0; i < now.x.size(); ++i) {
    EXPECT_EQ(now.x[i].x, m.state.x[i].x);
    EXPECT_EQ(now.v[i].z, m.state.v[i].z);
  }
}

TEST(CellStrain, IsTheLangevinEquationOfThePaper) {
  // Isotropic: d eps = -(beta_T/tau) (P0 - P) dt + sqrt(2 kT beta_T/(V tau)) dW; area and height: two and one third of it.
  const double p = 3, p0 = 5, kt = 2.5, v = 30, beta = 0.01, dt = 0.2, w = -1.3;
  EXPECT_NEAR(physics::cell_strain(3.0, p, p0, kt, v, beta, dt, w),
              -beta * dt * (p0 - p) + std::sqrt(2 * kt * beta * dt / v) * w, 1e-16);
  EXPECT_NEAR(physics::cell_strain(2.0, p, p0, kt, v, beta, dt, w),
              -2 * beta * dt / 3 * (p0 - p) + std::sqrt(4 * kt * beta * dt / (3 * v)) * w, 1e-16);
  EXPECT_NEAR(physics::cell_strain(1.0, p, p0, kt, v, beta, dt, w),
              -beta * dt / 3 * (p0 - p) + std::sqrt(2 * kt * beta * dt / (3 * v)) * w, 1e-16);
}

TEST(VolumeMove, IsTheRatioOfTheDensities) {
  const double du = 1.5, p0 = 0.06, v = 30, next = 30.5, kt = 2.49;
  const auto density = [&](double energy, double volume) {
    return std::pow(volume, 7) * std::exp(-(energy + p0 * volume) / kt);
  };
  EXPECT_NEAR(std::exp(physics::volume_move_log_ratio(du, p0, v, next, 7.0, kt)), density(du, next) / density(0, v), 1e-12);
}

struct GasCase {
  BarostatKind kind;
  PressureCoupling coupling;
  IntegratorKind integrator;
  int com_removal_every = 0;
  int molecules = 20;
};

class IdealGas : public ::testing::TestWithParam<GasCase> {};

/// N molecules without forces at P: p(V) ~ V^N exp(-P V/kT), so that <V> = (N + 1) kT/P and var V = (N + 1) (kT/P)^2, whatever
/// the edges do on their own, and whether their centre moves or not.
TEST_P(IdealGas, HasTheVolumesOfTheEnsemble) {
  const int n = GetParam().molecules;
  System system = test::free_atoms(n, 40);
  system.remove_com = GetParam().com_removal_every > 0;
  system.forces.cutoff = 1e-30;  // nothing is cut, and nothing keeps edges of their own from any shape
  State s;
  const double kt = constants::boltzmann * 300, p0 = 1 / constants::bar_per_kj_mol_nm3, mean = (n + 1) * kt / p0;
  s.box.a.x = s.box.b.y = s.box.c.z = std::cbrt(mean);
  s.x.assign(static_cast<std::size_t>(n), Vec3d{0, 0, 0});
  draw_velocities(system, 300, 3, s);
  DynamicsSettings d;
  d.integrator = GetParam().integrator;
  d.timestep = 0.05;
  d.friction = 2;
  d.seed = 19;
  d.com_removal_every = GetParam().com_removal_every;
  PressureSettings p;
  p.barostat = GetParam().kind;
  p.coupling = GetParam().coupling;
  p.every = 2;
  p.compressibility = 1;  // of an ideal gas: 1/P
  p.relaxation_time = 4;
  d.pressure = p;
  test::ToyBackend backend(system, no_force);
  Simulation simulation(system, backend, s, d);
  simulation.begin();
  const int blocks = 40, each = 6000;
  std::vector<double> means, squares;
  for (int k = 0; k < 4000; ++k) simulation.step();
  for (int b = 0; b < blocks; ++b) {
    double sum = 0, sum2 = 0;
    for (int k = 0; k < each; ++k) {
      simulation.step();
      const double v = backend.box().volume();
      sum += v;
      sum2 += (v - mean) * (v - mean);
    }
    means.push_back(sum / each);
    squares.push_back(sum2 / each);
  }
  const auto average = [](const std::vector<double>& a) {
    return std::accumulate(a.begin(), a.end(), 0.0) / static_cast<double>(a.size());
  };
  const auto error = [&](const std::vector<double>& a) {
    double sum = 0;
    for (double v : a) sum += (v - average(a)) * (v - average(a));
    return std::sqrt(sum / static_cast<double>(a.size() * (a.size() - 1)));
  };
  // Moves every 0.1 ps with a relaxation time of 4 ps leave an error of the variance of about 0.1/4.
  const double discretisation = p.barostat == BarostatKind::c_rescale ? 0.025 : 0;
  EXPECT_NEAR(average(means), mean, 4 * error(means) + 0.5 * discretisation * mean);
  EXPECT_NEAR(average(squares), mean * mean / (n + 1), 4 * error(squares) + discretisation * mean * mean / (n + 1));
  EXPECT_LT(error(means), 0.03 * mean) << "too few independent volumes to tell";
  if (p.barostat == BarostatKind::monte_carlo) {
    const double rate =
        static_cast<double>(simulation.barostat()->accepted()) / static_cast<double>(simulation.barostat()->attempted());
    EXPECT_GT(rate, 0.2);
    EXPECT_LT(rate, 0.9);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Barostats, IdealGas,
    ::testing::Values(GasCase{BarostatKind::monte_carlo, PressureCoupling::isotropic, IntegratorKind::langevin},
                      GasCase{BarostatKind::monte_carlo, PressureCoupling::isotropic, IntegratorKind::langevin, 0, 1},
                      GasCase{BarostatKind::monte_carlo, PressureCoupling::isotropic, IntegratorKind::langevin, 0, 2},
                      GasCase{BarostatKind::monte_carlo, PressureCoupling::semi_isotropic, IntegratorKind::langevin},
                      GasCase{BarostatKind::monte_carlo, PressureCoupling::anisotropic, IntegratorKind::langevin},
                      GasCase{BarostatKind::c_rescale, PressureCoupling::isotropic, IntegratorKind::langevin},
                      GasCase{BarostatKind::c_rescale, PressureCoupling::isotropic, IntegratorKind::v_rescale},
                      GasCase{BarostatKind::c_rescale, PressureCoupling::isotropic, IntegratorKind::v_rescale, 100},
                      GasCase{BarostatKind::c_rescale, PressureCoupling::isotropic, IntegratorKind::langevin, 3},
                      GasCase{BarostatKind::c_rescale, PressureCoupling::semi_isotropic, IntegratorKind::langevin},
                      GasCase{BarostatKind::c_rescale, PressureCoupling::anisotropic, IntegratorKind::langevin}));

/// It doubled an empty box, or more, until its volume was no number, without a word.
TEST(Barostat, StopsWhereItWouldTearTheBox) {
  System system = test::free_atoms(2, 40);
  system.forces.cutoff = 1e-30;
  State s;
  s.box.a.x = s.box.b.y = s.box.c.z = 1;
  s.x.assign(2, Vec3d{0, 0, 0});
  draw_velocities(system, 300, 3, s);
  DynamicsSettings d;
  d.pressure = PressureSettings{};
  d.pressure->barostat = BarostatKind::c_rescale;
  d.pressure->compressibility = 10;
  d.pressure->every = 1;
  test::ToyBackend backend(system, no_force);
  Simulation simulation(system, backend, s, d);
  simulation.begin();
  try {
    for (int k = 0; k < 100; ++k) simulation.step();
    FAIL() << "nothing happened";
  } catch (const SimulationError& e) {
    EXPECT_NE(std::string(e.what()).find("relaxation_time"), std::string::npos) << e.what();
  }
}

/// Whether a move is taken or refused, by a backend that puts no forces back.
TEST(Barostat, LeavesForcesOfThePresentPositions) {
  const int n = 5;
  System system = test::free_atoms(n, 40);
  system.forces.cutoff = 0.1;
  const auto springs = [](std::span<const Vec3d> x, std::vector<Vec3d>& f) {  // to the origin
    double energy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      f[i] = -500.0 * x[i];
      energy += 250 * dot(x[i], x[i]);
    }
    return energy;
  };
  State s;
  s.box.a.x = s.box.b.y = s.box.c.z = 6;
  for (int i = 0; i < n; ++i) s.x.push_back({0.3 * i, 0.5, 1});
  draw_velocities(system, 300, 3, s);
  DynamicsSettings d;
  d.seed = 19;
  d.pressure = PressureSettings{};
  d.pressure->every = 1;
  test::ToyBackend backend(system, springs);
  Simulation simulation(system, backend, s, d);
  simulation.begin();
  for (int k = 0; k < 60; ++k) {
    simulation.step();
    std::vector<Vec3d> forces, expected(n);
    backend.download_forces(forces);
    springs(simulation.state().x, expected);
    for (std::size_t i = 0; i < forces.size(); ++i) EXPECT_NEAR(forces[i].x, expected[i].x, 1e-6) << k;
  }
  EXPECT_GT(simulation.barostat()->accepted(), 5);
  EXPECT_LT(simulation.barostat()->accepted(), 50);
}

TEST(Barostat, IsTheSameAfterAContinuation) {
  const int n = 5;
  System system = test::free_atoms(n, 40);
  system.forces.cutoff = 0.1;
  for (BarostatKind kind : {BarostatKind::monte_carlo, BarostatKind::c_rescale}) {
    State s;
    s.box.a.x = s.box.b.y = s.box.c.z = 6;
    s.x.assign(n, Vec3d{0, 0, 0});
    draw_velocities(system, 300, 3, s);
    DynamicsSettings d;
    d.seed = 19;
    d.pressure = PressureSettings{};
    d.pressure->barostat = kind;
    d.pressure->every = 3;
    test::ToyBackend backend(system, no_force), other(system, no_force);
    Simulation whole(system, backend, s, d);
    whole.begin();
    for (int k = 0; k < 100; ++k) whole.step();
    const State middle = whole.checkpoint_state();
    for (int k = 0; k < 100; ++k) whole.step();
    Simulation rest(system, other, middle, d, StageStart{0, 0});
    rest.begin();
    for (int k = 0; k < 100; ++k) rest.step();
    EXPECT_EQ(whole.state().box.a.x, rest.state().box.a.x);
    EXPECT_EQ(whole.state().x[3].y, rest.state().x[3].y);
    EXPECT_EQ(whole.state().barostat, rest.state().barostat);
    EXPECT_NE(middle.box.a.x, rest.state().box.a.x);
  }
}

}  // namespace
}  // namespace uplift

// The Nose-Hoover chain: reversible, canonical, and with the conserved energy of its paper.
#include "physics/integrate/nose_hoover.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/toy_backend.hpp"
#include "uplift/backend/chain_state.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/random.hpp"
#include "uplift/engine/simulation.hpp"

namespace uplift {
namespace {

physics::NoseHooverChain some_chain() {
  physics::NoseHooverChain chain;
  chain.position = {0.1, -0.2, 0.3};
  chain.velocity = {0.7, -0.4, 1.1};
  return chain;
}

TEST(NoseHoover, ChainRunsBackwards) {
  physics::NoseHooverChain chain = some_chain();
  const double scale = physics::move_chain(chain, 60, 40, 300, 0.5, 0.01);
  EXPECT_NE(scale, 1);
  const double back = physics::move_chain(chain, 60 * scale * scale, 40, 300, 0.5, -0.01);
  EXPECT_NEAR(scale * back, 1, 1e-14);
  for (std::size_t j = 0; j < 3; ++j) {
    EXPECT_NEAR(chain.position[j], some_chain().position[j], 1e-14);
    EXPECT_NEAR(chain.velocity[j], some_chain().velocity[j], 1e-13);
  }
}

/// Free particles: kinetic plus chain energy is the whole conserved energy, kept to fourth order in dt.
TEST(NoseHoover, ChainConservesItsEnergy) {
  const auto error = [](double dt) {
    physics::NoseHooverChain chain = some_chain();
    double kinetic = 60;
    const double start = kinetic + physics::chain_energy(chain, 40, 300, 0.5);
    double worst = 0;
    for (int n = 0; n < static_cast<int>(std::lround(5 / dt)); ++n) {
      const double scale = physics::move_chain(chain, kinetic, 40, 300, 0.5, dt);
      kinetic *= scale * scale;
      worst = std::max(worst, std::abs(kinetic + physics::chain_energy(chain, 40, 300, 0.5) - start));
    }
    return worst;
  };
  EXPECT_LT(error(0.01), 1e-4);
  EXPECT_NEAR(error(0.04) / error(0.02), 16, 4);
}

TEST(NoseHoover, HeatIsWhatTheChainLoses) {
  physics::NoseHooverChain chain = some_chain();
  const double before = physics::chain_energy(chain, 40, 300, 0.5);
  const physics::Rescaling by = physics::move_chain_with_heat(chain, 60, 40, 300, 0.5, 0.01);
  EXPECT_NE(by.heat, 0);
  EXPECT_EQ(by.heat, before - physics::chain_energy(chain, 40, 300, 0.5));
  EXPECT_NEAR(60 * by.factor * by.factor, 60 + by.heat, 1e-6);  // the chain keeps its energy to fourth order in dt
  const physics::Rescaling none = physics::move_chain_with_heat(chain, 0, 0, 300, 0.5, 0.01);
  EXPECT_EQ(none.factor, 1);
  EXPECT_EQ(none.heat, 0);
}

TEST(NoseHoover, StatesKeepTheChain) {
  const physics::NoseHooverChain back = chain_from(numbers_of(some_chain()));
  EXPECT_EQ(back.position, some_chain().position);
  EXPECT_EQ(back.velocity, some_chain().velocity);
  EXPECT_EQ(chain_from({}).position, physics::NoseHooverChain{}.position);
}

double springs(std::span<const Vec3d> x, std::vector<Vec3d>& f) {
  double e = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double r2 = dot(x[i], x[i]), k = 1000 + 40 * static_cast<double>(i);
    e += 0.5 * k * r2 + 5000 * r2 * r2;
    f[i] -= (k + 20000 * r2) * x[i];
  }
  return e;
}

/// Wells whose atoms push each other about strongly: a chain thermostats only what is chaotic (separate wells keep their shares
/// of the energy, and the variance comes out at 1.4 of the right one).
double tangle(std::span<const Vec3d> x, std::vector<Vec3d>& f) {
  double e = springs(x, f);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t j = (i + 1) % x.size();
    const Vec3d r = x[j] - x[i];
    const double r2 = dot(r, r);
    e += 1e5 * r2 * r2;
    f[i] += 4e5 * r2 * r;
    f[j] -= 4e5 * r2 * r;
  }
  return e;
}

DynamicsSettings chain_settings(double dt) {
  DynamicsSettings d;
  d.integrator = IntegratorKind::nose_hoover;
  d.timestep = dt;
  d.friction = 5;
  d.temperature = 300;
  return d;
}

State cold(const System& system) {
  State s;
  s.x.assign(at(system.size()), Vec3d{0.01, 0, 0});
  draw_velocities(system, 100, 3, s);
  return s;
}

TEST(NoseHoover, KineticEnergyIsCanonical) {
  const System system = test::free_atoms(20, 12);
  test::ToyBackend backend(system, tangle);
  Simulation simulation(system, backend, cold(system), chain_settings(0.004));
  simulation.begin();
  const int blocks = 100, steps = 4000;
  std::vector<double> mean(at(blocks), 0), square(at(blocks), 0);
  for (int n = 0; n < steps; ++n) simulation.step();
  for (int b = 0; b < blocks; ++b)
    for (int n = 0; n < steps; ++n) {
      simulation.step();
      const double k = backend.kinetic_energy() / (constants::boltzmann * 300);
      mean[at(b)] += k / steps;
      square[at(b)] += (k - 30) * (k - 30) / steps;
    }
  const auto check = [&](const std::vector<double>& values, double expected, double bias) {
    double sum = 0, squares = 0;
    for (double v : values) {
      sum += v / blocks;
      squares += v * v / blocks;
    }
    const double error = std::sqrt((squares - sum * sum) / blocks);
    EXPECT_LT(error, 0.05 * expected);
    EXPECT_NEAR(sum, expected, 4 * error + bias);
  };
  check(mean, 30, 0.005 * 30);   // shadow of the time step, (omega dt)^2/8 with omega dt = 0.15
  check(square, 30, 0.01 * 30);  // variance of a gamma distribution of shape 30
}

TEST(NoseHoover, ConservedEnergyFluctuatesWithTheSquareOfTheTimestep) {
  const System system = test::free_atoms(20, 12);
  const auto deviation = [&](double dt) {
    test::ToyBackend backend(system, springs);
    Simulation simulation(system, backend, cold(system), chain_settings(dt));
    simulation.begin();
    std::vector<double> e;
    for (int n = 0; n < static_cast<int>(std::lround(20 / dt)); ++n) {
      simulation.step();
      e.push_back(simulation.observe().conserved);
    }
    EXPECT_GT(simulation.state().heat, 20);
    double sum = 0, squares = 0;
    for (double v : e) sum += v / static_cast<double>(e.size());
    for (double v : e) squares += (v - sum) * (v - sum) / static_cast<double>(e.size());
    return std::sqrt(squares);
  };
  EXPECT_NEAR(deviation(0.008) / deviation(0.004), 4, 0.4);
}

TEST(NoseHoover, ChainGoesOnFromTheState) {
  const System system = test::free_atoms(20, 12);
  test::ToyBackend backend(system, springs), other(system, springs);
  Simulation whole(system, backend, cold(system), chain_settings(0.01));
  whole.begin();
  for (int n = 0; n < 50; ++n) whole.step();
  Simulation rest(system, other, whole.state(), chain_settings(0.01));
  rest.begin();
  for (int n = 0; n < 50; ++n) {
    whole.step();
    rest.step();
  }
  EXPECT_EQ(whole.state().chain, rest.state().chain);
  EXPECT_EQ(whole.state().heat, rest.state().heat);
  EXPECT_EQ(whole.state().v[7].x, rest.state().v[7].x);
}

}  // namespace
}  // namespace uplift

// Stochastic velocity rescaling: its draws, the distribution of the kinetic energy that it makes, and what it conserves.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "physics/integrate/velocity_rescaling.hpp"
#include "support/toy_backend.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/random.hpp"
#include "uplift/engine/simulation.hpp"

namespace uplift {
namespace {

TEST(ChiSquared, HasTheMomentsAndTheDistribution) {
  const int n = 40000;
  for (double degrees : {0.5, 1.0, 2.0, 3.0, 29.0, 48380.0}) {
    SCOPED_TRACE(degrees);
    double sum = 0, squares = 0;
    int below_mean = 0;
    for (int k = 0; k < n; ++k) {
      const double x = chi_squared(degrees, 5, NoisePurpose::thermostat, k, 1);
      ASSERT_GT(x, 0);
      sum += x;
      squares += (x - degrees) * (x - degrees);
      below_mean += x < degrees;
    }
    // Errors of the mean and of the variance: the fourth moment is 12 d (d + 4).
    EXPECT_NEAR(sum / n, degrees, 4 * std::sqrt(2 * degrees / n));
    EXPECT_NEAR(squares / n, 2 * degrees, 4 * std::sqrt((12 * degrees * (degrees + 4) - 4 * degrees * degrees) / n));
    const double p = degrees == 1 ? std::erf(std::sqrt(0.5)) : degrees == 2 ? 1 - std::exp(-1.0) : 0;
    if (p > 0) {
      EXPECT_NEAR(below_mean, n * p, 4 * std::sqrt(n * p * (1 - p)));
    }
  }
  EXPECT_EQ(chi_squared(0, 5, NoisePurpose::thermostat, 1, 1), 0);
}

/// With R the deviates, K' is |sqrt(c K) e + sqrt(share) R|^2 along a unit vector e: what Langevin friction does to the
/// velocities.
TEST(VelocityRescaling, IsTheLengthOfAVectorThatForgets) {
  const double kinetic = 7, target = 5, degrees = 4, dt_over_tau = 0.3;
  const double r[4] = {0.3, -1.2, 0.7, 2.1};
  const double c = std::exp(-0.3), share = (1 - c) * target / degrees;
  const double first = std::sqrt(c * kinetic) + std::sqrt(share) * r[0];
  const double expected = first * first + share * (r[1] * r[1] + r[2] * r[2] + r[3] * r[3]);
  EXPECT_NEAR(
      physics::rescaled_kinetic_energy(kinetic, target, degrees, dt_over_tau, r[0], r[1] * r[1] + r[2] * r[2] + r[3] * r[3]),
      expected, 1e-14 * expected);
}

TEST(VelocityRescaling, CountsAsHeatWhatItPutsIn) {
  for (std::int64_t draw = 0; draw < 10; ++draw) {
    const physics::Rescaling by = physics::draw_rescaling(7, 4, 300, 0.3, 5, draw);
    EXPECT_NE(by.heat, 0);
    EXPECT_NEAR(7 * by.factor * by.factor, 7 + by.heat, 1e-13);
  }
  for (const auto& by : {physics::draw_rescaling(0, 4, 300, 0.3, 5, 1), physics::draw_rescaling(7, 0, 300, 0.3, 5, 1)}) {
    EXPECT_EQ(by.factor, 1);
    EXPECT_EQ(by.heat, 0);
  }
}

DynamicsSettings rescaling(double dt, double friction) {
  DynamicsSettings d;
  d.integrator = IntegratorKind::v_rescale;
  d.timestep = dt;
  d.friction = friction;
  d.temperature = 300;
  d.seed = 8;
  return d;
}

TEST(VelocityRescaling, KineticEnergyIsCanonicalAndRelaxesAsAsked) {
  const System system = test::free_atoms(10, 12);  // 30 degrees of freedom
  test::ToyBackend backend(system, [](std::span<const Vec3d>, std::vector<Vec3d>&) { return 0.0; });
  State s;
  s.x.assign(10, Vec3d{0, 0, 0});
  draw_velocities(system, 300, 3, s);
  Simulation simulation(system, backend, s, rescaling(0.01, 25));  // a quarter of the relaxation time a step
  simulation.begin();
  const int steps = 100000;
  std::vector<double> k(at(steps));
  for (double& value : k) {
    simulation.step();
    value = backend.kinetic_energy() / (constants::boltzmann * 300);
  }
  const double mean = std::accumulate(k.begin(), k.end(), 0.0) / steps;
  double variance = 0, lagged = 0;
  for (int n = 0; n + 1 < steps; ++n) {
    variance += (k[at(n)] - 15) * (k[at(n)] - 15) / steps;
    lagged += (k[at(n)] - 15) * (k[at(n + 1)] - 15) / steps;
  }
  const double independent = steps * (1 - std::exp(-0.25)) / (1 + std::exp(-0.25));
  EXPECT_NEAR(mean, 15, 4 * std::sqrt(15 / independent));
  EXPECT_NEAR(variance, 15, 4 * 15 * std::sqrt(2.4 / independent));  // fourth moment of a gamma distribution of shape 15
  EXPECT_NEAR(lagged / variance, std::exp(-0.25), 0.02);
  // All velocities keep their directions.
  const State end = simulation.state();
  for (int i = 0; i < 10; ++i)
    EXPECT_NEAR(end.v[at(i)].x / end.v[at(i)].y, s.v[at(i)].x / s.v[at(i)].y, 1e-9 * std::abs(s.v[at(i)].x / s.v[at(i)].y));
}

TEST(VelocityRescaling, EnergyLessHeatIsConserved) {
  const System system = test::free_atoms(30, 12);
  const auto springs = [](std::span<const Vec3d> x, std::vector<Vec3d>& f) {
    double e = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double r2 = dot(x[i], x[i]);
      e += 500 * r2 + 5000 * r2 * r2;
      f[i] -= (1000 + 20000 * r2) * x[i];
    }
    return e;
  };
  const auto deviation = [&](double dt) {
    test::ToyBackend backend(system, springs);
    State s;
    s.x.assign(30, Vec3d{0.01, 0, 0});
    draw_velocities(system, 100, 3, s);  // far too cold: much heat must flow
    Simulation simulation(system, backend, s, rescaling(dt, 5));
    simulation.begin();
    const double start = simulation.observe().conserved;
    double squares = 0;
    const int steps = static_cast<int>(std::lround(20 / dt));
    for (int n = 0; n < steps; ++n) {
      simulation.step();
      const double off = simulation.observe().conserved - start;
      squares += off * off / steps;
    }
    EXPECT_GT(simulation.state().heat, 100);
    return std::sqrt(squares);
  };
  const double coarse = deviation(0.01), fine = deviation(0.005);
  EXPECT_LT(fine, 2);  // of more than 200 kJ/mol in motion
  EXPECT_GT(coarse / fine, 2.5);
}

}  // namespace
}  // namespace uplift

// What velocity Verlet and its multiple time steps promise, on real water: a conserved energy whose error is of second order,
// and the way back.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "uplift/backend/cpu/cpu_backend.hpp"
#include "uplift/engine/simulation.hpp"
#include "uplift/io/amber.hpp"

namespace uplift {
namespace {

constexpr ForceGroups slow = static_cast<unsigned>(ForceGroup::pme_reciprocal);

struct Water {
  explicit Water(bool rigid) {
    const std::string folder = std::string(UPLIFT_SOURCE_DIR) + "/inputs/water-tip3p-small";
    AmberTopology amber = read_prmtop(folder + "/system.prmtop.gz");
    const Coordinates coordinates = read_amber_coordinates(folder + "/system.inpcrd.gz");
    state.box = *choose_box(amber, coordinates);
    state.x = coordinates.x;
    ForceSettings settings;
    settings.cutoff = 0.85;
    settings.switch_distance = 0.65;  // no jumps of the energy, which would be of no order at all
    settings.pme.tolerance = 1e-6;    // pairs at the cutoff are the floor of the fluctuation
    settings.rigid_water = rigid;
    settings.constraints = ConstraintMode::none;
    system = make_system(std::move(amber.topology), std::move(amber.force_field), settings);
    make_molecules_whole(system, state);
    draw_velocities(system, 300, 7, state);
    backend = cpu::make_cpu_backend(system, state.box, {Precision::double_, 2, 1e-10});
  }
  System system;
  State state;
  std::unique_ptr<Backend> backend;
};

DynamicsSettings verlet(double dt, bool levels) {
  DynamicsSettings d;
  d.integrator = IntegratorKind::verlet;
  d.timestep = dt;
  d.constraint_tolerance = 1e-10;
  if (levels) d.levels = {{all_force_groups & ~slow, 1}, {slow, 2}};
  return d;
}

class Conservation : public ::testing::TestWithParam<bool> {};

TEST_P(Conservation, FluctuationFallsWithTheSquareOfTheTimestep) {
  Water water(true);
  // Away from the minimised start, from which the energy would still be settling.
  Simulation warm(water.system, *water.backend, water.state, verlet(0.001, false));
  warm.begin();
  for (int n = 0; n < 100; ++n) warm.step();
  const State start = warm.state();
  const auto fluctuation = [&](double dt) {
    Simulation s(water.system, *water.backend, start, verlet(dt, GetParam()));
    s.begin();
    const int steps = static_cast<int>(std::lround(0.4 / dt)), every = static_cast<int>(std::lround(0.004 / dt));
    std::vector<double> energy;
    for (int n = 0; n < steps; ++n) {
      s.step();
      if ((n + 1) % every == 0) energy.push_back(s.observe().conserved);
    }
    double mean = 0, square = 0;
    for (double e : energy) mean += e / static_cast<double>(energy.size());
    for (double e : energy) square += (e - mean) * (e - mean) / static_cast<double>(energy.size());
    return std::sqrt(square);
  };
  // The same trajectory seen at the same times: of the ratio 4 only the next order is missing, and what the floor adds (a PME
  // tolerance of 1e-7 gives 4.01 at ten times the cost).
  const double ratio = fluctuation(0.0016) / fluctuation(0.0008);
  EXPECT_GT(ratio, 3.6);
  EXPECT_LT(ratio, 4.4);
}

TEST_P(Conservation, GoesBackToWhereItCameFrom) {
  Water water(false);
  const DynamicsSettings d = verlet(0.0005, GetParam());
  Simulation forward(water.system, *water.backend, water.state, d);
  const State start = forward.state();
  forward.begin();
  for (int n = 0; n < 200; ++n) forward.step();
  State turned = forward.state();
  for (Vec3d& v : turned.v) v = -v;
  Simulation backward(water.system, *water.backend, turned, d, StageStart{turned.step, turned.time});
  backward.begin();
  for (int n = 0; n < 200; ++n) backward.step();
  const State back = backward.state();
  double worst = 0, travelled = 0;
  for (std::size_t i = 0; i < start.x.size(); ++i) {
    const Vec3d d1 = back.x[i] - start.x[i], d2 = turned.x[i] - start.x[i];
    worst = std::max(worst, std::sqrt(dot(d1, d1)));
    travelled = std::max(travelled, std::sqrt(dot(d2, d2)));
  }
  EXPECT_GT(travelled, 0.03);
  // Forces are rounded to 2^-32 kJ/mol/nm and positions to 2^-51 nm, 400 times; water forgets with 1 to 2 /ps of Lyapunov
  // exponent and flexible bonds turn by 50 radians. The stated bound: 1e-10 nm.
  EXPECT_LT(worst, 1e-10);
}

INSTANTIATE_TEST_SUITE_P(Levels, Conservation, ::testing::Bool(),
                         [](const auto& name) { return name.param ? "Respa" : "Verlet"; });

}  // namespace
}  // namespace uplift

// Levels of the CPU backend on a real system: together they are the whole force, whatever was computed when.
#include <gtest/gtest.h>

#include <cstring>

#include "uplift/backend/cpu/cpu_backend.hpp"
#include "uplift/engine/simulation.hpp"
#include "uplift/io/amber.hpp"

namespace uplift {
namespace {

constexpr ForceGroups slow_group = static_cast<unsigned>(ForceGroup::pme_reciprocal);

TEST(CpuLevels, AddUpToTheSameBits) {
  const std::string folder = std::string(UPLIFT_SOURCE_DIR) + "/inputs/alanine-dipeptide-tip3p";
  AmberTopology amber = read_prmtop(folder + "/system.prmtop.gz");
  Coordinates coordinates = read_amber_coordinates(folder + "/system.inpcrd.gz");
  State state;
  state.box = *choose_box(amber, coordinates);
  state.x = coordinates.x;
  state.v.assign(state.x.size(), Vec3d{0, 0, 0});
  const System system = make_system(std::move(amber.topology), std::move(amber.force_field), ForceSettings{});
  make_molecules_whole(system, state);
  DynamicsSettings d;
  d.integrator = IntegratorKind::verlet;
  d.timestep = 0.004;
  const auto backend = cpu::make_cpu_backend(system, state.box, {Precision::mixed, 2, 1e-6});

  Simulation whole(system, *backend, state, d);
  whole.begin();
  const Frame plain = whole.observe();
  const std::vector<Vec3d> forces = plain.forces;
  const Energies energies = plain.energies;
  const double pressure = plain.pressure;

  d.levels = {{all_force_groups & ~slow_group, 1}, {slow_group, 2}};
  Simulation split(system, *backend, state, d);
  split.begin();
  const Frame levels = split.observe();
  EXPECT_EQ(std::memcmp(forces.data(), levels.forces.data(), sizeof(Vec3d) * forces.size()), 0);
  EXPECT_EQ(energies.potential(), levels.energies.potential());
  EXPECT_EQ(pressure, levels.pressure);

  // After steps, what is reported is what a fresh evaluation of the same positions gives.
  for (int n = 0; n < 5; ++n) split.step();
  const Frame moved = split.observe();
  const State now = moved.state;
  const std::vector<Vec3d> after = moved.forces;
  const double potential = moved.energies.potential();
  const Stage evaluate[] = {PlaceVirtualSites{}, ComputeForces{}};
  backend->upload(now);
  backend->run(evaluate, ForcePlan{.energies = true, .virial = true}, 0);
  std::vector<Vec3d> fresh;
  backend->download_forces(fresh);
  ASSERT_EQ(fresh.size(), after.size());
  // To the bit: the state that was observed names the pair list that was in use.
  EXPECT_EQ(std::memcmp(fresh.data(), after.data(), sizeof(Vec3d) * after.size()), 0);
  EXPECT_EQ(backend->energies().potential(), potential);
}

}  // namespace
}  // namespace uplift

// uplift as a library: a System from Amber files, a hundred steps at 300 K, and the forces after them.
//
//   forces system.prmtop system.inpcrd
#include <cmath>
#include <cstdio>
#include <exception>

#include "uplift/backend/cpu/cpu_backend.hpp"
#include "uplift/engine/simulation.hpp"
#include "uplift/io/amber.hpp"

int main(int argc, char** argv) try {
  using namespace uplift;
  if (argc != 3) {
    std::fprintf(stderr, "usage: forces PRMTOP INPCRD\n");
    return 2;
  }
  AmberTopology amber = read_prmtop(argv[1]);
  const Coordinates coordinates = read_amber_coordinates(argv[2]);
  check(amber, coordinates);

  // Units are nm, ps, kJ/mol, Da, e and K throughout.
  const std::optional<Box> box = choose_box(amber, coordinates);
  ForceSettings forces;
  forces.nonbonded = box ? NonbondedMethod::pme : NonbondedMethod::no_cutoff;
  const System system = make_system(std::move(amber.topology), std::move(amber.force_field), forces);
  State state;
  state.x = coordinates.x;
  state.v.resize(state.x.size());
  if (box) state.box = *box;
  validate_geometry(system, state.box, state.x);

  DynamicsSettings dynamics;
  dynamics.timestep = 0.002;
  dynamics.temperature = 300;
  dynamics.seed = 2026;
  draw_velocities(system, dynamics.temperature, dynamics.seed, state);
  const auto backend = cpu::make_cpu_backend(system, state.box, {});
  Simulation simulation(system, *backend, state, dynamics);
  simulation.begin();
  for (int n = 0; n < 100; ++n) simulation.step();

  const Frame frame = simulation.observe();
  double squares = 0;
  for (const Vec3d& f : frame.forces) squares += dot(f, f);
  std::printf("%d atoms, step %lld, %.3f ps\n", system.size(), static_cast<long long>(frame.state.step), frame.state.time);
  std::printf("potential %.3f kJ/mol, temperature %.1f K\n", frame.energies.potential(), frame.temperature);
  std::printf("rms force %.3f kJ/mol/nm; on the first atom %.3f %.3f %.3f\n", std::sqrt(squares / (3.0 * system.size())),
              frame.forces[0].x, frame.forces[0].y, frame.forces[0].z);
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "error: %s\n", e.what());
  return 1;
}

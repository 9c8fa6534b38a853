// Writes trajectory.h5md, topology.pdb, energies.h5 and forces.h5 of a made-up system for the Python checks.
//   write_sample DIRECTORY orthorhombic|triclinic|open FRAMES [velocities] [forces] [rounded] [subset] [endless]
// With `endless` it goes on writing until it is killed, and prints the number of each frame once write() has returned.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "sample_system.hpp"
#include "uplift/io/energy_file.hpp"
#include "uplift/io/energy_json.hpp"
#include "uplift/io/forces_file.hpp"
#include "uplift/io/pdb.hpp"
#include "uplift/io/trajectory.hpp"

using namespace uplift;

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::string directory = argv[1], kind = argv[2];
  const std::set<std::string> flags(argv + 4, argv + argc);
  const auto has = [&](const char* flag) { return flags.count(flag) > 0; };
  std::filesystem::create_directories(directory);
  const bool periodic = kind != "open";
  const System system = sample::make_system(has("rounded") ? 1000 : 5, periodic);
  const int n = system.size();

  TrajectoryOptions options;
  options.velocities = has("velocities");
  options.forces = has("forces");
  if (has("rounded")) options.position_precision = 1e-4;
  if (has("subset")) options.atoms = {0, 2, 5, 6, 11, 12, 13};
  const Provenance provenance{"a sample", "0.0-test", "version: 1\ntitle: \xc3\xa5ngstr\xc3\xb6m\n"};
  const Box first = sample::box(kind, 0);
  write_topology_pdb(directory + "/topology.pdb", system, first, sample::positions(n, 0), options.atoms);
  TrajectoryWriter trajectory = TrajectoryWriter::create(directory + "/trajectory.h5md", system, first, options, provenance);
  const std::vector<EnergyTerm> terms{EnergyTerm::bond, EnergyTerm::lj, EnergyTerm::coulomb_direct};
  EnergyWriter table = EnergyWriter::create(directory + "/energies.h5", terms, periodic, provenance);

  EnergyRow row;
  const int frames = std::atoi(argv[3]);
  for (int frame = 0; has("endless") || frame < frames; ++frame) {
    const std::vector<Vec3d> x = sample::positions(n, frame);
    std::vector<Vec3d> v(x.size()), f(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) v[i] = 0.5 * x[i], f[i] = -100.0 * x[i];
    trajectory.write({100 * frame, 0.2 * frame, sample::box(kind, frame), x, v, f});
    row.step = 100 * frame;
    row.time = 0.2 * frame;
    row.energies[EnergyTerm::bond] = 1 + frame;
    row.energies[EnergyTerm::lj] = -2.5;
    row.energies[EnergyTerm::coulomb_direct] = 0.25;
    row.kinetic = 10;
    row.temperature = 300;
    row.pressure = 1;
    row.volume = periodic ? sample::box(kind, frame).volume() : 0;
    row.conserved_quantity = 42;
    table.write(row);
    if (has("endless")) {
      trajectory.flush();
      table.flush();
      std::printf("%d\n", frame);
      std::fflush(stdout);
    }
  }
  table.flush();
  trajectory.flush();

  EnergyReport report;
  report.atoms = n;
  report.precision = "double";
  report.backend = "cpu";
  report.terms = terms;
  report.energies = row.energies;
  if (periodic) report.pme = PmeParameters{3.125, {32, 36, 40}, 5};
  const std::vector<Vec3d> x = sample::positions(n, 0);
  write_forces_file(directory + "/forces.h5", report, x, x);
  write_energy_json(directory + "/energy.json", report);
  return 0;
}

// `uplift energy`: a single point.
#include <iostream>

#include "commands.hpp"
#include "load.hpp"
#include "uplift/io/energy_json.hpp"
#include "uplift/io/forces_file.hpp"
#include "uplift/io/run_input.hpp"

namespace uplift::app {

int energy_command(const InputOptions& options, const std::string& json, const std::string& forces) {
  const RunInput input = load_run_input(options.file, options.overrides());
  const Loaded loaded = load(input, input.forces, std::nullopt);
  const std::unique_ptr<Backend> backend = make_backend(loaded.system, loaded.state.box, input.compute, input.dynamics.constraint_tolerance);
  backend->upload(loaded.state);
  const Stage stages[] = {PlaceVirtualSites{}, ComputeForces{}};
  backend->run(stages, ForcePlan{.energies = true, .virial = loaded.state.box.periodic()}, 0);

  EnergyReport report;
  report.atoms = loaded.system.size();
  report.precision = input.compute.precision == Precision::double_ ? "double" : "mixed";
  report.backend = backend->name();
  report.terms = energy_terms(loaded.system);
  report.energies = backend->energies();
  if (loaded.system.forces.nonbonded == NonbondedMethod::pme) report.pme = backend->pme();

  if (!json.empty()) write_energy_json(json, report);
  if (!forces.empty()) {
    std::vector<Vec3d> f;
    backend->download_forces(f);
    State placed = loaded.state;
    backend->download(placed);
    write_forces_file(forces, report, f, placed.x);
  }
  std::cout << energy_table(report);
  return finished;
}

}  // namespace uplift::app

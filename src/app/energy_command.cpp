// `uplift energy`: a single point.
#include <iostream>
#include <vector>

#include "commands.hpp"
#include "load.hpp"
#include "rank_threads.hpp"
#include "ranks.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/fixed_point.hpp"
#include "uplift/engine/integrator.hpp"
#include "uplift/io/check_output.hpp"
#include "uplift/io/energy_json.hpp"
#include "uplift/io/forces_file.hpp"
#include "uplift/io/run_input.hpp"
#include "uplift/sampling/bias_rules.hpp"

namespace uplift::app {
namespace {

/// The first stage whose bias has explicit parameters; those that come from a stage are not known without a run. Null: none.
const StageSettings* biased_stage(const RunInput& input) {
  for (const StageSettings& stage : input.stages)
    if (stage.bias && stage.bias->from.empty()) return &stage;
  return nullptr;
}

/// But for masses, which are no matter of energies.
bool same_forces(ForceSettings a, const ForceSettings& b) {
  a.hydrogen_mass = b.hydrogen_mass;
  return a == b;
}

/// What stages have and these energies have not.
void say_what_is_left_out(const RunInput& input) {
  std::string others;
  for (const StageSettings& stage : input.stages) {
    if (stage.bias)
      std::cerr << "note: the bias of stage " << stage.name << " comes from stage " << stage.bias->from
                << ": these are energies and forces without it\n";
    if (!same_forces(stage.forces, input.forces)) others += (others.empty() ? "" : ", ") + stage.name;
  }
  if (!others.empty())
    std::cerr << "note: these are energies with the forces of the whole input; of stages with other forces (" << others
              << ") give --set forces.KEY=VALUE\n";
}

}  // namespace

int energy_command(const InputOptions& options, const std::string& json, const std::string& forces, const Communicator& world) {
  RunInput input = root_first(world, [&] {
    RunInput in = load_run_input(options.file, options.overrides(), InputUse::single_point);
    for (const std::string& output : {json, forces})
      if (!output.empty()) check_output(output, files_of(in));
    if (!json.empty() && same_file(json, forces))
      throw InputError("--forces " + forces + ": is where --json goes; give the two names of their own");
    ranks_of_each(world, in.compute, 1);
    return in;
  });
  check_same_input(world, input);
  if (input.compute.threads == 0) input.compute.threads = threads_of_rank(world).count;
  const Serving serving(world, input);
  if (!world.root()) return finished;
  // A bias is added to the potential of its stage.
  const StageSettings* stage = biased_stage(input);
  Loaded loaded = stage ? load(input, *stage) : load(input, input.forces, std::nullopt);
  for (const std::string& note : loaded.notes) std::cerr << "note: " << note << '\n';
  for (const std::string& warning : loaded.warnings) std::cerr << "warning: " << warning << '\n';
  if (stage)
    check_bias(stage->name, *stage->bias, loaded.system);
  else
    say_what_is_left_out(input);
  const Bias bias = stage ? stage->bias->given : Bias{};
  loaded.system.torsions_apart = boosted_torsions(bias);
  const DynamicsSettings& dynamics = stage ? stage->dynamics : input.dynamics;
  const std::unique_ptr<Backend> backend =
      make_backend(loaded.system, loaded.state.box, input.compute, dynamics.constraint_tolerance, world,
                   stage ? static_cast<int>(stage - input.stages.data()) : -1, loaded.origin);
  backend->upload(loaded.state);
  std::vector<Stage> stages = make_integrator({}, {bias}).forces;
  stages.insert(stages.begin(), PlaceVirtualSites{});
  backend->run(stages, ForcePlan{.energies = true, .virial = loaded.state.box.periodic()}, 0);

  EnergyReport report;
  report.atoms = loaded.system.size();
  report.precision = input.compute.precision == Precision::double_ ? "double" : "mixed";
  report.backend = backend->name();
  report.terms = energy_terms(loaded.system);
  report.energies = backend->energies();
  report.biased = bias.dihedral.on || bias.total.on;
  if (stage) report.stage = stage->name;
  if (loaded.system.forces.nonbonded == NonbondedMethod::pme) report.pme = backend->pme();

  if (const WorstForce worst = backend->worst_force(); worst.atom >= 0 && beyond_limit(worst.magnitude))
    std::cerr << "warning: atoms overlap: the force on " << describe_atom(loaded.system.topology, worst.atom)
              << " is beyond 2^23 kJ/mol/nm, where forces are cut off and energies cannot be added up; minimise first\n";

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

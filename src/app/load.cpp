#include "load.hpp"

#include "uplift/backend/cpu/cpu_backend.hpp"
#include "uplift/backend/cuda/cuda_backend.hpp"
#include "uplift/core/error.hpp"
#include "uplift/engine/simulation.hpp"
#include "uplift/io/amber.hpp"
#include "uplift/io/forcefield_xml.hpp"
#include "uplift/io/structure.hpp"
#include "uplift/model/replicate.hpp"
#include "uplift/model/selection.hpp"

namespace uplift::app {

namespace {

/// Topology, parameters and coordinates as the files have them, before any setting.
struct Files {
  AmberTopology topology;
  Coordinates coordinates;
  std::vector<std::string> notes;
};

Coordinates read_coordinates(const std::string& path) {
  if (!is_structure_file(path)) return read_amber_coordinates(path);
  const Structure structure = read_structure(path);
  return {structure.x, {}, structure.box, 0, true};
}

Files read_files(const SystemSettings& system) {
  if (!is_structure_file(system.topology)) return {read_prmtop(system.topology), read_coordinates(system.coordinates), {}};
  const Structure structure = read_structure(system.topology);
  Parametrized made = apply_forcefield(structure, system.forcefield);
  Files files{{std::move(made.topology), std::move(made.force_field), structure.box, false}, {}, std::move(made.notes)};
  files.coordinates = system.coordinates == system.topology ? Coordinates{structure.x, {}, structure.box, 0, true}
                                                            : read_coordinates(system.coordinates);
  return files;
}

}  // namespace

Loaded load(const RunInput& input, const ForceSettings& forces, const std::optional<RestraintSettings>& restraints) {
  Files files = read_files(input.system);
  AmberTopology& amber = files.topology;
  Coordinates& coordinates = files.coordinates;
  check(amber, coordinates);
  std::optional<Box> box = choose_box(amber, coordinates);
  if (input.system.box) {
    const auto& b = *input.system.box;
    box = make_box({b[0], b[1], b[2]}, {b[3], b[4], b[5]});
  }

  Loaded loaded;
  loaded.notes = std::move(files.notes);
  loaded.system = make_system(std::move(amber.topology), std::move(amber.force_field), forces);
  loaded.has_velocities = !coordinates.v.empty();
  loaded.state.x = std::move(coordinates.x);
  loaded.state.v = std::move(coordinates.v);
  loaded.state.v.resize(loaded.state.x.size(), Vec3d{0, 0, 0});
  if (box && forces.nonbonded != NonbondedMethod::no_cutoff) loaded.state.box = *box;
  loaded.system.remove_com = loaded.state.box.periodic();
  place_virtual_sites(loaded.system.force_field, loaded.state.x);
  make_molecules_whole(loaded.system, loaded.state);
  if (input.system.copies != std::array{1, 1, 1}) {
    replicate(loaded.system, loaded.state, input.system.copies);
    loaded.has_velocities = false;  // copies that move alike stay alike, but for noise
  }
  validate_geometry(loaded.system, loaded.state.box, loaded.state.x);
  if (restraints) apply_restraints(loaded.system, *restraints, loaded.state.x, loaded.state.box);
  return loaded;
}

std::unique_ptr<Backend> make_backend(const System& system, const Box& box, const ComputeSettings& compute,
                                      double constraint_tolerance) {
  if (compute.backend == "auto" || compute.backend == "cpu")
    return cpu::make_cpu_backend(system, box, {compute.precision, compute.threads, constraint_tolerance});
  std::string there = "cpu";
#if defined(UPLIFT_HAVE_CUDA)
  if (compute.backend == "cuda" && cuda_device::device_count() == 0)
    throw InputError(
        "compute.backend: cuda, but there is no GPU that this process may use (look at nvidia-smi and CUDA_VISIBLE_DEVICES); "
        "use backend: cpu");
  if (compute.backend == "cuda") return cuda_device::make_backend(system, box, {compute.precision, constraint_tolerance});
  there += ", cuda";
#endif
#if defined(UPLIFT_HAVE_SIMT)
  if (compute.backend == "simt") return simt_device::make_backend(system, box, {compute.precision, constraint_tolerance});
  there += ", simt";
#endif
  throw InputError("compute.backend: " + compute.backend + " is not in this build (it has: " + there +
                   "); use backend: auto or cpu");
}

}  // namespace uplift::app

#include "load.hpp"

#include "cautions.hpp"
#include "uplift/backend/cpu/cpu_backend.hpp"
#include "uplift/backend/cuda/cuda_backend.hpp"
#include "uplift/backend/erf_table.hpp"
#include "uplift/backend/pme_setup.hpp"
#include "uplift/core/error.hpp"
#include "uplift/domain/choose_device.hpp"
#include "uplift/domain/team.hpp"
#include "uplift/engine/simulation.hpp"
#include "uplift/io/checkpoint.hpp"
#include "uplift/io/run_input.hpp"
#include "uplift/io/topology_file.hpp"
#include "uplift/model/replicate.hpp"
#include "uplift/model/selection.hpp"

namespace uplift::app {

namespace {

/// What the input's reader cannot know: that the topology holds atoms, so that there is one force more to belong to a level.
void check_levels(const RunInput& input) {
  for (const StageSettings& stage : input.stages) {
    ForceGroups seen = 0;
    for (const ForceLevel& level : stage.dynamics.levels) seen |= level.groups;
    if (seen != 0 && !has(seen, ForceGroup::restraints))
      throw InputError(
          "dynamics.multiple_time_step: the topology restrains positions (system.define), and restraints are in no level "
          "(stage " +
          stage.name + "); add restraints to the level with every: 1");
  }
}

/// Momentum is kept by all that has no friction of its own, and carries molecules away; where restraints hold atoms to places
/// there is none to keep, and to stop the centre again and again would cool its motion. Without a box Langevin's noise gives
/// the centre its share of motion. A single atom has no other.
bool removes_com_motion(const System& system, bool periodic, const DynamicsSettings& dynamics) {
  if (dynamics.com_removal_every == 0 || !system.position_restraints.empty()) return false;
  if (!periodic && dynamics.integrator == IntegratorKind::langevin) return false;
  return degrees_of_freedom(system) + (system.remove_com ? 3 : 0) > 3;
}

/// A box that is there and not used turns water into a droplet.
void note_unused_box(const RunInput& input, const std::optional<Box>& box, const ForceSettings& forces, Loaded& loaded) {
  if (!box || forces.nonbonded != NonbondedMethod::no_cutoff) return;
  const std::string why = "is not used: nonbonded: no-cutoff has none, so that a solvent would be a droplet in vacuum";
  if (input.system.box)
    loaded.warnings.push_back(with_place(input, "", "system.box: " + why + "; remove it, or choose another method"));
  else
    loaded.notes.push_back("the box of " + input.system.coordinates + " " + why);
}

/// Throws what backends would: a mesh that is too large, an alpha too large for the direct sum. Returns alpha [1/nm]; 0 without
/// PME.
double try_pme(const RunInput& input, const ForceSettings& forces, const Box& box) {
  if (forces.nonbonded != NonbondedMethod::pme || !box.periodic()) return 0;
  const double alpha = resolve_pme(forces, box).alpha;
  if (input.compute.precision == Precision::mixed)
    make_erf_table<float>(alpha, forces.cutoff);
  else
    make_erf_table<double>(alpha, forces.cutoff);
  return alpha;
}

Loaded load_system(const RunInput& input, const ForceSettings& forces, const std::optional<RestraintSettings>& restraints) {
  TopologyFile file = read_topology(input.system);
  Coordinates coordinates = file.coordinates && input.system.coordinates == input.system.topology
                                ? std::move(*file.coordinates)
                                : read_coordinates(input.system.coordinates);
  const std::vector<std::string> names = check(file, input.system.topology, coordinates, input.system.coordinates);
  file.notes.insert(file.notes.end(), names.begin(), names.end());
  file.notes.insert(file.notes.end(), coordinates.notes.begin(), coordinates.notes.end());
  std::optional<Box> box = choose_box(file, coordinates);
  if (input.system.box) {
    const auto& b = *input.system.box;
    box = make_box({b[0], b[1], b[2]}, {b[3], b[4], b[5]});
  }

  Loaded loaded;
  loaded.origin = origin_of(file, coordinates.x, box);
  loaded.notes = std::move(file.notes);
  loaded.warnings = std::move(file.warnings);
  loaded.system = make_system(std::move(file.topology), std::move(file.force_field), forces);
  loaded.has_velocities = !coordinates.v.empty();
  loaded.state.x = std::move(coordinates.x);
  loaded.state.v = std::move(coordinates.v);
  loaded.state.v.resize(loaded.state.x.size(), Vec3d{0, 0, 0});
  if (box && forces.nonbonded != NonbondedMethod::no_cutoff) loaded.state.box = *box;
  note_unused_box(input, box, forces, loaded);
  loaded.system.remove_com = loaded.state.box.periodic();
  place_virtual_sites(loaded.system.force_field, loaded.state.x);
  make_molecules_whole(loaded.system, loaded.state);
  if (!file.restrained.empty()) check_levels(input);
  if (!file.restrained.empty()) restrain(loaded.system, file.restrained, loaded.state.x, loaded.state.box);
  if (input.system.copies != std::array{1, 1, 1}) {
    replicate(loaded.system, loaded.state, input.system.copies);
    loaded.has_velocities = false;  // copies that move alike stay alike, but for noise
  }
  if (const std::string note = note_of_charge(loaded.system); !note.empty()) loaded.notes.push_back(note);
  validate_geometry(loaded.system, loaded.state.box, loaded.state.x);
  const double alpha = try_pme(input, forces, loaded.state.box);
  if (const std::string doubt = doubt_of_size(loaded.system, alpha); !doubt.empty()) loaded.warnings.push_back(doubt);
  if (restraints) apply_restraints(loaded.system, *restraints, loaded.state.x, loaded.state.box);
  return loaded;
}

}  // namespace

Loaded load(const RunInput& input, const ForceSettings& forces, const std::optional<RestraintSettings>& restraints,
            const std::string& stage) {
  try {
    return load_system(input, forces, restraints);
  } catch (const InputError& e) {
    throw InputError(with_place(input, stage, e.what()));
  }
}

Loaded load(const RunInput& input, const StageSettings& stage) {
  Loaded loaded = load(input, stage.forces, stage.restraints, stage.name);
  set_com_removal(loaded, stage.dynamics);
  return loaded;
}

void check_pme(const RunInput& input, const StageSettings& stage, const Box& box) {
  try {
    try_pme(input, stage.forces, box);
  } catch (const InputError& e) {
    throw InputError(with_place(input, stage.name, e.what()));
  }
}

void set_com_removal(Loaded& loaded, const DynamicsSettings& dynamics) {
  loaded.system.remove_com = removes_com_motion(loaded.system, loaded.state.box.periodic(), dynamics);
}

std::vector<int> stored_atoms(const RunInput& input, const Topology& topology) {
  const std::string key = "output.trajectory.atoms: ";
  std::vector<int> atoms;
  try {
    atoms = select_atoms(topology, input.output.atoms);
  } catch (const InputError& e) {
    throw InputError(with_place(input, "", key + e.what()));
  }
  if (atoms.empty())
    throw InputError(with_place(input, "",
                                key + "'" + input.output.atoms +
                                    "' selects no atom, so that frames would hold nothing; look at the names with "
                                    "`uplift info " +
                                    input.file + " --atoms all`, or write every: 0 ps"));
  return atoms;
}

ComputeSettings with_backend(ComputeSettings compute) {
  if (compute.backend != "auto") return compute;
  compute.backend = "cpu";
#if defined(UPLIFT_HAVE_CUDA)
  if (const int there = cuda_device::device_count(); there > 0 && cuda_device::is_usable(choose_device(compute, there)))
    compute.backend = "cuda";
#endif
  return compute;
}

namespace {

/// `link`: to the ranks that share the system; null: one rank.
std::unique_ptr<Backend> make_leaf(const ComputeSettings& compute, const System& system, const Box& box,
                                   double constraint_tolerance, RankLink* link) {
#if defined(UPLIFT_HAVE_CUDA)
  if (compute.backend == "cuda")
    return cuda_device::make_backend(
        system, box, {compute.precision, constraint_tolerance, choose_device(compute, cuda_device::device_count()), link});
#endif
#if defined(UPLIFT_HAVE_SIMT)
  if (compute.backend == "simt")
    return simt_device::make_backend(
        system, box, {compute.precision, constraint_tolerance, choose_device(compute, simt_device::device_count()), link});
#endif
  return cpu::make_cpu_backend(system, box, {compute.precision, compute.threads, constraint_tolerance, link});
}

LeafMaker leaf_maker(const ComputeSettings& wanted) {
  return [compute = with_backend(wanted)](const System& system, const TeamOrder& order, RankLink& link) {
    return make_leaf(compute, system, order.box, order.constraint_tolerance, &link);
  };
}

/// What is wrong with the backend that is asked for; empty: this build has it.
std::string missing_backend(const ComputeSettings& compute) {
  std::string there = "cpu";
  bool found = compute.backend == "auto" || compute.backend == "cpu";
#if defined(UPLIFT_HAVE_CUDA)
  found = found || compute.backend == "cuda";
  there += ", cuda";
#endif
#if defined(UPLIFT_HAVE_SIMT)
  found = found || compute.backend == "simt";
  there += ", simt";
#endif
  return found ? ""
               : "compute.backend: " + compute.backend + " is not in this build (it has: " + there +
                     "); use backend: auto or cpu";
}

/// Of what ranks that work on one system must agree in.
std::uint64_t team_fingerprint(const System& system, const Origin& origin) {
  std::uint64_t sum = origin.positions;
  for (const auto& [name, parameters] : origin.parameters) sum = sum * 1099511628211 + parameters;
  return sum * 1099511628211 + system_fingerprint(system);
}

}  // namespace

void check_backend(const RunInput& input) {
  if (const std::string missing = missing_backend(input.compute); !missing.empty())
    throw InputError(with_place(input, "", missing));
}

void serve_team(const RunInput& input, const Communicator& team) {
  const auto load_ordered = [&](const TeamOrder& order) {
    const StageSettings* stage = order.which >= 0 ? &input.stages.at(static_cast<std::size_t>(order.which)) : nullptr;
    Loaded loaded = stage ? load(input, *stage) : load(input, input.forces, std::nullopt);
    System& system = loaded.system;
    system.torsions_apart = order.torsions_apart;
    if (team_fingerprint(system, loaded.origin) != order.fingerprint)
      throw InputError(
          input.file + ": rank " + std::to_string(team.rank()) +
          " has read another system than rank 0 (files that differ from machine to machine, or that are being written); "
          "put them where all ranks see the same");
    return std::move(system);
  };
  serve(team, load_ordered, leaf_maker(input.compute));
}

std::unique_ptr<Backend> make_backend(const System& system, const Box& box, const ComputeSettings& wanted,
                                      double constraint_tolerance, const Communicator& team, int which, const Origin& origin) {
  if (const std::string missing = missing_backend(wanted); !missing.empty()) throw InputError(missing);
  if (team.size() > 1)
    return lead(team, system,
                {which, system.torsions_apart, box, constraint_tolerance, wanted.mesh_ranks, team_fingerprint(system, origin)},
                leaf_maker(wanted));
  return make_leaf(with_backend(wanted), system, box, constraint_tolerance, nullptr);
}

}  // namespace uplift::app

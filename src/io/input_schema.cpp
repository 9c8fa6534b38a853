#include "uplift/io/run_input.hpp"

namespace uplift {
namespace {

namespace d = dimension;
constexpr std::string_view next = "is not available in this version";

constexpr KeySpec schema[] = {
    {"version", KeyKind::count, d::none, "1", "1", "version of this format", ""},
    {"title", KeyKind::text, d::none, "", "", "free text, copied into every output file", ""},

    {"system", KeyKind::map, d::none, "", "", "what is simulated", ""},
    {"system.topology", KeyKind::text, d::none, "", "", "Amber prmtop, also gzipped; relative to this file", ""},
    {"system.coordinates", KeyKind::text, d::none, "", "", "Amber inpcrd or rst7, ASCII or NetCDF, also gzipped", ""},
    {"system.box", KeyKind::quantities, d::length, "", "", "three edge lengths, or these and three angles; default: from the coordinates", ""},
    {"system.forcefield", KeyKind::text, d::none, "", "", "force-field files for PDB input", next},
    {"system.parameters", KeyKind::text, d::none, "", "", "parameter files for PSF input", next},

    {"forces", KeyKind::map, d::none, "", "", "how forces are computed", ""},
    {"forces.nonbonded", KeyKind::choice, d::none, "pme", "pme reaction-field no-cutoff", "long-range method", ""},
    {"forces.cutoff", KeyKind::quantity, d::length, "0.9 nm", "", "Coulomb direct space and Lennard-Jones", ""},
    {"forces.switch_distance", KeyKind::quantity, d::length, "", "", "Lennard-Jones is switched off from here to the cutoff; default: none", ""},
    {"forces.dispersion_correction", KeyKind::flag, d::none, "true", "", "long-range Lennard-Jones correction of a periodic system", ""},
    {"forces.pme", KeyKind::map, d::none, "", "", "particle mesh Ewald", ""},
    {"forces.pme.tolerance", KeyKind::number, d::none, "5e-4", "", "relative error of the direct part at the cutoff; sets alpha and grid", ""},
    {"forces.pme.alpha", KeyKind::quantity, d::inverse_length, "", "", "splitting parameter; give the grid with it", ""},
    {"forces.pme.grid", KeyKind::integers, d::none, "", "", "mesh points along a, b, c; give alpha with it", ""},
    {"forces.pme.order", KeyKind::count, d::none, "5", "4 5 6", "order of the B-splines", ""},
    {"forces.reaction_field", KeyKind::map, d::none, "", "", "reaction field", ""},
    {"forces.reaction_field.dielectric", KeyKind::number, d::none, "78.5", "", "dielectric constant beyond the cutoff", ""},
    {"forces.implicit_solvent", KeyKind::map, d::none, "", "", "generalized Born; only with nonbonded: no-cutoff", ""},
    {"forces.implicit_solvent.model", KeyKind::choice, d::none, "obc2", "hct obc1 obc2 gbn gbn2", "Born radius model", ""},
    {"forces.implicit_solvent.solute_dielectric", KeyKind::number, d::none, "1", "", "inside", ""},
    {"forces.implicit_solvent.solvent_dielectric", KeyKind::number, d::none, "78.5", "", "outside", ""},
    {"forces.implicit_solvent.salt", KeyKind::quantity, d::concentration, "0 mol/L", "", "monovalent salt", ""},
    {"forces.implicit_solvent.surface", KeyKind::choice, d::none, "ace", "none ace", "non-polar term", ""},
    {"forces.constraints", KeyKind::choice, d::none, "h-bonds", "none h-bonds all-bonds h-angles", "which bonds have a fixed length", ""},
    {"forces.rigid_water", KeyKind::flag, d::none, "true", "", "water keeps its shape, whatever the other constraints", ""},
    {"forces.hydrogen_mass", KeyKind::quantity, d::mass, "", "", "hydrogens get this mass from the atom they are bonded to; not in rigid water", ""},

    {"dynamics", KeyKind::map, d::none, "", "", "how the system moves", ""},
    {"dynamics.integrator", KeyKind::choice, d::none, "langevin", "verlet langevin nose-hoover v-rescale", "integrator and thermostat", ""},
    {"dynamics.timestep", KeyKind::quantity, d::time, "2 fs", "", "", ""},
    {"dynamics.temperature", KeyKind::quantity, d::temperature, "300 K", "", "of the thermostat and of new velocities", ""},
    {"dynamics.friction", KeyKind::quantity, d::inverse_time, "1 /ps", "", "of langevin", ""},
    {"dynamics.seed", KeyKind::count, d::none, "2026", "", "of every random number", ""},
    {"dynamics.constraint_tolerance", KeyKind::number, d::none, "1e-6", "", "relative error of a constrained length", ""},
    {"dynamics.com_removal_every", KeyKind::count, d::none, "100", "", "steps between removals of the centre-of-mass motion; 0: never", ""},
    {"dynamics.pressure", KeyKind::map, d::none, "", "", "barostat", next},
    {"dynamics.multiple_time_step", KeyKind::map, d::none, "", "", "r-RESPA levels", next},

    {"stages.*.name", KeyKind::text, d::none, "", "", "of the stage; unique", ""},
    {"stages.*.time", KeyKind::quantity, d::time, "", "", "total length of the stage", ""},
    {"stages.*.minimize", KeyKind::map, d::none, "", "", "energy minimisation instead of dynamics", ""},
    {"stages.*.minimize.max_steps", KeyKind::count, d::none, "1000", "", "", ""},
    {"stages.*.minimize.force_tolerance", KeyKind::quantity, d::force, "10 kJ/mol/nm", "", "ends when the largest force is below", ""},
    {"stages.*.restraints", KeyKind::map, d::none, "", "", "harmonic position restraints to the starting coordinates", ""},
    {"stages.*.restraints.positions", KeyKind::text, d::none, "", "", "selection: protein-heavy, backbone, name CA, not water ...", ""},
    {"stages.*.restraints.k", KeyKind::quantity, d::force_constant, "1000 kJ/mol/nm^2", "", "force constant", ""},
    {"stages.*.collect", KeyKind::text, d::none, "", "", "statistics for a boost", next},
    {"stages.*.bias", KeyKind::map, d::none, "", "", "accelerated MD", next},

    {"output", KeyKind::map, d::none, "", "", "what is written", ""},
    {"output.directory", KeyKind::text, d::none, "", "", "default: the name of this file without its suffix", ""},
    {"output.trajectory", KeyKind::map, d::none, "", "", "trajectory.h5md", ""},
    {"output.trajectory.every", KeyKind::quantity, d::time, "2 ps", "", "0 ps: none", ""},
    {"output.trajectory.atoms", KeyKind::text, d::none, "all", "", "selection", ""},
    {"output.trajectory.velocities", KeyKind::flag, d::none, "false", "", "store velocities too", ""},
    {"output.trajectory.precision", KeyKind::quantity, d::length, "", "", "lossy rounding of positions; default: float32 as is", ""},
    {"output.energies", KeyKind::map, d::none, "", "", "energies.h5", ""},
    {"output.energies.every", KeyKind::quantity, d::time, "0.2 ps", "", "", ""},
    {"output.checkpoint", KeyKind::map, d::none, "", "", "checkpoint.upc", next},

    {"compute", KeyKind::map, d::none, "", "", "where it runs", ""},
    {"compute.backend", KeyKind::choice, d::none, "auto", "auto cuda cpu simt", "", ""},
    {"compute.precision", KeyKind::choice, d::none, "mixed", "mixed double", "", ""},
    {"compute.threads", KeyKind::count, d::none, "auto", "", "on the CPU; auto: all that the process may use", ""},
    {"compute.devices", KeyKind::text, d::none, "auto", "", "GPUs", ""},
    {"compute.replicas", KeyKind::count, d::none, "1", "", "independent copies", ""},
    {"compute.ranks_per_replica", KeyKind::text, d::none, "auto", "", "MPI ranks a copy", ""},
};

}  // namespace

std::span<const KeySpec> input_schema() { return schema; }

}  // namespace uplift

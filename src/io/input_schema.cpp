// What may stand in an input, and what of it this version cannot do: two tables.
#include "uplift/io/run_input.hpp"

namespace uplift {
namespace {

namespace d = dimension;
using sv = std::string_view;

constexpr Range positive{.low = 0, .open_low = true};
constexpr Range non_negative{.low = 0};
constexpr Range between(double low, double high) { return {.low = low, .high = high}; }
constexpr Range up_to(double high) { return {.low = 0, .high = high, .open_low = true}; }
constexpr Range any{};
constexpr double int_max = 2147483647;

constexpr KeySpec map(sv path, sv doc) { return {.path = path, .doc = doc}; }
constexpr KeySpec maps(sv path, sv doc) { return {.path = path, .kind = KeyKind::maps, .doc = doc}; }
constexpr KeySpec quantity(sv path, Dimension dimension, sv fallback, Range range, sv doc, sv example = "") {
  return {.path = path,
          .kind = KeyKind::quantity,
          .dimension = dimension,
          .fallback = fallback,
          .doc = doc,
          .example = example,
          .range = range};
}
constexpr KeySpec number(sv path, sv fallback, Range range, sv doc, sv example = "") {
  return {.path = path, .kind = KeyKind::number, .fallback = fallback, .doc = doc, .example = example, .range = range};
}
constexpr KeySpec count(sv path, sv fallback, Range range, sv doc, sv words = "") {
  return {.path = path, .kind = KeyKind::count, .fallback = fallback, .choices = words, .doc = doc, .range = range};
}
constexpr KeySpec flag(sv path, sv fallback, sv doc) {
  return {.path = path, .kind = KeyKind::flag, .fallback = fallback, .doc = doc};
}
constexpr KeySpec choice(sv path, sv fallback, sv choices, sv doc) {
  return {.path = path, .kind = KeyKind::choice, .fallback = fallback, .choices = choices, .doc = doc};
}
constexpr KeySpec text(sv path, sv fallback, sv doc, sv example = "") {
  return {.path = path, .kind = KeyKind::text, .fallback = fallback, .doc = doc, .example = example};
}
constexpr KeySpec list(KeyKind kind, sv path, int length, sv doc, sv example, sv choices = "", Range range = any) {
  return {.path = path, .kind = kind, .choices = choices, .doc = doc, .example = example, .range = range, .length = length};
}
constexpr KeySpec quantities(sv path, Dimension dimension, Range range, sv doc, sv example) {
  KeySpec spec = quantity(path, dimension, "", range, doc, example);
  spec.kind = KeyKind::quantities;
  return spec;
}
constexpr KeySpec with_default(KeySpec spec, sv fallback) {
  spec.fallback = fallback;
  return spec;
}
constexpr KeySpec with_unit(KeySpec spec, sv unit) {
  spec.unit = unit;
  return spec;
}
constexpr KeySpec with_example(KeySpec spec, sv example) {
  spec.example = example;
  return spec;
}
constexpr KeySpec required(KeySpec spec) {
  spec.required = true;
  return spec;
}

constexpr KeySpec schema[] = {
    required(count("version", "", between(1, 1), "version of this format: 1")),
    text("title", "", "free text, copied into the log, the report and the files of frames, energies and exchanges",
         "villin in water"),

    required(map("system", "what is simulated")),
    required(
        text("system.topology", "",
             "Amber or CHAMBER prmtop, GROMACS top, CHARMM PSF with parameters, PDB or mmCIF with a forcefield; also gzipped",
             "protein.prmtop")),
    text("system.coordinates", "",
         "Amber inpcrd or rst7 (ASCII or NetCDF), GROMACS gro, CHARMM crd (CARD), PDB or mmCIF, also gzipped; H5MD (its last "
         "frame); checkpoint.upc of a run; default: the topology, when it is a PDB or mmCIF file",
         "protein.rst7"),
    list(KeyKind::box, "system.box", 0, "edge lengths, or edge lengths and angles; default: from the coordinates",
         "[3.2 nm, 3.2 nm, 3.2 nm]"),
    list(KeyKind::counts, "system.copies", 3, "how often the periodic box is repeated along a, b and c", "[2, 2, 2]", "",
         between(1, 1000)),
    list(KeyKind::texts, "system.forcefield", 0,
         "with a PDB or mmCIF topology: force fields that come with uplift, or paths of OpenMM-style XML",
         "[amber99sb-ildn, tip3p]"),
    list(KeyKind::texts, "system.define", 0, "macros of a GROMACS topology, as -D of an mdp file: WORD or WORD=VALUE",
         "[POSRES, FLEXIBLE]"),
    list(KeyKind::texts, "system.include", 0, "folders of files that a GROMACS topology includes, as -I of an mdp file",
         "[../forcefields]"),
    list(KeyKind::texts, "system.parameters", 0, "with a CHARMM PSF: its parameter, topology and stream files",
         "[top_all36_prot.rtf, par_all36m_prot.prm]"),

    map("forces", "how forces are computed"),
    choice("forces.nonbonded", "pme", "pme reaction-field no-cutoff", "long-range method"),
    quantity("forces.cutoff", d::length, "0.9 nm", positive, "of Coulomb direct space and Lennard-Jones"),
    quantity("forces.switch_distance", d::length, "", positive,
             "Lennard-Jones is switched off from here to the cutoff; default: no switch", "0.8 nm"),
    flag("forces.dispersion_correction", "true", "long-range Lennard-Jones correction of a periodic system"),
    map("forces.pme", "particle mesh Ewald: a tolerance, or alpha and grid"),
    number("forces.pme.tolerance", "5e-4", {.low = 0, .high = 0.1, .open_low = true},
           "relative size of the direct part at the cutoff; sets alpha and grid"),
    quantity("forces.pme.alpha", d::inverse_length, "", positive, "splitting parameter; needs grid", "3.1 /nm"),
    list(KeyKind::counts, "forces.pme.grid", 3, "mesh points along a, b and c; needs alpha", "[32, 32, 32]", "",
         between(4, 4096)),
    count("forces.pme.order", "5", between(4, 6), "order of the B-splines"),
    map("forces.reaction_field", "settings of nonbonded: reaction-field"),
    number("forces.reaction_field.dielectric", "78.5", {.low = 1}, "dielectric constant beyond the cutoff"),
    map("forces.implicit_solvent", "generalized Born; needs nonbonded: no-cutoff"),
    choice("forces.implicit_solvent.model", "obc2", "hct obc1 obc2 gbn gbn2", "how Born radii are computed"),
    number("forces.implicit_solvent.solute_dielectric", "1", {.low = 1}, "dielectric constant inside the solute"),
    number("forces.implicit_solvent.solvent_dielectric", "78.5", {.low = 1}, "dielectric constant of the solvent"),
    quantity("forces.implicit_solvent.salt", d::concentration, "0 mol/L", non_negative,
             "monovalent salt; its screening is that at 300 K, whatever the temperature of the run", "0.15 mol/L"),
    choice("forces.implicit_solvent.surface", "ace", "none ace", "non-polar term"),
    choice("forces.constraints", "h-bonds", "none h-bonds all-bonds h-angles", "which bonds keep their length"),
    flag("forces.rigid_water", "true",
         "water keeps its shape, whatever the other constraints; if false, springs between its hydrogens count as bonds"),
    quantity("forces.hydrogen_mass", d::mass, "", between(1, 10),
             "hydrogens get this mass, taken from the bonded heavy atom; rigid water is left alone", "3.024 amu"),

    map("dynamics", "how the system moves"),
    choice("dynamics.integrator", "langevin", "verlet langevin nose-hoover v-rescale", "langevin is BAOAB 'middle'"),
    quantity("dynamics.timestep", d::time, "2 fs", up_to(0.1), "time step; the outer one when multiple_time_step is given"),
    quantity("dynamics.temperature", d::temperature, "300 K", non_negative, "of the thermostat and of new velocities"),
    quantity(
        "dynamics.friction", d::inverse_time, "1 /ps", non_negative,
        "of langevin; its inverse is the relaxation time of v-rescale and nose-hoover (of the latter at least four steps)"),
    count("dynamics.seed", "2026", any, "of every random number"),
    number("dynamics.constraint_tolerance", "1e-6", between(1e-12, 1e-3), "relative error of a constrained length"),
    count("dynamics.com_removal_every", "100", between(0, int_max),
          "steps between removals of the centre-of-mass motion; 0: never. Not where a restraint of positions sees to it, nor, "
          "without a box, where langevin's friction does"),
    map("dynamics.pressure", "barostat; without this block the volume is constant"),
    choice("dynamics.pressure.barostat", "monte-carlo", "monte-carlo c-rescale", "method"),
    quantity("dynamics.pressure.pressure", d::pressure, "1 bar", any, "target"),
    count("dynamics.pressure.every", "25", between(1, int_max), "steps between volume changes"),
    choice("dynamics.pressure.coupling", "isotropic", "isotropic semi-isotropic anisotropic",
           "which edges change together (semi-isotropic: x and y)"),
    quantity("dynamics.pressure.relaxation_time", d::time, "5 ps", positive,
             "of c-rescale; at least four times the interval between volume changes"),
    quantity("dynamics.pressure.compressibility", d::compressibility, "4.5e-5 /bar", positive,
             "of c-rescale; an estimate will do, the ensemble does not depend on it"),
    maps("dynamics.multiple_time_step", "r-RESPA levels; every force belongs to exactly one"),
    required(list(KeyKind::words, "dynamics.multiple_time_step.*.forces", 0, "forces of this level", "[pme-reciprocal]",
                  "bonded nonbonded pme-reciprocal implicit-solvent restraints")),
    required(with_example(count("dynamics.multiple_time_step.*.every", "", between(1, 64), "in inner steps"), "2")),

    maps("stages",
         "run in order; each inherits the blocks above and may override their keys; `none` takes back a pressure, "
         "multiple_time_step, switch_distance, hydrogen_mass or implicit_solvent of theirs"),
    required(text("stages.*.name", "", "unique", "production")),
    quantity("stages.*.time", d::time, "", positive, "total length of the stage", "10 ns"),
    map("stages.*.minimize", "energy minimisation instead of dynamics"),
    count("stages.*.minimize.max_steps", "1000", between(0, int_max), "ends here at the latest"),
    quantity("stages.*.minimize.force_tolerance", d::force, "10 kJ/mol/nm", positive,
             "ends when the largest force component is smaller"),
    map("stages.*.restraints", "harmonic restraints to the positions of system.coordinates, whatever came before the stage"),
    required(text("stages.*.restraints.positions", "", "selection of atoms", "protein-heavy")),
    quantity("stages.*.restraints.k", d::force_constant, "1000 kJ/mol/nm^2", positive, "force constant"),
    map("stages.*.temperature_ramp", "the thermostat's target goes from one temperature to the other over the stage"),
    required(quantity("stages.*.temperature_ramp.from", d::temperature, "", non_negative, "at the start", "50 K")),
    required(quantity("stages.*.temperature_ramp.to", d::temperature, "", non_negative, "at the end", "300 K")),
    choice("stages.*.collect", "", "energies",
           "statistics of dihedral and total potential at every step, for the bias of a later stage"),
    map("stages.*.bias", "accelerated molecular dynamics"),
    required(choice("stages.*.bias.method", "", "amd gamd", "kind of boost")),
    required(choice("stages.*.bias.boost", "", "dihedral total dual", "which energies are boosted")),
    choice("stages.*.bias.convention", "amber", "amber namd", "which energy each boost sees; thresholds do not transfer"),
    quantity("stages.*.bias.update_every", d::time, "", positive,
             "gamd: parameters follow the statistics of this stage so often; default: they are frozen", "1 ps"),
    required(map("stages.*.bias.parameters", "from a stage and a rule, or explicit")),
    text("stages.*.bias.parameters.from", "", "stage with collect: energies, or of gamd with update_every", "baseline"),
    choice("stages.*.bias.parameters.rule", "residues", "residues deviations", "amd: Amber's recipe, or mean + k deviations"),
    number("stages.*.bias.parameters.k", "4", positive, "of the rule deviations"),
    quantity("stages.*.bias.parameters.per_residue", d::energy, "3.5 kcal/mol", positive,
             "of the rule residues: dihedral threshold above the mean, a solute residue"),
    quantity("stages.*.bias.parameters.per_atom", d::energy, "0.2 kcal/mol", positive,
             "of the rule residues: total threshold above the mean, and alpha, an atom"),
    choice("stages.*.bias.parameters.bound", "lower", "lower upper",
           "gamd: threshold at its lower bound (the largest energy) or its upper one"),
    quantity("stages.*.bias.parameters.sigma0_dihedral", d::energy, "6 kcal/mol", positive,
             "gamd: largest deviation of the dihedral boost"),
    quantity("stages.*.bias.parameters.sigma0_total", d::energy, "6 kcal/mol", positive,
             "gamd: largest deviation of the total boost"),
    map("stages.*.bias.parameters.dihedral", "explicit parameters of the dihedral boost"),
    required(quantity("stages.*.bias.parameters.dihedral.threshold", d::energy, "", any, "E", "60 kJ/mol")),
    quantity("stages.*.bias.parameters.dihedral.alpha", d::energy, "", positive, "of amd", "8 kJ/mol"),
    quantity("stages.*.bias.parameters.dihedral.k", d::inverse_energy, "", positive, "of gamd", "0.02 mol/kJ"),
    map("stages.*.bias.parameters.total", "explicit parameters of the total boost"),
    required(quantity("stages.*.bias.parameters.total.threshold", d::energy, "", any, "E", "-60000 kJ/mol")),
    quantity("stages.*.bias.parameters.total.alpha", d::energy, "", positive, "of amd", "800 kJ/mol"),
    quantity("stages.*.bias.parameters.total.k", d::inverse_energy, "", positive, "of gamd", "0.001 mol/kJ"),

    map("stages.*.exchange", "temperature replica exchange: replicas at temperatures of their own swap configurations"),
    quantities("stages.*.exchange.temperatures", d::temperature, positive, "ascending, one a replica; or from, to and count",
               "[300 K, 312 K, 325 K]"),
    quantity("stages.*.exchange.from", d::temperature, "", positive, "lowest of a geometric series", "300 K"),
    quantity("stages.*.exchange.to", d::temperature, "", positive, "highest of it", "400 K"),
    with_example(count("stages.*.exchange.count", "", between(2, 65536), "how many temperatures it has"), "8"),
    required(quantity("stages.*.exchange.every", d::time, "", positive, "between attempts", "1 ps")),
    quantity("stages.*.exchange.after", d::time, "0 ps", non_negative, "no attempt before this time of the stage", "100 ps"),

    maps("free_energy", "free-energy surfaces from the frames of this run, made when it has finished"),
    required(text("free_energy.*.name", "", "of the files: NAME.h5, .csv, .png, .svg", "pmf")),
    required(list(KeyKind::texts, "free_energy.*.variables", 0, "one to three collective variables, as of uplift reweight --cv",
                  "[\"phi=dihedral(4,6,8,14)\"]")),
    list(KeyKind::texts, "free_energy.*.stages", 0,
         "default: every stage with a bias that does not change, or all where none has one", "[accelerate]"),
    choice("free_energy.*.method", "", "exponential maclaurin cumulant pooled mbar none",
           "default: cumulant, mbar for several biases, none without any"),
    with_example(count("free_energy.*.order", "", between(1, 100), "of maclaurin (10) or cumulant (2, at most 3)"), "10"),
    list(KeyKind::counts, "free_energy.*.bins", 0, "one number, or one for each variable; default 60", "[60, 60]", "",
         between(1, 1000000)),
    quantity("free_energy.*.discard", d::time, "0 ps", non_negative, "left out at the beginning of each stage"),
    count("free_energy.*.bootstrap", "100", between(0, 100000), "replicates for the errors"),
    count("free_energy.*.cutoff", "10", between(1, int_max), "bins with fewer frames stay empty"),

    map("output", "what is written"),
    text("output.directory", "", "default: the name of the input without its suffix; of one that has none, NAME-run",
         "villin-run"),
    map("output.trajectory", "what goes into trajectory.h5md"),
    quantity("output.trajectory.every", d::time, "2 ps", non_negative,
             "at multiples of this in the time of the run; 0 ps: no trajectory"),
    text("output.trajectory.atoms", "all", "selection of atoms", "protein"),
    flag("output.trajectory.velocities", "false", "store velocities too"),
    flag("output.trajectory.forces", "false", "store forces too, boosted ones with a bias; without those of constraints"),
    quantity("output.trajectory.precision", d::length, "", up_to(0.1), "positions are rounded to this; default: float32 as is",
             "1e-4 nm"),
    map("output.energies", "what goes into energies.h5"),
    quantity("output.energies.every", d::time, "0.2 ps", non_negative,
             "at multiples of this in the time of the run; 0 ps: no energies"),
    flag("output.report", "true", "report.html at the end: what was run, and how it went"),
    map("output.checkpoint", "how often checkpoint.upc is written"),
    with_unit(quantity("output.checkpoint.every", d::time, "15 min", positive, "of wall-clock time"), "s"),

    map("compute", "where it runs"),
    choice("compute.backend", "auto", "auto cuda cpu simt", "auto: cuda if there is a usable GPU, else cpu"),
    choice("compute.precision", "mixed", "mixed double", "double is for checks"),
    with_default(list(KeyKind::counts, "compute.devices", 0,
                      "GPUs that ranks and replicas take in turns, as nvidia-smi counts those of the job; auto: all", "[0, 1]",
                      "auto", between(0, 1023)),
                 "auto"),
    count("compute.threads", "auto", between(1, 4096), "on the CPU; auto: as many as the process may use", "auto"),
    count("compute.replicas", "1", between(1, 65536),
          "copies of the run with noise of their own; default with exchange: one a temperature"),
    count("compute.ranks_per_replica", "auto", between(1, 65536),
          "that work on a replica together; more than 1: domain decomposition; auto: all for one replica, one each for several",
          "auto"),
    count("compute.mesh_ranks", "auto", between(1, 65536),
          "of the ranks of a replica, that transform the PME mesh; no bit depends on it; auto: as many as turn out quickest",
          "auto"),
};

}  // namespace

std::span<const KeySpec> input_schema() { return schema; }

}  // namespace uplift

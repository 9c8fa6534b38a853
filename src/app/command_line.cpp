#include "command_line.hpp"

#include <iostream>
#include <memory>
#include <utility>

#include "commands.hpp"
#include "convert.hpp"
#include "uplift/domain/communicator.hpp"

namespace uplift::app {
namespace {

// Each function adds one command. Options live as long as the action that holds them.

struct Setup {
  CLI::App& app;
  Action& action;
  const Communicator& world;
  std::string command;  ///< as it was given
};

/// Usage with what has no name first, where no option can take it.
class PositionalsFirst final : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* app, std::string name) const override {
    std::string text = CLI::Formatter::make_usage(app, std::move(name));
    const std::string options = " [OPTIONS]";
    const std::size_t at = text.find(options);
    if (at == std::string::npos || app->get_options([](const CLI::Option* o) { return o->get_positional(); }).empty())
      return text;
    text.erase(at, options.size());
    text.insert(text.find_last_not_of('\n') + 1, options);
    return text;
  }
};

/// A command, and what it does when it has been chosen. What does not need all ranks is done by the first.
template <class Options, class F>
void does(CLI::App* command, const Setup& s, std::shared_ptr<Options> options, F run, bool all_ranks = false) {
  command->callback([=, &action = s.action, &world = s.world] {
    action = [=, &world] { return all_ranks || world.root() ? run(*options) : static_cast<int>(finished); };
  });
}

void add_input_options(CLI::App* command, InputOptions& options) {
  command->add_option("INPUT", options.file, "the YAML input")->required();
  command->add_option("--set", options.set, "override a key of the input: --set dynamics.seed=7 (repeatable)")
      ->allow_extra_args(false)
      ->expected(1)
      ->take_all();
  command->add_option("--backend", options.backend, "auto, cuda, cpu or simt");
  command->add_option("--precision", options.precision, "mixed or double");
  command->add_option("--threads", options.threads, "threads on the CPU; default: all that this process may use")
      ->check(CLI::Range(1, 4096));
}

void add_run(const Setup& s) {
  CLI::App* run = s.app.add_subcommand("run", "run every stage of an input");
  struct Options {
    InputOptions input;
    RunSwitches switches;
  };
  run->footer("The keys of the input: uplift schema, or docs/yaml-reference.md. To begin: docs/tutorial.md");
  const auto o = std::make_shared<Options>();
  add_input_options(run, o->input);
  run->add_flag("--quiet", o->switches.quiet, "nothing but warnings, on stderr; run.log has it all");
  run->add_flag("--resume", o->switches.resume, "go on from the checkpoint in the output directory; begin when there is none");
  run->add_option("--max-time", o->switches.max_time,
                  "stop with a checkpoint and exit status 3 after this wall-clock time (23.5h, 90 min)");
  run->add_option("--replica", o->switches.replica,
                  "only this one of compute.replicas, from 1, as a run by itself: for job arrays")
      ->check(CLI::Range(1, 65536));
  does(
      run, s, o, [&world = s.world](const Options& given) { return run_command(given.input, given.switches, world); }, true);
}

void add_slurm(const Setup& s) {
  CLI::App* slurm =
      s.app.add_subcommand("slurm", "write a Slurm job script for an input, that requeues itself until it is done");
  const auto o = std::make_shared<SlurmOptions>();
  SlurmOptions& job = *o;
  slurm->add_option("INPUT", job.input.file, "the YAML input")->required();
  slurm->add_option("--set", job.input.set, "override a key of the input (repeatable); goes into the script, too")
      ->allow_extra_args(false)
      ->expected(1)
      ->take_all();
  slurm->add_option("--nodes", job.nodes, "default 1")->check(CLI::Range(1, 100000));
  slurm->add_option("--gpus", job.gpus, "of each node; default none")->check(CLI::Range(0, 64));
  slurm->add_option("--cpus", job.cpus, "of each node; default: the whole node for itself, or eight a GPU")
      ->check(CLI::Range(1, 4096));
  slurm->add_option("--time", job.time, "limit of each part of the job (24h, 90 min, 1-12:00:00); default 24h");
  slurm->add_option("--partition", job.partition, "of the cluster");
  slurm->add_option("--account", job.account, "to charge");
  slurm->add_option("--qos", job.qos, "quality of service");
  slurm->add_option("--mem", job.memory, "memory of each node, as Slurm wants it (16G)");
  slurm->add_option("--job-name", job.name, "default: the name of the input");
  slurm->add_flag("--array", job.array, "a job for each replica (compute.replicas)");
  slurm->add_option("--at-a-time", job.at_a_time, "jobs of the array that may run at once")->check(CLI::Range(1, 65536));
  slurm->add_option("--launcher", job.launcher, "srun or mpirun, for several ranks")->check(CLI::IsMember({"srun", "mpirun"}));
  slurm->add_option("--mpi", job.mpi, "how srun brings ranks together: pmix, pmi2; default: as the cluster is set up");
  slurm->add_option("-o,--output", job.output, "file; default: stdout");
  does(slurm, s, o, slurm_command);
}

void add_validate(const Setup& s) {
  CLI::App* validate = s.app.add_subcommand("validate", "report every problem of an input; runs nothing");
  const auto o = std::make_shared<InputOptions>();
  add_input_options(validate, *o);
  does(validate, s, o, validate_command);
}

void add_schema(const Setup& s) {
  CLI::App* schema = s.app.add_subcommand("schema", "every key of the input, with type, default and an example, as Markdown");
  const auto where = std::make_shared<std::string>();
  schema->add_option("BLOCK", *where, "only this block or key: forces.pme, stages.bias");
  does(schema, s, where, schema_command);
}

void add_energy(const Setup& s) {
  CLI::App* energy = s.app.add_subcommand("energy", "energies and forces of the given coordinates");
  struct Options {
    InputOptions input;
    std::string json, forces;
  };
  const auto o = std::make_shared<Options>();
  add_input_options(energy, o->input);
  energy->footer(
      "With a bias of explicit parameters in a stage: the energies and forces of the first such stage, with its own forces.");
  energy->add_option("--json", o->json, "write the energies to this file");
  energy->add_option("--forces", o->forces, "write forces and positions to this HDF5 file");
  does(
      energy, s, o,
      [&world = s.world](const Options& given) { return energy_command(given.input, given.json, given.forces, world); }, true);
}

void add_reweight(const Setup& s) {
  CLI::App* reweight = s.app.add_subcommand("reweight", "free-energy surfaces from the frames of runs, biased or not");
  const auto o = std::make_shared<ReweightOptions>();
  ReweightOptions& surface = *o;
  reweight->add_option("RUN", surface.runs, "output directories of runs; several are taken together")->required();
  reweight
      ->add_option("--stage", surface.stages,
                   "stage to take (repeatable); default: every one with a bias that does not change, or all where none has one")
      ->allow_extra_args(false)
      ->expected(1)
      ->take_all()
      ->type_name("TEXT");
  reweight
      ->add_option("--cv", surface.variables,
                   "collective variables, one to three: names of the run's own free_energy variables, or "
                   "NAME=dihedral(i,j,k,l), angle(i,j,k), distance(i,j), phi(RESIDUE) or "
                   "phi(CHAIN:RESIDUE), psi(...), rmsd(SELECTION), gyration(SELECTION), "
                   "column(FILE,N); atoms count from 0")
      ->required()
      ->expected(1, 3)
      ->type_name("TEXT ...");
  reweight->add_option("--bins", surface.bins, "one number, or one for each variable; default 60")
      ->expected(1, 3)
      ->type_name("INT ...");
  reweight->add_option("--range", surface.ranges, "LOW:HIGH for each variable; default: -180:180 degrees, or all there is")
      ->expected(1, 3)
      ->type_name("TEXT ...");
  reweight->add_option(
      "--method", surface.method,
      "exponential, maclaurin, cumulant, pooled, mbar or none; default: cumulant, mbar for several biases, none without any");
  reweight->add_option("--order", surface.order, "of maclaurin (default 10) or cumulant (default 2, at most 3)")
      ->check(CLI::Range(1, 100));
  reweight->add_option("--temperature", surface.temperature, "default: that of the runs");
  reweight->add_option("--bootstrap", surface.bootstrap, "replicates for the errors; default 100, 0: none")
      ->check(CLI::Range(0, 100000));
  reweight->add_option("--seed", surface.seed, "of the bootstrap");
  reweight->add_option("--cutoff", surface.cutoff, "bins with fewer frames stay empty; default 10")
      ->check(CLI::Range(1, 1000000000));
  reweight->add_option("--discard", surface.discard, "time to leave out at the beginning of each stage (1 ns)");
  reweight->add_option("-o,--output", surface.output, "stem of the files: pmf gives pmf.h5, pmf.csv, pmf.png and pmf.svg");
  reweight->add_option("--weights", surface.weights, "also write PyReweighting's weights to this file");
  reweight->add_flag("--xvg", surface.xvg, "also write PyReweighting's .xvg (one variable)");
  reweight->add_flag("--force", surface.force, "give even what cannot be trusted");
  does(reweight, s, o, reweight_command);
}

void add_build(const Setup& s) {
  CLI::App* build = s.app.add_subcommand("build", "a sequence or a structure with gaps to a system that can be run");
  const auto o = std::make_shared<BuildArguments>();
  add_build_options(build, *o);
  does(build, s, o, build_command);
}

/// What topologies of other programs need besides.
void add_topology_options(CLI::App* command, std::vector<std::string>& parameters, std::vector<std::string>& define,
                          std::vector<std::string>& include, std::vector<std::string>& forcefield) {
  command->add_option("--parameters", parameters, "of a .psf: its parameter, topology and stream files");
  command->add_option("--define", define, "word of a GROMACS .top, as -D of an mdp file (repeatable)")
      ->allow_extra_args(false)
      ->expected(1)
      ->take_all();
  command->add_option("--include", include, "folder of files that a GROMACS .top includes (repeatable)")
      ->allow_extra_args(false)
      ->expected(1)
      ->take_all();
  command->add_option("--forcefield", forcefield, "of a .pdb or .cif: names or files");
}

void add_convert(const Setup& s) {
  CLI::App* convert = s.app.add_subcommand("convert", "trajectories and topologies from one format into another");
  const auto o = std::make_shared<ConvertOptions>();
  convert
      ->add_option(
          "FILES", o->inputs,
          "inputs and, last, the output; formats by their endings. Trajectories: .h5md .dcd .xtc .nc .pdb (several are one "
          "after the other), of one frame .rst7 .inpcrd .ncrst, to read also .gro .crd .cif; topologies: .prmtop .top .psf, "
          "and .pdb or .cif with --forcefield, to .prmtop or .psf, or to .pdb with --coordinates; energies.h5 of a run to .csv "
          "or .xvg")
      ->required()
      ->expected(2, CLI::detail::expected_max_vector_size);
  convert->add_option("--topology", o->topology,
                      "names, masses and bonds of the atoms (.prmtop .top .psf .pdb .cif .h5md), where the input has none");
  convert->add_option("--coordinates", o->coordinates,
                      "positions that go with a topology; with a .prmtop they are written beside it as .inpcrd");
  add_topology_options(convert, o->parameters, o->define, o->include, o->forcefield);
  convert->add_flag("--last", o->last, "only the last frame");
  convert->add_option("--stride", o->stride, "take every so manieth frame; default 1")->check(CLI::Range(1, 1000000000));
  convert->add_option("--begin", o->begin, "first time (10 ns)");
  convert->add_option("--end", o->end, "last time");
  convert->add_option("--atoms", o->atoms,
                      "selection of atoms to keep, as in output.trajectory.atoms: protein, 'resid 1-20 and name CA'");
  convert->add_flag("--whole", o->whole, "molecules in one piece, not cut by the faces of the box");
  convert->add_flag("--unwrap", o->unwrap, "molecules whole, and followed through the faces of the box from frame to frame");
  convert->add_option("--centre,--center", o->centre,
                      "selection that goes to the middle of the box; molecules whole and around it");
  convert->add_option("--precision", o->precision, "of positions in XTC; default 1e-3 nm");
  convert->add_flag("--consecutive", o->consecutive,
                    "times of each further input are counted on from the end of the one before it");
  convert->add_flag("--drop-times", o->drop_times, "DCD of frames that are not equally spaced in time: without times");
  convert->add_option("--group", o->group, "particle group of an H5MD file that has several");
  convert->add_option("--length-unit", o->length_unit, "of an H5MD file without units: nm or angstrom");
  convert->add_option("--time-unit", o->time_unit, "of an H5MD file without units: ps, fs or ns");
  convert->add_flag("-f,--force", o->force, "replace an output that is there already");
  does(convert, s, o, [](const ConvertOptions& given) {
    ConvertOptions all = given;
    all.output = all.inputs.back();
    all.inputs.pop_back();
    return convert_command(all);
  });
}

void add_report(const Setup& s) {
  CLI::App* report = s.app.add_subcommand("report", "draw report.html and the pictures of a run anew");
  const auto o = std::make_shared<std::vector<std::string>>();
  report->add_option("RUN", *o, "output directories of runs")->required();
  does(report, s, o, report_command);
}

void add_info(const Setup& s) {
  CLI::App* info =
      s.app.add_subcommand("info", "what is in a topology, coordinate file, trajectory or checkpoint, or on this machine");
  const auto o = std::make_shared<InfoOptions>();
  info->add_option("FILE", o->file,
                   "a topology or coordinates, or a file or the folder of a run (of an input: uplift validate, or --atoms)");
  info->add_option("--atoms", o->atoms,
                   "a table of the atoms of this selection, with names, residues and chains, of a topology, a structure or an "
                   "input: all, 'resid 1-20 and name CA'");
  info->add_flag("--devices", o->devices, "this machine");
  add_topology_options(info, o->parameters, o->define, o->include, o->forcefield);
  does(info, s, o, [info](const InfoOptions& given) {
    if (!given.file.empty() || (given.devices && given.atoms.empty())) return info_command(given);
    std::cerr << "error: FILE is required" << swallowed(*info, false) << '\n' << info->help("uplift");
    return static_cast<int>(bad_input);
  });
}

void add_benchmark(const Setup& s) {
  CLI::App* benchmark =
      s.app.add_subcommand("benchmark", "ns/day and time per phase of inputs, or of systems that come with the engine");
  const auto o = std::make_shared<BenchmarkOptions>();
  BenchmarkOptions& measure = *o;
  measure.command = s.command;
  benchmark->footer(
      "Of an input its last stage of dynamics is measured, with its boost if the parameters of that are explicit. One whose "
      "parameters come from another stage is left out, which is said.");
  benchmark->add_option("SYSTEM", measure.systems, "YAML inputs, or names: " + benchmark_names() + "; default: a few of these");
  benchmark->add_option("--set", measure.set, "override a key of the inputs: --set dynamics.timestep='2 fs' (repeatable)")
      ->allow_extra_args(false)
      ->expected(1)
      ->take_all();
  benchmark->add_option("--backend", measure.backend, "auto, cuda, cpu or simt");
  benchmark->add_option("--precision", measure.precision, "mixed or double");
  benchmark->add_option("--threads", measure.threads, "threads on the CPU; default: all that this process may use")
      ->check(CLI::Range(1, 4096));
  benchmark->add_option("--seconds", measure.seconds, "how long each system is measured; default 10")
      ->check(CLI::Range(0.01, 1e6));
  benchmark->add_option("--warmup", measure.warmup, "steps before that; default: a fifth of the time")
      ->check(CLI::Range(1, 1000000000));
  benchmark->add_option("--json", measure.json, "write everything that was measured to this file");
  does(benchmark, s, o, benchmark_command);
}

/// Not in --help: the build makes uplift.1 by it.
void add_manual(const Setup& s) {
  CLI::App* manual = s.app.add_subcommand("man-page", "print uplift(1)")->group("");
  const auto nothing = std::make_shared<int>();
  does(manual, s, nothing, [&app = s.app](int) {
    write_man_page(std::cout, app);
    return static_cast<int>(finished);
  });
}

}  // namespace

std::string swallowed(const CLI::App& command, bool required) {
  std::string missing;
  for (const CLI::Option* option : command.get_options())
    if (option->get_positional() && option->count() == 0 && option->get_required() >= required)
      missing = option->get_name(true);
  if (missing.empty()) return "";
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional() || !option->get_allow_extra_args() || option->count() < 2) continue;
    std::string words;
    for (const std::string& word : option->results()) words += " " + word;
    return "; " + option->get_name(false, false) + " takes all words that follow it, and has taken" + words + ": give " +
           missing + " before it, as in uplift " + command.get_name() + " " + missing + " [OPTIONS]";
  }
  return "";
}

void add_commands(CLI::App& app, Action& action, const Communicator& world, const std::string& command) {
  app.description("uplift: molecular dynamics with accelerated sampling");
  app.name("uplift");
  app.set_version_flag("--version", std::string("uplift ") + version);
  app.require_subcommand(1);
  app.formatter(std::make_shared<PositionalsFirst>());
  const Setup setup{app, action, world, command};
  for (const auto add : {add_run, add_slurm, add_validate, add_schema, add_energy, add_reweight, add_build, add_convert,
                         add_report, add_info, add_benchmark, add_manual})
    add(setup);
}

}  // namespace uplift::app

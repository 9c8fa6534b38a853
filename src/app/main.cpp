// The command line: options in, exit status out. Errors end here, as "uplift: what, where, why, what to do" on stderr.
#include <CLI/CLI.hpp>
#include <iostream>

#include "commands.hpp"
#include "ranks.hpp"
#include "uplift/core/error.hpp"
#include "uplift/domain/communicator.hpp"

namespace {

using namespace uplift::app;

void add_input_options(CLI::App* command, InputOptions& options) {
  command->add_option("INPUT", options.file, "the YAML input")->required();
  command->add_option("--set", options.set, "override a key of the input: --set dynamics.seed=7 (repeatable)")
      ->allow_extra_args(false);
  command->add_option("--backend", options.backend, "auto, cuda, cpu or simt");
  command->add_option("--precision", options.precision, "mixed or double");
  command->add_option("--threads", options.threads, "threads on the CPU; default: all that this process may use")
      ->check(CLI::Range(1, 4096));
}

std::string command_line(int argc, char** argv) {
  std::string text = "uplift";
  for (int k = 1; k < argc; ++k) text += std::string(" ") + argv[k];
  return text;
}

int dispatch(int argc, char** argv, const uplift::Communicator& world) {
  CLI::App app("uplift: molecular dynamics with accelerated sampling");
  app.set_version_flag("--version", std::string("uplift ") + uplift::version);
  app.require_subcommand(1);
  InputOptions options;
  std::string json, forces, file;
  bool devices = false;
  RunSwitches switches;
  BenchmarkOptions measure;
  measure.command = command_line(argc, argv);

  CLI::App* run = app.add_subcommand("run", "run every stage of an input");
  add_input_options(run, options);
  run->add_flag("--quiet", switches.quiet, "nothing on stdout; run.log has it all");
  run->add_flag("--resume", switches.resume, "go on from the checkpoint in the output directory; begin when there is none");
  run->add_option("--max-time", switches.max_time,
                  "stop with a checkpoint and exit status 3 after this wall-clock time (23.5h, 90 min)");
  run->add_option("--replica", switches.replica,
                  "only this one of compute.replicas, from 1, as a run by itself: for job arrays")
      ->check(CLI::Range(1, 65536));
  CLI::App* slurm = app.add_subcommand("slurm", "write a Slurm job script for an input, that requeues itself until it is done");
  SlurmOptions job;
  slurm->add_option("INPUT", job.input.file, "the YAML input")->required();
  slurm->add_option("--set", job.input.set, "override a key of the input (repeatable); goes into the script, too")
      ->allow_extra_args(false);
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
  slurm->add_option("-o,--output", job.output, "file; default: stdout");
  CLI::App* energy = app.add_subcommand("energy", "energies and forces of the given coordinates");
  add_input_options(energy, options);
  energy->add_option("--json", json, "write the energies to this file");
  energy->add_option("--forces", forces, "write forces and positions to this HDF5 file");
  CLI::App* validate = app.add_subcommand("validate", "report every problem of an input; runs nothing");
  add_input_options(validate, options);
  CLI::App* benchmark =
      app.add_subcommand("benchmark", "ns/day and time per phase of inputs, or of systems that come with the engine");
  benchmark->add_option("SYSTEM", measure.systems, "YAML inputs, or names: " + benchmark_names() + "; default: a few of these");
  benchmark->add_option("--set", measure.set, "override a key of the inputs: --set dynamics.timestep='2 fs' (repeatable)")
      ->allow_extra_args(false);
  benchmark->add_option("--backend", measure.backend, "auto, cuda, cpu or simt");
  benchmark->add_option("--precision", measure.precision, "mixed or double");
  benchmark->add_option("--threads", measure.threads, "threads on the CPU; default: all that this process may use")
      ->check(CLI::Range(1, 4096));
  benchmark->add_option("--seconds", measure.seconds, "how long each system is measured; default 10")
      ->check(CLI::Range(0.01, 1e6));
  benchmark->add_option("--warmup", measure.warmup, "steps before that; default: a fifth of the time")
      ->check(CLI::Range(1, 1000000000));
  benchmark->add_option("--json", measure.json, "write everything that was measured to this file");
  CLI::App* reweight = app.add_subcommand("reweight", "free-energy surfaces from the frames of runs, biased or not");
  ReweightOptions surface;
  reweight->add_option("RUN", surface.runs, "output directories of runs; several are taken together")->required();
  reweight
      ->add_option("--stage", surface.stages,
                   "stages to take; default: every one with a bias that does not change, or all where none has one")
      ->allow_extra_args(false);
  reweight
      ->add_option("--cv", surface.variables,
                   "collective variables, one to three: NAME=dihedral(i,j,k,l), angle(i,j,k), distance(i,j), phi(RESIDUE), "
                   "psi(RESIDUE), rmsd(SELECTION), gyration(SELECTION), "
                   "column(FILE,N); atoms count from 0")
      ->required()
      ->expected(1, 3);
  reweight->add_option("--bins", surface.bins, "one number, or one for each variable; default 60")->expected(1, 3);
  reweight->add_option("--range", surface.ranges, "LOW:HIGH for each variable; default: -180:180 degrees, or all there is")
      ->expected(1, 3);
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
  CLI::App* report = app.add_subcommand("report", "draw report.html and the pictures of a run anew");
  std::vector<std::string> reported;
  report->add_option("RUN", reported, "output directories of runs")->required();
  CLI::App* info =
      app.add_subcommand("info", "what is in a topology, coordinate file, trajectory or checkpoint, or on this machine");
  info->add_option("FILE", file, "a file of a run or an input");
  info->add_flag("--devices", devices, "this machine");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (world.root()) return app.exit(e) == 0 ? finished : bad_input;
    return e.get_exit_code() == 0 ? finished : bad_input;
  }
  if (run->parsed()) return run_command(options, switches, world);
  if (!world.root()) return finished;  // of no use to what follows
  if (slurm->parsed()) return slurm_command(job);
  if (energy->parsed()) return energy_command(options, json, forces);
  if (validate->parsed()) return validate_command(options);
  if (report->parsed()) return report_command(reported);
  if (reweight->parsed()) return reweight_command(surface);
  if (benchmark->parsed()) return benchmark_command(measure);
  if (info->parsed() && (devices || !file.empty())) return info_command(file, devices);
  std::cerr << info->help();
  return bad_input;
}

/// Where ranks work together, one that fails takes all of them down: the others may be waiting for it.
int fail(const uplift::Communicator& world, const std::string& message, ExitStatus status) {
  if (world.size() > 1) world.abort(message, status);
  std::cerr << "error: " << message << '\n';
  return status;
}

int run_program(int argc, char** argv, const uplift::Communicator& world) {
  try {
    return dispatch(argc, argv, world);
  } catch (const Agreed& agreed) {
    return agreed.status;
  } catch (const uplift::InputError& e) {
    return fail(world, e.what(), bad_input);
  } catch (const std::bad_alloc&) {
    return fail(world, "out of memory (the system or its PME grid is too large for this machine)", failed);
  } catch (const std::exception& e) {
    return fail(world, e.what(), failed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const uplift::MpiSession mpi(argc, argv);
    return run_program(argc, argv, mpi.world());
  } catch (const uplift::InputError& e) {
    return fail({}, e.what(), bad_input);
  } catch (const std::exception& e) {
    return fail({}, e.what(), failed);
  }
}

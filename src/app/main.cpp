// The command line: options in, exit status out. Errors end here, as "uplift: what, where, why, what to do" on stderr.
#include <CLI/CLI.hpp>
#include <iostream>

#include "commands.hpp"
#include "uplift/core/error.hpp"

namespace {

using namespace uplift::app;

void add_input_options(CLI::App* command, InputOptions& options) {
  command->add_option("INPUT", options.file, "the YAML input")->required();
  command->add_option("--set", options.set, "override a key of the input: --set dynamics.seed=7 (repeatable)")->allow_extra_args(false);
  command->add_option("--backend", options.backend, "auto, cuda, cpu or simt");
  command->add_option("--precision", options.precision, "mixed or double");
  command->add_option("--threads", options.threads, "threads on the CPU; default: all that this process may use")->check(CLI::Range(1, 4096));
}

std::string command_line(int argc, char** argv) {
  std::string text = "uplift";
  for (int k = 1; k < argc; ++k) text += std::string(" ") + argv[k];
  return text;
}

int dispatch(int argc, char** argv) {
  CLI::App app("uplift: molecular dynamics with accelerated sampling");
  app.set_version_flag("--version", std::string("uplift ") + version);
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
  run->add_option("--max-time", switches.max_time, "stop with a checkpoint and exit status 3 after this wall-clock time (23.5h, 90 min)");
  CLI::App* energy = app.add_subcommand("energy", "energies and forces of the given coordinates");
  add_input_options(energy, options);
  energy->add_option("--json", json, "write the energies to this file");
  energy->add_option("--forces", forces, "write forces and positions to this HDF5 file");
  CLI::App* validate = app.add_subcommand("validate", "report every problem of an input; runs nothing");
  add_input_options(validate, options);
  CLI::App* benchmark = app.add_subcommand("benchmark", "ns/day and time per phase of inputs, or of systems that come with the engine");
  benchmark->add_option("SYSTEM", measure.systems,
                        "YAML inputs, or names: " + benchmark_names() + "; default: a few of these");
  benchmark->add_option("--set", measure.set, "override a key of the inputs: --set dynamics.timestep='2 fs' (repeatable)")->allow_extra_args(false);
  benchmark->add_option("--backend", measure.backend, "auto, cuda, cpu or simt");
  benchmark->add_option("--precision", measure.precision, "mixed or double");
  benchmark->add_option("--threads", measure.threads, "threads on the CPU; default: all that this process may use")->check(CLI::Range(1, 4096));
  benchmark->add_option("--seconds", measure.seconds, "how long each system is measured; default 10")->check(CLI::Range(0.01, 1e6));
  benchmark->add_option("--warmup", measure.warmup, "steps before that; default: a fifth of the time")->check(CLI::Range(1, 1000000000));
  benchmark->add_option("--json", measure.json, "write everything that was measured to this file");
  CLI::App* info = app.add_subcommand("info", "what is in a topology, coordinate file, trajectory or checkpoint, or on this machine");
  info->add_option("FILE", file, "a file of a run or an input");
  info->add_flag("--devices", devices, "this machine");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? finished : bad_input;
  }
  if (run->parsed()) return run_command(options, switches);
  if (energy->parsed()) return energy_command(options, json, forces);
  if (validate->parsed()) return validate_command(options);
  if (benchmark->parsed()) return benchmark_command(measure);
  if (info->parsed() && (devices || !file.empty())) return info_command(file, devices);
  std::cerr << info->help();
  return bad_input;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const uplift::InputError& e) {
    std::cerr << "error: " << e.what() << '\n';
    return bad_input;
  } catch (const uplift::SimulationError& e) {
    std::cerr << "error: " << e.what() << '\n';
    return failed;
  } catch (const std::bad_alloc&) {
    std::cerr << "error: out of memory (the system or its PME grid is too large for this machine)\n";
    return failed;
  } catch (const std::exception& e) {
    std::cerr << "error: " << e.what() << '\n';
    return failed;
  }
}

// `uplift slurm`: a job script for an input.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>

#include "commands.hpp"
#include "stop_reasons.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/check_output.hpp"
#include "uplift/io/run_input.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift::app {
namespace {

namespace fs = std::filesystem;

/// As one word of the shell.
std::string shell_word(const std::string& text) {
  if (!text.empty() &&
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/=:,+-@%") == std::string::npos)
    return text;
  std::string all = "'";
  for (char c : text) all += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return all + "'";
}

/// A value of an #SBATCH line: Slurm reads these itself, and knows of no quotes that hold line breaks.
std::string directive(const char* option, const std::string& value) {
  if (value.find_first_of("\n\r\"'\\ \t#") != std::string::npos)
    throw InputError(
        fmt::format("--{} {}: blanks, quotes and # cannot stand in a line for Slurm; use another name", option, value));
  return fmt::format("#SBATCH --{}={}\n", option, value);
}

long minutes_of(const std::string& limit) {
  const double seconds = seconds_of_limit(limit);
  if (!(seconds >= 60) || seconds > 1e9)
    throw InputError("--time " + limit + ": give a limit of a minute at least, as in 24h, \"90 min\" or 1-12:00:00");
  return static_cast<long>(std::ceil(seconds / 60 - 1e-9));
}
std::string slurm_time(long minutes) {
  return fmt::format("{}-{:02}:{:02}:00", minutes / 1440, minutes / 60 % 24, minutes % 60);
}

std::string job_name(const SlurmOptions& o) {
  if (o.name.find('/') != std::string::npos)
    throw InputError("--job-name " + o.name +
                     ": the log of the job is named after it, and would be in a folder of that name; use another name");
  if (!o.name.empty()) return o.name;
  std::string name = fs::path(o.input.file).stem().string();
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != '.') c = '-';
  return name;
}

std::string this_program() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return error ? "uplift" : self.string();
}

/// Ranks of a node: one a GPU, as far as there is work for each; on CPUs one, which uses all cores by threads; more where
/// compute.ranks_per_replica wants them. Throws InputError when that does not go with nodes and GPUs.
int ranks_of_node(const SlurmOptions& o, const RunInput& input) {
  const int replicas = o.array ? 1 : input.compute.replicas, each = input.compute.ranks_per_replica;
  const int there = o.gpus > 1 && !(o.array && each <= 1) ? o.gpus : 1;
  if (each <= 1) return replicas > 1 ? std::clamp((replicas + o.nodes - 1) / o.nodes, 1, there) : there;
  const int ranks = std::min(there * o.nodes, each * replicas);
  if (ranks % each == 0 && ranks % o.nodes == 0) return ranks / o.nodes;
  if (o.gpus == 0 && each % o.nodes == 0) return each / o.nodes;
  throw InputError(
      fmt::format("compute.ranks_per_replica: {} ranks for a replica do not go with {} {}{}; choose --nodes and --gpus so "
                  "that there is one rank a GPU, or on CPUs a whole number of ranks on every node",
                  each, o.nodes, o.nodes == 1 ? "node" : "nodes", o.gpus > 0 ? fmt::format(" of {} GPUs", o.gpus) : ""));
}

/// One run without a cutoff, which no ranks share.
bool is_whole(const SlurmOptions& o, const RunInput& input) {
  return (o.array || input.compute.replicas == 1) &&
         std::all_of(input.stages.begin(), input.stages.end(),
                     [](const StageSettings& s) { return s.forces.nonbonded == NonbondedMethod::no_cutoff; });
}

/// GPUs of a node that have work: an array's job is one replica.
int gpus_of_node(const SlurmOptions& o, const RunInput& input) {
  return o.array && input.compute.ranks_per_replica <= 1 ? std::min(o.gpus, 1) : o.gpus;
}

/// What the script does otherwise than its options may have meant.
std::vector<std::string> notes(const SlurmOptions& o, const RunInput& input) {
  std::vector<std::string> all;
  if (const int used = gpus_of_node(o, input); used < o.gpus)
    all.push_back(
        fmt::format("--gpus {}: a job of the array is one replica, on one GPU{}; compute.ranks_per_replica gives each "
                    "more",
                    o.gpus, o.cpus > 0 ? "" : " and eight CPUs"));
  if (o.gpus == 0 && input.compute.backend == "cuda")
    all.push_back(
        "compute.backend is cuda, and the job asks for no GPU: give --gpus 1, unless every node of the partition has "
        "some that need not be asked for");
  return all;
}

void check(const SlurmOptions& o, const RunInput& input) {
  const int replicas = input.compute.replicas;
  if (is_whole(o, input) && (o.nodes > 1 || (o.gpus > 1 && !o.array)))
    throw InputError(
        fmt::format("{}: --{} {}: a system without a cutoff is not shared among ranks, so that one replica uses one "
                    "GPU or one node; use --nodes 1 and --gpus 1, or compute.replicas for several copies",
                    o.input.file, o.nodes > 1 ? "nodes" : "gpus", o.nodes > 1 ? o.nodes : o.gpus));
  if (o.array && replicas < 2)
    throw InputError(o.input.file +
                     ": --array makes a job for each replica, and compute.replicas is 1; set it, or leave --array out");
  if (o.array && input.exchanges())
    throw InputError(o.input.file +
                     ": --array: replicas that exchange run in one job; leave --array out, and give it --nodes or --gpus");
  if (o.array && o.nodes > 1) throw InputError("--nodes: a job of an array runs one replica on one node");
  if (o.at_a_time > 0 && !o.array) throw InputError("--at-a-time: is of an array; give --array, too");
  if (replicas > 1 && !o.array && o.nodes > replicas)
    throw InputError(fmt::format("--nodes {}: there are {} replicas, so that nodes would be idle; use {} at most", o.nodes,
                                 replicas, replicas));
}

/// Whether the job goes back into the queue. `every`: seconds between checkpoints.
std::string end_of_part(double every) {
  return fmt::format(
      "status=$?\n"
      "# 3: stopped early with a good checkpoint. The job goes back into the queue and goes on from there, until the run is "
      "done.\n"
      "# 1: failed, as with a GPU or a rank that died; above 128: killed, as by a node without memory. It goes on from the "
      "last checkpoint; but\n"
      "# what ends before it can have written another one (twice output.checkpoint.every) would do so for ever. 2: a wrong "
      "input.\n"
      "if [ $status -eq 3 ] || {{ [ $status -ne 0 ] && [ $status -ne 2 ] && [ $SECONDS -ge {:.0f} ]; }}; then\n"
      "  scontrol requeue \"$job\" && exit 0\n"
      "fi\n"
      "exit $status\n",
      std::max(600.0, std::ceil(2 * every)));
}

std::string script(const SlurmOptions& o, const RunInput& input) {
  const int tasks = ranks_of_node(o, input), ranks = tasks * o.nodes;
  std::string s = "#!/bin/bash\n";
  s += directive("job-name", job_name(o));
  if (o.array)
    s += directive("array",
                   fmt::format("1-{}{}", input.compute.replicas, o.at_a_time > 0 ? fmt::format("%{}", o.at_a_time) : ""));
  s += directive("nodes", std::to_string(o.nodes));
  s += directive("ntasks-per-node", std::to_string(tasks));
  if (o.cpus > 0 || o.gpus > 0)
    s += directive("cpus-per-task", std::to_string(std::max(1, (o.cpus > 0 ? o.cpus : 8 * gpus_of_node(o, input)) / tasks)));
  else
    s += "#SBATCH --exclusive\n";
  if (o.gpus > 0) s += "#SBATCH --gpus-per-task=1\n";  // each rank sees its own
  if (!o.memory.empty()) s += directive("mem", o.memory);
  const long minutes = minutes_of(o.time);
  s += directive("time", slurm_time(minutes));
  if (!o.partition.empty()) s += directive("partition", o.partition);
  if (!o.account.empty()) s += directive("account", o.account);
  if (!o.qos.empty()) s += directive("qos", o.qos);
  s += directive("output", o.array ? "%x-%A-%a.log" : "%x-%j.log");
  s += "#SBATCH --open-mode=append\n#SBATCH --requeue\n";
  const double limit = 60.0 * static_cast<double>(minutes);
  s += directive("signal", fmt::format("USR1@{:.0f}", limit - stop_before_end(limit))) + "\n";
  // The number of an array is one of its tasks' as well: what is asked for by that is asked for all of them.
  s += std::string("job=") + (o.array ? "\"${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID\"" : "$SLURM_JOB_ID") + "\n";
  // A controller that is busy answers with nothing, which is midnight to date; and the variable may be of the job that
  // submitted.
  s += "# uplift stops with a checkpoint before the job ends. Slurm 23 says when that is; earlier ones can be asked.\n"
       "end=$(SLURM_TIME_FORMAT=standard squeue -h -j \"$job\" -o %e) && [ -n \"$end\" ] && end=$(date -d \"$end\" +%s "
       "2>/dev/null) && export SLURM_JOB_END_TIME=$end\n";
  std::string command =
      shell_word(this_program()) + " run " + shell_word(fs::absolute(o.input.file).lexically_normal().string()) + " --resume";
  for (const std::string& set : o.input.set) command += " --set " + shell_word(set);
  if (o.array) command += " --replica \"$SLURM_ARRAY_TASK_ID\"";
  const std::string launcher =
      o.launcher == "mpirun" && ranks > 1
          ? fmt::format("mpirun -n {} --map-by ppr:{}:node --bind-to none", ranks, tasks)
          : (o.mpi.empty() || ranks == 1 ? std::string("srun") : "srun --mpi=" + shell_word(o.mpi)) +
                " --cpus-per-task=\"${SLURM_CPUS_PER_TASK:-$" +
                (tasks == 1 ? std::string("SLURM_CPUS_ON_NODE") : fmt::format("((SLURM_CPUS_ON_NODE / {}))", tasks)) + "}\"";
  s += launcher + " " + command + "\n";
  return s + end_of_part(input.output.checkpoint_every);
}

}  // namespace

int slurm_command(const SlurmOptions& options) {
  const RunInput input = load_run_input(options.input.file, options.input.overrides());
  if (input.stages.empty())
    throw InputError(options.input.file + ": there are no stages to run; add stages: [{name: production, time: 1 ns}]");
  check(options, input);
  if (!options.output.empty()) check_output(options.output, files_of(input));
  const std::string text = script(options, input);
  for (const std::string& note : notes(options, input)) std::cerr << "note: " << note << '\n';
  if (options.output.empty()) {
    std::cout << text;
    return finished;
  }
  try {
    write_file(options.output, text);
  } catch (const SimulationError& e) {
    throw InputError(std::string("--output: ") + e.what());
  }
  fs::permissions(options.output, fs::perms::owner_exec, fs::perm_options::add);
  std::cerr << "written: " << options.output << "; submit it with sbatch\n";
  return finished;
}

}  // namespace uplift::app

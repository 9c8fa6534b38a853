#pragma once
// One function a command of the command line; each returns the exit status.
#include <cstdint>
#include <string>
#include <vector>

#include "uplift/core/version.hpp"

namespace uplift {
class Communicator;
}
namespace CLI {
class App;
}

namespace uplift::app {

// 0 finished; 1 the simulation failed; 2 the input is wrong; 3 stopped early by a time limit or signal, with a good checkpoint.
enum ExitStatus : int { finished = 0, failed = 1, bad_input = 2, stopped_early = 3 };

/// What the options of `run` and `energy` say about the input; turned into --set overrides.
struct InputOptions {
  std::string file;
  std::vector<std::string> set;    ///< "dynamics.seed=7"
  std::string backend, precision;  ///< empty: as in the file
  int threads = 0;                 ///< 0: as in the file

  std::vector<std::string> overrides() const {
    std::vector<std::string> all = set;
    if (!backend.empty()) all.push_back("compute.backend=" + backend);
    if (!precision.empty()) all.push_back("compute.precision=" + precision);
    if (threads > 0) all.push_back("compute.threads=" + std::to_string(threads));
    return all;
  }
};

struct RunSwitches {
  bool quiet = false, resume = false;
  std::string max_time;  ///< wall-clock time, "23.5h"; empty: none
  int replica = 0;       ///< only this one, from 1; 0: all
};

/// `uplift benchmark`.
struct BenchmarkOptions {
  std::vector<std::string> systems;  ///< paths of inputs, or names; empty: a few of the latter
  std::vector<std::string> set;
  std::string backend, precision;  ///< empty: as in the inputs
  int threads = 0;
  double seconds = 10;      ///< of measuring, each system
  std::int64_t warmup = 0;  ///< steps; 0: a fifth of `seconds`
  std::string json;         ///< file; empty: none
  std::string command;      ///< as it was given, for the file
};

/// `uplift reweight`.
struct ReweightOptions {
  std::vector<std::string> runs, stages, variables, ranges;
  std::vector<int> bins{60};
  std::string method, temperature, discard;  ///< empty: as the runs are
  std::string output = "pmf", weights;
  int order = 0, bootstrap = 100, cutoff = 10;
  std::uint64_t seed = 1;
  bool xvg = false, force = false;
};

/// `uplift build`, as given.
struct BuildArguments {
  std::string structure, sequence, output = "system";
  std::vector<std::string> forcefield{"amber14sb"}, states, remove;
  std::string water = "tip3p", implicit_solvent, conformation = "extended", shape = "dodecahedron", padding = "1 nm", edge,
              salt;
  std::string positive = "NA", negative = "CL";
  std::string prmtop;  ///< for other programs; empty: none
  bool caps = false, force = false;
  double ph = 7;
  std::uint64_t seed = 2026;
};

/// Of all ranks; each returns a status.
int run_command(const InputOptions& options, const RunSwitches& switches, const Communicator& world);
/// `uplift slurm`.
struct SlurmOptions {
  InputOptions input;
  int nodes = 1, gpus = 0, cpus = 0;  ///< of a node; cpus 0: all of an exclusive node
  bool array = false;                 ///< a job for each replica
  int at_a_time = 0;                  ///< of an array; 0: as many as Slurm likes
  std::string time = "24h", partition, account, qos, memory, name, launcher = "srun", mpi, output;
};
int slurm_command(const SlurmOptions& options);
/// Of all ranks, too.
int energy_command(const InputOptions& options, const std::string& json, const std::string& forces, const Communicator& world);
/// `where`: a block or a key; empty: all.
int schema_command(const std::string& where);
int validate_command(const InputOptions& options);
int benchmark_command(const BenchmarkOptions& options);
/// What can be named as a system, for --help.
std::string benchmark_names();
int reweight_command(const ReweightOptions& options);
struct ConvertOptions;
int convert_command(const ConvertOptions& options);
int report_command(const std::vector<std::string>& runs);
int build_command(const BuildArguments& arguments);
void add_build_options(CLI::App* command, BuildArguments& arguments);
/// `uplift info`.
struct InfoOptions {
  std::string file, atoms;  ///< atoms: a selection; empty: the file as a whole
  bool devices = false;
  std::vector<std::string> parameters, define, include, forcefield;  ///< what topologies need besides
};
int info_command(const InfoOptions& options);

}  // namespace uplift::app

// `uplift info`.
#include <fmt/format.h>

#include <iostream>
#include <string>

#include "cautions.hpp"
#include "commands.hpp"
#include "convert_system.hpp"
#include "cpu/cpu_isa.hpp"
#include "load.hpp"
#include "uplift/backend/cuda/cuda_backend.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/forcefield_xml.hpp"
#include "uplift/io/info.hpp"
#include "uplift/io/run_input.hpp"
#include "uplift/io/topology_file.hpp"
#include "uplift/model/selection.hpp"

namespace uplift::app {

namespace {

#if defined(UPLIFT_HAVE_CUDA)
std::string version_text(int v) { return v == 0 ? "none" : fmt::format("{}.{}", v / 1000, v % 1000 / 10); }

std::string gpu_text() {
  const DeviceList list = cuda_device::list_devices();
  std::string text = fmt::format("CUDA {}, driver for {}", version_text(list.runtime), version_text(list.driver));
  if (list.devices.empty()) text += "; none here" + (list.problem.empty() ? "" : " (" + list.problem + ")");
  for (std::size_t k = 0; k < list.devices.size(); ++k) {
    const DeviceList::Device& d = list.devices[k];
    text += fmt::format("\n  {}: {}, compute capability {}.{}, {} multiprocessors, {:.1f} GiB", k, d.name, d.major, d.minor,
                        d.multiprocessors, d.memory / 1073741824);
  }
  return text;
}
#else
std::string gpu_text() { return "this build has no CUDA (configure where there is nvcc)"; }
#endif

/// Of whatever names its atoms: an input, or a file of one.
Topology topology_of(const InfoOptions& options, const SystemSettings& settings) {
  const std::string suffix = file_suffix(options.file);
  if (suffix == "yaml" || suffix == "yml") {
    const RunInput input = load_run_input(options.file, {}, InputUse::single_point);
    return load(input, input.forces, std::nullopt).system.topology;
  }
  if (!settings.forcefield.empty()) {
    SystemSettings whole = settings;
    whole.topology = options.file;
    return read_topology(whole).topology;
  }
  ConvertOptions how;
  how.parameters = options.parameters;
  how.define = options.define;
  how.include = options.include;
  return read_any_system(options.file, how).topology;
}

std::string table_of_atoms(const InfoOptions& options, const SystemSettings& settings) {
  const Topology topology = topology_of(options, settings);
  std::vector<int> atoms;
  try {
    atoms = select_atoms(topology, options.atoms);
  } catch (const InputError& e) {
    throw InputError(std::string("--atoms: ") + e.what());
  }
  for (const std::string& doubt : doubts_of_selection("--atoms", options.atoms, topology))
    if (!atoms.empty()) std::cerr << "warning: " << doubt << '\n';
  if (atoms.empty())
    throw InputError("--atoms: '" + options.atoms + "' selects no atom of " + options.file + "; --atoms all shows them");
  return options.file + ": " + atom_table(topology, atoms);
}

}  // namespace

int info_command(const InfoOptions& options) {
  if (options.devices)
    std::cout << describe_machine() << "\nCPU kernels: " << cpu::isa_name(cpu::active_isa()) << "\nGPUs: " << gpu_text()
              << '\n';
  if (options.file.empty()) return finished;
  SystemSettings settings;
  settings.parameters = options.parameters;
  settings.define = options.define;
  settings.include = options.include;
  for (const std::string& name : options.forcefield) settings.forcefield.push_back(find_forcefield(name, "."));
  refuse_idle(options.file,
              {{"--parameters", !options.parameters.empty()},
               {"--define", !options.define.empty()},
               {"--include", !options.include.empty()},
               {"--forcefield", !options.forcefield.empty()}},
              topology_options(options.file, true));
  std::cout << (options.atoms.empty() ? describe_file(options.file, settings) : table_of_atoms(options, settings));
  return finished;
}

}  // namespace uplift::app

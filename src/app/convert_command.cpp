#include "convert.hpp"

#include "commands.hpp"
#include "uplift/io/check_output.hpp"
#include "uplift/io/topology_file.hpp"

namespace uplift::app {
namespace {

bool is_topology(const std::string& path) {
  const std::string suffix = file_suffix(path);
  for (const char* known : {"prmtop", "parm7", "top", "psf"})
    if (suffix == known) return true;
  return false;
}

}  // namespace

int convert_command(const ConvertOptions& options) {
  std::vector<std::string> inputs = options.inputs;
  inputs.insert(inputs.end(), {options.topology, options.coordinates});
  inputs.insert(inputs.end(), options.parameters.begin(), options.parameters.end());
  check_new_output(options.output, inputs, options.force);
  if (is_energy_table(options.output)) return convert_energies(options);
  const bool topology = is_topology(options.inputs.front()) || is_topology(options.output);
  return topology ? convert_topology(options) : convert_trajectory(options);
}

}  // namespace uplift::app

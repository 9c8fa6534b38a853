#include "convert.hpp"

#include <filesystem>

#include "commands.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/topology_file.hpp"

namespace uplift::app {
namespace {

namespace fs = std::filesystem;

bool is_topology(const std::string& path) {
  const std::string suffix = file_suffix(path);
  for (const char* known : {"prmtop", "parm7", "top", "psf"})
    if (suffix == known) return true;
  return false;
}

void check_output(const ConvertOptions& options) {
  std::error_code error;
  if (!fs::exists(options.output, error)) return;
  for (const std::string& input : options.inputs)
    if (fs::equivalent(input, options.output, error))
      throw InputError(options.output + ": is an input, too; choose another name for the output");
  if (!options.force) throw InputError(options.output + ": is there already; choose another name, or replace it with --force");
}

}  // namespace

int convert_command(const ConvertOptions& options) {
  check_output(options);
  if (is_energy_table(options.output)) return convert_energies(options);
  const bool topology = is_topology(options.inputs.front()) || is_topology(options.output);
  return topology ? convert_topology(options) : convert_trajectory(options);
}

}  // namespace uplift::app

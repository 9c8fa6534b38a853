#include "convert.hpp"

#include <filesystem>

#include "commands.hpp"
#include "uplift/core/error.hpp"

namespace uplift::app {
namespace {

namespace fs = std::filesystem;

std::string ending(const std::string& path) {
  fs::path name(path);
  if (name.extension() == ".gz") name = name.stem();
  return name.extension().string();
}

bool is_topology(const std::string& path) {
  for (const char* known : {".prmtop", ".parm7", ".top", ".psf"})
    if (ending(path) == known) return true;
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
  return is_topology(options.inputs.front()) ? convert_topology(options) : convert_trajectory(options);
}

}  // namespace uplift::app

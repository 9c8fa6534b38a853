#include "convert.hpp"

#include <algorithm>

#include "commands.hpp"
#include "convert_system.hpp"
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

bool is_h5md(const std::string& path) { return file_suffix(path) == "h5md" || file_suffix(path) == "h5"; }

/// An option that does nothing may be one that somebody relies on.
void refuse_idle_options(const ConvertOptions& o, bool table, bool topology) {
  const std::string output = file_suffix(o.output);
  std::vector<std::string> matter;
  const auto more = [&](const std::vector<std::string>& names) { matter.insert(matter.end(), names.begin(), names.end()); };
  if (table) more({"--begin", "--end", "--stride"});
  if (topology) more(topology_options(o.inputs.front(), true));
  if (topology && output != "psf") more({"--coordinates"});
  if (!table && (!topology || output == "pdb")) {
    more({"--last", "--stride", "--begin", "--end", "--atoms", "--whole", "--unwrap", "--centre"});
    std::vector<std::string> frames = topology ? std::vector{o.coordinates} : o.inputs;
    if (std::any_of(frames.begin(), frames.end(), is_h5md)) more({"--group", "--length-unit", "--time-unit"});
  }
  if (!table && !topology) {
    more({"--topology", "--consecutive"});
    more(topology_options(o.topology, false));
    if (output == "xtc") more({"--precision"});
    if (output == "dcd") more({"--drop-times"});
  }
  refuse_idle(o.output,
              {{"--topology", !o.topology.empty()},
               {"--coordinates", !o.coordinates.empty()},
               {"--parameters", !o.parameters.empty()},
               {"--define", !o.define.empty()},
               {"--include", !o.include.empty()},
               {"--forcefield", !o.forcefield.empty()},
               {"--last", o.last},
               {"--stride", o.stride != 1},
               {"--begin", !o.begin.empty()},
               {"--end", !o.end.empty()},
               {"--atoms", !o.atoms.empty()},
               {"--whole", o.whole},
               {"--unwrap", o.unwrap},
               {"--centre", !o.centre.empty()},
               {"--precision", !o.precision.empty()},
               {"--consecutive", o.consecutive},
               {"--drop-times", o.drop_times},
               {"--group", !o.group.empty()},
               {"--length-unit", !o.length_unit.empty()},
               {"--time-unit", !o.time_unit.empty()}},
              matter);
}

}  // namespace

int convert_command(const ConvertOptions& options) {
  std::vector<std::string> inputs = options.inputs;
  inputs.insert(inputs.end(), {options.topology, options.coordinates});
  inputs.insert(inputs.end(), options.parameters.begin(), options.parameters.end());
  check_new_output(options.output, inputs, options.force);
  const bool table = is_energy_table(options.output);
  const bool topology = !table && (is_topology(options.inputs.front()) || is_topology(options.output));
  refuse_idle_options(options, table, topology);
  if (table) return convert_energies(options);
  return topology ? convert_topology(options) : convert_trajectory(options);
}

}  // namespace uplift::app

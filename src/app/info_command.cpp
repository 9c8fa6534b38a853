// `uplift info`.
#include <iostream>

#include "commands.hpp"
#include "cpu/cpu_isa.hpp"
#include "uplift/io/forcefield_xml.hpp"
#include "uplift/io/info.hpp"

namespace uplift::app {

int info_command(const InfoOptions& options) {
  if (options.devices) std::cout << describe_devices(cpu::isa_name(cpu::active_isa()));
  if (options.file.empty()) return finished;
  SystemSettings settings;
  settings.parameters = options.parameters;
  settings.define = options.define;
  settings.include = options.include;
  for (const std::string& name : options.forcefield) settings.forcefield.push_back(find_forcefield(name, "."));
  std::cout << describe_file(options.file, settings);
  return finished;
}

}  // namespace uplift::app

// `uplift info`.
#include <iostream>

#include "commands.hpp"
#include "cpu/cpu_isa.hpp"
#include "uplift/io/info.hpp"

namespace uplift::app {

int info_command(const std::string& file, bool devices) {
  if (devices) std::cout << describe_devices(cpu::isa_name(cpu::active_isa()));
  if (!file.empty()) std::cout << describe_file(file);
  return finished;
}

}  // namespace uplift::app

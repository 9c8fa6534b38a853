// `uplift schema`: the keys of the input, as docs/yaml-reference.md has them.
#include <iostream>

#include "commands.hpp"
#include "uplift/io/run_input.hpp"

namespace uplift::app {

int schema_command(const std::string& where) {
  std::cout << (where.empty() ? input_reference() : input_reference(where));
  return finished;
}

}  // namespace uplift::app

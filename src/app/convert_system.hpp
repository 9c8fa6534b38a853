#pragma once
#include <string>

#include "uplift/model/system.hpp"

namespace uplift::app {

/// Names, masses, charges and bonds from any file that has some: prmtop, PDB, H5MD. Throws InputError.
System read_any_system(const std::string& path);

}  // namespace uplift::app

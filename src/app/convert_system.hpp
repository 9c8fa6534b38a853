#pragma once
#include <string>

#include "convert.hpp"
#include "uplift/model/settings.hpp"
#include "uplift/model/system.hpp"

namespace uplift::app {

/// What read_topology wants to know of `path`.
SystemSettings topology_settings(const std::string& path, const ConvertOptions& options);

/// Names, masses, charges and bonds from any file that has some: topologies, structures, H5MD. Throws InputError.
System read_any_system(const std::string& path, const ConvertOptions& options);

}  // namespace uplift::app

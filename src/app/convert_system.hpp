#pragma once
#include <string>
#include <utility>
#include <vector>

#include "convert.hpp"
#include "uplift/model/settings.hpp"
#include "uplift/model/system.hpp"

namespace uplift::app {

/// What read_topology wants to know of `path`.
SystemSettings topology_settings(const std::string& path, const ConvertOptions& options);

/// Names, masses, charges and bonds from any file that has some: topologies, structures, H5MD. Throws InputError.
System read_any_system(const std::string& path, const ConvertOptions& options);

/// Which of --parameters, --define, --include and --forcefield it takes to read a topology. `typed`: structures get a force
/// field, or are taken as they are.
std::vector<std::string> topology_options(const std::string& path, bool typed);

/// Throws InputError naming the options that are `given` (name, whether) and not among those that `matter`. `file`: to which
/// they mean nothing.
void refuse_idle(const std::string& file, const std::vector<std::pair<std::string, bool>>& given,
                 const std::vector<std::string>& matter);

}  // namespace uplift::app

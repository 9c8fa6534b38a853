#pragma once
// What is made of a run when it has finished.
#include <filesystem>
#include <string>
#include <vector>

#include "load.hpp"
#include "uplift/io/run_log.hpp"
#include "uplift/model/settings.hpp"

namespace uplift::app {

/// Throws InputError naming a variable of free_energy that the trajectory will not give.
void check_surfaces(const RunInput& input, const Loaded& loaded);

/// Free-energy surfaces of the frames in `runs`, then report.html, both in `directory`. What cannot be made is a warning.
void finish_directory(const RunInput& input, const std::vector<std::string>& runs, const std::filesystem::path& directory,
                      RunLog& log);

}  // namespace uplift::app

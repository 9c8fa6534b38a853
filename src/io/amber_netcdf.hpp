#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "uplift/io/amber.hpp"

namespace uplift {

/// Box from 3 lengths [A] or 3 lengths and 3 angles [degrees]. Throws InputError without a file name.
Box box_from_angstrom(const std::vector<double>& values);

/// Coordinates from the bytes of a NetCDF classic file (versions 1, 2 and 5) of the AMBERRESTART convention. `path` is for
/// messages.
Coordinates read_netcdf_restart(const std::string& path, std::string_view bytes);

}  // namespace uplift

#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "uplift/io/amber.hpp"

namespace uplift {

/// Box from 3 lengths [A] or 3 lengths and 3 angles [degrees]. Throws InputError without a file name.
Box box_from_angstrom(const std::vector<double>& values);

/// The magic number: CDF and a version byte, which no title of a text file has.
inline bool is_netcdf_classic(std::string_view bytes) {
  return bytes.starts_with("CDF") && bytes.size() > 3 && bytes[3] >= 0 && bytes[3] < ' ';
}

/// Coordinates from the bytes of a NetCDF classic file (versions 1, 2 and 5) of the AMBERRESTART convention. `path` is for
/// messages.
Coordinates read_netcdf_restart(const std::string& path, std::string_view bytes);

}  // namespace uplift

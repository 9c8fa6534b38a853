#pragma once
// parameters/topology of our own H5MD files, read back.
#include <optional>

#include "uplift/io/h5.hpp"
#include "uplift/model/system.hpp"

namespace uplift {

/// Empty when the file has none. Throws InputError when it does not fit together.
std::optional<System> read_h5md_system(const h5::File& file, int atoms);

}  // namespace uplift

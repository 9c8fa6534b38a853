#pragma once
// The compression of positions in XTC files ("3dfcoord", by F. van Hoesel, as the GROMACS manual describes it): positions are
// whole multiples of 1/precision; an atom is stored in the bits that the extent of all atoms needs, or, after a neighbour, as a
// small difference to it.
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "uplift/core/vec3.hpp"

namespace uplift::xtc {

using Grid = Vec3<std::int32_t>;  ///< a position in units of 1/precision

struct Packed {
  Grid low{}, high{};      ///< extent
  std::int32_t small = 0;  ///< index of the range of differences that the first group uses
  std::vector<std::uint8_t> bits;
};

/// Compresses at least one position. Components must be within +-2^30.
Packed pack(std::span<const Grid> positions);

/// The reverse, into as many positions as were packed. Throws std::runtime_error saying what is wrong with the data.
void unpack(const Packed& packed, std::span<Grid> positions);

}  // namespace uplift::xtc

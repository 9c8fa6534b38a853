#pragma once
// What a run was begun from, in a few numbers, so that one that goes on can be held against its files.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "uplift/core/box.hpp"
#include "uplift/io/topology_file.hpp"

namespace uplift {

/// Checksums of what topology and coordinates hold, before the settings of a stage act on it: constraints and masses may change
/// from stage to stage.
struct Origin {
  /// CRC-32 of each kind of parameter, by a name for people ("angles"). Numbers count to seven digits: those that come from
  /// powers and sines may differ in the last of sixteen on another machine.
  std::map<std::string, std::uint32_t> parameters;
  std::uint32_t positions = 0;  ///< of the coordinates as they were read; all restraints pull towards these
  std::optional<Box> box;       ///< that they are in
};

Origin origin_of(const TopologyFile& topology, const std::vector<Vec3d>& positions, const std::optional<Box>& box);

/// Kinds of parameters that differ, of those that both know; empty: none.
std::vector<std::string> changed_parameters(const Origin& was, const Origin& is);
/// Another box, by more than rounding.
bool changed_box(const Origin& was, const Origin& is);

}  // namespace uplift

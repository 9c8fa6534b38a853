#pragma once
// The header of a DCD file, and how it says when its frames were.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "files.hpp"

namespace uplift {

struct DcdHeader {
  int atoms = 0;
  int fixed = 0;                    ///< atoms that only the first frame has
  std::vector<std::size_t> free{};  ///< the others, from 0; empty without fixed atoms
  std::uint64_t declared = 0;       ///< frames that it says there are
  std::int64_t first_step = 0, steps_between = 0;
  double time_step = 0;  ///< [ps]
  bool charmm = true, has_cell = false, four_dimensions = false;
  bool swap = false;               ///< of the other byte order
  std::uint64_t marker_bytes = 4;  ///< of the Fortran compiler that wrote it
  std::uint64_t begin = 0;         ///< of the first frame
  std::string title{};

  std::uint64_t record(std::uint64_t bytes) const { return bytes + 2 * marker_bytes; }
  std::uint64_t frame_bytes(bool first) const;
  std::uint64_t offset_of(std::uint64_t frame) const {
    return frame == 0 ? begin : begin + frame_bytes(true) + (frame - 1) * frame_bytes(false);
  }
  /// Whole frames in a file of that size; says so when there is something else at its end.
  std::uint64_t frames_in(std::uint64_t size, std::vector<std::string>& notes, const std::string& path) const;
  /// The length that a record claims to have.
  std::uint64_t marker(const RandomFile& file, std::uint64_t at) const;
};

DcdHeader read_dcd_header(const RandomFile& file);
/// In CHARMM's form (version 24), little-endian; frames and times are put in when they are known.
std::string dcd_header_bytes(const DcdHeader& header);

struct DcdMoment {
  std::optional<std::int64_t> step{};
  double time = 0;  ///< [ps]
};
struct DcdTiming {
  std::int32_t first_step = 0, steps_between = 1;
  float time_step = 0;  ///< [AKMA]
  /// Offsets in the file and what belongs there.
  std::vector<std::pair<std::uint64_t, std::int32_t>> header_words(std::uint64_t frames) const;
};
/// Steps as they are when times are steps of one length; else frames are counted in multiples of their distance. Throws
/// InputError when the first frame is not at such a multiple: a DCD has no other way to say where it begins.
DcdTiming dcd_timing(const DcdMoment& first, const DcdMoment& last, std::uint64_t frames);

}  // namespace uplift

#pragma once
#include <zlib.h>

#include <cstddef>
#include <cstdint>

namespace uplift {

/// CRC-32 of bytes behind others whose sum is `start`.
inline std::uint32_t crc(const void* bytes, std::size_t size, std::uint32_t start = 0) {
  return static_cast<std::uint32_t>(crc32_z(start, static_cast<const Bytef*>(bytes), size));
}

}  // namespace uplift

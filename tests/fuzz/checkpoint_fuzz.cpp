#include <zlib.h>

#include <cstring>

#include "harness.hpp"
#include "uplift/io/checkpoint.hpp"

// Bytes that begin as a checkpoint does get the length and the checksum that they should have, else nothing behind the header
// would ever be read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace uplift;
  constexpr std::size_t sum_at = 12, size_at = 16, header = 24;
  std::string bytes(fuzz::view(data, size));
  if (bytes.starts_with("UPLIFTCP") && size > header && (data[8] & 1) == 0) {
    const auto sum = static_cast<std::uint32_t>(crc32_z(0, data + header, size - header));
    const std::uint64_t length = size - header;
    std::memcpy(bytes.data() + sum_at, &sum, sizeof sum);
    std::memcpy(bytes.data() + size_at, &length, sizeof length);
  }
  return fuzz::accept([&] { read_checkpoint(fuzz::file("a.upc", bytes)); });
}

#pragma once
// Binary files by position, and as a stream: what trajectory formats have in common.
#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace uplift {

/// A file to read from anywhere. Errors are InputError with its name.
class RandomFile {
 public:
  explicit RandomFile(const std::string& path);
  RandomFile(const RandomFile&) = delete;
  RandomFile& operator=(const RandomFile&) = delete;
  ~RandomFile();

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  /// `count` bytes from `offset`; all of them, or an error.
  void read(std::uint64_t offset, void* to, std::size_t count) const;
  std::vector<std::uint8_t> read(std::uint64_t offset, std::size_t count) const;
  [[noreturn]] void fail(const std::string& message) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// A file that is written from its beginning to its end; SimulationError when the disk does not take it.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);
  void write(const void* bytes, std::size_t count);
  void write(const std::string& text) { write(text.data(), text.size()); }
  /// Replaces bytes that were written before; goes on at the end.
  void replace(std::uint64_t offset, const void* bytes, std::size_t count);
  void close();

 private:
  void check();
  std::string path_;
  std::ofstream out_;
};

/// Values in a byte order that is not that of this machine.
template <class T>
T swapped(T value) {
  auto* bytes = reinterpret_cast<unsigned char*>(&value);
  for (std::size_t k = 0; k < sizeof(T) / 2; ++k) std::swap(bytes[k], bytes[sizeof(T) - 1 - k]);
  return value;
}

}  // namespace uplift

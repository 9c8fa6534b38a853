#include "files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {

RandomFile::RandomFile(const std::string& path) : path_(path) {
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) throw InputError(path + ": cannot be read (" + std::strerror(errno) + "); check the name");
  struct stat about {};
  if (::fstat(descriptor_, &about) != 0 || !S_ISREG(about.st_mode)) {
    ::close(descriptor_);
    throw InputError(path + ": is not a plain file; give a trajectory");
  }
  size_ = static_cast<std::uint64_t>(about.st_size);
}

RandomFile::~RandomFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void RandomFile::read(std::uint64_t offset, void* to, std::size_t count) const {
  if (offset > size_ || count > size_ - offset) fail("ends too early (it is truncated or damaged)");
  auto* bytes = static_cast<char*>(to);
  while (count > 0) {
    const ssize_t got = ::pread(descriptor_, bytes, count, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail(got == 0 ? "became shorter while it was read" : std::string("cannot be read: ") + std::strerror(errno));
    bytes += got;
    offset += static_cast<std::uint64_t>(got);
    count -= static_cast<std::size_t>(got);
  }
}

std::vector<std::uint8_t> RandomFile::read(std::uint64_t offset, std::size_t count) const {
  if (offset > size_ || count > size_ - offset) fail("ends too early (it is truncated or damaged)");
  std::vector<std::uint8_t> bytes(count);
  read(offset, bytes.data(), count);
  return bytes;
}

void RandomFile::fail(const std::string& message) const {
  throw InputError(path_ + ": " + message + "; give a complete file, or choose frames before the damage with --end");
}

OutputFile::OutputFile(const std::string& path) : path_(path), out_(path, std::ios::binary | std::ios::trunc) { check(); }

void OutputFile::check() {
  if (!out_) fail_to_write(path_, errno);
}

void OutputFile::write(const void* bytes, std::size_t count) {
  out_.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count));
  check();
}

void OutputFile::replace(std::uint64_t offset, const void* bytes, std::size_t count) {
  out_.seekp(static_cast<std::streamoff>(offset));
  write(bytes, count);
  out_.seekp(0, std::ios::end);
  check();
}

void OutputFile::close() {
  out_.close();
  check();
}

}  // namespace uplift

#include "uplift/io/text_file.hpp"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <new>

#include "uplift/core/error.hpp"
#include "uplift/io/replace_file.hpp"

namespace uplift {

void write_file(const std::string& path, std::string_view text) {
  UnfinishedFile file(path);
  std::ofstream out(file.name(), std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) fail_to_write(path, errno);
  file.finish();
}

std::string cure_of_writing(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "make room (disk, quota, ulimit -f)";
    case EACCES:
    case EPERM:
    case EROFS:
      return "choose a folder that you may write to";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n)";
    default:
      return "check the folder, its permissions and free space";
  }
}

void fail_to_write(const std::string& path, int error, std::string why) {
  if (why.empty()) why = error ? std::strerror(error) : "no reason is known";
  throw SimulationError(path + ": cannot be written (" + why + "); " + cure_of_writing(error));
}

namespace {

constexpr std::size_t chunk_bytes = std::size_t{1} << 20;

[[noreturn]] void fail_too_large(const std::string& path, std::size_t max_bytes) {
  throw InputError(path + ": holds more than " + std::to_string(max_bytes >> 20) +
                   " MiB (too large for a text input of any system that fits this program); check that it is the right file");
}

void check_kind(const std::string& path) {
  std::error_code status_error;
  const auto status = std::filesystem::status(path, status_error);
  if (status.type() == std::filesystem::file_type::not_found)
    throw InputError(
        path + ": there is no such file; check the path" +
        (std::filesystem::path(path).is_relative() ? " (it starts at the folder where the command was given)" : ""));
  if (status_error) throw InputError(path + ": cannot be opened (" + status_error.message() + ")");
  if (status.type() == std::filesystem::file_type::directory) throw InputError(path + ": is a folder; a file is needed");
  if (status.type() != std::filesystem::file_type::regular && status.type() != std::filesystem::file_type::fifo)
    throw InputError(path + ": is not an ordinary file; give the path of a file");
}

std::string read_raw(const std::string& path, std::size_t max_bytes) {
  check_kind(path);
  const auto close = [](std::FILE* f) { std::fclose(f); };
  const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "rb"), close);
  if (!file) throw InputError(path + ": cannot be opened (" + std::strerror(errno) + "); check its permissions");
  std::string bytes;
  std::error_code size_error;
  const auto size = std::filesystem::file_size(path, size_error);
  if (!size_error && size <= max_bytes) bytes.reserve(static_cast<std::size_t>(size) + 1);
  // One read sees the end of an ordinary file; a pipe comes in as many as it takes.
  std::string chunk(std::min(chunk_bytes, size_error ? chunk_bytes : static_cast<std::size_t>(size) + 1), '\0');
  while (true) {
    const std::size_t n = std::fread(chunk.data(), 1, chunk.size(), file.get());
    if (bytes.size() + n > max_bytes) fail_too_large(path, max_bytes);
    bytes.append(chunk, 0, n);
    if (n < chunk.size()) break;
  }
  if (std::ferror(file.get())) throw InputError(path + ": reading failed (" + std::strerror(errno) + ")");
  return bytes;
}

class Inflater {
 public:
  Inflater() {
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) throw std::bad_alloc();  // 15 + 16: gzip header and check sum
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  z_stream* operator->() { return &stream_; }
  int step() { return inflate(&stream_, Z_NO_FLUSH); }
  void next_member() { inflateReset(&stream_); }

 private:
  z_stream stream_{};
};

bool is_gzip(std::string_view bytes) { return bytes.size() >= 2 && bytes[0] == '\x1f' && bytes[1] == '\x8b'; }

/// `input` is not const only because zlib's interface is older than const.
std::string gunzip(const std::string& path, std::string& input, std::size_t max_bytes) {
  std::string out, chunk(std::min(chunk_bytes, 16 * input.size() + 64), '\0');
  Inflater inflater;
  std::size_t fed = 0;
  while (true) {
    if (inflater->avail_in == 0) {
      const std::size_t n = std::min(chunk_bytes, input.size() - fed);
      if (n == 0) throw InputError(path + ": the gzip data end too early (the file is truncated); copy it again");
      inflater->next_in = reinterpret_cast<Bytef*>(input.data() + fed);
      inflater->avail_in = static_cast<uInt>(n);
      fed += n;
    }
    inflater->next_out = reinterpret_cast<Bytef*>(chunk.data());
    inflater->avail_out = static_cast<uInt>(chunk.size());
    const int status = inflater.step();
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
      throw InputError(path + ": the gzip data are damaged; copy the file again");
    const std::size_t n = chunk.size() - inflater->avail_out;
    if (out.size() + n > max_bytes) fail_too_large(path, max_bytes);
    out.append(chunk, 0, n);
    if (status == Z_STREAM_END) {
      const std::size_t at = fed - inflater->avail_in;
      const std::string_view after = std::string_view(input).substr(at);
      if (after.find_first_not_of('\0') == std::string_view::npos) return out;  // zero padding after the end is harmless
      if (!is_gzip(after)) throw InputError(path + ": something that is not gzip follows the gzip data; copy the file again");
      inflater.next_member();
    }
  }
}

}  // namespace

std::string read_file(const std::string& path, std::size_t max_bytes) {
  try {
    std::string bytes = read_raw(path, max_bytes);
    if (is_gzip(bytes)) return gunzip(path, bytes, max_bytes);
    if (bytes.starts_with("BZh"))
      throw InputError(path + ": is compressed with bzip2, which is not read; unpack it (bunzip2) or use gzip");
    if (bytes.starts_with("\xfd"
                          "7zXZ"))
      throw InputError(path + ": is compressed with xz, which is not read; unpack it (unxz) or use gzip");
    if (bytes.starts_with("\x28\xb5\x2f\xfd"))
      throw InputError(path + ": is compressed with zstd, which is not read; unpack it (unzstd) or use gzip");
    return bytes;
  } catch (const std::bad_alloc&) {
    throw InputError(path + ": does not fit into this machine's memory; check that it is the right file");
  }
}

std::string_view LineReader::next() {
  const std::size_t end = rest_.find('\n');
  std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  ++next_;
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool parse_int(std::string_view text, int& value) {
  text = trim(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool parse_real(std::string_view text, double& value) {
  text = trim(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error == std::errc() && end == last) return std::isfinite(value);
  // Fortran's other ways to write an exponent, and numbers too small for a double, which are zero.
  if (text.empty() || text.size() > 60) return false;
  std::string plain(text);
  for (char& c : plain)
    if (c == 'D' || c == 'd' || c == 'e') c = 'E';
  const std::size_t sign = plain.find_first_of("+-", 1);
  if (plain.find('E') == std::string::npos && sign != std::string::npos) plain.insert(sign, 1, 'E');
  const std::size_t plus = plain.find("E+");
  if (plus != std::string::npos) plain.erase(plus + 1, 1);
  const char* const plain_last = plain.data() + plain.size();
  const auto again = std::from_chars(plain.data(), plain_last, value);
  if (again.ptr != plain_last) return false;
  if (again.ec == std::errc::result_out_of_range && plain.find("E-") != std::string::npos) {
    value = 0;
    return true;
  }
  return again.ec == std::errc() && std::isfinite(value);
}

std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const std::size_t n = byte(0) < 0x80   ? 1
                        : byte(0) < 0xc2 ? 0
                        : byte(0) < 0xe0 ? 2
                        : byte(0) < 0xf0 ? 3
                        : byte(0) < 0xf5 ? 4
                                         : 0;
  if (n > text.size()) return 0;
  for (std::size_t k = 1; k < n; ++k)
    if ((byte(k) & 0xc0) != 0x80) return 0;
  if (n == 3 && ((byte(0) == 0xe0 && byte(1) < 0xa0) || (byte(0) == 0xed && byte(1) > 0x9f))) return 0;
  if (n == 4 && ((byte(0) == 0xf0 && byte(1) < 0x90) || (byte(0) == 0xf4 && byte(1) > 0x8f))) return 0;
  return n;
}

namespace {

/// Control characters, and those that end lines or turn the direction of writing.
bool acts_on_terminals(std::string_view character) {
  if (character.size() == 1) return character[0] < ' ' || character[0] > '~';
  if (character.size() == 2) return character >= "\u0080" && character <= "\u009f";
  return (character >= "\u200b" && character <= "\u200f") || (character >= "\u2028" && character <= "\u202e") ||
         (character >= "\u2066" && character <= "\u2069") || character == "\ufeff";
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (int n = 0; n < 40 && !text.empty(); ++n) {
    const std::string_view character = text.substr(0, utf8_length(text));
    if (character.empty() || acts_on_terminals(character))
      out += '?';
    else
      out += character;
    text.remove_prefix(character.empty() ? 1 : character.size());
  }
  return text.empty() ? out : out + "...";
}

std::string in_quotes(std::string_view text) {
  std::string out(1, '\'');
  out += printable(text);
  out += '\'';
  return out;
}

}  // namespace uplift

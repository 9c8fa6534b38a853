#pragma once
// Whole-file reading and number parsing shared by the readers of text formats.
#include <cstddef>
#include <string>
#include <string_view>

namespace uplift {

/// The bytes of a file, decompressed when it starts with gzip's magic number (whatever its name; several members are joined).
/// Throws InputError when it cannot be read, is a directory or device, is damaged, is compressed in another way, or holds more
/// than `max_bytes` once decompressed (a guard against decompression bombs).
std::string read_file(const std::string& path, std::size_t max_bytes = std::size_t{4} << 30);

/// Writes a file that is whole under its name, or not there: what had the name before stays until then. Throws SimulationError.
void write_file(const std::string& path, std::string_view text);

/// What helps where a file cannot be written for this reason, a number of errno.
std::string cure_of_writing(int error);
/// Throws SimulationError: "PATH: cannot be written (WHY); CURE". Without `why`: errno's name of it.
[[noreturn]] void fail_to_write(const std::string& path, int error, std::string why = {});

/// Walks through the lines of a text; '\n' and "\r\n" both end a line. The text must outlive it.
class LineReader {
 public:
  explicit LineReader(std::string_view text, int first_line = 1) : rest_(text), next_(first_line) {}
  bool done() const { return rest_.empty(); }
  /// The next line without its end; empty when done.
  std::string_view next();
  /// Number of the line handed out last, from 1.
  int line() const { return next_ - 1; }
  /// What has not been handed out yet.
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  int next_;
};

/// Without blanks, tabs and carriage returns at both ends.
std::string_view trim(std::string_view text);

/// The whole of `text` (blanks around it allowed) as an integer; false when it is not one or does not fit.
bool parse_int(std::string_view text, int& value);
/// The whole of `text` (blanks around it allowed) as a finite real in any form Fortran writes: 1.5, 1.5E+01, 1.5D+01, 1.5+101.
/// False for anything else, NaN and infinity included.
bool parse_real(std::string_view text, double& value);

/// Length of the UTF-8 character at the start of `text`, which is not empty; 0 when it is none.
std::size_t utf8_length(std::string_view text);
/// Text of a user's file made fit for a message: at most 40 characters, those that are none or that act on a terminal as '?'.
std::string printable(std::string_view text);
/// The same between single quotes.
std::string in_quotes(std::string_view text);

}  // namespace uplift

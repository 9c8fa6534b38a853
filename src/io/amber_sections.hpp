#pragma once
// The %FLAG sections of a prmtop, read by their own %FORMAT. Counts come from the data, never from a number in the file, so
// that a hostile count cannot cause an allocation.
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace uplift::amber {

struct FormatField {
  char kind;  ///< 'A', 'I', 'E' (any real) or 'X' (skip)
  int width;
};

/// One line's fields of a Fortran format such as "20a4", "5E16.8", "(8(F9.5))", "i2,a78", "1X,3I8". Empty when it is not
/// understood.
std::vector<FormatField> parse_fortran_format(std::string_view format);

class Sections {
 public:
  /// `path` is only used in messages. Throws InputError when the text is no prmtop of the %VERSION kind.
  Sections(std::string path, std::string text);
  Sections(const Sections&) = delete;  // sections point into the text
  Sections& operator=(const Sections&) = delete;

  bool has(const std::string& flag) const { return sections_.contains(flag); }
  const std::string& path() const { return path_; }
  /// Names of all sections, sorted.
  std::vector<std::string> flags() const;

  /// All values of a section, which must be there and hold exactly `count` of them.
  std::vector<int> integers(const std::string& flag, std::size_t count) const;
  std::vector<double> reals(const std::string& flag, std::size_t count) const;
  /// All values, however many; none when the section is missing.
  std::vector<int> integers(const std::string& flag) const;
  std::vector<double> reals(const std::string& flag) const;
  /// `count` texts, without blanks round them. The caller bounds `count` by that of a section of numbers.
  std::vector<std::string> words(const std::string& flag, std::size_t count) const;
  /// The lines of a section joined, trimmed.
  std::string text(const std::string& flag) const;

  /// Throws InputError "file:line: section FLAG: message", the line being that of the section.
  [[noreturn]] void fail(const std::string& flag, const std::string& message) const;

 private:
  struct Section {
    int line = 0;       ///< of %FLAG
    int data_line = 0;  ///< of the first line of data
    std::vector<FormatField> format;
    std::string_view data;
  };
  const Section& section(const std::string& flag) const;
  template <class T>
  std::vector<T> numbers(const std::string& flag, const Section& section, bool real) const;
  [[noreturn]] void fail_at(int line, const std::string& flag, const std::string& message) const;

  std::string path_;
  std::string text_;
  std::map<std::string, Section, std::less<>> sections_;
};

}  // namespace uplift::amber

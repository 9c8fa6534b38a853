#include "amber_sections.hpp"

#include <cctype>
#include <cmath>

#include "amber_netcdf.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift::amber {
namespace {

constexpr std::size_t max_fields = 1000;  ///< on one line
constexpr int max_width = 1000;
constexpr double largest_real = 1e30;  ///< beyond any parameter; keeps later products finite

class FormatParser {
 public:
  explicit FormatParser(std::string_view text) : text_(text) {}
  bool list(std::vector<FormatField>& out, int depth) {
    if (depth > 8) return false;
    while (true) {
      if (!item(out, depth)) return false;
      if (!peek(',')) return true;
      ++at_;
    }
  }
  bool finished() {
    skip_blanks();
    return at_ == text_.size();
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool peek(char c) {
    skip_blanks();
    return at_ < text_.size() && text_[at_] == c;
  }
  /// Digits, if any; -1 when there are none or they are out of range.
  int number() {
    skip_blanks();
    int n = -1;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_]))) {
      n = (n < 0 ? 0 : n) * 10 + (text_[at_++] - '0');
      if (n > 100000) return -1;
    }
    return n;
  }
  bool item(std::vector<FormatField>& out, int depth) {
    int repeat = number();
    skip_blanks();
    if (at_ >= text_.size() || repeat == 0) return false;
    const char c = static_cast<char>(std::toupper(static_cast<unsigned char>(text_[at_++])));
    std::vector<FormatField> once;
    if (c == '(') {
      if (!list(once, depth + 1) || !peek(')')) return false;
      ++at_;
    } else if (c == 'X') {
      once.push_back({'X', 1});
    } else if (c == 'A' || c == 'I' || c == 'E' || c == 'F' || c == 'G' || c == 'D') {
      const int width = number();
      if (width < 1 || width > max_width) return false;
      if (peek('.')) {  // the decimals matter to writers only
        ++at_;
        if (number() < 0) return false;
        if (peek('E') || peek('e')) {
          ++at_;
          if (number() < 0) return false;
        }
      }
      once.push_back({c == 'A' || c == 'I' ? c : 'E', width});
    } else {
      return false;
    }
    if (repeat < 0) repeat = 1;
    if (static_cast<std::size_t>(repeat) * once.size() + out.size() > max_fields) return false;
    for (int n = 0; n < repeat; ++n) out.insert(out.end(), once.begin(), once.end());
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

bool parse_number(std::string_view field, int& value) { return parse_int(field, value); }
bool parse_number(std::string_view field, double& value) { return parse_real(field, value) && std::abs(value) <= largest_real; }

std::string describe_bad_number(std::string_view field) {
  field = trim(field);
  if (field.find('*') != std::string_view::npos)
    return in_quotes(field) + " marks a number too wide for its column when the file was written; write the file again";
  return in_quotes(field) + " is not a finite number in the form of %FORMAT; the file is damaged or was edited";
}

}  // namespace

std::vector<FormatField> parse_fortran_format(std::string_view format) {
  std::vector<FormatField> fields;
  FormatParser parser(format);
  if (!parser.list(fields, 0) || !parser.finished()) return {};
  for (const FormatField& field : fields)
    if (field.kind != 'X') return fields;
  return {};
}

Sections::Sections(std::string path, std::string text) : path_(std::move(path)), text_(std::move(text)) {
  if (text_.find_first_not_of(" \t\r\n") == std::string::npos) throw InputError(path_ + ": is empty; a prmtop is needed");
  if (is_netcdf_classic(text_) || text_.starts_with("\x89HDF"))
    throw InputError(path_ + ": is a NetCDF or HDF5 file (coordinates?); a prmtop is needed as topology");
  if (text_.find('\0') != std::string::npos) throw InputError(path_ + ": is not a text file; a prmtop is needed");
  if (text_.find("%FLAG") == std::string::npos)
    throw InputError(
        path_ +
        ":1: there is no %FLAG section, so this is not a prmtop of the present format (an inpcrd has none, nor has a prmtop "
        "of Amber 6 or older); give a prmtop, or convert an old one with ParmEd");
  LineReader lines(text_);
  std::string_view line = lines.next();
  if (!line.starts_with("%VERSION"))
    throw InputError(path_ + ":1: the first line does not start with %VERSION (it reads " + in_quotes(trim(line)) +
                     "); give an unedited prmtop");
  std::string flag;
  Section current;
  bool has_format = false;
  const char* data_begin = nullptr;
  const auto finish = [&](const char* end) {
    if (flag.empty()) return;
    if (!has_format)
      fail_at(current.line, flag, "has no %FORMAT line, so its numbers cannot be told apart; the file is truncated or damaged");
    current.data = {data_begin, static_cast<std::size_t>(end - data_begin)};
    if (!sections_.emplace(flag, current).second)
      fail_at(current.line, flag, "appears twice; two files were joined or the file is damaged");
  };
  while (!lines.done()) {
    line = lines.next();
    if (line.empty() || line[0] != '%') {
      if (flag.empty() && !trim(line).empty())
        throw InputError(path_ + ":" + std::to_string(lines.line()) + ": text before the first %FLAG; the file is damaged");
      if (!flag.empty() && !has_format && !trim(line).empty())
        fail_at(lines.line(), flag, "has data before its %FORMAT line; the file is damaged");
      continue;
    }
    if (line.starts_with("%FLAG")) {
      finish(line.data());
      flag = trim(line.substr(5));
      if (flag.empty())
        throw InputError(path_ + ":" + std::to_string(lines.line()) + ": %FLAG without a name; the file is damaged");
      current = {};
      current.line = lines.line();
      has_format = false;
    } else if (line.starts_with("%FORMAT")) {
      if (flag.empty() || has_format)
        throw InputError(path_ + ":" + std::to_string(lines.line()) +
                         ": %FORMAT that belongs to no %FLAG; the file is damaged");
      current.format = parse_fortran_format(trim(line.substr(7)));
      if (current.format.empty())
        fail_at(lines.line(), flag,
                "the format " + in_quotes(trim(line.substr(7))) + " is not understood; the file is damaged");
      has_format = true;
      data_begin = lines.rest().data();
      current.data_line = lines.line() + 1;
    } else if (!line.starts_with("%COMMENT") && !line.starts_with("%VERSION")) {
      throw InputError(path_ + ":" + std::to_string(lines.line()) + ": " + in_quotes(trim(line)) +
                       " is none of %FLAG, %FORMAT and %COMMENT; the file is damaged");
    }
  }
  finish(text_.data() + text_.size());
}

std::vector<std::string> Sections::flags() const {
  std::vector<std::string> names;
  for (const auto& [name, section] : sections_) names.push_back(name);
  return names;
}

const Sections::Section& Sections::section(const std::string& flag) const {
  const auto found = sections_.find(flag);
  if (found == sections_.end())
    throw InputError(path_ + ": section " + flag +
                     " is missing; the file is truncated or not a complete prmtop, make it again");
  return found->second;
}

void Sections::fail_at(int line, const std::string& flag, const std::string& message) const {
  throw InputError(path_ + ":" + std::to_string(line) + ": section " + printable(flag) + ": " + message);
}

void Sections::fail(const std::string& flag, const std::string& message) const {
  const auto found = sections_.find(flag);
  if (found == sections_.end()) throw InputError(path_ + ": section " + flag + ": " + message);
  fail_at(found->second.line, flag, message);
}

template <class T>
std::vector<T> Sections::numbers(const std::string& flag, const Section& section, bool real) const {
  for (const FormatField& field : section.format)
    if (field.kind == 'A' || (field.kind == 'E' && !real))
      fail_at(section.line, flag,
              std::string("its %FORMAT is not one of ") + (real ? "numbers" : "integers") + "; the file is damaged");
  std::vector<T> values;
  LineReader lines(section.data, section.data_line);
  while (!lines.done()) {
    const std::string_view line = lines.next();
    if (!line.empty() && line[0] == '%') continue;  // a comment
    const std::size_t last = line.find_last_not_of(" \t");
    const std::size_t size = last == std::string_view::npos ? 0 : last + 1;
    std::size_t at = 0;
    for (const FormatField& field : section.format) {
      if (at >= size) break;
      const std::string_view value_text = line.substr(at, static_cast<std::size_t>(field.width));
      at += static_cast<std::size_t>(field.width);
      if (field.kind == 'X') continue;
      // Numbers fill their columns; one cut short at the very end of the file would be read as another number.
      if (at > line.size() && line.data() + line.size() == text_.data() + text_.size())
        fail_at(lines.line(), flag, "the file ends inside a number; it is truncated, copy it again");
      T value;
      if (!parse_number(value_text, value))
        fail_at(lines.line(), flag,
                "value " + std::to_string(values.size() + 1) + " " +
                    (trim(value_text).empty() ? "is blank; the file is damaged" : describe_bad_number(value_text)));
      values.push_back(value);
    }
    if (at < size) fail_at(lines.line(), flag, "the line is longer than its %FORMAT; the file is damaged or was edited");
  }
  return values;
}

std::vector<int> Sections::integers(const std::string& flag) const {
  return has(flag) ? numbers<int>(flag, section(flag), false) : std::vector<int>{};
}
std::vector<double> Sections::reals(const std::string& flag) const {
  return has(flag) ? numbers<double>(flag, section(flag), true) : std::vector<double>{};
}

std::vector<int> Sections::integers(const std::string& flag, std::size_t count) const {
  auto values = numbers<int>(flag, section(flag), false);
  if (values.size() != count)
    fail(flag, "holds " + std::to_string(values.size()) + " values where " + std::to_string(count) +
                   " are announced; the file is truncated or mixed up with another");
  return values;
}

std::vector<double> Sections::reals(const std::string& flag, std::size_t count) const {
  auto values = numbers<double>(flag, section(flag), true);
  if (values.size() != count)
    fail(flag, "holds " + std::to_string(values.size()) + " values where " + std::to_string(count) +
                   " are announced; the file is truncated or mixed up with another");
  return values;
}

std::vector<std::string> Sections::words(const std::string& flag, std::size_t count) const {
  const Section& from = section(flag);
  for (const FormatField& field : from.format)
    if (field.kind != 'A' && field.kind != 'X') fail(flag, "its %FORMAT is not one of text; the file is damaged");
  std::vector<std::string> values;
  LineReader lines(from.data, from.data_line);
  while (!lines.done()) {
    const std::string_view line = lines.next();
    if (!line.empty() && line[0] == '%' && line.starts_with("%COMMENT")) continue;
    std::size_t at = 0;
    for (const FormatField& field : from.format) {
      // Trailing blanks may have been cut off, so a line's fields go on where its text ends.
      const std::string_view word =
          at < line.size() ? line.substr(at, static_cast<std::size_t>(field.width)) : std::string_view{};
      at += static_cast<std::size_t>(field.width);
      if (values.size() < count && at > line.size() && line.data() + line.size() == text_.data() + text_.size())
        fail_at(lines.line(), flag, "the file ends inside a text; it is truncated, copy it again");
      if (field.kind == 'X') continue;
      if (values.size() < count) {
        values.emplace_back(trim(word));
      } else if (!trim(word).empty()) {
        fail_at(lines.line(), flag,
                "holds more than the " + std::to_string(count) + " texts announced; the file is mixed up with another");
      }
    }
  }
  if (values.size() != count)
    fail(flag, "holds " + std::to_string(values.size()) + " texts where " + std::to_string(count) +
                   " are announced; the file is truncated or mixed up with another");
  return values;
}

std::string Sections::text(const std::string& flag) const {
  if (!has(flag)) return {};
  const Section& from = section(flag);
  std::string joined;
  LineReader lines(from.data);
  while (!lines.done()) {
    const std::string_view line = lines.next();
    if (line.starts_with("%COMMENT")) continue;
    if (joined.size() < 1000) joined += line.substr(0, 1000);
  }
  return std::string(trim(joined));
}

}  // namespace uplift::amber

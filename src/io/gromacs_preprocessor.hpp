#pragma once
// The lines of a GROMACS topology after its preprocessor: #include, #define, #undef, #ifdef, #ifndef, #else and #endif are
// obeyed, macros replaced, comments gone, continued lines joined.
#include <cstddef>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "uplift/io/text_file.hpp"

namespace uplift::gromacs {

/// Where a line stands: an index into the preprocessor's file names, and the number of its first physical line.
struct Where {
  int file = 0, line = 0;
};

class Preprocessor {
 public:
  /// `defines`: words, or WORD=VALUE. `folders` are searched for included files after the folder of the file that includes them
  /// and that of the first file, and before GROMACS' own.
  Preprocessor(const std::string& path, const std::vector<std::string>& defines, const std::vector<std::string>& folders);
  Preprocessor(const Preprocessor&) = delete;
  Preprocessor& operator=(const Preprocessor&) = delete;

  /// The next line that is not blank, trimmed; false at the end. Throws InputError.
  bool next(std::string& text);
  /// Of the line handed out last.
  Where where() const { return where_; }
  const std::string& file_name(int file) const { return names_[static_cast<std::size_t>(file)]; }

  /// Of the words that were given, those that nothing read so far has asked for, each with what to do about it.
  std::vector<std::string> idle_defines() const;

  /// Throws InputError "file:line: message" for the line handed out last, or another one.
  [[noreturn]] void fail(const std::string& message) const { fail_at(where_, message); }
  [[noreturn]] void fail_at(const Where& where, const std::string& message) const;

 private:
  struct Condition {
    Where opened;
    bool active;  ///< lines of this branch are read
    bool outer;   ///< and those around it
    bool has_else = false;
  };
  struct Source {
    std::string text;
    LineReader reader;
    int file;
    std::vector<Condition> conditions;
    explicit Source(std::string content, int number) : text(std::move(content)), reader(text), file(number) {}
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
  };

  void open(const std::string& path);
  void close();
  bool active() const;
  void command(std::string_view line);
  void include(std::string_view rest);
  std::string find(const std::string& name) const;
  void define(std::string_view rest);
  void condition(std::string_view name, bool wanted);
  void expand(std::string_view line, int depth, std::string& out) const;

  std::deque<Source> stack_;  ///< a deque: readers point into the text beside them
  std::vector<std::string> names_;
  std::vector<std::string> folders_;
  std::unordered_map<std::string, std::string> macros_;
  std::vector<std::string> given_;               ///< names of macros that came with the call
  std::set<std::string> tested_;                 ///< by #ifdef and #ifndef
  mutable std::unordered_set<std::string> put_;  ///< in place of their names
  Where where_;
  std::size_t bytes_ = 0;
};

/// Words of a line.
std::vector<std::string_view> split(std::string_view line);

}  // namespace uplift::gromacs

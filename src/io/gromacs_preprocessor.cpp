#include "gromacs_preprocessor.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>

#include "uplift/core/error.hpp"
#include "uplift/io/gromacs.hpp"

namespace uplift::gromacs {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t deepest_include = 32, most_includes = 10000;
constexpr std::size_t most_bytes = std::size_t{4} << 30;  ///< of all files together
constexpr std::size_t longest_line = 1 << 20;
constexpr int deepest_macro = 32;

bool word_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// The first word of `text`, which loses it.
std::string_view take_word(std::string_view& text) {
  text = trim(text);
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text = trim(text.substr(end));
  return word;
}

std::string_view without_comment(std::string_view text) { return text.substr(0, text.find(';')); }

/// Folders of force fields that GROMACS itself would search.
std::vector<std::string> standard_folders() {
  std::vector<std::string> folders;
  if (const char* lib = std::getenv("GMXLIB")) {
    std::string_view rest(lib);
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(':'), rest.size());
      if (end > 0) folders.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  if (const char* data = std::getenv("GMXDATA")) folders.push_back(std::string(data) + "/top");
  folders.insert(folders.end(), {"/usr/share/gromacs/top", "/usr/local/gromacs/share/gromacs/top"});
  return folders;
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

}  // namespace

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = line.find_first_not_of(" \t\r\f\v");
    if (begin == std::string_view::npos) return words;
    const std::size_t end = std::min(line.find_first_of(" \t\r\f\v", begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
}

Preprocessor::Preprocessor(const std::string& path, const std::vector<std::string>& defines,
                           const std::vector<std::string>& folders)
    : folders_(folders) {
  folders_.insert(folders_.begin(), fs::path(path).parent_path().string());
  const auto standard = standard_folders();
  folders_.insert(folders_.end(), standard.begin(), standard.end());
  for (std::string word : defines) {
    if (word.starts_with("-D")) word.erase(0, 2);  // as in an mdp file
    if (const std::string wrong = wrong_define(word); !wrong.empty()) throw InputError("system.define (--define): " + wrong);
    const std::size_t equals = word.find('=');
    given_.push_back(word.substr(0, equals));
    macros_[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
  }
  open(path);
}

std::vector<std::string> Preprocessor::idle_defines() const {
  std::vector<std::string> all;
  for (const std::string& name : given_) {
    if (tested_.contains(name) || put_.contains(name)) continue;
    std::string known;
    for (const std::string& other : tested_) known += (known.empty() ? "" : ", ") + other;
    all.push_back(names_.front() + ": none of its files asks for the macro " + name +
                  " (system.define), so that it changes nothing; " +
                  (known.empty() ? "remove it" : "remove it, or correct it (they ask for " + known + ")"));
  }
  return all;
}

void Preprocessor::fail_at(const Where& where, const std::string& message) const {
  throw InputError(file_name(where.file) + ":" + std::to_string(where.line) + ": " + message);
}

void Preprocessor::open(const std::string& path) {
  std::string text = read_file(path);
  bytes_ += text.size();
  if (bytes_ > most_bytes)
    throw InputError(path + ": the files that are included hold more than 4 GiB; check the #include lines");
  names_.push_back(path);
  stack_.emplace_back(std::move(text), static_cast<int>(names_.size()) - 1);
}

void Preprocessor::close() {
  const Source& source = stack_.back();
  if (!source.conditions.empty())
    fail_at(source.conditions.back().opened,
            "this #ifdef or #ifndef has no #endif in its file; the file is truncated, or add the #endif");
  stack_.pop_back();
}

bool Preprocessor::active() const {
  const Source& source = stack_.back();
  return source.conditions.empty() || source.conditions.back().active;
}

bool Preprocessor::next(std::string& text) {
  while (!stack_.empty()) {
    LineReader& reader = stack_.back().reader;
    if (reader.done()) {
      close();
      continue;
    }
    std::string_view line = reader.next();
    where_ = {stack_.back().file, reader.line()};
    const std::string_view start = trim(line);
    if (start.starts_with('#')) {
      command(start.substr(1));
      continue;
    }
    if (!active()) continue;
    text.clear();
    while (true) {
      const std::string_view end = trim(line);
      const bool continued = end.ends_with('\\');
      if (continued) line = end.substr(0, end.size() - 1);
      expand(line, 0, text);
      if (text.size() > longest_line)
        fail("the line, with its continuations and macros, is longer than a mebibyte; check the macros");
      if (!continued || reader.done()) break;
      text += ' ';
      line = reader.next();
    }
    const std::string_view bare = trim(without_comment(text));
    if (bare.empty()) continue;
    text = std::string(bare);
    return true;
  }
  return false;
}

void Preprocessor::command(std::string_view line) {
  std::string_view rest = trim(without_comment(line));
  const std::string_view name = take_word(rest);
  auto& conditions = stack_.back().conditions;
  if (name == "ifdef" || name == "ifndef") {
    condition(rest, name == "ifdef");
  } else if (name == "else") {
    if (conditions.empty() || conditions.back().has_else)
      fail("#else without an #ifdef or #ifndef before it in this file; remove it, or put the #ifdef back");
    Condition& c = conditions.back();
    c.active = c.outer && !c.active;
    c.has_else = true;
  } else if (name == "endif") {
    if (conditions.empty())
      fail("#endif without an #ifdef or #ifndef before it in this file; remove it, or put the #ifdef back");
    conditions.pop_back();
  } else if (name == "if" || name == "elif") {
    fail("#" + std::string(name) + " is no command of GROMACS' preprocessor; use #ifdef or #ifndef");
  } else if (active()) {
    if (name == "include")
      include(rest);
    else if (name == "define")
      define(rest);
    else if (name == "undef")
      macros_.erase(std::string(take_word(rest)));
    else
      fail(in_quotes("#" + std::string(name)) +
           " is no command of GROMACS' preprocessor (include, define, undef, ifdef, ifndef, else, endif); correct it");
  }
}

void Preprocessor::condition(std::string_view name, bool wanted) {
  const std::string_view word = take_word(name);
  if (word.empty()) fail("#ifdef and #ifndef need the name of a macro; add it");
  tested_.insert(std::string(word));
  const bool outer = active();
  stack_.back().conditions.push_back({where_, outer && macros_.contains(std::string(word)) == wanted, outer});
}

void Preprocessor::define(std::string_view rest) {
  const std::string_view name = take_word(rest);
  if (name.empty() ||
      !std::all_of(name.begin(), name.end(), [](char c) { return word_character(c) || c == '-' || c == '+' || c == '*'; }))
    fail("#define needs a name of letters, digits and underscores (it has " + in_quotes(name) +
         "); macros with arguments are not known");
  macros_[std::string(name)] = std::string(rest);
}

void Preprocessor::include(std::string_view rest) {
  const char close_mark = rest.starts_with('<') ? '>' : '"';
  const std::size_t end = rest.size() < 2 ? std::string_view::npos : rest.find(close_mark, 1);
  if (rest.empty() || (rest[0] != '"' && rest[0] != '<') || end == std::string_view::npos || end == 1)
    fail("#include needs a file name in quotes; write #include \"file.itp\"");
  const std::string name(rest.substr(1, end - 1));
  if (stack_.size() >= deepest_include || names_.size() >= most_includes)
    fail("#include " + in_quotes(name) + ": too many files include each other (a circle?); check the #include lines");
  const std::string path = find(name);
  for (const Source& open_one : stack_)
    if (file_name(open_one.file) == path) fail("#include " + in_quotes(name) + ": the file includes itself; remove that line");
  open(path);
}

std::string Preprocessor::find(const std::string& name) const {
  if (fs::path(name).is_absolute()) {
    if (is_file(name)) return name;
    fail("#include: there is no file " + in_quotes(name) + "; correct the path");
  }
  const fs::path here = fs::path(file_name(stack_.back().file)).parent_path() / name;
  if (is_file(here)) return here.lexically_normal().string();
  std::string searched;
  for (const std::string& folder : folders_) {
    const fs::path there = fs::path(folder) / name;
    if (is_file(there)) return there.lexically_normal().string();
    searched += (searched.empty() ? "" : ", ") + (folder.empty() ? std::string(".") : folder);
  }
  fail("#include: there is no file " + in_quotes(name) + " (searched: the folder of this file, " + searched +
       "); copy it beside the topology, give its folder as system.include, or set GMXLIB");
}

/// Replaces macros that have a value, as whole words.
void Preprocessor::expand(std::string_view line, int depth, std::string& out) const {
  if (macros_.empty()) {
    out += line;
    return;
  }
  if (depth > deepest_macro || out.size() > longest_line)
    fail("macros that replace each other without an end; check the #define lines");
  for (std::size_t at = 0; at < line.size();) {
    if (line[at] == ';') {  // nothing of a comment is needed, but that it is one
      out += ';';
      return;
    }
    if (!word_character(line[at])) {
      out += line[at++];
      continue;
    }
    std::size_t end = at;
    while (end < line.size() && word_character(line[end])) ++end;
    const std::string word(line.substr(at, end - at));
    const auto macro = macros_.find(word);
    if (macro == macros_.end() || macro->second.empty() || macro->second == word)
      out += word;
    else {
      put_.insert(word);
      expand(macro->second, depth + 1, out);
    }
    at = end;
  }
}

}  // namespace uplift::gromacs

namespace uplift {

std::string wrong_define(const std::string& word) {
  const std::string_view text(word);
  std::string_view name = text.substr(text.starts_with("-D") ? 2 : 0);
  name = name.substr(0, name.find('='));
  if (!name.empty() && name.find_first_of(" \t,;") == std::string_view::npos) return "";
  return in_quotes(word) + " is no name of a macro; give each one by itself, as in [POSRES, FLEXIBLE], or WORD=VALUE";
}

}  // namespace uplift

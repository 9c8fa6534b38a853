#pragma once
// Files that are whole under their names or not there: written under another name, then renamed.
#include <string>
#include <type_traits>
#include <vector>

#include "uplift/core/error.hpp"

namespace uplift {

/// One that is being written. The target of a symbolic link is replaced, not the link; pipes, devices and the files behind
/// /dev/stdout are written to straight away, for a renamed file would take their place. What is not finished is removed with
/// this, or when SIGINT, SIGTERM or SIGHUP ends the program.
class UnfinishedFile {
 public:
  explicit UnfinishedFile(const std::string& path);
  ~UnfinishedFile();
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;

  /// Where to write.
  const std::string& name() const { return name_; }
  /// Gives the file its own name. Throws SimulationError.
  void finish();
  /// A message of somebody who knew of `name` only, with the file's own name.
  std::string renamed(std::string text) const;
  /// Calls `f`; what it throws names the file by its own name.
  template <class F>
  decltype(auto) naming(F&& f) const {
    try {
      return f();
    } catch (const InputError& e) {
      throw InputError(renamed(e.what()));
    } catch (const SimulationError& e) {
      throw SimulationError(renamed(e.what()));
    }
  }

 private:
  std::string path_, target_, name_;
  int slot_ = -1;  ///< among those that a signal removes
  bool straight_ = false, done_ = false;
};

/// Calls `write` with the name to write to, and gives the file its own when that has returned. Returns the notes of `write`,
/// if it makes any. Notes and errors name `path`.
template <class Write>
std::vector<std::string> replace_file(const std::string& path, Write&& write) {
  UnfinishedFile file(path);
  std::vector<std::string> notes;
  if constexpr (std::is_void_v<std::invoke_result_t<Write, const std::string&>>)
    file.naming([&] { write(file.name()); });
  else
    notes = file.naming([&] { return write(file.name()); });
  file.finish();
  for (std::string& note : notes) note = file.renamed(note);
  return notes;
}

}  // namespace uplift

#include "uplift/io/check_output.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>

#include "uplift/core/error.hpp"

namespace uplift {
namespace {

namespace fs = std::filesystem;

/// What a run writes into its folder, but for surfaces; those that only a run leaves there come first.
constexpr std::array run_files{"run.log",          "checkpoint.upc", "checkpoint.prev.upc", "trajectory.h5md",
                               "energies.h5",      "replicas.json",  "stages.json",         "exchange.h5",
                               "performance.json", "amd.log",        "topology.pdb",        "report.html"};
constexpr std::size_t only_of_runs = 6;
constexpr std::array surface_suffixes{".h5", ".csv", ".png", ".svg"};

bool is_of_a_run(const fs::path& output) {
  if (std::find(run_files.begin(), run_files.end(), output.filename().string()) == run_files.end()) return false;
  return std::any_of(run_files.begin(), run_files.begin() + only_of_runs, [&](const char* name) {
    std::error_code error;
    return output.filename() != name && fs::exists(output.parent_path() / name, error);
  });
}

/// Without links, as far as there is something; empty: no name.
fs::path whole(const std::string& name) {
  std::error_code error;
  return fs::weakly_canonical(fs::absolute(name, error), error);
}

std::string in_words(const std::string& file, const RunInput& input) {
  if (file == input.file) return "this input";
  if (file == input.system.topology) return "system.topology";
  if (file == input.system.coordinates) return "system.coordinates";
  return "a file of the force field";
}

/// Every line of a run.log begins with a time and two blanks. It may be empty, or end within the first line: of a run that was
/// killed, or found no room.
bool is_log_of_ours(const fs::path& log) {
  std::ifstream in(log);
  std::string line;
  std::getline(in, line);
  constexpr std::string_view begin = "0000-00-00 00:00:00  ";
  if (line.size() < begin.size() && !(in.eof() && fs::is_regular_file(log))) return false;
  const auto fits = [](char is, char wanted) { return wanted == '0' ? is >= '0' && is <= '9' : is == wanted; };
  return std::equal(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(std::min(line.size(), begin.size())),
                    begin.begin(), fits);
}

/// Besides frames, energies and checkpoints, which are never written over.
std::vector<std::string> sidecars(const RunInput& input, bool ensemble) {
  std::vector<std::string> names{"run.log", "performance.json"};
  if (ensemble)
    names.push_back("exchange.h5");
  else
    names.insert(names.end(), {"stages.json", "topology.pdb"});
  if (!ensemble && input.has_bias()) names.push_back("amd.log");
  if (input.output.report) names.push_back("report.html");
  for (const FreeEnergySettings& surface : input.free_energies)
    for (const char* suffix : surface_suffixes) names.push_back(surface.name + suffix);
  return names;
}

}  // namespace

void check_directory(const RunInput& input, bool ensemble) {
  const fs::path directory = input.output.directory;
  std::string there;
  for (const std::string& name : sidecars(input, ensemble)) {
    std::error_code error;
    if (fs::exists(directory / name, error)) there += (there.empty() ? "" : ", ") + name;
  }
  if (there.empty() || is_log_of_ours(directory / "run.log")) return;
  throw InputError("output.directory: " + directory.string() +
                   " holds files that the run would write over, and no run of uplift (" + there +
                   "); choose another directory with --set output.directory=NAME, or move them away");
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  if (fs::equivalent(a, b, error)) return true;
  const fs::path one = whole(a), other = whole(b);
  return !one.empty() && one == other;
}

void check_output(const std::string& output, const std::vector<std::string>& inputs, const std::string& cure) {
  if (output == "-") throw InputError("-: would be a file of this name; for standard output write /dev/stdout");
  if (output.ends_with(".gz"))
    throw InputError(output + ": uplift does not compress what it writes; write " + output.substr(0, output.size() - 3) +
                     ", and pack it with gzip");
  for (const std::string& input : inputs)
    if (!input.empty() && same_file(input, output)) throw InputError(output + ": is an input, too; " + cure);
  if (is_of_a_run(output)) throw InputError(output + ": is a file of the run in this folder, which would be lost; " + cure);
  // Before hours of work, not after them.
  const fs::path folder = fs::path(output).has_parent_path() ? fs::path(output).parent_path() : fs::path(".");
  std::error_code error;
  if (!fs::is_directory(folder, error))
    throw InputError(output + ": there is no folder " + folder.string() + "; make it, or " + cure);
  if (!fs::exists(output, error) && ::access(folder.c_str(), W_OK | X_OK) != 0)
    throw InputError(output + ": " + folder.string() + " cannot be written to (" + std::strerror(errno) + "); " + cure);
}

void check_new_output(const std::string& output, const std::vector<std::string>& inputs, bool force) {
  check_output(output, inputs);
  std::error_code error;
  if (!force && fs::exists(output, error))
    throw InputError(output + ": is there already; choose another name, or replace it with --force");
}

std::vector<std::string> files_of(const RunInput& input) {
  std::vector<std::string> files{input.file, input.system.topology, input.system.coordinates};
  files.insert(files.end(), input.system.parameters.begin(), input.system.parameters.end());
  files.insert(files.end(), input.system.forcefield.begin(), input.system.forcefield.end());
  return files;
}

std::string overwritten_by_run(const RunInput& input) {
  const std::string folder = whole(input.output.directory).string();
  std::set<std::string> names(run_files.begin(), run_files.end());
  for (const FreeEnergySettings& surface : input.free_energies)
    for (const char* suffix : surface_suffixes) names.insert(surface.name + suffix);
  for (const std::string& file : files_of(input)) {
    const fs::path own = whole(file);
    if (file.empty() || !names.contains(own.filename().string())) continue;
    const fs::path there = own.parent_path();  // each of several replicas has a folder in that of the run
    if (there != folder && !(there.filename().string().starts_with("replica-") && there.parent_path() == folder)) continue;
    return "the run writes " + own.filename().string() + " into '" + there.string() + "', where it is " +
           in_words(file, input) + ", which would be lost; choose another directory, or give that file another name";
  }
  return "";
}

}  // namespace uplift

#include "continuation.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "uplift/core/error.hpp"
#include "uplift/io/stage_settings.hpp"
#include "uplift/io/units.hpp"

namespace uplift::app {
namespace {

namespace fs = std::filesystem;

/// Settings of `a` that `b` does not have.
std::string missing_text(const std::string& a, const std::string& b) {
  std::string all;
  for (const std::string& line : settings_missing(a, b)) all += (all.empty() ? "" : ", ") + line;
  return all.empty() ? "nothing of it" : all;
}

std::string end_text(std::int64_t step) { return step < 0 ? "was empty" : fmt::format("ended at step {}", step); }

}  // namespace

void make_output_directory(const fs::path& directory) {
  std::error_code error;
  if (fs::is_symlink(directory, error) && !fs::exists(directory, error))
    throw InputError("output.directory: " + directory.string() + " is a link to " +
                     fs::read_symlink(directory, error).string() +
                     ", which is not there (was it cleared away?); make that folder, or choose another");
  fs::create_directories(directory, error);
  if (error)
    throw InputError("output.directory: cannot make " + directory.string() + " (" + error.message() +
                     "); choose a folder that you may write to");
  if (::access(directory.c_str(), W_OK | X_OK) != 0)
    throw InputError("output.directory: cannot write to " + directory.string() + " (" + std::strerror(errno) +
                     "); choose a folder that you may write to, with --set output.directory=NAME");
}

bool may_go_on(const fs::path& directory, bool there, bool resume) {
  if (there && !resume)
    throw InputError(
        "output.directory: " + directory.string() +
        " already holds a run; continue it with --resume, move it away, or choose another with --set output.directory=NAME");
  return there;
}

FoundCheckpoint find_checkpoint(const fs::path& directory) {
  const std::string newest = (directory / "checkpoint.upc").string(), previous = previous_checkpoint(newest);
  if (!fs::exists(newest) && !fs::exists(previous))
    throw DamagedRun(
        directory.string() +
        ": holds files of a run but no checkpoint.upc, so that it cannot be continued; choose another output directory");
  std::string why = newest + ": there is no such file";
  try {
    if (fs::exists(newest)) return {read_checkpoint(newest), ""};
  } catch (const DamagedCheckpoint& e) {
    if (!fs::exists(previous)) throw DamagedRun(e.what());
    why = e.what();
  } catch (const InputError& e) {  // another user's, a disk that fails, a later version's: it is not to be given up for that
    throw DamagedRun(e.what());
  }
  try {
    FoundCheckpoint found{read_checkpoint(previous), why + ". The one before it is used"};
    fs::rename(previous, newest);  // or the next one would take its place, while there is no other that is whole
    return found;
  } catch (const DamagedCheckpoint& e) {
    throw DamagedRun(why + "\n" + e.what() + "\nNeither of the two can be used; begin again in another output directory");
  } catch (const InputError& e) {
    throw DamagedRun(why + "\n" + e.what());
  }
}

void check_continuation(const Checkpoint& c, const RunInput& input, const System& system) {
  const StageSettings& stage = input.stages[static_cast<std::size_t>(c.stage)];
  const std::string& directory = input.output.directory;
  if (c.system != system_fingerprint(system) || static_cast<int>(c.state.x.size()) != system.size())
    throw InputError(directory + ": the run in it is of another system (" + std::to_string(c.state.x.size()) + " atoms, here " +
                     std::to_string(system.size()) + ", or other names, charges or masses); choose another output directory");
  if (c.begun && canonical_settings(c.settings) != canonical_settings(stage.settings))
    throw InputError(input.file + ": stage " + stage.name + " had begun with other settings: " +
                     missing_text(c.settings, stage.settings) + "; now: " + missing_text(stage.settings, c.settings) +
                     " (it would not be one simulation). Put them back, or run in another output directory");
}

std::vector<std::string> changed_files(const Origin& was, const Loaded& now, const RunInput& input, std::size_t stage) {
  const std::string& directory = input.output.directory;
  std::string kinds;
  for (const std::string& kind : changed_parameters(was, now.origin)) kinds += (kinds.empty() ? "" : ", ") + kind;
  if (!kinds.empty())
    throw InputError(input.system.topology + ": its " + kinds + " are not those that the run in " + directory +
                     " began with, so that it would not be one simulation; put the files of the force field back, or run in "
                     "another output directory");
  const bool positions = was.positions != now.origin.positions, box = changed_box(was, now.origin);
  if (!positions && !box) return {};
  const std::string file = positions          ? input.system.coordinates + ": its positions are"
                           : input.system.box ? input.file + ": system.box is"
                                              : input.system.coordinates + ": its box is";
  const auto restrained =
      std::find_if(input.stages.begin() + static_cast<std::ptrdiff_t>(stage), input.stages.end(),
                   [&](const StageSettings& s) { return s.restraints || !now.system.position_restraints.empty(); });
  if (restrained != input.stages.end())
    throw InputError(fmt::format(
        "{} not what the run in {} began with, and stage {} restrains atoms to these positions, which would move; put "
        "back what was there, or run in another output directory",
        file, directory, restrained->name));
  return {file + " not what the run began with; it goes on with those of its checkpoint, and nothing else is taken from here"};
}

std::vector<PastStage> past_stages(const Checkpoint* c, const RunInput& input, std::size_t index) {
  std::vector<PastStage> past = c ? c->past : std::vector<PastStage>{};
  past.resize(std::min(past.size(), index));
  while (past.size() < index) {
    const StageSettings& stage = input.stages[past.size()];
    past.push_back({stage.name, stage.settings, stage.time});
  }
  return past;
}

std::vector<std::string> changed_stages(const Checkpoint& c, const RunInput& input) {
  std::vector<std::string> warnings;
  for (std::size_t k = 0; k < c.past.size() && k < input.stages.size(); ++k) {
    const PastStage& was = c.past[k];
    const StageSettings& is = input.stages[k];
    std::string what;
    if (was.name != is.name) what += fmt::format("; its name was {} and is {}", was.name, is.name);
    if (canonical_settings(was.settings) != canonical_settings(is.settings))
      what +=
          "; it was run with " + missing_text(was.settings, is.settings) + "; now: " + missing_text(is.settings, was.settings);
    if (was.time != is.time)
      what += fmt::format("; its time was {} ps and is {} ps", format_number(was.time), format_number(is.time));
    if (!what.empty())
      warnings.push_back(
          fmt::format("stage {} is finished, and stays as it is, though the input has changed{}", was.name, what));
  }
  return warnings;
}

std::string changed_minimisation(const Checkpoint& c, const StageSettings& stage) {
  const auto relevant = [](const std::string& settings) {
    std::string lines;
    std::istringstream in(settings);
    for (std::string line; std::getline(in, line);)
      if (!line.starts_with("minimize.")) lines += line + '\n';
    return lines;
  };
  const std::string was = relevant(c.settings), is = relevant(stage.settings);
  return canonical_settings(was) == canonical_settings(is) ? "" : missing_text(was, is) + "; now: " + missing_text(is, was);
}

std::string gap_in_stages(const nlohmann::json& stages, const Checkpoint& c, const RunInput& input) {
  std::string missing;
  for (std::size_t k = 0; k < static_cast<std::size_t>(c.stage); ++k) {
    const std::string& name = k < c.past.size() ? c.past[k].name : input.stages[k].name;
    const bool there = std::any_of(stages.begin(), stages.end(), [&](const nlohmann::json& s) { return s["name"] == name; });
    if (!input.stages[k].minimize && !there) missing += (missing.empty() ? "" : ", ") + name;
  }
  if (missing.empty()) return "";
  return "stages.json says nothing of " + missing +
         " (was it lost, or damaged?), so that uplift reweight and the report will not know what was run there; a copy that is "
         "put in its place is taken up by --resume";
}

std::string lost_amd_log(const fs::path& file, const Checkpoint& c, const RunInput& input) {
  const auto begin = input.stages.begin(), end = begin + c.stage + (c.begun ? 1 : 0);
  if (fs::exists(file) || std::none_of(begin, end, [](const StageSettings& s) { return s.bias.has_value(); })) return "";
  return "amd.log is not there any more, and begins anew: rows of frames before this are in trajectory.h5md alone (uplift "
         "reweight --weights writes them)";
}

std::string gap_in(const std::string& file, std::optional<std::int64_t> last_step, std::optional<std::int64_t> wanted) {
  if (!wanted || last_step.value_or(-1) == *wanted) return "";
  return fmt::format(
      "{} {} when the checkpoint was made, and without what is later it now {}: it is not the file that belongs "
      "to it, and the two parts of the run will not fit together there",
      file, end_text(*wanted), last_step ? end_text(*last_step) : "is empty");
}

}  // namespace uplift::app

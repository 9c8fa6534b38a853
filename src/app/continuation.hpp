#pragma once
// What a run in a directory can go on from, and whether it is still the same run.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "load.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/checkpoint.hpp"
#include "uplift/model/settings.hpp"
#include "uplift/model/system.hpp"

namespace uplift::app {

/// Makes the directory of a run where there is none. Throws InputError when it cannot be made or written to.
void make_output_directory(const std::filesystem::path& directory);

struct FoundCheckpoint {
  Checkpoint checkpoint;
  std::string warning;  ///< about the newest one, where that was of no use; empty: it was
};

/// Of one directory, and no other: what else is run goes on.
class DamagedRun : public InputError {
 public:
  using InputError::InputError;
};

/// Nothing already computed is ever lost: a run is not written over. Throws InputError where one is `there` that is not to be
/// resumed; returns `there`.
bool may_go_on(const std::filesystem::path& directory, bool there, bool resume);

/// The newest checkpoint of a run's directory that is not damaged, which then has the newest one's name. Throws DamagedRun when
/// there is none, or it cannot be read.
FoundCheckpoint find_checkpoint(const std::filesystem::path& directory);

/// The stage in hand goes on as it began, or not at all; its length, later stages, output strides and threads are free. Throws
/// InputError.
void check_continuation(const Checkpoint& c, const RunInput& input, const System& system);

/// What was read from files against what the run began with. Throws InputError where parameters differ, or positions to which
/// stages from `stage` on restrain atoms; returns a warning where positions or the box differ and nothing needs them any more.
std::vector<std::string> changed_files(const Origin& was, const Loaded& now, const RunInput& input, std::size_t stage);

/// Stages before `index`: those that the checkpoint (or null) knows as they were run, others as the input has them.
std::vector<PastStage> past_stages(const Checkpoint* c, const RunInput& input, std::size_t index);

/// One warning for each finished stage that the input now has otherwise: it stays as it was.
std::vector<std::string> changed_stages(const Checkpoint& c, const RunInput& input);

/// What has changed in the settings of a minimisation that had begun, but for where it ends; empty: nothing.
std::string changed_minimisation(const Checkpoint& c, const StageSettings& stage);

/// A warning where a stages.json has lost stages that are finished; empty: it has not.
std::string gap_in_stages(const nlohmann::json& stages, const Checkpoint& c, const RunInput& input);

/// A warning where amd.log (`file`) is gone, and stages with a bias had begun; empty: it is not.
std::string lost_amd_log(const std::filesystem::path& file, const Checkpoint& c, const RunInput& input);

/// A warning where a file ends at another step than the checkpoint says (what it had later has been cut off); empty: it does
/// not, or the checkpoint says nothing of it.
std::string gap_in(const std::string& file, std::optional<std::int64_t> last_step, std::optional<std::int64_t> wanted);

}  // namespace uplift::app

#pragma once
// checkpoint.upc: all that an exact continuation needs, independent of the backend that wrote it.
//
// Layout, little-endian: "UPLIFTCP", format version (uint32), CRC-32 of the payload (uint32), its length (uint64), payload
// (CBOR, RFC 8949; arrays of numbers as byte strings of float64).
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "uplift/core/error.hpp"
#include "uplift/io/origin.hpp"
#include "uplift/model/descent_memory.hpp"
#include "uplift/model/state.hpp"
#include "uplift/model/system.hpp"

namespace uplift {

/// A stage that is finished, as it was run.
struct PastStage {
  std::string name, settings;  ///< StageSettings::settings
  double time = 0;             ///< [ps]
};

struct Checkpoint {
  std::string version;   ///< of the uplift that wrote it
  std::string input;     ///< the fully resolved input at that time
  std::string settings;  ///< of the stage in hand: StageSettings::settings
  int stage = 0;         ///< in hand, from 0
  std::string stage_name;
  bool begun = false;           ///< false: the state is what the stage starts from. A minimisation that has begun is done
  std::int64_t stage_step = 0;  ///< step and time [ps] at which the stage began
  double stage_time = 0;
  Box stage_box;  ///< the box that PME parameters of this stage were chosen for
  bool has_velocities = false;
  std::uint32_t system = 0;                         ///< system_fingerprint
  std::map<std::string, BiasStatistics> collected;  ///< by stages before this one
  std::vector<PastStage> past;                      ///< stages before this one; earlier versions do not say
  std::optional<Origin> origin;                     ///< what the run was begun from; earlier versions do not say
  /// Steps at which trajectory and energies ended, -1 where they were empty; absent: they were not written.
  std::optional<std::int64_t> last_frame, last_row;
  std::optional<DescentMemory> descent;  ///< of a minimisation that is not done, at the state's positions; `begun` is false
  State state;
};

/// Tells one system from another: CRC-32 of atom and residue names, charges and masses. Its parameters: Origin.
std::uint32_t system_fingerprint(const System& system);

/// Writes under a temporary name, waits for the disk, then takes the place of `path`, whose former content becomes
/// "NAME.prev.upc". At every instant there is a whole checkpoint under `path`, once there was one. Throws SimulationError.
void write_checkpoint(const std::string& path, const Checkpoint& checkpoint);

/// What it holds is lost, whoever reads it and whenever.
class DamagedCheckpoint : public InputError {
 public:
  using InputError::InputError;
};

/// Throws DamagedCheckpoint, or InputError when the file is missing, cannot be read, or has a format of another version.
Checkpoint read_checkpoint(const std::string& path);

/// Name of the checkpoint before the last: "run/checkpoint.upc" -> "run/checkpoint.prev.upc".
std::string previous_checkpoint(const std::string& path);

}  // namespace uplift

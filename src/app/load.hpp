#pragma once
// From a resolved input to what is simulated.
#include <memory>

#include "uplift/backend/backend.hpp"
#include "uplift/domain/communicator.hpp"
#include "uplift/io/origin.hpp"
#include "uplift/model/settings.hpp"
#include "uplift/model/state.hpp"
#include "uplift/model/system.hpp"

namespace uplift::app {

struct Loaded {
  System system;
  State state;
  std::vector<std::string> notes;  ///< choices that the readers made, for the log
  std::vector<std::string> warnings;
  bool has_velocities = false;  ///< the coordinate file brought them, one for every atom
  Origin origin;                ///< the files, before settings act on what they hold
};

/// Reads topology and coordinates, applies `forces` and `restraints` (of `stage`, where there is one), checks the geometry.
/// Throws InputError.
Loaded load(const RunInput& input, const ForceSettings& forces, const std::optional<RestraintSettings>& restraints,
            const std::string& stage = "");
/// The system as a stage moves it, which decides about System::remove_com.
Loaded load(const RunInput& input, const StageSettings& stage);
/// Of a stage that may begin much later: whether PME has a mesh for it in this box. load() looks at that, too.
void check_pme(const RunInput& input, const StageSettings& stage, const Box& box);
void set_com_removal(Loaded& loaded, const DynamicsSettings& dynamics);

/// What output.trajectory.atoms chooses. Throws InputError when that is nothing.
std::vector<int> stored_atoms(const RunInput& input, const Topology& topology);

/// Throws InputError when this build does not have the backend that is asked for.
void check_backend(const RunInput& input);

/// The same with a backend's name in place of `auto`: cuda where this process has a GPU that this build can use, else cpu.
ComputeSettings with_backend(ComputeSettings compute);

/// The backend that `compute.backend` asks for. Throws InputError when this build does not have it. The root of several ranks
/// gets one that works with all of them; the others are in serve_team(), `which` tells them the stage (-1: none), and `origin`
/// what they must have read.
std::unique_ptr<Backend> make_backend(const System& system, const Box& box, const ComputeSettings& compute,
                                      double constraint_tolerance, const Communicator& team = {}, int which = -1,
                                      const Origin& origin = {});
/// What ranks of a team do that are not its root, until that dismisses them.
void serve_team(const RunInput& input, const Communicator& team);

}  // namespace uplift::app

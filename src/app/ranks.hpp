#pragma once
// How the ranks of one program go through a command together.
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "commands.hpp"
#include "load.hpp"
#include "uplift/core/error.hpp"
#include "uplift/domain/communicator.hpp"
#include "uplift/domain/team.hpp"

namespace uplift::app {

/// Ends the program on every rank, in good order: thrown by all of them; the root has said why.
struct Agreed {
  ExitStatus status;
};

/// f() on the root and then, unless it has thrown InputError, on all others, so that what is wrong with the input is said once.
template <class F>
auto root_first(const Communicator& world, F&& f) {
  bool good = true;
  if (world.root() && world.size() > 1) {
    try {
      auto result = f();
      world.broadcast(good);
      return result;
    } catch (const InputError& e) {
      std::cerr << "error: " << e.what() << std::endl;
      good = false;
      world.broadcast(good);
    }
  } else {
    world.broadcast(good);
  }
  if (!good) throw Agreed{bad_input};
  return f();
}

/// Throws InputError on ranks that have read another input than the root.
void check_same_input(const Communicator& world, const RunInput& input);

/// Ranks but the root do nothing else than serve while this is made; the root then goes on, and dismisses them at the end.
class Serving {
 public:
  Serving(const Communicator& team, const RunInput& input) : team_(team) {
    if (!team.root()) serve_team(input, team);
  }
  ~Serving() {
    // Where the root has failed, all ranks are ended; a message would find some of them in the middle of something else.
    if (team_.root() && std::uncaught_exceptions() == 0) dismiss(team_);
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

 private:
  const Communicator& team_;
};

/// How many ranks work on each of `replicas`. Throws InputError where compute.ranks_per_replica or mesh_ranks does not go
/// with what was started.
int ranks_of_each(const Communicator& world, const ComputeSettings& compute, int replicas);

/// For run.log and performance.json.
std::string traffic_text(const TeamTraffic& traffic);
nlohmann::json traffic_json(const TeamTraffic& traffic);

}  // namespace uplift::app

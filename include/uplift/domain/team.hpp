#pragma once
// Ranks that work on one System. The root goes through the run and holds a Backend like any other; the rest serve: they do what
// the root's backend asks of all, until they are dismissed. So only one rank decides anything, and nothing above a backend
// knows of ranks.
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "uplift/backend/backend.hpp"
#include "uplift/backend/rank_link.hpp"
#include "uplift/domain/communicator.hpp"

namespace uplift {

/// What a serving rank needs to know to make the same System and backend as the root.
struct TeamOrder {
  std::int32_t which = -1;  ///< stage of the input; -1: what the input says for all
  TorsionGroup torsions_apart = TorsionGroup::none;
  Box box;
  double constraint_tolerance = 1e-6;
  int mesh_ranks = 0;             ///< that transform the PME mesh; 0: as many as are quickest
  std::uint64_t fingerprint = 0;  ///< of the root's System: all ranks must have read the same files
};

/// A backend of its own for each rank.
using LeafMaker = std::function<std::unique_ptr<Backend>(const System&, const TeamOrder&, RankLink&)>;

/// The root's backend, which works with all of `ranks`. `system` outlives it. Several may live, and one be called, at a time.
/// When a call throws what is not an AgreedError, the ranks are lost (Communicator::lost).
std::unique_ptr<Backend> lead(const Communicator& ranks, const System& system, const TeamOrder& order, const LeafMaker& leaf);
/// Of every other rank: until dismiss(). `load` makes the System of an order, and throws when it is not the root's.
void serve(const Communicator& ranks, const std::function<System(const TeamOrder&)>& load, const LeafMaker& leaf);
/// The root has no more to do. Nothing for one rank.
void dismiss(const Communicator& ranks);

/// Means over the ranks of a backend that lead() made; nothing for other backends.
struct TeamTraffic {
  std::array<int, 3> domains{};
  int mesh_ranks = 0;                                                       ///< that transform the mesh; 0: there is none
  double home = 0, halo = 0, ideal_halo = 0;                                ///< atoms of a rank
  double positions = 0, forces = 0, mesh = 0, migration = 0, messages = 0;  ///< that a rank sends in a step [bytes; number]
};
std::optional<TeamTraffic> team_traffic(const Backend& backend, std::int64_t steps);

}  // namespace uplift

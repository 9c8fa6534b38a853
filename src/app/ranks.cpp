#include "ranks.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <span>
#include <vector>

namespace uplift::app {

void check_ranks(const Communicator& world, const ComputeSettings& compute, int replicas) {
  const int wanted = compute.ranks_per_replica;
  if (wanted == 0) return;
  if (replicas > 1 && wanted > 1)
    throw InputError(fmt::format(
        "compute.ranks_per_replica: {}: {} replicas of several ranks each are not in this version; use 1 or auto, or "
        "start every replica by itself with --replica",
        wanted, replicas));
  if (replicas == 1 && wanted != world.size())
    throw InputError(fmt::format("compute.ranks_per_replica: {}, and {} {} started; start {} (mpirun -n {}), or use auto",
                                 wanted, world.size(), world.size() == 1 ? "rank was" : "ranks were", wanted, wanted));
}

void share_cores(const Communicator& world, ComputeSettings& compute) {
  if (world.size() == 1 || compute.threads > 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<std::int64_t> cores(CPU_SETSIZE, 0);
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    for (std::size_t k = 0; k < cores.size(); ++k) cores[k] = CPU_ISSET(k, &set) ? 1 : 0;
  const Communicator node = world.node();
  node.maximum(std::span(cores));
  const auto usable = static_cast<int>(std::count(cores.begin(), cores.end(), 1));
  compute.threads = std::max(1, usable / node.size());
}

std::string traffic_text(const TeamTraffic& t) {
  return fmt::format(
      "{} x {} x {} domains; a rank has {:.0f} atoms and {:.0f} in its halo (a slab as wide as forces reach holds {:.0f}); in "
      "a step it "
      "sends {:.1f} kB of positions, {:.1f} kB of forces, {:.1f} kB of mesh and {:.1f} kB of migrating atoms, in {:.1f} "
      "messages",
      t.domains[0], t.domains[1], t.domains[2], t.home, t.halo, t.ideal_halo, t.positions / 1e3, t.forces / 1e3, t.mesh / 1e3,
      t.migration / 1e3, t.messages);
}

nlohmann::json traffic_json(const TeamTraffic& t) {
  return {{"domains", t.domains},
          {"atoms", t.home},
          {"halo_atoms", t.halo},
          {"ideal_halo_atoms", t.ideal_halo},
          {"bytes_per_step", {{"positions", t.positions}, {"forces", t.forces}, {"mesh", t.mesh}, {"migration", t.migration}}},
          {"messages_per_step", t.messages}};
}

}  // namespace uplift::app

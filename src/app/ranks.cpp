#include "ranks.hpp"

#include <fmt/format.h>

#include <sstream>

namespace uplift::app {

void check_same_input(const Communicator& world, const RunInput& input) {
  // Without paths: folders may have other names on other machines.
  std::string own, root;
  std::istringstream lines(input.resolved);
  for (std::string line; std::getline(lines, line);)
    if (line.find("\"/") == std::string::npos) own += line + '\n';
  root = own;
  world.broadcast(root);
  if (root != own)
    throw InputError(input.file +
                     ": is another input here than on rank 0 (a file that differs from machine to machine, or that is being "
                     "written); put it where all ranks see the same");
}

namespace {

int ranks_as_wanted(const Communicator& world, const ComputeSettings& compute, int replicas) {
  const int wanted = compute.ranks_per_replica;
  if (wanted == 0) return replicas == 1 ? world.size() : 1;
  if (replicas == 1 ? wanted != world.size() : world.size() % wanted != 0)
    throw InputError(fmt::format("compute.ranks_per_replica: {}, and {} {} started; start {} (mpirun -n {}{}), or use auto",
                                 wanted, world.size(), world.size() == 1 ? "rank was" : "ranks were",
                                 replicas == 1 ? fmt::format("{}", wanted) : "a multiple of it", wanted,
                                 replicas == 1 ? "" : fmt::format(" to {}", wanted * replicas)));
  return wanted;
}

}  // namespace

int ranks_of_each(const Communicator& world, const ComputeSettings& compute, int replicas) {
  const int each = ranks_as_wanted(world, compute, replicas);
  if (compute.mesh_ranks > each)
    throw InputError(
        fmt::format("compute.mesh_ranks: {}, and {} {} on a replica; no more than that can transform its mesh, or use auto",
                    compute.mesh_ranks, each, each == 1 ? "rank works" : "ranks work"));
  return each;
}

std::string traffic_text(const TeamTraffic& t) {
  return fmt::format(
      "{} x {} x {} domains; a rank has {:.0f} atoms and {:.0f} in its halo (a slab as wide as forces reach holds {:.0f}); in "
      "a step it sends {:.1f} kB of positions, {:.1f} kB of forces, {:.1f} kB of mesh and {:.1f} kB of migrating atoms, in "
      "{:.1f} messages{}",
      t.domains[0], t.domains[1], t.domains[2], t.home, t.halo, t.ideal_halo, t.positions / 1e3, t.forces / 1e3, t.mesh / 1e3,
      t.migration / 1e3, t.messages,
      t.mesh_ranks > 0 ? fmt::format("; of the ranks, {} transform the mesh", t.mesh_ranks) : "");
}

nlohmann::json traffic_json(const TeamTraffic& t) {
  return {{"domains", t.domains},
          {"mesh_ranks", t.mesh_ranks},
          {"atoms", t.home},
          {"halo_atoms", t.halo},
          {"ideal_halo_atoms", t.ideal_halo},
          {"bytes_per_step", {{"positions", t.positions}, {"forces", t.forces}, {"mesh", t.mesh}, {"migration", t.migration}}},
          {"messages_per_step", t.messages}};
}

}  // namespace uplift::app

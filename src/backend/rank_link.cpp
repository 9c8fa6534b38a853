#include "uplift/backend/rank_link.hpp"

#include <fmt/format.h>

#include "uplift/core/error.hpp"
#include "uplift/model/system.hpp"

namespace uplift {

void check_can_be_shared(const System& system) {
  if (system.forces.nonbonded == NonbondedMethod::no_cutoff)
    throw InputError(
        "forces.nonbonded: no-cutoff on several ranks: without a cutoff every atom needs all others, and with implicit "
        "solvent too, so that there are no domains; start one rank, or use compute.replicas");
}

void check_shares(RankLink& link, std::int64_t interactions_here, std::int64_t interactions, std::int64_t atoms) {
  std::int64_t all[2] = {interactions_here, link.share().home_count()};
  link.sum(all);
  if (all[0] != interactions || all[1] != atoms)
    throw AgreedError(fmt::format(
        "of {} bonded interactions, exclusions and constraints, ranks have taken {}, and of {} atoms {} (the run has "
        "blown up, or bonded atoms are farther apart than the cutoff); use one rank to see where",
        interactions, all[0], atoms, all[1]));
}

}  // namespace uplift

#pragma once

namespace uplift {

/// Force groups of the YAML's multiple_time_step, as a bit set; in the order of the schema's words. The last is no word:
/// torsions that are boosted and therefore kept apart from the other bonded forces (System::torsions_apart).
enum class ForceGroup : unsigned {
  bonded = 1,
  nonbonded = 2,
  pme_reciprocal = 4,
  implicit_solvent = 8,
  restraints = 16,
  torsions = 32
};
using ForceGroups = unsigned;
inline constexpr ForceGroups all_force_groups = 63;
constexpr bool has(ForceGroups groups, ForceGroup group) { return (groups & static_cast<unsigned>(group)) != 0; }

/// Forces that are computed together, every so many inner steps.
struct ForceLevel {
  ForceGroups groups = all_force_groups;
  int every = 1;
};
inline constexpr int most_user_levels = 4, most_force_levels = 5;  // boosted torsions have one of their own

}  // namespace uplift

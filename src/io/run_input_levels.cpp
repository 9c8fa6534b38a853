// dynamics.multiple_time_step: every force in exactly one level, or the run would silently lack it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "run_input_parts.hpp"

namespace uplift::yaml {
namespace {

constexpr const char* key = "dynamics.multiple_time_step";
constexpr std::array group_words = {"bonded", "nonbonded", "pme-reciprocal", "implicit-solvent",
                                    "restraints"};  // by bit of ForceGroup

// Ma, Izaguirre and Skeel, SIAM J. Sci. Comput. 24, 1951 (2003): impulses resonate with the fastest bond vibrations at about 5
// fs and with the slower motions of hydrogens and water somewhat later.
constexpr double nonbonded_limit = 0.004, slow_limit = 0.008;  // [ps]

ForceGroups groups_of(const ForceSettings& forces, bool restrained) {
  ForceGroups all = static_cast<unsigned>(ForceGroup::bonded) | static_cast<unsigned>(ForceGroup::nonbonded);
  if (forces.nonbonded == NonbondedMethod::pme) all |= static_cast<unsigned>(ForceGroup::pme_reciprocal);
  if (forces.implicit_solvent) all |= static_cast<unsigned>(ForceGroup::implicit_solvent);
  if (restrained) all |= static_cast<unsigned>(ForceGroup::restraints);
  return all;
}

}  // namespace

std::vector<ForceLevel> read_force_levels(const Values& v, const ForceSettings& forces, bool restrained, double timestep,
                                          std::vector<std::string>& warnings) {
  std::vector<ForceLevel> levels;
  if (!v.given(key) || !v.good(key)) return levels;
  ForceGroups seen = 0;
  bool good = true;
  const auto problem = [&](const Values& where, const std::string& path, const std::string& message) {
    where.problem(path, message);
    good = false;
  };
  int inner = 1;
  for (const Values& block : v.blocks(key)) {
    ForceLevel level{0, static_cast<int>(block.count("every"))};
    for (const std::string& word : block.list("forces")) {
      const auto bit = std::find(group_words.begin(), group_words.end(), word) - group_words.begin();
      const ForceGroups group = 1u << bit;
      if ((seen | level.groups) & group)
        problem(block, "forces", word + " is in a level already; every force belongs to exactly one");
      level.groups |= group;
    }
    seen |= level.groups;
    inner = std::max(inner, level.every);
    levels.push_back(level);
  }
  if (levels.empty() || levels.size() > most_user_levels) {
    problem(v, key, fmt::format("1 to {} levels are possible", most_user_levels));
    return {};
  }
  for (std::size_t k = 0; k < group_words.size(); ++k)
    if (groups_of(forces, restrained) & ~seen & (1u << k))
      problem(
          v, key,
          fmt::format("{} is in no level (its forces would be missing); add it to the level with every: 1", group_words[k]));
  if (std::none_of(levels.begin(), levels.end(), [](const ForceLevel& l) { return l.every == 1; }))
    problem(v, key, "no level has every: 1, so that inner steps would have no forces; the fastest forces need it");
  for (const ForceLevel& l : levels)
    if (inner % l.every != 0)
      problem(v, key,
              fmt::format("every: {} does not divide every: {} (an outer step holds whole cycles of every level); the nearest "
                          "that does is {}",
                          l.every, inner, [&] {
                            int best = 1;
                            for (int n = 1; n <= inner; ++n)
                              if (inner % n == 0 && std::abs(n - l.every) < std::abs(best - l.every)) best = n;
                            return best;
                          }()));
  if (!good) return {};
  for (const ForceLevel& l : levels) {
    const double period = timestep / inner * l.every;
    if (l.every > 1 && has(l.groups, ForceGroup::nonbonded) && period >= nonbonded_limit - 1e-9)
      warnings.push_back(fmt::format(
          "{}: nonbonded forces every {:.6g} fs are known to be unstable (their impulses resonate with hydrogen motions); "
          "take them every inner step, and only pme-reciprocal less often",
          key, period * 1000));
    else if (l.every > 1 && period > slow_limit + 1e-9)
      warnings.push_back(fmt::format(
          "{}: forces every {:.6g} fs are known to be unstable (beyond 8 fs impulses resonate with bond and water motions); "
          "use a shorter outer step",
          key, period * 1000));
  }
  return levels;
}

}  // namespace uplift::yaml

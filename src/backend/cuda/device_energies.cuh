#pragma once
// Energies and virial of evaluations that were asked for them, as they lie in device memory and as sums on the host.
#include <cuda/moves.cuh>

#include <array>
#include <cstddef>
#include <utility>

#include "uplift/model/energies.hpp"

namespace uplift::UPLIFT_DEVICE {

inline constexpr std::size_t level_tallies = energy_term_count + 9;  ///< energies, then the virial
inline constexpr std::size_t all_tallies = most_force_levels * level_tallies;

using LevelForces = std::array<const Fixed*, most_force_levels>;  ///< [3 * atoms] each; nullptr: not computed

/// Where copies of the computed levels lie that begin at `begin` and follow each other, `words` each.
inline LevelForces copies_of(const LevelForces& levels, const Fixed* begin, std::size_t words) {
  LevelForces copies{};
  for (std::size_t l = 0; l < levels.size(); ++l)
    if (levels[l]) copies[l] = std::exchange(begin, begin + words);
  return copies;
}

/// Which levels there are tallies of, and what of their energies needs no device.
struct Reported {
  std::array<bool, most_force_levels> level{};
  std::array<Energies, most_force_levels> constants{};

  /// All levels together. `tallies`: [all_tallies] on the host; `shared`: of the same moment, for the parts that forces have.
  Energies sum(const Fixed* tallies, const Shared& shared) const {
    Energies e;
    for (std::size_t l = 0; l < level.size(); ++l) {
      if (!level[l]) continue;
      const Fixed* of = tallies + l * level_tallies;
      for (std::size_t k = 0; k < energy_term_count; ++k) e.term[k] += from_fixed(of[k]) + constants[l].term[k];
      for (std::size_t k = 0; k < 9; ++k)
        e.virial[k] += shared.factors[l].all() * (from_fixed(of[energy_term_count + k]) + constants[l].virial[k]);
    }
    return e;
  }
};

/// The boosts of a moment; `boosted`: there are any.
inline void set_bias(Energies& e, const Shared& shared, bool boosted) {
  e.bias = boosted ? shared.bias.energies : BiasEnergies{};
  e.bias.total = e.potential();
}

}  // namespace uplift::UPLIFT_DEVICE

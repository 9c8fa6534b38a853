#pragma once
// What coulomb_reaction_field() needs to know of the medium beyond the cutoff.
#include "uplift/core/macros.hpp"

namespace uplift::physics {

/// E = 1/r + k r^2 - c of charges whose product times the Coulomb constant is 1.
struct ReactionField {
  double k;  ///< [1/nm^3]
  double c;  ///< [1/nm]
};
/// For a medium of this dielectric constant [1] beyond the cutoff [nm], without ions: Tironi, Sperb, Smith and van Gunsteren,
/// J. Chem. Phys. 102, 5451 (1995). c makes E zero at the cutoff.
UPLIFT_HD ReactionField reaction_field_constants(double dielectric, double cutoff) {
  return {(dielectric - 1) / (2 * dielectric + 1) / (cutoff * cutoff * cutoff), 3 * dielectric / (2 * dielectric + 1) / cutoff};
}

}  // namespace uplift::physics

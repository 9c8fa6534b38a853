#pragma once
// Monte Carlo moves of the volume: Chow and Ferguson, Comput. Phys. Commun. 91, 283 (1995); Aqvist, Wennerstroem, Nervall,
// Bjelic and Brandsdal, Chem. Phys. Lett. 384, 288 (2004), eq. 2.
#include <cmath>

#include "uplift/core/macros.hpp"

namespace uplift::physics {

/// Logarithm of the ratio of the densities after and before a move from `volume` to `next` that carries `molecules` by their
/// centres:
/// -(dU + P0 dV)/kT + N ln(V'/V). Accept with min(1, exp(this)). Energies [kJ/mol], `target` [kJ/mol/nm^3], volumes [nm^3].
template <class T>
UPLIFT_HD T volume_move_log_ratio(T energy_change, T target, T volume, T next, T molecules, T kt) {
  using std::log;
  return -(energy_change + target * (next - volume)) / kt + molecules * log(next / volume);
}

}  // namespace uplift::physics

#pragma once
#include "uplift/model/system.hpp"

namespace uplift::cpu {

/// Energy times volume of the long-range dispersion correction [kJ nm^3/mol]: beyond the cutoff, and what switching takes away within
/// it, for a uniform density; averaged over all N(N+1)/2 pairs of atoms by type, as in the OpenMM theory guide.
double dispersion_energy_times_volume(const System& system);

}  // namespace uplift::cpu

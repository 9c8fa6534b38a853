#pragma once
#include "uplift/model/system.hpp"

namespace uplift {

/// What the pair sum leaves out beyond the cutoff, and what switching takes away within it, for a uniform density; averaged
/// over all N(N+1)/2 pairs of atoms by type, as in the OpenMM theory guide. Both times the volume [kJ nm^3/mol].
struct DispersionCorrection {
  double energy = 0;
  /// Of each diagonal element of the virial. It is the energy, and with a sharp cutoff also what the jump of the pair energies
  /// at the cutoff would add, (2 pi/3) N^2 rc^3 u(rc): the sum over pairs has no part of it, yet it acts on the volume (Allen
  /// and Tildesley, Computer Simulation of Liquids, section 2.8). Only so do pressure and energy belong together: a volume of
  /// water at 1 bar was 1 % too large without it where the pressure drove the box.
  double virial = 0;
};
DispersionCorrection dispersion_correction_times_volume(const System& system);

}  // namespace uplift

#pragma once
#include <span>

#include "uplift/model/energies.hpp"
#include "uplift/model/state.hpp"
#include "uplift/model/system.hpp"

namespace uplift {

/// Diagonal of the molecular pressure tensor times the volume [kJ/mol]: V P_kk = sum over molecules of M V_k^2 + W_kk - sum
/// over atoms of (x - X_molecule)_k f_k. Forces within molecules, constraint forces too, drop out (Allen and Tildesley,
/// Computer Simulation of Liquids, section 2.4). `forces` [atoms] kJ/mol/nm and the virial of `energies` are those of `state`,
/// whose molecules are whole.
Vec3d molecular_pressure_volume(const System& system, const State& state, std::span<const Vec3d> forces,
                                const Energies& energies);

/// [bar], of pressure times volume [kJ/mol].
Vec3d pressure_in(const Box& box, const Vec3d& pressure_volume);

/// The mean of the three.
inline double mean_pressure(const Vec3d& p) { return (p.x + p.y + p.z) / 3; }

}  // namespace uplift

#pragma once
#include <string>
#include <vector>

#include "uplift/backend/backend.hpp"

namespace uplift {

/// The stages of one step, as values, and what they conserve.
struct Integrator {
  std::string name;
  std::vector<Stage> stages;
  std::vector<Stage> forces;  ///< every force of the present positions, each in its level: what the first step starts from
  /// Brings velocities that are half a step behind the positions to their time: kinetic + potential - heat is conserved there.
  std::vector<Stage> to_full_step;
};

/// The bias of a stage, and whether statistics of what it sees are gathered, bias or not.
struct BiasPlan {
  Bias bias;
  bool gather = false;
  bool boosts() const { return bias.dihedral.on || bias.total.on; }
};

/// With levels (DynamicsSettings::levels) these become r-RESPA in its impulse form: forces of a level act every so many inner
/// steps, with so many times their strength (Tuckerman, Berne and Martyna, J. Chem. Phys. 97, 1990 (1992); with the Langevin
/// middle scheme as in Lagardere, Aviat and Piquemal, J. Phys. Chem. Lett. 10, 2593 (2019)). Energy and pressure are right
/// after whole steps.
///
/// verlet: velocity Verlet (Swope et al. 1982) with RATTLE. The others are the 'middle' scheme in its leapfrog form: kick, half
/// drift, thermostat, half drift (Zhang, Liu, Chen, Li, Xiao and Liu, J. Chem. Theory Comput. 15, 1 (2019), for any thermostat;
/// with Ornstein- Uhlenbeck noise it is BAOAB). Their velocities are those of half a step before the positions; the temperature
/// of these has no error of the time step, and positions have a small one: a thermostat that acts on velocities in time with
/// the positions makes water at 4 fs as lively as water a few per cent hotter. langevin: Ornstein-Uhlenbeck. v-rescale:
/// stochastic velocity rescaling with relaxation time 1/friction (Bussi, Donadio and Parrinello, J. Chem. Phys. 126, 014101
/// (2007)). nose-hoover: a chain of the same relaxation time (kernels/physics/integrate).
///
/// With a bias, boosted torsions have a level of their own, as often as bonded forces; the total boost acts in the impulse of
/// the outer step (backend/bias_factors.hpp). Kinetic energy + V* is conserved.
Integrator make_integrator(const DynamicsSettings& dynamics, const BiasPlan& bias = {});

/// Other parameters of the same boosts, from the next step on.
void set_bias(Integrator& integrator, const Bias& bias);

/// Of every thermostat in it, from the next step on.
void set_temperature(Integrator& integrator, double temperature);

}  // namespace uplift

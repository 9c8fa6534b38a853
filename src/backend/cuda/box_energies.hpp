#pragma once
// Parts of the energy that the box alone decides, whatever the positions.
#include "physics/pme/influence.hpp"
#include "uplift/backend/backend.hpp"
#include "uplift/backend/dispersion.hpp"

namespace uplift {

class BoxEnergies {
 public:
  BoxEnergies(const System& system, const PmeParameters& pme) : pme_(pme) {
    for (double q : system.force_field.charges) {
      net_charge_ += q;
      squared_charge_ += q * q;
    }
    if (system.forces.nonbonded != NonbondedMethod::no_cutoff && system.forces.dispersion_correction)
      dispersion_ = dispersion_correction_times_volume(system);
  }

  Energies of(ForceGroups groups, const Box& box) const {
    Energies e;
    const auto along_the_diagonal = [&](double w) {
      for (std::size_t k : {0u, 4u, 8u}) e.virial[k] += w;
    };
    if (has(groups, ForceGroup::nonbonded) && dispersion_.energy != 0) {
      e[EnergyTerm::dispersion_correction] = dispersion_.energy / box.volume();
      along_the_diagonal(dispersion_.virial / box.volume());
    }
    if (has(groups, ForceGroup::pme_reciprocal) && pme_.order > 0) {
      const double background = physics::background_energy(net_charge_, pme_.alpha, box.volume());
      e[EnergyTerm::coulomb_reciprocal] = physics::self_energy(squared_charge_, pme_.alpha) + background;
      along_the_diagonal(background);
    }
    return e;
  }

 private:
  PmeParameters pme_;  ///< order 0: none
  DispersionCorrection dispersion_;
  double net_charge_ = 0, squared_charge_ = 0;
};

}  // namespace uplift

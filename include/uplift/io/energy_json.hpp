#pragma once
// What `uplift energy` reports: the JSON of --json, and the same as attributes of --forces.
#include <optional>
#include <string>
#include <vector>

#include "uplift/backend/backend.hpp"
#include "uplift/model/energies.hpp"
#include "uplift/model/system.hpp"

namespace uplift {

struct EnergyReport {
  int atoms = 0;
  std::string precision;          ///< "mixed" or "double"
  std::string backend;            ///< "cpu"
  std::vector<EnergyTerm> terms;  ///< the terms that the system has; others are left out
  Energies energies;              ///< [kJ/mol]
  bool biased = false;            ///< there are boosts, and the forces are those of V + dV
  std::string stage;              ///< whose bias and forces these are; empty: those of the whole input
  std::optional<PmeParameters> pme;
};

/// The terms that a system has, in the order of the JSON. Lennard-Jones and direct Coulomb are always there.
std::vector<EnergyTerm> energy_terms(const System& system);

/// {"atoms", "precision", "backend", "stage" (where there is one), "units", "energies": {..., "potential", "boost_dihedral",
/// "boost_total"}, "pme": {"alpha" [1/nm], "grid", "order"}}. Numbers have as many digits as it takes to read back the same
/// double. A value that is not finite becomes null, as JSON has no other word.
std::string energy_json(const EnergyReport& report);
/// The same into a file, complete or not at all. Throws SimulationError when it cannot be written.
void write_energy_json(const std::string& path, const EnergyReport& report);
/// A table for the terminal.
std::string energy_table(const EnergyReport& report);

}  // namespace uplift

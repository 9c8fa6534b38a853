#pragma once
// Nonbonded pairs, naively: every pair, every image, std::erfc. Double precision, straight from the definitions.
#include <array>
#include <vector>

#include "uplift/model/system.hpp"

namespace uplift::oracle {

struct PairResult {
  double lj = 0, coulomb = 0;      ///< [kJ/mol]
  std::vector<Vec3d> force;        ///< [atoms] kJ/mol/nm
  std::array<double, 9> virial{};  ///< [kJ/mol] sum of r (x) f
};

/// Lennard-Jones and direct-space Coulomb by the settings of the system (cutoff, switching, Ewald with `alpha`, reaction field,
/// plain), excluded pairs left out; with Ewald their erf(alpha r)/r is taken off. No dispersion correction.
PairResult pairs(const System& system, const std::vector<Vec3d>& x, const Box& box, double alpha);

}  // namespace uplift::oracle

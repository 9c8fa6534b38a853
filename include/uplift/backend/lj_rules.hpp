#pragma once
#include <vector>

#include "uplift/model/force_field.hpp"

namespace uplift {

/// Lorentz and Berthelot's rules, as far as a table of pairs of types has them: sigma_ij = (sigma_i + sigma_j)/2 and
/// epsilon_ij = sqrt(epsilon_i epsilon_j).
struct LjRules {
  explicit LjRules(const ForceField& force_field);
  bool hold;                         ///< the diagonal gives all of the table, to 3e-7; not so with NBFIX or other rules
  std::vector<double> half_sigma;    ///< [types] sigma/2 [nm]; 0 for types without Lennard-Jones
  std::vector<double> root_epsilon;  ///< [types] sqrt(4 epsilon)
};

}  // namespace uplift

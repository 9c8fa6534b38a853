#pragma once
#include <cstddef>
#include <vector>

#include "uplift/core/vec3.hpp"

namespace uplift {

/// Where a minimisation stands besides its positions: all that an exact continuation needs.
struct DescentMemory {
  static constexpr int most_slots = 9;                ///< for pairs of vectors: one more than are in use at once
  static constexpr int vectors = 2 * most_slots + 1;  ///< and the force

  int steps = 0;             ///< evaluations of the forces so far
  double first_step = 0;     ///< [nm] largest displacement of the next step along the forces
  double energy = 0;         ///< [kJ/mol]
  double largest = 0;        ///< component of a force [kJ/mol/nm]
  double worst = 0;          ///< force on an atom, with what constraints take up [kJ/mol/nm]
  double squared = 0;        ///< sum of all squared forces [(kJ/mol/nm)^2]
  std::vector<Vec3d> force;  ///< [atoms] kJ/mol/nm, without what constraints take up
  /// Steps and the changes of the gradient over them, oldest first; `slots` are their places in Descent, each its own.
  std::vector<int> slots;
  std::vector<std::vector<float>> step, change;  ///< [slots][3 atoms] nm, kJ/mol/nm
  /// [vectors][vectors] of steps, changes and the force with each other: products of their units, as the vectors are numbered.
  std::vector<double> products;
};

}  // namespace uplift

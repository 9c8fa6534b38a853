#pragma once
// Where an atom lies along a direction that is cut into domains, for host and devices.
#include <cmath>

#include "uplift/core/macros.hpp"

namespace uplift {

/// RankShare::place of an atom whose domain has its middle at `middle` + `to`; all are fractions of the box.
UPLIFT_HD double open_place(double fraction, double middle, double to) {
  const double s = fraction - middle - to;
  return s - std::nearbyint(s) + to;
}

}  // namespace uplift

#pragma once
// Exact Ewald sums and a naive smooth particle-mesh Ewald, in double, straight from Essmann et al. 1995. Slow on purpose.
#include <array>
#include <vector>

#include "uplift/core/box.hpp"

namespace uplift::oracle {

struct EwaldResult {
  double energy = 0;               ///< [kJ/mol]
  std::vector<Vec3d> force;        ///< [atoms] kJ/mol/nm
  std::array<double, 9> virial{};  ///< [kJ/mol]
};

/// Screened pairs over all images out to where erfc(alpha r) is below 1e-16 or so.
EwaldResult ewald_direct(const std::vector<Vec3d>& x, const std::vector<double>& q, const Box& box, double alpha);
/// Reciprocal sum (every vector with exp(-pi^2 m^2/alpha^2) above 1e-17), self energy and neutralising background.
EwaldResult ewald_reciprocal(const std::vector<Vec3d>& x, const std::vector<double>& q, const Box& box, double alpha);

/// Reciprocal sum by B-spline interpolation on a mesh, self energy and background: every sum written out.
EwaldResult naive_pme(const std::vector<Vec3d>& x, const std::vector<double>& q, const Box& box, double alpha,
                      const std::array<int, 3>& grid, int order);

/// Cardinal B-spline M_order(u) from truncated powers, Essmann 1995 eq. 4.1 in closed form.
double cardinal_bspline(int order, double u);

}  // namespace uplift::oracle

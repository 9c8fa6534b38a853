#pragma once
// Generalized Born written from the papers, over all pairs in double. Slow and plain on purpose.
#include <functional>
#include <vector>

#include "uplift/core/vec3.hpp"
#include "uplift/model/gb_parameters.hpp"

namespace uplift::oracle {

/// What the energy depends on besides the positions. `parameters` are those of gb_parameters(), which has tests of its own.
struct GbSystem {
  GbParameters parameters;
  std::vector<double> charges;
  double inverse_in = 1, inverse_out = 1 / 78.5;
  bool ace = false;
};

/// (1/4 pi) times the integral of R^-4 over the ball of radius s > 0 at distance r, outside of radius rho, shell by shell:
/// Simpson's rule over the part of each shell's area that lies in the ball.
double born_integral_by_shells(double r, double rho, double s);
/// The same from Hawkins, Cramer and Truhlar's closed form, case by case; s may be negative.
double born_integral(double r, double rho, double s);
/// m0/(1 + x^2 + 0.3 x^6), x the distance from d0 in angstrom; r, d0, reach in nm.
double neck(double r, double reach, double d0, double m0);

std::vector<double> born_radii(const GbSystem& system, const std::vector<Vec3d>& x);
double gb_energy(const GbSystem& system, const std::vector<Vec3d>& x);

/// The force on one atom by a five-point difference of gb_energy(), step h [nm].
Vec3d gb_force(const GbSystem& system, std::vector<Vec3d> x, int atom, double h);
/// Slope of f at r by a five-point difference.
double slope(const std::function<double(double)>& f, double r, double h);

}  // namespace uplift::oracle

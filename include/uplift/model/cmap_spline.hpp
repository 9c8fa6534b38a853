#pragma once
#include <vector>

#include "uplift/model/force_field.hpp"

namespace uplift {

/// Bicubic coefficients of a CMAP grid, [resolution * resolution * 16] kJ/mol: cell (phi, psi) starts at
/// 16 (phi * resolution + psi), and within it the factor of t^p u^q is at 4 p + q, t and u running from 0 to 1 across the cell.
/// The surface is the periodic cubic spline through the grid along both angles (MacKerell, Feig and Brooks 2004).
/// Throws InputError when the grid does not hold resolution^2 finite energies or has fewer than 4 points a side.
std::vector<double> cmap_coefficients(const CmapGrid& grid);

}  // namespace uplift

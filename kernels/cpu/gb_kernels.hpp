#pragma once
// SIMD kernels of generalized Born. Every pair is visited once; the pairs of a system are cut into tiles of rows i and columns
// j:
//
//            j0 ------------------ j1        a row i runs over the columns j > i of its tile in registers of j atoms; sums for
//            i
//       i0   . x x x x x x x x x x x         stay in a register along the row, sums for j in an array along the tile, and both
//       are |    . . x x x x x x x x x x         added in fixed point to the thread's own totals when the row or the tile is
//       done. i1   . . . x x x x x x x x x
//
// Three passes, with work per atom between them: Born integrals; energies, forces at fixed radii and dE/dB; forces through the
// radii.
#include <cstdint>

#include "cpu/cpu_isa.hpp"
#include "uplift/core/macros.hpp"

namespace uplift::cpu {

inline constexpr int gb_pad = 16;  ///< arrays are padded to a multiple of this with atoms far away that do nothing
inline constexpr int gb_tile_columns = 512;
inline constexpr double gb_integral_scale = 1099511627776.0;  ///< fixed-point unit of Born integrals: 2^-40/nm

/// to += value. Sums of a run that has blown up (everything clamped) may wrap round, which must be nothing worse.
UPLIFT_HD void add_wrapping(std::int64_t& to, std::int64_t value) {
  to = static_cast<std::int64_t>(static_cast<std::uint64_t>(to) + static_cast<std::uint64_t>(value));
}

/// Per atom, [padded]; lengths in nm. All in double: the forces of generalized Born nearly cancel those of the Coulomb law, so
/// that the rounding of float, 1e-6 of them, came to 5e-6 of the total force of a minimised protein.
struct GbAtoms {
  const double *x, *y, *z;
  const double *rho, *inverse_rho, *s, *s2, *half_s3;  ///< s: scaled radius (physics/gb/born_integral.hpp)
  double near2;  ///< from this r^2 on the far forms of the Born integral hold for every pair
  // necks: [types^2] tables at own type * types + other's type, or transposed; heights times neck_scale
  bool neck;
  double neck_far2;  ///< no pair has a neck from this r^2 on
  double neck_cut;
  int radius_types;
  const std::int32_t* radius_type;
  const double *radius, *neck_distance, *neck_height, *neck_distance_transposed, *neck_height_transposed;
  // from the pass before
  const double* charge;                    ///< sqrt(K) q
  const double *born, *half_inverse_born;  ///< B, 1/(2 B)
  const double* integral_slope;            ///< dE/dI [kJ/mol nm]
  double inverse_in, inverse_out, kappa;
};

struct GbTile {
  int i0, i1;  ///< rows
  int j0, j1;  ///< columns, multiples of gb_pad
};

struct GbKernels {
  /// Born integrals, unit 2^-40/nm.
  void (*integrals)(const GbAtoms&, const GbTile&, std::int64_t* integral);
  /// Forces x, y, z at fixed radii and dE/dB, units 2^-32 kJ/mol/nm; energy, unit 2^-32 kJ/mol, unless null.
  void (*pairs)(const GbAtoms&, const GbTile&, std::int64_t* const sums[4], std::int64_t* energy);
  /// Forces x, y, z through the radii, unit 2^-32 kJ/mol/nm.
  void (*chain)(const GbAtoms&, const GbTile&, std::int64_t* const sums[3]);
};

}  // namespace uplift::cpu

UPLIFT_DECLARE_KERNELS(GbKernels, gb_kernels)

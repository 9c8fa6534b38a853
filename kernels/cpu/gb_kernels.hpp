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

namespace uplift::cpu {

inline constexpr int gb_pad = 16;  ///< arrays are padded to a multiple of this with atoms far away that do nothing
inline constexpr int gb_tile_columns = 512;
inline constexpr double gb_integral_scale = 1099511627776.0;  ///< fixed-point unit of Born integrals: 2^-40/nm

/// Coordinates of the pair loops: in double nm; in float 32-bit multiples of `step`, so that differences are exact before they
/// are rounded to float.
template <class real>
struct GbCoordinate;
template <>
struct GbCoordinate<float> {
  using type = std::int32_t;
};
template <>
struct GbCoordinate<double> {
  using type = double;
};

/// Per atom, [padded]; lengths in nm.
template <class real>
struct GbAtoms {
  const typename GbCoordinate<real>::type *x, *y, *z;
  real step;                                         ///< nm per unit of the coordinates
  const real *rho, *inverse_rho, *s, *s2, *half_s3;  ///< s: scaled radius (physics/gb/born_integral.hpp)
  real near2;  ///< from this r^2 on the far forms of the Born integral hold for every pair
  // necks: [types^2] tables at own type * types + other's type, or transposed
  bool neck;
  real neck_far2;  ///< no pair has a neck from this r^2 on
  real neck_cut;
  int radius_types;
  const std::int32_t* radius_type;
  const real *radius, *neck_distance, *neck_height, *neck_distance_transposed,
      *neck_height_transposed;  ///< heights times neck_scale
  // from the pass before
  const real* charge;                    ///< sqrt(K) q
  const real *born, *half_inverse_born;  ///< B, 1/(2 B)
  const real* integral_slope;            ///< dE/dI [kJ/mol nm]
  real inverse_in, inverse_out, kappa;
};

struct GbTile {
  int i0, i1;  ///< rows
  int j0, j1;  ///< columns, multiples of gb_pad
};

/// Born integrals and pairs are worked out in double in both precisions (src/backend/cpu/implicit_solvent_term.cpp says why).
struct GbKernels {
  /// Born integrals, unit 2^-40/nm.
  void (*integrals)(const GbAtoms<double>&, const GbTile&, std::int64_t* integral);
  /// Forces x, y, z at fixed radii and dE/dB, units 2^-32 kJ/mol/nm; energy, unit 2^-32 kJ/mol, unless null.
  void (*pairs)(const GbAtoms<double>&, const GbTile&, std::int64_t* const sums[4], std::int64_t* energy);
  /// Forces x, y, z through the radii, unit 2^-32 kJ/mol/nm.
  void (*chain_mixed)(const GbAtoms<float>&, const GbTile&, std::int64_t* const sums[3]);
  void (*chain_double)(const GbAtoms<double>&, const GbTile&, std::int64_t* const sums[3]);
};

}  // namespace uplift::cpu

UPLIFT_DECLARE_KERNELS(GbKernels, gb_kernels)

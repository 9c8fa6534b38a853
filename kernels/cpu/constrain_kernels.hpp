#pragma once
// SIMD loops that put molecules back onto their constraints, one lane a water or a star (an atom with all that is bound to it).
#include "cpu/cpu_isa.hpp"

namespace uplift::cpu {

inline constexpr int constraint_pad = 8;  ///< lists are padded to a multiple of this with copies of their last entry
inline constexpr int most_arms = 4;

/// Rigid waters as SoA; shapes as in physics/constrain/settle.hpp.
struct WaterList {
  const int *o, *h1, *h2;  ///< [padded] three times the atom number
  const double *mass_o, *mass_h, *ra, *rb, *rc;
  const double* oh;  ///< O-H distance [nm]
};

/// Stars of one number of arms. Atom 0 is the centre.
struct StarList {
  int arms;                                   ///< 1 to most_arms
  const int* atoms[most_arms + 1];            ///< [padded] three times the atom number
  const double* inverse_mass[most_arms + 1];  ///< [1/Da]
  const double* length2[most_arms];           ///< [nm^2]
};

/// Ranges begin at multiples of constraint_pad and end with the list, without its padding: a register of nothing but copies
/// would put their entry onto its constraints once more, and how many there are depends on the length of the list, hence on the
/// ranks. x, v, before: [3 * atoms]; `before` met the constraints. Position kernels also add the displacement times
/// `inverse_dt` to v. Those that can fail return the first entry that did, or -1.
struct ConstrainKernels {
  int (*settle_positions)(const WaterList& list, int first, int last, double inverse_dt, const double* before, double* x,
                          double* v);
  void (*settle_velocities)(const WaterList& list, int first, int last, const double* x, double* v);
  /// Until no length is off by more than `tolerance` (relative), and one step more.
  int (*shake_stars)(const StarList& list, int first, int last, double tolerance, double inverse_dt, const double* before,
                     double* x, double* v);
  int (*rattle_stars)(const StarList& list, int first, int last, const double* x, double* v);
};

}  // namespace uplift::cpu

UPLIFT_DECLARE_KERNELS(ConstrainKernels, constrain_kernels)

#pragma once
// What all kernels of nonbonded pairs share: coordinates whose differences are exact, and parameters. The force of one pair:
// pair_forces.cuh.
#include <cuda/sums.cuh>

#include "physics/bonded/nearest_image.hpp"
#include "physics/pair/coulomb.hpp"
#include "uplift/core/vec3.hpp"

namespace uplift::UPLIFT_DEVICE {

enum class CoulombForm { plain, reaction_field, ewald };

/// Coordinates of the pair loop: in mixed precision fractions of the box in units of 2^-32, whose differences are exact and
/// nearest images by overflow; in double fractions.
template <class real>
struct PairCoordinate {
  using type = double;
};
template <>
struct PairCoordinate<float> {
  using type = std::int32_t;
};
/// Of one atom, in one piece for the widest load.
template <class real>
struct alignas(4 * sizeof(real)) PairSite {
  typename PairCoordinate<real>::type x, y, z;
  real charge;  ///< times the root of the Coulomb constant
};

/// Where Lennard-Jones parameters of a pair come from: a table of pairs of types, or rules (LjRules) from those of its atoms,
/// or such rules but for pairs that are exceptions.
enum class LjKind { table, lorentz_berthelot, geometric, exceptions };
/// Of one atom.
struct TabledLj {
  int type;
};
template <class real>
struct alignas(2 * sizeof(real)) RuledLj {
  real first, second;  ///< as of LjRules
};
template <class real>
struct ExceptedLj {
  RuledLj<real> ruled;
  int type;
};
/// Of two types.
template <class real>
struct LennardJones {
  real c6, c12;
};

template <class real>
struct PairParameters {
  int types;
  const LennardJones<real>*lj, *exceptions;  ///< [types^2]; of exceptions c12 is below 0 where a pair follows the rules
  LjKind kind;
  bool switching;
  real a[6];  ///< box components ax bx cx by cy cz per unit of the coordinates
  real cutoff2, switch_on, switch_inverse_width;
  real rf_k, rf_c;
  physics::ErfTable<real> erf;  ///< in single precision with leading zeros up to `fixed_erf_terms`
  int erf_terms;                ///< of its force that are not zero
  physics::ErfcSeries<float> series;
};

struct BoxView {
  double bx, cx, cy;                          ///< [nm]
  double inverse_ax, inverse_by, inverse_cz;  ///< divisions in double cost some twenty instructions each
};

/// Coefficients of the Ewald sum's polynomials that tables in single precision have; those that kernels for common settings
/// use, which are the last (down to an erfc(alpha r) of 4e-6 at the cutoff), and for the usual ones (down to 1.5e-4).
inline constexpr int fixed_erf_terms = 20, common_erf_terms = 14, usual_erf_terms = 12;

struct PairsView {  ///< atoms and exclusions
  int atoms;
  const double* charge;        ///< [atoms] e
  const int* type;             ///< [atoms]
  const int* exclusion_start;  ///< [atoms + 1]
  const int* exclusions;       ///< of each atom, ascending, both directions
};

/// Without a cutoff, in double: every atom looks at every other one.
void launch_all_pairs(const PairsView& pairs, const PairParameters<double>& parameters, const Vec3d* x, const SumsView& sums,
                      Tally tally, cudaStream_t stream);

/// Takes back what the mesh has of excluded pairs: qq erf(alpha r)/r, at any distance. `pairs` [count][2], `charge` [atoms] e.
void launch_excluded(const int* pairs, int count, const Vec3d* x, const double* charge, const physics::ImageCell& cell,
                     double alpha, const SumsView& sums, Tally tally, cudaStream_t stream);

}  // namespace uplift::UPLIFT_DEVICE

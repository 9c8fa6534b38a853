#pragma once
// Lennard-Jones and direct-space Coulomb on the device. Every atom looks at every other one: right for any system, and the measure for the
// pair list that is to come; thousands of atoms are fast, hundreds of thousands are not.
#include <cuda/sums.cuh>

#include "physics/bonded/nearest_image.hpp"
#include "physics/pair/coulomb.hpp"

namespace uplift::UPLIFT_DEVICE {

enum class CoulombForm { plain, reaction_field, ewald };

/// Coordinates of the pair loop: in mixed precision fractions of the box in units of 2^-32, whose differences are exact and nearest images by
/// overflow; in double fractions, or positions where there is no box.
template <class real>
struct PairCoordinate {
  using type = double;
};
template <>
struct PairCoordinate<float> {
  using type = std::int32_t;
};
template <class real>
struct PairSite {
  typename PairCoordinate<real>::type x, y, z;
  real charge;   ///< times the root of the Coulomb constant
  int type;
};

template <class real>
struct PairParameters {
  int atoms, types;
  const real *c6, *c12;          ///< [types^2]
  const int* exclusion_start;    ///< [atoms + 1]
  const int* exclusions;         ///< of each atom, ascending
  bool periodic, switching;
  real a[6];                     ///< box components ax bx cx by cy cz per unit of the coordinates
  real cutoff2, switch_on, switch_inverse_width;
  real rf_k, rf_c;
  physics::ErfTable<real> erf;
};

struct BoxView {
  double ax, bx, cx, by, cy, cz;  ///< [nm]; zeros: no box
};

template <class real>
void launch_pair_sites(const Vec3d* x, const double* charge, const int* type, int atoms, const BoxView& box, PairSite<real>* sites, cudaStream_t stream);
template <class real>
void launch_pairs(CoulombForm form, const PairParameters<real>& parameters, const PairSite<real>* sites, const SumsView& sums, bool tally, cudaStream_t stream);

/// Takes back what the mesh has of excluded pairs: qq erf(alpha r)/r, at any distance. `pairs` [count][2], `charge` [atoms] e.
void launch_excluded(const int* pairs, int count, const Vec3d* x, const double* charge, const physics::ImageCell& cell, double alpha,
                     const SumsView& sums, bool tally, cudaStream_t stream);

struct RestraintsView {
  int count;
  const int* atoms;              ///< [count]
  const Vec3d* centre;           ///< [count] in the present box [nm]
  const Vec3d* arm;              ///< [count] reference less centre [nm]
  const double* k;               ///< [count] kJ/mol/nm^2
};
void launch_restraints(const RestraintsView& restraints, const Vec3d* x, const physics::ImageCell& cell, const SumsView& sums, bool tally,
                       cudaStream_t stream);

}  // namespace uplift::UPLIFT_DEVICE

#pragma once
// What acts on the state besides the moves of a step (moves.cuh): sums over all atoms, molecules with the box, virtual sites.
#include <cuda/halo.cuh>
#include <cuda/moves.cuh>

namespace uplift::UPLIFT_DEVICE {

/// Adds to sums[0] the kinetic energy, to sums[1 ... 3] the momentum of those atoms, in fixed point.
void launch_moments(const AtomsView& atoms, const AtomList& those, Fixed* sums, cudaStream_t stream);

/// Forces of levels, and what they add up to on an atom [kJ/mol/nm].
struct LevelsView {
  const Fixed* force[most_force_levels];  ///< nullptr: none
};
__device__ inline Vec3d force_of(const LevelsView& levels, const Shared* shared, int atom) {
  Vec3d force{0, 0, 0};
  for (int l = 0; l < most_force_levels; ++l) {
    if (!levels.force[l]) continue;
    const Fixed* f = levels.force[l] + 3 * static_cast<std::ptrdiff_t>(atom);
    force += shared->factors[l].all() * Vec3d{from_fixed(f[0]), from_fixed(f[1]), from_fixed(f[2])};
  }
  return force;
}

/// Raises `worst` to the largest force on those atoms that the levels add up to: bits of its magnitude [kJ/mol/nm] in single
/// precision, then the lowest such atom's number with every bit turned over.
void launch_worst_force(const AtomList& atoms, const LevelsView& levels, const Shared* shared, unsigned long long* worst,
                        cudaStream_t stream);

struct MoleculesView {
  int count;
  const int* molecule;  ///< [count]; null: the first `count`
  const int* start;     ///< [molecules + 1]
  const int* atoms;
};
/// Molecules move with their centres.
void launch_scale_box(const AtomsView& atoms, const MoleculesView& molecules, const ScaleBox& stage, cudaStream_t stream);

/// Molecules of which several ranks have atoms: sums over those here of mass times x, in units of 2^-24 Da nm, and of momentum,
/// in fixed point, added to `sums` [molecules][6]; and, when these are those of all ranks, the moves.
struct SpreadView {
  const int* of_atom;  ///< [atoms] number of the molecule among such, or -1
  const double* mass;  ///< of each [Da]
  Fixed* sums;
};
void launch_spread_sums(const AtomsView& atoms, const AtomList& home, const SpreadView& spread, cudaStream_t stream);
void launch_scale_spread(const AtomsView& atoms, const AtomList& home, const SpreadView& spread, const ScaleBox& stage,
                         cudaStream_t stream);

struct SitesView {
  int count;
  const int* atoms;          ///< [count][4] site and parents
  const double* parameters;  ///< [count][3] a, b, c
};
void launch_place_sites(const AtomsView& atoms, const SitesView& sites, cudaStream_t stream);
/// Forces on sites go to their parents; with `virial`, the virial becomes that of the parents' forces.
void launch_spread_sites(const AtomsView& atoms, const SitesView& sites, const SumsView& sums, bool virial,
                         cudaStream_t stream);

}  // namespace uplift::UPLIFT_DEVICE

#pragma once
// What molecules add to the pressure: sums over their atoms.
#include <cuda/integrate.cuh>

namespace uplift::UPLIFT_DEVICE {

/// The molecules of a system by size: one thread has a small one, one block a large one.
struct MoleculesBySize {
  MoleculesView small, large;
};
inline constexpr int most_atoms_of_a_thread = 32;

/// Adds to sums[0 ... 2], for each direction k, the sum over molecules of M V_k^2 less the sum over atoms of (x - X_molecule)_k
/// f_k, in fixed point, each molecule's part rounded once. `levels`: forces, which add up to those that act. Of one molecule
/// the order of its sums is given by its atoms, so that they have the same bits whatever thread comes when.
void launch_molecular_sums(const AtomsView& atoms, const MoleculesBySize& molecules, const LevelsView& levels,
                           const Shared* shared, Fixed* sums, cudaStream_t stream);

}  // namespace uplift::UPLIFT_DEVICE

#pragma once
// Vectors of a minimisation (uplift/backend/descent.hpp) in device memory.
#include <cuda/integrate.cuh>

#include "uplift/backend/descent.hpp"

namespace uplift::UPLIFT_DEVICE {

/// Vectors of atoms; steps and changes are [slots][3 atoms] numbers.
struct DescentView {
  Vec3d *best, *force, *direction;  ///< of the best: positions [nm], forces [kJ/mol/nm]
  Vec3d* next_force;                ///< of the attempt
  float *step, *change;             ///< [nm], [kJ/mol/nm]
};
/// Largest of all atoms, as bits: those of numbers that are not negative have their order.
struct DescentMaxima {
  unsigned long long worst;         ///< force on an atom as it came, squared [(kJ/mol/nm)^2]
  unsigned long long acceleration;  ///< squared [(nm/ps^2)^2]
  unsigned long long force;         ///< component [kJ/mol/nm]
  unsigned long long direction;     ///< squared [nm^2]
};

/// x = the best, v = factor times the direction.
void launch_set_out(const AtomsView& atoms, const DescentView& d, double factor, cudaStream_t stream);

/// v = f/m, by what brings the largest to 1 nm/ps, the ordinary size that tolerances of constraints are made for.
void launch_accelerate(const AtomsView& atoms, const LevelsView& levels, const Shared* shared, DescentMaxima* maxima,
                       cudaStream_t stream);
/// What constraints have left of that is the force: it, the step and the change of the gradient are noted.
void launch_note_attempt(const AtomsView& atoms, const DescentView& d, int slot, DescentMaxima* maxima, cudaStream_t stream);

/// Slots whose products are wanted; the attempt's own is the last.
struct DescentSlots {
  int count;
  int slot[Descent::slots];
};
/// Products of the attempt's step, change and force with the vectors of slots, and at last with the force: [3][2 count + 1].
/// Sums have one order. `parts`: room for [descent_parts][3][2 count + 1].
inline constexpr int descent_parts = 64;
inline constexpr int most_descent_products = 3 * Descent::vectors;
void launch_products(int atoms, const DescentView& d, const DescentSlots& slots, double* parts, double* products,
                     cudaStream_t stream);

/// The direction by its weights, and how far it goes at most.
void launch_aim(int atoms, const DescentView& d, const Descent::Row& weights, DescentMaxima* maxima, cudaStream_t stream);

}  // namespace uplift::UPLIFT_DEVICE

#pragma once
// Bonded interactions on the device: one thread an interaction, all kinds in one kernel, forces added in fixed point.
#include <cuda/sums.cuh>

#include "physics/bonded/nearest_image.hpp"
#include "uplift/model/bonded_rows.hpp"

namespace uplift::UPLIFT_DEVICE {

/// One list of BondedRows in device memory.
struct BondedView {
  BondedKind kind;
  int count, atoms_per_row, parameters_per_row, order;
  const int* atoms;          ///< [count][atoms_per_row]
  const double* parameters;  ///< [count][parameters_per_row]
  const int* table_start;    ///< [count]
  const double* table;       ///< cmap_table
  int first, second;         ///< energy terms
};

inline constexpr int most_bonded_lists = 16;
struct BondedLists {
  int count;
  BondedView list[most_bonded_lists];
};

/// Queues the forces of all lists; with `tally`, energies and virial too. `x` [atoms] nm in device memory.
void launch_bonded(const BondedLists& lists, const Vec3d* x, const physics::ImageCell& cell, const SumsView& sums, Tally tally,
                   bool mixed, cudaStream_t stream);

}  // namespace uplift::UPLIFT_DEVICE

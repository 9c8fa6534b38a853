#pragma once
// The mesh part of PME on the device: charges into an integer mesh (sums without order), a real one, its transform, the
// influence function, back, and forces from the potential. Smooth particle-mesh Ewald as in kernels/physics/pme.
#include <cuda/pairs.cuh>

#include "physics/pme/influence.hpp"

namespace uplift::UPLIFT_DEVICE {

/// The points of a mesh that an array holds: along each direction from `start` on `length`, round the end of the cell if need
/// be.
struct MeshWindow {
  int start[3], length[3];
};

struct MeshView {
  int n[3];
  MeshWindow window;  ///< of the arrays that are spread into and gathered from: [length][length][length]
  double row[3][3];   ///< d(fraction of the box)/d(position) [1/nm]
  double scale;       ///< of the integer mesh: a power of two
};
/// Half the atomics' bytes where single precision is enough.
template <class T>
using MeshInteger = std::conditional_t<sizeof(T) == 4, std::int32_t, Fixed>;

/// Atoms in any order: every sum over them is one of integers. Charges that follow each other are spread together, and best lie
/// close together.
struct ChargesView {
  int count;
  const int* atom;       ///< [count]
  const double* charge;  ///< [atoms] e, of all atoms
};

/// `order` 4, 5 or 6; T: float in mixed precision. Charges whose points are not all in the window are left out.
template <class T>
void launch_spread(int order, const ChargesView& charges, const Vec3d* x, const MeshView& mesh, MeshInteger<T>* grid,
                   cudaStream_t stream);
/// Integers to numbers, and the integers back to zero.
template <class T>
void launch_to_real(MeshInteger<T>* grid, T* real, int points, double scale, cudaStream_t stream);
/// Rows along x and z of the transformed mesh: those from y = first on.
struct MeshRows {
  int first, count;
};
/// [nx][rows][nz/2 + 1] values of the influence function.
template <class T>
void launch_influence(const physics::MeshWaves& waves, const MeshRows& rows, T* table, cudaStream_t stream);
/// Multiplies by the influence function; with `tally`, energy and virial.
template <class T, class Complex>
void launch_convolve(const physics::MeshWaves& waves, const MeshRows& rows, const T* table, Complex* mesh, const SumsView& sums,
                     Tally tally, cudaStream_t stream);
template <class T>
void launch_gather(int order, const ChargesView& charges, const Vec3d* x, const MeshView& mesh, const T* potential,
                   const SumsView& sums, cudaStream_t stream);

}  // namespace uplift::UPLIFT_DEVICE

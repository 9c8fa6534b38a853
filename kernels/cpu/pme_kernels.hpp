#pragma once
// The SIMD kernels of smooth particle-mesh Ewald: charges onto an integer mesh, and forces from the mesh of potentials.
#include <cstddef>
#include <cstdint>

#include "cpu/cpu_isa.hpp"

namespace uplift::cpu {

/// One charge in mesh coordinates: its mesh point, and how far it lies beyond it in [0, 1) mesh spacings.
template <class T>
struct PmeAtom {
  int x, y, z;
  int atom;
  T wx, wy, wz;
  T charge;  ///< [e]
};

/// A mesh [nx][ny][nz] with room after each row of z, so that splines do not wrap inside a row.
struct PmeMesh {
  int nx, ny, nz;
  std::size_t row;    ///< elements from one y to the next; at least nz + pme_row_padding
  std::size_t plane;  ///< elements from one x to the next
};
inline constexpr int pme_row_padding = 8;

/// Maps derivatives along the three mesh directions to Cartesian forces: f = -q (d.x row0 + d.y row1 + d.z row2). [1/nm]
struct PmeGradientMap {
  double row[3][3];
};

template <class T, class Integer>
struct PmeKernelSet {
  /// Adds round(scale * charge * weights) of atoms [0, count) to the mesh; the rows' padding holds what belongs to z - nz.
  void (*spread)(const PmeAtom<T>* atoms, int count, T scale, const PmeMesh& mesh, Integer* values);
  /// Adds to force [3 * atoms] in fixed point.
  void (*gather)(const PmeAtom<T>* atoms, int count, const PmeMesh& mesh, const T* potential, const PmeGradientMap& map,
                 std::int64_t* force);
};

struct PmeKernels {
  PmeKernelSet<float, std::int32_t> mixed[3];  ///< orders 4, 5, 6
  PmeKernelSet<double, std::int64_t> wide[3];
};

}  // namespace uplift::cpu

UPLIFT_DECLARE_KERNELS(PmeKernels, pme_kernels)

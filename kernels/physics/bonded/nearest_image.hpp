#pragma once
#include "physics/math.hpp"

namespace uplift::physics {

/// A reduced triclinic cell (uplift/core/box.hpp) with its inverse diagonal; all zeros stands for no box at all.
struct ImageCell {
  double ax = 0, bx = 0, by = 0, cx = 0, cy = 0, cz = 0;  ///< [nm]
  double inverse_ax = 0, inverse_by = 0, inverse_cz = 0;  ///< [1/nm]
};

/// The image of a displacement whose fractions lie in [-1/2, 1/2], as Box::image. A displacement already there keeps its bits.
template <class T>
UPLIFT_HD Vec3<T> nearest_image(const ImageCell& cell, const Vec3<T>& d) {
  const T sz = d.z * T(cell.inverse_cz);
  const T sy = (d.y - sz * T(cell.cy)) * T(cell.inverse_by);
  const T sx = (d.x - sy * T(cell.bx) - sz * T(cell.cx)) * T(cell.inverse_ax);
  const T nx = round(sx), ny = round(sy), nz = round(sz);
  return {d.x - nx * T(cell.ax) - ny * T(cell.bx) - nz * T(cell.cx), d.y - ny * T(cell.by) - nz * T(cell.cy),
          d.z - nz * T(cell.cz)};
}

}  // namespace uplift::physics

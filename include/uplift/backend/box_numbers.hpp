#pragma once
// A box as kernels take it.
#include <array>

#include "physics/bonded/nearest_image.hpp"
#include "uplift/core/box.hpp"

namespace uplift {

/// The six numbers of a box that may differ from zero [nm], in the order of PairParameters::a.
inline std::array<double, 6> numbers_of(const Box& b) { return {b.a.x, b.b.x, b.c.x, b.b.y, b.c.y, b.c.z}; }

inline physics::ImageCell image_cell(const Box& box) {
  if (!box.periodic()) return {};
  return {box.a.x, box.b.x, box.b.y, box.c.x, box.c.y, box.c.z, 1 / box.a.x, 1 / box.b.y, 1 / box.c.z};
}

}  // namespace uplift

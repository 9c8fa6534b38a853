#include "uplift/core/box.hpp"

#include <algorithm>
#include <cmath>

#include "uplift/core/error.hpp"

namespace uplift {
namespace {

// Values that are zero but for rounding of cos(90 degrees) are zero: an orthorhombic box must be recognised as one.
double flush(double value, double scale) { return std::abs(value) < 1e-9 * scale ? 0.0 : value; }

}  // namespace

Vec3d shortest_image(const Box& box, const Vec3d& d) {
  if (!box.periodic()) return d;
  const Vec3d start = box.image(d);
  Vec3d best = start;
  for (int i = -1; i <= 1; ++i)
    for (int j = -1; j <= 1; ++j)
      for (int k = -1; k <= 1; ++k) {
        const Vec3d trial =
            start + static_cast<double>(i) * box.a + static_cast<double>(j) * box.b + static_cast<double>(k) * box.c;
        if (dot(trial, trial) < dot(best, best) * (1 - 1e-12)) best = trial;
      }
  return best;
}

std::optional<Vec3d> scaling(const Box& from, const Box& to) {
  if (from == to) return Vec3d{1, 1, 1};
  if (!from.periodic() || !to.periodic()) return std::nullopt;
  const Vec3d by{to.a.x / from.a.x, to.b.y / from.b.y, to.c.z / from.c.z};
  const auto same = [&](double is, double should_be) { return std::abs(is - should_be) <= 1e-9 * to.a.x; };
  if (!same(to.b.x, by.x * from.b.x) || !same(to.c.x, by.x * from.c.x) || !same(to.c.y, by.y * from.c.y)) return std::nullopt;
  return by;
}

Box reduce_box(Box box) {
  const double scale = box.a.x;
  auto shift = [](Vec3d& v, const Vec3d& by, double n) { v -= n * by; };
  shift(box.c, box.b, std::round(box.c.y / box.b.y));
  shift(box.c, box.a, std::round(box.c.x / box.a.x));
  shift(box.b, box.a, std::round(box.b.x / box.a.x));
  box.a.y = box.a.z = box.b.z = 0;
  box.b.x = flush(box.b.x, scale);
  box.c.x = flush(box.c.x, scale);
  box.c.y = flush(box.c.y, scale);
  return box;
}

Box unreduced_box(const Vec3d& lengths, const Vec3d& angles) {
  const double ca = std::cos(angles.x), cb = std::cos(angles.y), cg = std::cos(angles.z), sg = std::sin(angles.z);
  const double cy = (ca - cb * cg) / sg;
  const double cz2 = 1 - cb * cb - cy * cy;
  if (!(lengths.x > 0 && lengths.y > 0 && lengths.z > 0 && sg > 1e-6 && cz2 > 1e-12))
    throw InputError(
        "the box spans no volume (an edge is not positive, or the three angles do not fit together); check its lengths and "
        "angles");
  Box box;
  box.a = {lengths.x, 0, 0};
  box.b = {flush(lengths.y * cg, lengths.x), lengths.y * sg, 0};
  box.c = {flush(lengths.z * cb, lengths.x), flush(lengths.z * cy, lengths.x), lengths.z * std::sqrt(cz2)};
  return box;
}

Box make_box(const Vec3d& lengths, const Vec3d& angles) { return reduce_box(unreduced_box(lengths, angles)); }

void box_parameters(const Box& box, Vec3d& lengths, Vec3d& angles) {
  const auto norm = [](const Vec3d& v) { return std::sqrt(dot(v, v)); };
  const auto angle = [&](const Vec3d& u, const Vec3d& v) {
    return std::acos(std::clamp(dot(u, v) / (norm(u) * norm(v)), -1.0, 1.0));
  };
  lengths = {norm(box.a), norm(box.b), norm(box.c)};
  angles = {angle(box.b, box.c), angle(box.a, box.c), angle(box.a, box.b)};
}

}  // namespace uplift

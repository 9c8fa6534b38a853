#pragma once
#include <cmath>
#include <optional>

#include "uplift/core/vec3.hpp"

namespace uplift {

/// A periodic cell in reduced form: a = (ax,0,0), b = (bx,by,0), c = (cx,cy,cz) [nm], |bx| <= ax/2, |cx| <= ax/2, |cy| <= by/2.
/// A default-made box is not periodic.
struct Box {
  Vec3d a{0, 0, 0}, b{0, 0, 0}, c{0, 0, 0};
  bool operator==(const Box&) const = default;

  bool periodic() const { return a.x > 0; }
  bool orthorhombic() const { return b.x == 0 && c.x == 0 && c.y == 0; }
  double volume() const { return a.x * b.y * c.z; }  ///< [nm^3]
  /// Distance between opposite faces across a, b and c [nm]; the largest cutoff is half the smallest of them.
  Vec3d widths() const {
    const double v = volume();
    const Vec3d bc = cross(b, c), ca = cross(c, a), ab = cross(a, b);
    return {v / std::sqrt(dot(bc, bc)), v / std::sqrt(dot(ca, ca)), v / std::sqrt(dot(ab, ab))};
  }
  /// Fractional coordinates of a position.
  Vec3d fraction(const Vec3d& r) const {
    const double sz = r.z / c.z;
    const double sy = (r.y - sz * c.y) / b.y;
    return {(r.x - sy * b.x - sz * c.x) / a.x, sy, sz};
  }
  Vec3d position(const Vec3d& s) const { return {s.x * a.x + s.y * b.x + s.z * c.x, s.y * b.y + s.z * c.y, s.z * c.z}; }
  /// The image of a displacement whose fractions lie in [-1/2, 1/2]: the nearest one whenever its length is below half the
  /// smallest width.
  Vec3d image(const Vec3d& d) const {
    if (!periodic()) return d;
    Vec3d s = fraction(d);
    s = {s.x - std::nearbyint(s.x), s.y - std::nearbyint(s.y), s.z - std::nearbyint(s.z)};
    return position(s);
  }
};

/// The shortest image of a displacement of any length; Box::image is that only within half of the smallest width.
Vec3d shortest_image(const Box& box, const Vec3d& d);

/// Factors along x, y and z that make `to` of `from`, as a barostat scales it; none where it takes more than that.
std::optional<Vec3d> scaling(const Box& from, const Box& to);

/// Box from edge lengths [nm] and angles [rad] (alpha between b and c, beta between a and c, gamma between a and b), reduced.
/// Throws InputError when they span no volume.
Box make_box(const Vec3d& lengths, const Vec3d& angles);
/// The same, not reduced: for files that shall keep the cell they have. Images are not the nearest ones then.
Box unreduced_box(const Vec3d& lengths, const Vec3d& angles);
/// Reduces any right-handed triple of vectors with a along x and b in the xy plane.
Box reduce_box(Box box);
/// Edge lengths [nm] and angles [rad] of a box: the inverse of make_box.
void box_parameters(const Box& box, Vec3d& lengths, Vec3d& angles);

}  // namespace uplift

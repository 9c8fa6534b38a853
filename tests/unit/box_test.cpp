#include "uplift/core/box.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/random.hpp"

namespace uplift {
namespace {

constexpr double degree = constants::pi / 180;

Vec3d random_point(int i, double scale) {
  return {scale * (uniform(1, NoisePurpose::barostat, i, 0) - 0.5), scale * (uniform(1, NoisePurpose::barostat, i, 1) - 0.5),
          scale * (uniform(1, NoisePurpose::barostat, i, 2) - 0.5)};
}

TEST(Box, OrthorhombicIsExact) {
  const Box box = make_box({3, 4, 5}, {90 * degree, 90 * degree, 90 * degree});
  EXPECT_TRUE(box.periodic());
  EXPECT_TRUE(box.orthorhombic());
  EXPECT_DOUBLE_EQ(box.volume(), 60);
  const Vec3d w = box.widths();
  EXPECT_DOUBLE_EQ(w.x, 3);
  EXPECT_DOUBLE_EQ(w.y, 4);
  EXPECT_DOUBLE_EQ(w.z, 5);
  EXPECT_FALSE(Box{}.periodic());
}

TEST(Box, ScalingIsWhatABarostatDoes) {
  const Box box{{4, 0, 0}, {1, 3.5, 0}, {-0.5, 0.7, 3}}, scaled{{4.4, 0, 0}, {1.1, 3.15, 0}, {-0.55, 0.63, 3.75}};
  const auto by = scaling(box, scaled);
  ASSERT_TRUE(by.has_value());
  EXPECT_DOUBLE_EQ(by->x, 1.1);
  EXPECT_DOUBLE_EQ(by->y, 0.9);
  EXPECT_DOUBLE_EQ(by->z, 1.25);
  EXPECT_EQ(scaling(box, box)->x, 1);
  EXPECT_EQ(scaling(Box{}, Box{})->z, 1);
  Box other = scaled;
  other.c.y += 1e-3;  // another angle
  EXPECT_FALSE(scaling(box, other).has_value());
  EXPECT_FALSE(scaling(Box{}, box).has_value());
}

TEST(Box, TruncatedOctahedron) {
  const double angle = std::acos(-1.0 / 3);
  const Box box = make_box({6, 6, 6}, {angle, angle, angle});
  EXPECT_FALSE(box.orthorhombic());
  EXPECT_NEAR(box.volume(), 4 * std::sqrt(3.0) / 9 * 216, 1e-11);  // 4 sqrt(3)/9 of the cube of the edge
  EXPECT_LE(std::abs(box.b.x), box.a.x / 2 + 1e-12);
  EXPECT_LE(std::abs(box.c.x), box.a.x / 2 + 1e-12);
  EXPECT_LE(std::abs(box.c.y), box.b.y / 2 + 1e-12);
  EXPECT_NEAR(box.widths().x, 6 * std::sqrt(2.0 / 3), 1e-12);
  // The nearest image by trying all of them, for displacements within half the smallest width.
  int compared = 0;
  for (int i = 0; i < 2000; ++i) {
    const Vec3d d = random_point(i, 30), image = box.image(d);
    double least = 1e30;
    for (int a = -6; a <= 6; ++a)
      for (int b = -6; b <= 6; ++b)
        for (int c = -6; c <= 6; ++c) {
          const Vec3d r = d + static_cast<double>(a) * box.a + static_cast<double>(b) * box.b + static_cast<double>(c) * box.c;
          least = std::min(least, dot(r, r));
        }
    const Vec3d shortest = shortest_image(box, d);
    EXPECT_NEAR(std::sqrt(dot(shortest, shortest)), std::sqrt(least), 1e-12);  // of any length
    if (std::sqrt(least) >= box.widths().x / 2) continue;
    ++compared;
    EXPECT_NEAR(std::sqrt(dot(image, image)), std::sqrt(least), 1e-12);
  }
  EXPECT_GT(compared, 500);
}

TEST(Box, ParametersComeBack) {
  const Vec3d lengths{5, 4, 6}, angles{80 * degree, 75 * degree, 70 * degree};
  const Box box = make_box(lengths, angles);
  Vec3d l, a;
  box_parameters(box, l, a);
  EXPECT_NEAR(l.x, 5, 1e-12);
  EXPECT_NEAR(l.y, 4, 1e-12);
  EXPECT_NEAR(l.z, 6, 1e-12);
  EXPECT_NEAR(a.x, angles.x, 1e-12);
  EXPECT_NEAR(a.y, angles.y, 1e-12);
  EXPECT_NEAR(a.z, angles.z, 1e-12);
  const Vec3d r{1.1, -2.2, 7.3}, back = box.position(box.fraction(r));
  EXPECT_NEAR(back.x, r.x, 1e-14);
  EXPECT_NEAR(back.z, r.z, 1e-14);
}

TEST(Box, NoVolumeIsAnError) {
  EXPECT_THROW(make_box({0, 4, 6}, {90 * degree, 90 * degree, 90 * degree}), InputError);
  EXPECT_THROW(make_box({5, 4, 6}, {20 * degree, 20 * degree, 90 * degree}), InputError);
  EXPECT_THROW(make_box({5, 4, 6}, {90 * degree, 90 * degree, 0}), InputError);
}

}  // namespace
}  // namespace uplift

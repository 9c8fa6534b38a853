#include "support/dual.hpp"

#include <gtest/gtest.h>

namespace uplift::test {
namespace {

using D = Dual<2>;

// Every function against central differences: error h^2 f'''/6 + epsilon f/h, below 1e-9 for h = 1e-5 and values of order one.
template <class F>
void expect_gradient(F&& f, double a, double b) {
  const double h = 1e-5;
  const D d = f(D::variable(a, 0), D::variable(b, 1));
  EXPECT_NEAR(d.gradient[0], (f(D(a + h), D(b)).value - f(D(a - h), D(b)).value) / (2 * h), 2e-9);
  EXPECT_NEAR(d.gradient[1], (f(D(a), D(b + h)).value - f(D(a), D(b - h)).value) / (2 * h), 2e-9);
}

TEST(Dual, GradientsMatchDifferences) {
  for (double a : {0.3, 0.77, 0.9})
    for (double b : {-0.6, 0.2, 1.3}) {
      expect_gradient([](D x, D y) { return x * y - x / (y * y + D(1)) + (-y); }, a, b);
      expect_gradient([](D x, D y) { return madd(x, y, x) + nmadd(x, y, y * y) + msub(x, y, x * x); }, a, b);
      expect_gradient([](D x, D y) { return sqrt(x) * rsqrt(x + y * y) + abs(y) + round(y + D(0.11)); }, a, b);
      expect_gradient([](D x, D y) { return exp(x * y) + log(x) + cos(x + y) * sin(y); }, a, b);
      expect_gradient([](D x, D y) { return acos(x * D(0.5)) + atan2(y, x) + atan2(x, y) + erfc(x * y); }, a, b);
      expect_gradient([](D x, D y) { return min(x, y) * max(x, y * y) + select(x < y, x * x, y); }, a, b);
    }
}

TEST(Dual, ForceIsMinusTheGradient) {
  const auto p = dual_position<6>({1, 2, 3}, 1);
  const auto energy = p.x * p.x + Dual<6>(3) * p.z * p.y;
  const Vec3d f = dual_force(energy, 1);
  EXPECT_EQ(f.x, -2);
  EXPECT_EQ(f.y, -9);
  EXPECT_EQ(f.z, -6);
  EXPECT_EQ(dual_force(energy, 0).x, 0);
}

}  // namespace
}  // namespace uplift::test

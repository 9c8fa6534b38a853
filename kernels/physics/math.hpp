#pragma once
// The few functions that every formula may use on its T. Scalars are given here; SIMD packs and dual numbers bring their own
// overloads, found by argument-dependent look-up. select(mask, yes, no) stands in for `if`, so that formulas have no branches.
#include <cmath>

#include "uplift/core/macros.hpp"
#include "uplift/core/vec3.hpp"

namespace uplift::physics {

UPLIFT_HD float madd(float a, float b, float c) { return a * b + c; }
UPLIFT_HD double madd(double a, double b, double c) { return a * b + c; }
UPLIFT_HD float nmadd(float a, float b, float c) { return c - a * b; }
UPLIFT_HD double nmadd(double a, double b, double c) { return c - a * b; }
UPLIFT_HD float select(bool m, float yes, float no) { return m ? yes : no; }
UPLIFT_HD double select(bool m, double yes, double no) { return m ? yes : no; }
UPLIFT_HD float rsqrt(float a) { return 1.0f / std::sqrt(a); }
UPLIFT_HD double rsqrt(double a) { return 1.0 / std::sqrt(a); }
UPLIFT_HD float sqrt(float a) { return std::sqrt(a); }
UPLIFT_HD double sqrt(double a) { return std::sqrt(a); }
UPLIFT_HD float abs(float a) { return std::fabs(a); }
UPLIFT_HD double abs(double a) { return std::fabs(a); }
UPLIFT_HD float min(float a, float b) { return a < b ? a : b; }
UPLIFT_HD double min(double a, double b) { return a < b ? a : b; }
UPLIFT_HD float max(float a, float b) { return a > b ? a : b; }
UPLIFT_HD double max(double a, double b) { return a > b ? a : b; }
UPLIFT_HD float round(float a) { return std::nearbyint(a); }
UPLIFT_HD double round(double a) { return std::nearbyint(a); }

}  // namespace uplift::physics

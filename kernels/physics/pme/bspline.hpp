#pragma once
// Cardinal B-splines of smooth particle-mesh Ewald: Essmann et al., J. Chem. Phys. 103, 8577 (1995), eq. 4.1 and 4.2.
#include "physics/math.hpp"
#include "uplift/core/macros.hpp"

namespace uplift::physics {

/// Weights of one charge on `order` consecutive mesh points of one direction, and their derivatives with respect to the
/// charge's coordinate in units of the mesh spacing. Point j is M_order(w + order - 1 - j).
template <int order, class T>
struct BsplineWeights {
  T value[order];
  T derivative[order];
};

/// w: how far the charge lies beyond its mesh point, in [0, 1) mesh spacings.
template <int order, class T>
UPLIFT_HD BsplineWeights<order, T> bspline_weights(T w) {
  static_assert(order >= 3);
  BsplineWeights<order, T> b;
  const T one(1);
  b.value[0] = one - w;
  b.value[1] = w;
  // M_n(u) = (u M_{n-1}(u) + (n - u) M_{n-1}(u - 1)) / (n - 1), in place from the far end.
  UPLIFT_UNROLL
  for (int n = 3; n <= order; ++n) {
    if (n == order) {  // M_n'(u) = M_{n-1}(u) - M_{n-1}(u - 1)
      b.derivative[0] = -b.value[0];
      UPLIFT_UNROLL
      for (int j = 1; j < order - 1; ++j) b.derivative[j] = b.value[j - 1] - b.value[j];
      b.derivative[order - 1] = b.value[order - 2];
    }
    const T scale = T(1.0 / (n - 1));
    b.value[n - 1] = scale * w * b.value[n - 2];
    UPLIFT_UNROLL
    for (int j = n - 2; j > 0; --j) b.value[j] = scale * madd(w + T(n - 1 - j), b.value[j - 1], (T(1 + j) - w) * b.value[j]);
    b.value[0] = scale * (one - w) * b.value[0];
  }
  return b;
}

}  // namespace uplift::physics

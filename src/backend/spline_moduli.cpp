#include <cmath>

#include "physics/pme/bspline.hpp"
#include "uplift/backend/pme_setup.hpp"
#include "uplift/core/constants.hpp"

namespace uplift {
namespace {

template <int order>
void samples(double* at) {
  const auto b = physics::bspline_weights<order>(0.0);
  for (int j = 0; j < order; ++j) at[j] = b.value[j];
}

}  // namespace

std::vector<double> spline_moduli(int order, int n) {
  double spline[6] = {};
  order == 4 ? samples<4>(spline) : order == 5 ? samples<5>(spline) : samples<6>(spline);
  std::vector<double> moduli(static_cast<std::size_t>(n));
  for (int k = 0; k < n; ++k) {
    double re = 0, im = 0;
    for (int j = 0; j < order; ++j) {
      const double phase = 2 * constants::pi * static_cast<double>(static_cast<long long>(j) * k % n) / n;
      re += spline[j] * std::cos(phase);
      im += spline[j] * std::sin(phase);
    }
    moduli[static_cast<std::size_t>(k)] = re * re + im * im;
  }
  for (int k = 0; k < n; ++k)
    if (moduli[static_cast<std::size_t>(k)] < 1e-7)
      moduli[static_cast<std::size_t>(k)] =
          (moduli[static_cast<std::size_t>((k + n - 1) % n)] + moduli[static_cast<std::size_t>((k + 1) % n)]) / 2;
  return moduli;
}

}  // namespace uplift

#include "uplift/model/cmap_spline.hpp"

#include <array>
#include <cmath>
#include <string>

#include "uplift/core/error.hpp"

namespace uplift {
namespace {

// First derivatives, per grid step, of the periodic cubic spline through n values `stride` apart. The spline's equations
// m[i-1] + 4 m[i] + m[i+1] = 3 (y[i+1] - y[i-1]) are circulant; their inverse is (z^k + z^(n-k)) / (2 sqrt(3) (1 - z^n)) with
// z = sqrt(3) - 2.
void spline_slopes(const double* y, double* slope, int n, int stride) {
  const double z = std::sqrt(3.0) - 2;
  const double scale = 1 / (2 * std::sqrt(3.0) * (1 - std::pow(z, n)));
  std::vector<double> inverse(static_cast<std::size_t>(n));
  for (int k = 0; k < n; ++k) inverse[static_cast<std::size_t>(k)] = scale * (std::pow(z, k) + std::pow(z, n - k));
  for (int i = 0; i < n; ++i) {
    double m = 0;
    for (int j = 0; j < n; ++j) {
      const double right = 3 * (y[((j + 1) % n) * stride] - y[((j + n - 1) % n) * stride]);
      m += inverse[static_cast<std::size_t>((i - j + n) % n)] * right;
    }
    slope[i * stride] = m;
  }
}

// Cubic through f(0), f(1) with slopes f'(0), f'(1), by powers.
std::array<double, 4> hermite(double f0, double f1, double d0, double d1) {
  return {f0, d0, 3 * (f1 - f0) - 2 * d0 - d1, 2 * (f0 - f1) + d0 + d1};
}

}  // namespace

std::vector<double> cmap_coefficients(const CmapGrid& grid) {
  const int n = grid.resolution;
  const std::size_t points = n > 0 ? static_cast<std::size_t>(n) * static_cast<std::size_t>(n) : 0;
  if (n < 4 || grid.energy.size() != points)
    throw InputError(
        "a CMAP grid of resolution " + std::to_string(n) + " holds " + std::to_string(grid.energy.size()) +
        " energies (it needs resolution^2 of them and a resolution of at least 4); check the topology's CMAP section");
  for (double e : grid.energy)
    if (!std::isfinite(e))
      throw InputError("a CMAP grid holds an energy that is not a finite number; check the topology's CMAP section");

  const double* f = grid.energy.data();
  std::vector<double> by_phi(points), by_psi(points), by_both(points);
  for (int i = 0; i < n; ++i) spline_slopes(f + i, by_phi.data() + i, n, n);
  for (int i = 0; i < n; ++i) spline_slopes(f + i * n, by_psi.data() + i * n, n, 1);
  for (int i = 0; i < n; ++i) spline_slopes(by_phi.data() + i * n, by_both.data() + i * n, n, 1);

  std::vector<double> coefficients(16 * points);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      const auto at = [n](int p, int q) { return static_cast<std::size_t>((p % n) * n + q % n); };
      const std::size_t c00 = at(i, j), c01 = at(i, j + 1), c10 = at(i + 1, j), c11 = at(i + 1, j + 1);
      // Along psi first: energy and phi slope on the two edges of the cell as cubics in u; then along phi, power by power.
      const auto edge0 = hermite(f[c00], f[c01], by_psi[c00], by_psi[c01]),
                 edge1 = hermite(f[c10], f[c11], by_psi[c10], by_psi[c11]);
      const auto slope0 = hermite(by_phi[c00], by_phi[c01], by_both[c00], by_both[c01]);
      const auto slope1 = hermite(by_phi[c10], by_phi[c11], by_both[c10], by_both[c11]);
      for (std::size_t q = 0; q < 4; ++q) {
        const auto column = hermite(edge0[q], edge1[q], slope0[q], slope1[q]);
        for (std::size_t p = 0; p < 4; ++p) coefficients[16 * c00 + 4 * p + q] = column[p];
      }
    }
  return coefficients;
}

}  // namespace uplift

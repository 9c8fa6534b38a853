#include "uplift/backend/lj_rules.hpp"

#include <algorithm>
#include <cmath>

namespace uplift {

LjRules::LjRules(const ForceField& ff) {
  const auto n = static_cast<std::size_t>(ff.lj_types);
  half_sigma.assign(n, 0.0);
  root_epsilon.assign(n, 0.0);
  for (std::size_t t = 0; t < n; ++t) {
    const double c6 = ff.lj_c6[t * n + t], c12 = ff.lj_c12[t * n + t];
    if (!(c6 > 0 && c12 > 0)) continue;
    half_sigma[t] = 0.5 * std::pow(c12 / c6, 1.0 / 6);
    root_epsilon[t] = c6 / std::sqrt(c12);
  }
  const auto same = [](double a, double b) { return std::abs(a - b) <= 3e-7 * std::max(std::abs(a), std::abs(b)); };
  hold = true;
  for (std::size_t i = 0; i < n && hold; ++i)
    for (std::size_t j = 0; j < n && hold; ++j) {
      const double sigma = half_sigma[i] + half_sigma[j], e = root_epsilon[i] * root_epsilon[j], s6 = std::pow(sigma, 6);
      hold = same(e * s6, ff.lj_c6[i * n + j]) && same(e * s6 * s6, ff.lj_c12[i * n + j]);
    }
}

}  // namespace uplift

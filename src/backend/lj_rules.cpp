#include "uplift/backend/lj_rules.hpp"

#include <algorithm>
#include <cmath>

namespace uplift {
namespace {

// Pairs of atoms that may be exceptions of a rule: above that, a table for all is as good.
constexpr double few = 0.25;

bool same(double a, double b) { return std::abs(a - b) <= 3e-7 * std::max(std::abs(a), std::abs(b)); }

}  // namespace

LjRules::LjRules(const ForceField& ff) {
  const auto n = static_cast<std::size_t>(ff.lj_types);
  std::vector<double> half_sigma(n, 0.0), root_epsilon(n, 0.0), root_c6(n, 0.0), root_c12(n, 0.0), atoms(n, 0.0);
  for (std::size_t t = 0; t < n; ++t) {
    const double c6 = ff.lj_c6[t * n + t], c12 = ff.lj_c12[t * n + t];
    root_c6[t] = std::sqrt(std::max(c6, 0.0));
    root_c12[t] = std::sqrt(std::max(c12, 0.0));
    if (!(c6 > 0 && c12 > 0)) continue;
    half_sigma[t] = 0.5 * std::pow(c12 / c6, 1.0 / 6);
    root_epsilon[t] = c6 / std::sqrt(c12);
  }
  for (int type : ff.lj_type) ++atoms[static_cast<std::size_t>(type)];

  std::vector<char> odd(n * n, 0);
  bool geometric = true;
  double pairs = 0, odd_pairs = 0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      const double c6 = ff.lj_c6[i * n + j], c12 = ff.lj_c12[i * n + j];
      const double s6 = std::pow(half_sigma[i] + half_sigma[j], 6), e6 = root_epsilon[i] * root_epsilon[j] * s6;
      odd[i * n + j] = !same(e6, c6) || !same(e6 * s6, c12);
      geometric = geometric && same(root_c6[i] * root_c6[j], c6) && same(root_c12[i] * root_c12[j], c12);
      pairs += atoms[i] * atoms[j];
      if (odd[i * n + j]) odd_pairs += atoms[i] * atoms[j];
    }
  const bool any = std::find(odd.begin(), odd.end(), 1) != odd.end();
  if (any && geometric) {
    rule = LjRule::geometric;
    first = root_c6;
    second = root_c12;
  } else if (odd_pairs <= few * pairs) {
    rule = LjRule::lorentz_berthelot;
    first = half_sigma;
    second = root_epsilon;
    if (any) exception = odd;
  }
}

ExceptionMarks::ExceptionMarks(const std::vector<char>& exception) {
  const auto types = static_cast<std::size_t>(std::llround(std::sqrt(static_cast<double>(exception.size()))));
  own.assign(types, 0);
  partners.assign(types, 0);
  int bit = 0;
  for (std::size_t i = 0; i < types; ++i)
    if (std::find(&exception[i * types], &exception[i * types] + types, 1) != &exception[i * types] + types)
      own[i] = std::uint64_t{1} << bit++ % 64;
  for (std::size_t k = 0; k < exception.size(); ++k)
    if (exception[k]) partners[k / types] |= own[k % types];
}

}  // namespace uplift

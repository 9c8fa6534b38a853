#include "uplift/sampling/mbar.hpp"

#include <algorithm>
#include <cmath>

#include "uplift/sampling/series.hpp"

namespace uplift {
namespace {

constexpr int most_iterations = 20000;
constexpr double tolerance = 1e-9;  // kT

}  // namespace

MbarResult solve_mbar(const std::vector<std::vector<double>>& u, const std::vector<double>& counts,
                      const std::vector<double>& start) {
  const std::size_t states = u.size(), frames = states > 0 ? u[0].size() : 0;
  MbarResult r;
  r.free_energies = start.size() == states ? start : std::vector<double>(states, 0.0);
  r.log_mixture.assign(frames, 0.0);
  std::vector<double> terms(states), shifted(frames), next(states);
  const auto mix = [&] {
    for (std::size_t n = 0; n < frames; ++n) {
      terms.clear();
      for (std::size_t k = 0; k < states; ++k)
        if (counts[k] > 0) terms.push_back(std::log(counts[k]) + r.free_energies[k] - u[k][n]);
      r.log_mixture[n] = log_sum_exp(terms);
    }
  };
  for (r.iterations = 0; r.iterations < most_iterations && !r.converged; ++r.iterations) {
    mix();
    for (std::size_t k = 0; k < states; ++k) {
      for (std::size_t n = 0; n < frames; ++n) shifted[n] = -u[k][n] - r.log_mixture[n];
      next[k] = -log_sum_exp(shifted);
    }
    double change = 0;
    for (std::size_t k = states; k-- > 0;) {
      next[k] -= next[0];
      change = std::max(change, std::abs(next[k] - r.free_energies[k]));
    }
    r.free_energies = next;
    r.converged = change < tolerance;
  }
  mix();
  return r;
}

}  // namespace uplift

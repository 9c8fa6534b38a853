#include "uplift/backend/erf_table.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"

namespace uplift {
namespace {

/// Chebyshev coefficients of f on [-1, 1] from n samples, then as powers of t, highest first.
template <class F>
std::vector<long double> powers(F&& f, int n) {
  std::vector<long double> sample(static_cast<std::size_t>(n)), a(static_cast<std::size_t>(n), 0.0L);
  const long double pi = 3.14159265358979323846264338327950288L;
  for (int k = 0; k < n; ++k) sample[static_cast<std::size_t>(k)] = f(static_cast<double>(std::cos(pi * (k + 0.5L) / n)));
  for (int j = 0; j < n; ++j) {
    for (int k = 0; k < n; ++k)
      a[static_cast<std::size_t>(j)] += sample[static_cast<std::size_t>(k)] * std::cos(pi * j * (k + 0.5L) / n);
    a[static_cast<std::size_t>(j)] *= (j == 0 ? 1.0L : 2.0L) / n;
  }
  // T_(j+1) = 2 t T_j - T_(j-1)
  std::vector<long double> result(static_cast<std::size_t>(n), 0.0L), before(result), now(result);
  before[0] = 1;
  if (n > 1) now[1] = 1;
  for (int j = 0; j < n; ++j) {
    const std::vector<long double>& t = j == 0 ? before : now;
    for (int k = 0; k <= j; ++k)
      result[static_cast<std::size_t>(k)] += a[static_cast<std::size_t>(j)] * t[static_cast<std::size_t>(k)];
    if (j == 0) continue;
    std::vector<long double> next(static_cast<std::size_t>(n), 0.0L);
    for (int k = 0; k < n; ++k)
      next[static_cast<std::size_t>(k)] =
          (k > 0 ? 2 * now[static_cast<std::size_t>(k - 1)] : 0.0L) - before[static_cast<std::size_t>(k)];
    before = now;
    now = next;
  }
  return {result.rbegin(), result.rend()};
}

double evaluate(const std::vector<long double>& p, double t) {
  long double sum = 0;
  for (long double c : p) sum = sum * t + c;
  return static_cast<double>(sum);
}

}  // namespace

template <class C>
physics::ErfTable<C> make_erf_table(double alpha, double reach, double accuracy) {
  physics::ErfTable<C> table{};
  const double range = reach * reach;
  // What two terms less may cost the energy: a fitted function loses a factor of some fifty with two terms.
  const double energy_slack = table.energy_count(8) < 8 ? 50 : 1;
  table.scale = static_cast<C>(2 / range);
  const auto r_of = [&](double t) { return std::sqrt(std::max(0.0, 0.5 * (t + 1) * range)); };
  // Fewer than 12 are enough for no usual tolerance, and kernels in single precision are compiled for 12 and 14.
  for (int n = sizeof(C) == 4 ? 12 : 8; n <= physics::ErfTable<C>::most; n += 2) {
    const int n_energy = table.energy_count(n);
    const auto energy = powers([&](double t) { return physics::erf_over_r(alpha, r_of(t)); }, n_energy);
    const auto force = powers([&](double t) { return physics::erf_force_over_r(alpha, r_of(t)); }, n);
    double worst = 0;
    for (int k = 0; k <= 500; ++k) {
      const double t = -1 + k / 250.0;
      const double off_force = evaluate(force, t) - physics::erf_force_over_r(alpha, r_of(t));
      const double off_energy = evaluate(energy, t) - physics::erf_over_r(alpha, r_of(t));
      worst = std::max({worst, std::abs(off_force) / physics::erf_force_over_r(alpha, 0),
                        std::abs(off_energy) / physics::erf_over_r(alpha, 0) / energy_slack});
    }
    if (worst > accuracy && n + 2 <= physics::ErfTable<C>::most) continue;
    if (worst > 100 * accuracy)
      throw InputError(
          "forces.pme: alpha times the cutoff is too large (the direct sum would lose accuracy); use a smaller alpha or "
          "cutoff");
    table.count = n;
    std::transform(energy.begin(), energy.end(), table.energy, [](long double c) { return static_cast<C>(c); });
    std::transform(force.begin(), force.end(), table.force, [](long double c) { return static_cast<C>(c); });
    break;
  }
  return table;
}

physics::ErfcSeries<float> make_erfc_series(double alpha, double reach) {
  using Series = physics::ErfcSeries<float>;
  const double p = Series::p, least = 1 / (1 + p * alpha * reach), middle = 0.5 * (1 + least), half = 0.5 * (1 - least);
  const auto scaled = [&](double t) {  // exp(x^2) erfc(x) at u = middle + half t
    const double x = (1 / (middle + half * t) - 1) / p;
    return std::exp(x * x) * std::erfc(x);
  };
  // From powers of t to those of u, by Horner's rule on polynomials.
  std::vector<long double> in_u;  // lowest first
  for (long double c : powers(scaled, Series::count)) {
    in_u.insert(in_u.begin(), 0.0L);  // times u ...
    for (std::size_t k = 0; k + 1 < in_u.size(); ++k) in_u[k] = (in_u[k] - middle * in_u[k + 1]) / half;
    in_u.back() /= half;
    in_u[0] += c;
  }
  Series series{static_cast<float>(p * alpha),
                static_cast<float>(-alpha * alpha / std::log(2.0)),
                static_cast<float>(2 * alpha / std::sqrt(constants::pi)),
                {}};
  std::transform(in_u.rbegin(), in_u.rend(), series.h, [](long double c) { return static_cast<float>(c); });
  return series;
}

physics::ErfPieces make_erf_pieces(double alpha, double reach) {
  constexpr int n_pieces = physics::ErfPieces::pieces;
  // A distance that rounding takes beyond the reach must not come out in the first piece.
  const double scale = (n_pieces - 1e-4) / (reach * reach), unit = 0.5 / scale;
  constexpr double accuracy = 2e-7;  // of the value at r = 0: some last bits of single precision
  const auto r_of = [&](int piece, double t) { return std::sqrt(std::max(0.0, (piece + 0.5 + 0.5 * t) / scale)); };
  physics::ErfPieces result{};
  result.scale = static_cast<float>(scale);
  result.unit = static_cast<float>(unit);
  for (int n = 5; n <= physics::ErfPieces::most; ++n) {
    double worst = 0;
    for (int piece = 0; piece < n_pieces; ++piece) {
      const auto exact = [&](double t) { return physics::erf_force_over_r(alpha, r_of(piece, t)); };
      std::vector<long double> p = powers(exact, n);  // of t = 2 u
      for (int k = 0; k <= 20; ++k) {
        const double t = -1 + k / 10.0;
        worst = std::max(worst, std::abs(evaluate(p, t) - exact(t)) / physics::erf_force_over_r(alpha, 0));
      }
      for (int k = 0; k < n; ++k) p[static_cast<std::size_t>(k)] = std::ldexp(p[static_cast<std::size_t>(k)], n - 1 - k);
      std::vector<long double> integral(p);
      for (int k = 0; k < n; ++k) integral[static_cast<std::size_t>(k)] /= n - k;
      integral.push_back(0);
      // The constant: right on average over the piece.
      constexpr int samples = 8;
      long double off = 0;
      for (int k = 0; k < samples; ++k) {
        const double u = (k + 0.5) / samples - 0.5;
        off += -physics::erf_over_r(alpha, r_of(piece, 2 * u)) / unit - evaluate(integral, u);
      }
      integral.back() = off / samples;
      for (int k = 0; k < n; ++k) result.force[k][piece] = static_cast<float>(p[static_cast<std::size_t>(k)]);
      for (int k = 0; k <= n; ++k) result.integral[k][piece] = static_cast<float>(integral[static_cast<std::size_t>(k)]);
    }
    if (worst > accuracy) continue;
    result.count = n;
    break;
  }
  return result;
}

template physics::ErfTable<float> make_erf_table<float>(double, double, double);
template physics::ErfTable<double> make_erf_table<double>(double, double, double);

}  // namespace uplift

#include "uplift/sampling/estimators.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "uplift/core/error.hpp"
#include "uplift/sampling/series.hpp"

namespace uplift {
namespace {

constexpr double nothing = -std::numeric_limits<double>::infinity();

/// Sums of powers of the boost about the bin's first value, so that nothing is lost to a large mean.
struct Moments {
  double count = 0, offset = 0, first = 0, second = 0, third = 0;
  void add(double value) {
    if (count == 0) offset = value;
    const double d = value - offset;
    count += 1;
    first += d;
    second += d * d;
    third += d * d * d;
  }
  /// ln <exp> up to an order.
  double cumulants(int order) const {
    const double mean = first / count, square = second / count, cube = third / count;
    double sum = offset + mean;
    if (order >= 2) sum += (square - mean * mean) / 2;
    if (order >= 3) sum += (cube - 3 * square * mean + 2 * mean * mean * mean) / 6;
    return sum;
  }
};

}  // namespace

const char* method_name(ReweightMethod method) {
  constexpr const char* names[] = {"none", "exponential", "maclaurin", "cumulant", "pooled", "mbar"};
  return names[static_cast<int>(method)];
}

ReweightMethod method_named(const std::string& name) {
  for (int k = 0; k <= static_cast<int>(ReweightMethod::mbar); ++k)
    if (name == method_name(static_cast<ReweightMethod>(k))) return static_cast<ReweightMethod>(k);
  throw InputError("--method " + name + ": is none of exponential, maclaurin, cumulant, pooled, mbar, none");
}

double log_weight(ReweightMethod method, int order, double boost) {
  if (method == ReweightMethod::none) return 0;
  if (method != ReweightMethod::maclaurin) return boost;
  double sum = 1, term = 1;
  for (int k = 1; k <= order; ++k) sum += term *= boost / k;
  return sum > 0 ? std::log(sum) : nothing;  // boosts are not negative
}

std::vector<double> log_probabilities(std::span<const int> bin, std::span<const double> log_weights, int bins) {
  std::vector<double> largest(static_cast<std::size_t>(bins), nothing), sum(static_cast<std::size_t>(bins), 0.0);
  const auto at = [&](std::size_t i) { return static_cast<std::size_t>(bin[i]); };
  for (std::size_t i = 0; i < bin.size(); ++i)
    if (bin[i] >= 0) largest[at(i)] = std::max(largest[at(i)], log_weights[i]);
  for (std::size_t i = 0; i < bin.size(); ++i)
    if (bin[i] >= 0) sum[at(i)] += std::exp(log_weights[i] - largest[at(i)]);
  for (std::size_t b = 0; b < sum.size(); ++b) largest[b] = sum[b] > 0 ? largest[b] + std::log(sum[b]) : nothing;
  return largest;
}

std::vector<double> log_probabilities(ReweightMethod method, int order, std::span<const int> bin, std::span<const double> boost,
                                      int bins) {
  if (method != ReweightMethod::cumulant) {
    std::vector<double> weights;
    weights.reserve(boost.size());
    for (double b : boost) weights.push_back(log_weight(method, order, b));
    return log_probabilities(bin, weights, bins);
  }
  std::vector<Moments> moments(static_cast<std::size_t>(bins));
  for (std::size_t i = 0; i < bin.size(); ++i)
    if (bin[i] >= 0) moments[static_cast<std::size_t>(bin[i])].add(boost[i]);
  std::vector<double> all;
  for (const Moments& m : moments) all.push_back(m.count > 0 ? std::log(m.count) + m.cumulants(order) : nothing);
  return all;
}

void normalise(std::vector<double>& log_p) {
  const double total = log_sum_exp(log_p);
  if (std::isfinite(total))
    for (double& p : log_p) p -= total;
}

}  // namespace uplift

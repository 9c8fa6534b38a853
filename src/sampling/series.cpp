#include "uplift/sampling/series.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "uplift/core/constants.hpp"
#include "uplift/core/random.hpp"

namespace uplift {
namespace {

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double variance_of(std::span<const double> values) {
  const double mean = mean_of(values);
  double squares = 0;
  for (double v : values) squares += (v - mean) * (v - mean);
  return squares / static_cast<double>(values.size());
}

}  // namespace

double statistical_inefficiency(std::span<const double> values) {
  const double mean = values.empty() ? 0 : mean_of(values);
  std::vector<double> deviations;
  for (double v : values) deviations.push_back(v - mean);
  if (!values.empty() && !(variance_of(values) > 1e-24 * (1 + mean * mean))) return 1;
  const std::vector<std::span<const double>> alone{deviations};
  return statistical_inefficiency(alone);
}

double statistical_inefficiency(const std::vector<std::span<const double>>& series) {
  std::size_t n = 0;
  double squares = 0, all = 0;
  for (const auto& values : series) {
    n = std::max(n, values.size());
    all += static_cast<double>(values.size());
    for (double v : values) squares += v * v;
  }
  if (n < 4 || !(squares > 0)) return 1;
  double g = 1;
  // Lags further and further apart: a long correlation is smooth, and nobody waits for all n^2 products.
  for (std::size_t lag = 1, stride = 1; lag < n / 2; lag += stride) {
    double sum = 0, products = 0;
    for (const auto& values : series) {
      for (std::size_t i = 0; i + lag < values.size(); ++i) sum += values[i] * values[i + lag];
      products += values.size() > lag ? static_cast<double>(values.size() - lag) : 0;
    }
    const double correlation = sum / products / (squares / all);
    if (correlation <= 0) break;
    g += 2 * correlation * (1 - static_cast<double>(lag) / static_cast<double>(n)) * static_cast<double>(stride);
    if (lag >= 32 * stride) stride *= 2;
  }
  return std::max(1.0, g);
}

Blocks::Blocks(const std::vector<std::size_t>& starts, const std::vector<int>& groups, std::size_t length,
               const std::vector<int>& ensembles)
    : starts_(starts) {
  constexpr std::size_t fewest = 4;  // blocks in a group
  const auto exchanged_with = [&](int ensemble) -> Strand* {
    for (Group& g : groups_)
      for (Strand& strand : g.strands)
        if (ensemble >= 0 && strand.ensemble == ensemble) return &strand;
    return nullptr;
  };
  for (std::size_t s = 0; s + 1 < starts.size(); ++s) {
    const std::size_t size = starts[s + 1] - starts[s];
    const int ensemble = ensembles.empty() ? -1 : ensembles[s];
    if (Strand* const strand = exchanged_with(ensemble)) {
      strand->series.push_back(s);
      strand->size = std::min(strand->size, size);
      continue;
    }
    auto group = std::find_if(groups_.begin(), groups_.end(), [&](const Group& g) { return g.number == groups[s]; });
    if (group == groups_.end()) group = groups_.insert(group, Group{groups[s], {}, {0}, 0});
    group->strands.push_back({ensemble, {s}, size});
  }
  number_ = std::numeric_limits<double>::infinity();
  for (Group& g : groups_) {
    for (const Strand& strand : g.strands) {
      g.ends.push_back(g.ends.back() + strand.size);
      g.length = std::max(g.length, strand.size);  // the longest, for now
    }
    g.length = std::clamp<std::size_t>(std::min(length, g.ends.back() / fewest), 1, std::max<std::size_t>(1, g.length));
    number_ = std::min(number_, static_cast<double>(g.ends.back()) / static_cast<double>(g.length));
  }
}

std::vector<std::size_t> Blocks::resample(std::uint64_t seed, int replicate) const {
  std::vector<std::size_t> chosen;
  chosen.reserve(starts_.back());
  std::int64_t draw = 0;
  for (const Group& g : groups_) {
    const std::size_t all = g.ends.back();
    for (std::size_t taken = 0; taken < all;) {
      const double u = uniform(seed, NoisePurpose::bootstrap, replicate, draw++);
      const std::size_t frame = std::min(all - 1, static_cast<std::size_t>(u * static_cast<double>(all)));
      const auto end = std::upper_bound(g.ends.begin(), g.ends.end(), frame);
      const auto which = static_cast<std::size_t>(end - g.ends.begin()) - 1;
      const Strand& strand = g.strands[which];
      const std::size_t begin = frame - g.ends[which], block = std::min({g.length, strand.size, all - taken});
      for (std::size_t series : strand.series)
        for (std::size_t k = 0; k < block; ++k) chosen.push_back(starts_[series] + (begin + k) % strand.size);
      taken += block;
    }
  }
  return chosen;
}

double log_sum_exp(std::span<const double> values) {
  double largest = -std::numeric_limits<double>::infinity(), sum = 0;
  for (double v : values) largest = std::max(largest, v);
  if (!std::isfinite(largest)) return largest;
  for (double v : values) sum += std::exp(v - largest);
  return largest + std::log(sum);
}

double effective_frames(std::span<const double> log_weights) {
  if (log_weights.empty()) return 0;
  std::vector<double> doubled(log_weights.begin(), log_weights.end());
  for (double& w : doubled) w *= 2;
  return std::exp(2 * log_sum_exp(log_weights) - log_sum_exp(doubled));
}

double largest_share(std::span<const double> log_weights) {
  if (log_weights.empty()) return 0;
  return std::exp(*std::max_element(log_weights.begin(), log_weights.end()) - log_sum_exp(log_weights));
}

Histogram histogram(std::span<const double> values, int bins) {
  Histogram h;
  if (values.empty()) return h;
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  if (!(*most > *least)) bins = 1;
  const double width = *most > *least ? (*most - *least) / bins : 1;
  for (int k = 0; k <= bins; ++k) h.edges.push_back(*least + k * width);
  h.counts.assign(static_cast<std::size_t>(bins), 0);
  for (double v : values) ++h.counts[static_cast<std::size_t>(std::clamp(static_cast<int>((v - *least) / width), 0, bins - 1))];
  return h;
}

double anharmonicity(std::span<const double> values) {
  constexpr int bins = 50;
  if (values.size() < 2 || !(variance_of(values) > 0)) return std::numeric_limits<double>::quiet_NaN();
  const Histogram h = histogram(values, bins);
  const double width = h.edges[1] - h.edges[0];
  double entropy = 0;
  for (std::int64_t count : h.counts) {
    if (count == 0) continue;
    const double p = static_cast<double>(count) / static_cast<double>(values.size());
    entropy -= p * std::log(p / width);
  }
  return 0.5 * std::log(2 * constants::pi * std::exp(1.0) * variance_of(values)) - entropy;
}

}  // namespace uplift

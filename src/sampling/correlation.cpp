#include "correlation.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>

#include "uplift/core/constants.hpp"
#include "uplift/sampling/series.hpp"

namespace uplift {
namespace {

std::size_t state_of(const BiasedFrames& f, std::size_t series) { return static_cast<std::size_t>(f.state[f.series[series]]); }

std::vector<double> means_of_states(const BiasedFrames& f, const std::vector<double>& value) {
  std::vector<double> sum(f.states.size(), 0.0), count(f.states.size(), 0.0);
  for (std::size_t i = 0; i < f.size(); ++i) {
    sum[static_cast<std::size_t>(f.state[i])] += value[i];
    count[static_cast<std::size_t>(f.state[i])] += 1;
  }
  for (std::size_t s = 0; s < sum.size(); ++s) sum[s] /= std::max(1.0, count[s]);
  return sum;
}

/// Biases that a rule gave, from different energies.
bool of_one_kind(const SampledState& a, const SampledState& b) {
  return a.boosted && b.boosted && a.temperature == b.temperature && a.bias.method == b.bias.method &&
         a.bias.convention == b.bias.convention && a.bias.dihedral.on == b.bias.dihedral.on &&
         a.bias.total.on == b.bias.total.on;
}

using Series = std::vector<std::span<const double>>;

std::vector<double> deviations(const BiasedFrames& f, const std::vector<double>& value, const std::vector<double>& mean) {
  constexpr double rounding = 1e-12;
  std::vector<double> deviation(f.size());
  for (std::size_t i = 0; i < f.size(); ++i) {
    const double d = value[i] - mean[static_cast<std::size_t>(f.state[i])];
    deviation[i] = std::abs(d) > rounding * (1 + std::abs(value[i])) ? d : 0;
  }
  return deviation;
}

std::span<const double> run(const BiasedFrames& f, const std::vector<double>& value, std::size_t series) {
  return {value.data() + f.series[series], f.series[series + 1] - f.series[series]};
}

double of_states(const BiasedFrames& f, const std::vector<double>& deviation) {
  std::map<std::size_t, Series> states;
  for (std::size_t n = 0; n + 1 < f.series.size(); ++n) states[state_of(f, n)].push_back(run(f, deviation, n));
  double most = 1;
  for (const auto& [state, series] : states) most = std::max(most, statistical_inefficiency(series));
  return most;
}

double of_ensembles(const BiasedFrames& f, const std::vector<double>& deviation) {
  std::map<int, Series> ensembles;
  for (std::size_t n = 0; n < f.ensembles.size(); ++n)
    if (f.ensembles[n] >= 0) ensembles[f.ensembles[n]].push_back(run(f, deviation, n));
  double most = 1;
  for (const auto& [ensemble, replicas] : ensembles) {
    std::vector<double> sum(replicas.front().begin(), replicas.front().end());
    for (std::size_t r = 1; r < replicas.size(); ++r) {
      sum.resize(std::min(sum.size(), replicas[r].size()));
      for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += replicas[r][k];
    }
    most = std::max(most, statistical_inefficiency(sum));
  }
  return most;
}

double within_runs(const BiasedFrames& f, const std::vector<double>& value) {
  double most = 1;
  for (std::size_t n = 0; n + 1 < f.series.size(); ++n) most = std::max(most, statistical_inefficiency(run(f, value, n)));
  return most;
}

}  // namespace

SlowestVariable slowest_variable(const BiasedFrames& f, bool boosted, const ExpectedMeans& expected) {
  SlowestVariable slowest;
  const auto look = [&](const std::string& name, const ExpectedMeans& mean, auto&& of_frame) {
    std::vector<double> value;
    for (std::size_t i = 0; i < f.size(); ++i) value.push_back(of_frame(i));
    const std::vector<double> deviation = deviations(f, value, mean(value));
    const double states = of_states(f, deviation), all = std::max(states, of_ensembles(f, deviation));
    if (all <= slowest.inefficiency) return;
    constexpr double by_far = 4;
    slowest = {all, f.series.size() > 2 && states == all && all > by_far * within_runs(f, value) ? name : ""};
  };
  const ExpectedMeans own = [&](const std::vector<double>& value) { return means_of_states(f, value); };
  const ExpectedMeans& means = expected ? expected : own;
  for (std::size_t k = 0; k < f.axes.size(); ++k) {
    const auto turned = [&](std::size_t i) { return f.value[i][k] * constants::pi / 180; };
    if (f.axes[k].periodic) {
      look(f.axes[k].name, means, [&](std::size_t i) { return std::cos(turned(i)); });
      look(f.axes[k].name, means, [&](std::size_t i) { return std::sin(turned(i)); });
    } else {
      look(f.axes[k].name, means, [&](std::size_t i) { return f.value[i][k]; });
    }
  }
  // A frame's boost is that of its own state: no value of the configuration.
  if (boosted) look("the boost", own, [&](std::size_t i) { return f.boost[i]; });
  return slowest;
}

double inefficiency_of_weights(const BiasedFrames& f, const std::vector<double>& log_w) {
  const double largest = *std::max_element(log_w.begin(), log_w.end());
  std::vector<double> w;
  for (double one : log_w) w.push_back(std::exp(one - largest));
  const std::vector<double> deviation = deviations(f, w, means_of_states(f, w));
  return std::max(of_states(f, deviation), of_ensembles(f, deviation));
}

std::vector<int> groups_of_series(const BiasedFrames& f, std::size_t length) {
  constexpr std::size_t fewest = 4;  // blocks in a run
  std::vector<int> groups;
  bool one = true;
  for (std::size_t n = 0; n + 1 < f.series.size(); ++n) {
    groups.push_back(f.state[f.series[n]]);
    one = one && fewest * length > f.series[n + 1] - f.series[n] && of_one_kind(f.states[state_of(f, n)], f.states.front());
  }
  if (one) std::fill(groups.begin(), groups.end(), 0);
  return groups;
}

}  // namespace uplift

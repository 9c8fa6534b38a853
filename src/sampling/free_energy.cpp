#include "uplift/sampling/free_energy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "correlation.hpp"
#include "uplift/backend/bias_factors.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/sampling/mbar.hpp"

namespace uplift {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
constexpr double least_effective = 10;       // below it an estimate is refused
constexpr double few_effective = 100;        // below it errors are hardly known themselves
constexpr double heavy_frame = 0.1;          // of all weight: another one like it would change the surface by as much
constexpr double least_anharmonicity = 0.1;  // that tells, beyond chance
constexpr double largest_boost = 10;         // deviation [kT]; weights then span exp(10) either way
constexpr double well_sampled = 5, telling_difference = 0.5;  // [kT] above the minimum, and rms of two methods there
constexpr double blocks_per_inefficiency = 5;  // length of bootstrap blocks: the variance they miss falls as their inverse
constexpr double least_overlap = 1e-4, good_overlap = 0.03;  // of the states of mbar
constexpr std::int64_t most_bins = 10'000'000;
constexpr double whole_turn = 360, tiny_angle = 1e-9;  // [deg]

double boost_in(const SampledState& state, const SeenEnergies& seen) {
  BiasState work;
  work.apply(state.bias, seen, false, false);
  return work.energies.boost();
}

class Analysis {
 public:
  Analysis(const BiasedFrames& frames, const FreeEnergyRequest& request) : f_(frames), r_(request) {}

  FreeEnergySurface run() {
    choose_method();
    choose_temperature();
    make_axes();
    find_bins();
    find_weights();
    diagnose();
    estimate();
    if (r_.bootstrap > 0) bootstrap();
    return std::move(s_);
  }

 private:
  [[noreturn]] static void fail(const std::string& what) { throw InputError(what); }

  void choose_method() {
    boosted_ = std::any_of(f_.states.begin(), f_.states.end(), [](const SampledState& s) { return s.boosted; });
    s_.method = r_.method.value_or(f_.states.size() > 1 ? ReweightMethod::mbar
                                   : boosted_           ? ReweightMethod::cumulant
                                                        : ReweightMethod::none);
    s_.order = r_.order > 0                             ? r_.order
               : s_.method == ReweightMethod::maclaurin ? 10
               : s_.method == ReweightMethod::cumulant  ? 2
                                                        : 0;
    if (s_.method != ReweightMethod::maclaurin && s_.method != ReweightMethod::cumulant) {
      if (r_.order > 0)
        s_.warnings.push_back(fmt::format("order {} is left aside: method {} has none", r_.order, method_name(s_.method)));
      s_.order = 0;
    }
    if (s_.method == ReweightMethod::cumulant && s_.order > 3)
      fail("--order " + std::to_string(s_.order) + ": the cumulant expansion goes to order 3");
    if (std::any_of(f_.states.begin(), f_.states.end(), [](const SampledState& s) { return s.updating; }))
      fail(
          "the parameters of a stage's bias changed while it ran (update_every), so that its frames have no one weight; use a "
          "stage with frozen parameters");
    if (f_.states.size() > 1 && s_.method != ReweightMethod::mbar && s_.method != ReweightMethod::none)
      fail(
          fmt::format("the frames were sampled with {} different biases or temperatures, and --method {} is for one; use "
                      "--method mbar, or --stage to choose",
                      f_.states.size(), method_name(s_.method)));
    if (s_.method == ReweightMethod::none && boosted_)
      s_.warnings.push_back("method none: the surface is that of the boosted potential, not of the system's own");
    s_.warnings.insert(s_.warnings.end(), f_.doubts.begin(), f_.doubts.end());
  }

  void choose_temperature() {
    const double first = f_.states.front().temperature;
    const bool one =
        std::all_of(f_.states.begin(), f_.states.end(), [&](const SampledState& s) { return s.temperature == first; });
    const double sampled = one || !(f_.temperature > 0) ? first : f_.temperature;
    if (r_.temperature && !(*r_.temperature > 0))
      fail(fmt::format("--temperature {:g} K: is no temperature; give one above 0 K", *r_.temperature));
    s_.temperature = r_.temperature.value_or(sampled);
    if (s_.method == ReweightMethod::none && !one)
      s_.warnings.push_back(
          "method none: frames of several temperatures weigh alike, and the surface is of no one temperature; use --method "
          "mbar, "
          "or name runs or stages of one");
    if (!(s_.temperature > 0))
      fail(
          "the runs do not say at which temperature they were, or had no thermostat; give --temperature 300K (what energies.h5 "
          "has on average)");
    if (s_.method != ReweightMethod::mbar && one && sampled > 0 && std::abs(s_.temperature - sampled) > 1e-6 * sampled)
      fail(fmt::format(
          "--temperature {:g}: the frames were sampled at {:g} K, and only --method mbar takes them to another temperature",
          s_.temperature, sampled));
    kt_ = constants::boltzmann * s_.temperature;
  }

  void make_axes() {
    const std::size_t count = f_.axes.size();
    if (count < 1 || count > most_variables) fail("--cv: one, two or three collective variables");
    if (r_.bins.size() != 1 && r_.bins.size() != count)
      fail(fmt::format("--bins: one number for all, or one for each of the {} variables", count));
    if (!r_.ranges.empty() && r_.ranges.size() != count) fail(fmt::format("--range: one for each of the {} variables", count));
    std::int64_t total = 1;
    for (std::size_t k = 0; k < count; ++k) {
      const int n = r_.bins.size() == 1 ? r_.bins[0] : r_.bins[k];
      if (n < 1 || (total *= n) > most_bins) fail("--bins: at least one, and no more than ten million in all");
      double low = -whole_turn / 2, high = whole_turn / 2;
      if (!f_.axes[k].periodic) {
        low = std::numeric_limits<double>::infinity();
        high = -low;
        for (const auto& v : f_.value) {
          low = std::min(low, v[k]);
          high = std::max(high, v[k]);
        }
        const double margin = high > low ? 1e-6 * (high - low) : 0.5;
        low -= margin;
        high += margin;
      }
      if (!r_.ranges.empty()) {
        low = r_.ranges[k][0];
        high = r_.ranges[k][1];
        if (!(high > low)) fail(fmt::format("--range: {}:{} is empty", low, high));
        if (f_.axes[k].periodic && high - low > whole_turn + tiny_angle)
          fail(fmt::format("--range: {}:{} is more than a whole turn of {}", low, high, f_.axes[k].name));
      }
      FreeEnergySurface::Axis axis{f_.axes[k], {}, {}};
      for (int b = 0; b <= n; ++b) axis.edges.push_back(low + (high - low) * b / n);
      for (int b = 0; b < n; ++b)
        axis.centers.push_back(0.5 * (axis.edges[static_cast<std::size_t>(b)] + axis.edges[static_cast<std::size_t>(b) + 1]));
      s_.axes.push_back(std::move(axis));
    }
    bins_ = static_cast<int>(total);
  }

  void find_bins() {
    bin_.assign(f_.size(), -1);
    s_.counts.assign(static_cast<std::size_t>(bins_), 0);
    for (std::size_t i = 0; i < f_.size(); ++i) {
      int place = 0;
      for (std::size_t k = 0; k < s_.axes.size() && place >= 0; ++k) {
        const auto& edges = s_.axes[k].edges;
        const int n = static_cast<int>(edges.size()) - 1;
        double v = f_.value[i][k];
        const bool round = s_.axes[k].closed();
        if (f_.axes[k].periodic) v -= whole_turn * std::floor((v - edges.front()) / whole_turn);
        const int b = static_cast<int>(std::floor((v - edges.front()) / (edges.back() - edges.front()) * n));
        place = b < 0 || b > n || (b == n && !round && v > edges.back()) ? -1 : place * n + std::min(b, n - 1);
      }
      bin_[i] = place;
      if (place >= 0)
        ++s_.counts[static_cast<std::size_t>(place)];
      else
        ++s_.outside;
    }
  }

  void find_weights() {
    reduced_.resize(f_.size());
    for (std::size_t i = 0; i < f_.size(); ++i) reduced_[i] = f_.boost[i] / kt_;
    if (s_.method != ReweightMethod::mbar) return;
    // Relative to the unbiased potential at the temperature that is asked for, in which every frame has the energy 0.
    need_energies();
    for (const SampledState& state : f_.states) {
      const double other = constants::boltzmann * state.temperature;
      std::vector<double> u(f_.size());
      for (std::size_t i = 0; i < f_.size(); ++i) {
        u[i] = boost_in(state, {f_.dihedral[i], f_.cmap[i], f_.potential[i]}) / other;
        if (other != kt_) u[i] += (f_.potential[i] + f_.work[i]) * (1 / other - 1 / kt_);
      }
      u_.push_back(std::move(u));
    }
    std::vector<std::size_t> all(f_.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    MbarResult mbar = solve(all, {});
    check_overlap(mbar);
    for (double f : mbar.free_energies) s_.state_free_energies.push_back(kt_ * f);
    free_energies_ = mbar.free_energies;
    weights_.resize(f_.size());
    for (std::size_t i = 0; i < f_.size(); ++i) weights_[i] = -mbar.log_mixture[i];
  }

  /// Between biases and temperatures frames weigh by their energies.
  void need_energies() const {
    for (const SampledState& s : f_.states) {
      if (!(s.temperature > 0)) fail("--method mbar: a stage had no thermostat, or does not say its temperature; use --stage");
      if ((s.boosted || std::abs(s.temperature - s_.temperature) > 0) && !f_.without_energies.empty())
        fail(f_.without_energies +
             " has no potential and dihedral energy, neither in the trajectory nor as a row of energies.h5, and mbar needs "
             "them to put biases or temperatures together; use --stage to leave such frames out, or run again with "
             "output.energies.every such that trajectory.every is a multiple of it");
    }
  }

  void check_overlap(const MbarResult& mbar) {
    const std::string what =
        fmt::format("the biases or temperatures hardly overlap (overlap {:.1g}, where 0 is none and 1 is all)", mbar.overlap);
    if (mbar.overlap < least_overlap && !r_.force)
      fail(what +
           ", so that nothing says how their frames weigh against each other; choose one with --stage, put runs between "
           "them, or use --force to see it all the same");
    if (mbar.overlap < good_overlap) s_.warnings.push_back(what + ": errors may be larger than stated");
    if (!mbar.converged) s_.warnings.push_back(fmt::format("mbar has not converged after {} iterations", mbar.iterations));
  }

  MbarResult solve(const std::vector<std::size_t>& chosen, const std::vector<double>& start) const {
    std::vector<std::vector<double>> u;
    std::vector<double> counts(u_.size(), 0.0);
    for (const auto& state : u_) {
      std::vector<double> part;
      part.reserve(chosen.size());
      for (std::size_t i : chosen) part.push_back(state[i]);
      u.push_back(std::move(part));
    }
    for (std::size_t i : chosen) counts[static_cast<std::size_t>(f_.state[i])] += 1;
    return solve_mbar(u, counts, start);
  }

  std::vector<double> own_weights() const {
    if (s_.method == ReweightMethod::mbar) return weights_;
    std::vector<double> w;
    const ReweightMethod as = s_.method == ReweightMethod::cumulant ? ReweightMethod::exponential : s_.method;
    for (double b : reduced_) w.push_back(log_weight(as, s_.order, b));
    return w;
  }

  /// Means of a value of the configurations in the states of mbar, each from all frames.
  std::vector<double> expected(const std::vector<double>& value) const {
    std::vector<double> mean;
    for (std::size_t k = 0; k < u_.size(); ++k) {
      double sum = 0, all = 0;
      for (std::size_t i = 0; i < f_.size(); ++i) {
        const double w = std::exp(free_energies_[k] - u_[k][i] + weights_[i]);
        sum += w * value[i];
        all += w;
      }
      mean.push_back(sum / all);
    }
    return mean;
  }

  void diagnose() {
    s_.frames = f_.size();
    s_.stages = f_.stages;
    ExpectedMeans means;
    if (u_.size() > 1) means = [&](const std::vector<double>& value) { return expected(value); };
    const SlowestVariable slowest = slowest_variable(f_, boosted_, means);
    s_.inefficiency = slowest.inefficiency;
    const std::vector<double> w = own_weights();
    // Two kinds of noise add up: how seldom the slowest variable changes, and how much the weights scatter, which are forgotten
    // in a time of their own.
    const double g_w = inefficiency_of_weights(f_, w);
    s_.effective = 1 / (s_.inefficiency / static_cast<double>(f_.size()) + g_w / effective_frames(w));
    s_.largest_share = largest_share(w);
    s_.anharmonicity = unknown;
    if (boosted_) {
      const double mean = std::accumulate(f_.boost.begin(), f_.boost.end(), 0.0) / static_cast<double>(f_.size());
      double squares = 0;
      for (double b : f_.boost) squares += (b - mean) * (b - mean);
      s_.boost_mean = mean;
      s_.boost_deviation = std::sqrt(squares / static_cast<double>(f_.size()));
      s_.boost = histogram(f_.boost, 50);
      s_.anharmonicity = anharmonicity(f_.boost);
    }
    const bool cumulant = s_.method == ReweightMethod::cumulant;
    const double decisive = s_.independent();
    const char* const under = cumulant || s_.method == ReweightMethod::none ? "" : " under their weights";
    const std::string why =
        slowest.apart.empty() ? "" : ", as runs differ in " + slowest.apart + " by more than they change within";
    if (decisive < least_effective && !r_.force)
      fail(fmt::format(
          "the estimate cannot be trusted: the {} frames are worth {:.1f} independent ones{}{}; run longer, write frames of "
          "more uncorrelated times, {}or use --force to see it all the same",
          s_.frames, decisive, under, why,
          boosted_ && !cumulant && why.empty()
              ? fmt::format("lower the boost (its deviation is {:.1f} kT), try --method cumulant, ", s_.boost_deviation / kt_)
              : ""));
    if (decisive < few_effective)
      s_.warnings.push_back(fmt::format("the {} frames are worth {:.1f} independent ones{}{}: errors may be larger than stated",
                                        s_.frames, decisive, under, why));
    if (!cumulant && s_.largest_share > heavy_frame)
      s_.warnings.push_back(fmt::format("one frame carries {:.0f} % of all weight", 100 * s_.largest_share));
    const double by_chance = 24.5 / static_cast<double>(s_.frames);  // of a Gaussian: 49/2N for N frames in 50 bins
    if (cumulant && s_.order >= 2 && s_.anharmonicity > least_anharmonicity + by_chance)
      s_.warnings.push_back(
          fmt::format("the boost is far from Gaussian (anharmonicity {:.2f}), and only for a Gaussian in each bin the cumulant "
                      "expansion is exact; compare --method exponential",
                      s_.anharmonicity));
    if (boosted_ && s_.boost_deviation > largest_boost * kt_)
      s_.warnings.push_back(fmt::format("the boost has a deviation of {:.1f} kT: no reweighting is reliable above about {:g}",
                                        s_.boost_deviation / kt_, largest_boost));
  }

  /// log p of every bin, normalised over those with enough frames.
  std::vector<double> probabilities(const std::vector<std::size_t>* chosen) const {
    std::vector<double> log_p;
    if (!chosen) {
      log_p = s_.method == ReweightMethod::mbar ? log_probabilities(bin_, weights_, bins_)
                                                : log_probabilities(s_.method, s_.order, bin_, reduced_, bins_);
    } else {
      std::vector<int> bin;
      std::vector<double> value;
      for (std::size_t i : *chosen) bin.push_back(bin_[i]);
      if (s_.method == ReweightMethod::mbar) {
        const MbarResult mbar = solve(*chosen, free_energies_);
        for (double m : mbar.log_mixture) value.push_back(-m);
        log_p = log_probabilities(bin, value, bins_);
      } else {
        for (std::size_t i : *chosen) value.push_back(reduced_[i]);
        log_p = log_probabilities(s_.method, s_.order, bin, value, bins_);
      }
    }
    for (std::size_t b = 0; b < log_p.size(); ++b)
      if (s_.counts[b] < r_.cutoff) log_p[b] = -std::numeric_limits<double>::infinity();
    normalise(log_p);
    return log_p;
  }

  void estimate() {
    log_p_ = probabilities(nullptr);
    double highest = -std::numeric_limits<double>::infinity();
    for (double p : log_p_) highest = std::max(highest, p);
    if (!std::isfinite(highest))
      fail(fmt::format("no bin has {} frames or more; use fewer bins, a range that the frames are in, or a lower --cutoff",
                       r_.cutoff));
    for (double p : log_p_) {
      s_.probability.push_back(std::exp(p));
      s_.pmf.push_back(std::isfinite(p) ? kt_ * (highest - p) : unknown);
    }
    s_.error.assign(log_p_.size(), unknown);
    compare_with_exponential();
  }

  /// Where both have something to say: near the minimum.
  void compare_with_exponential() {
    if (s_.method != ReweightMethod::cumulant || s_.effective < few_effective) return;
    std::vector<double> other = log_probabilities(ReweightMethod::exponential, 0, bin_, reduced_, bins_);
    for (std::size_t b = 0; b < other.size(); ++b)
      if (s_.counts[b] < r_.cutoff) other[b] = -std::numeric_limits<double>::infinity();
    normalise(other);
    double squares = 0, weight = 0;
    for (std::size_t b = 0; b < other.size(); ++b) {
      if (!(s_.pmf[b] < well_sampled * kt_) || !std::isfinite(other[b])) continue;
      const double p = s_.probability[b];
      squares += p * (log_p_[b] - other[b]) * (log_p_[b] - other[b]);
      weight += p;
    }
    const double rms = weight > 0 ? std::sqrt(squares / weight) : 0;
    if (rms > telling_difference)
      s_.warnings.push_back(
          fmt::format("exponential reweighting, which is exact and has {:.0f} effective frames here, differs by {:.2f} kT rms: "
                      "trust --method exponential",
                      s_.effective, rms));
  }

  void bootstrap() {
    const auto length = static_cast<std::size_t>(std::ceil(blocks_per_inefficiency * s_.inefficiency));
    const Blocks blocks(f_.series, groups_of_series(f_, length), length, f_.ensembles);
    if (blocks.number() < 2) return;
    const double missing = blocks.number() / (blocks.number() - 1);
    std::vector<double> sum(log_p_.size(), 0.0), squares(log_p_.size(), 0.0), known(log_p_.size(), 0.0);
    for (int n = 0; n < r_.bootstrap; ++n) {
      const std::vector<std::size_t> chosen = blocks.resample(r_.seed, n);
      const std::vector<double> log_p = probabilities(&chosen);
      for (std::size_t b = 0; b < log_p.size(); ++b) {
        if (!std::isfinite(log_p[b]) || !std::isfinite(log_p_[b])) continue;
        const double d = log_p[b] - log_p_[b];
        sum[b] += d;
        squares[b] += d * d;
        known[b] += 1;
      }
    }
    for (std::size_t b = 0; b < log_p_.size(); ++b)
      if (known[b] > 1 && known[b] >= 0.5 * r_.bootstrap)
        s_.error[b] = kt_ * std::sqrt(std::max(0.0, missing * (squares[b] - sum[b] * sum[b] / known[b]) / (known[b] - 1)));
  }

  const BiasedFrames& f_;
  const FreeEnergyRequest& r_;
  FreeEnergySurface s_;
  bool boosted_ = false;
  double kt_ = 0;
  int bins_ = 0;
  std::vector<int> bin_;                ///< [frames]
  std::vector<double> reduced_;         ///< [frames] beta dV
  std::vector<double> weights_;         ///< [frames] logarithms, of mbar
  std::vector<std::vector<double>> u_;  ///< [states][frames] kT
  std::vector<double> free_energies_;   ///< [states] kT
  std::vector<double> log_p_;           ///< [bins]
};

}  // namespace

FreeEnergySurface free_energy_surface(const BiasedFrames& frames, const FreeEnergyRequest& request) {
  return Analysis(frames, request).run();
}

}  // namespace uplift

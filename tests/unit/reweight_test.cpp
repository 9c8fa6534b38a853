// Reweighting against models whose answer is known exactly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/sampling/free_energy.hpp"
#include "uplift/sampling/mbar.hpp"

namespace uplift {
namespace {

constexpr double temperature = 300, kt = constants::boltzmann * temperature, radian = constants::pi / 180;

/// A double well in a dihedral [kJ/mol], angles in degrees.
double double_well(double phi) { return 6 * (1 + std::cos(2 * phi * radian)) + 1.5 * std::cos(phi * radian - 0.7); }

/// Draws from exp(-energy/kT) on the circle, by inversion on a fine grid.
class Circle {
 public:
  explicit Circle(const std::function<double(double)>& energy) {
    for (int k = 0; k < points; ++k) sum_.push_back((k ? sum_.back() : 0) + std::exp(-energy(angle(k)) / kt));
  }
  template <class Generator>
  double draw(Generator& generator) const {
    const double u = std::uniform_real_distribution<double>(0, sum_.back())(generator);
    return angle(static_cast<int>(std::upper_bound(sum_.begin(), sum_.end(), u) - sum_.begin()));
  }
  /// Exact probabilities of bins over -180 to 180.
  std::vector<double> probabilities(int bins) const {
    std::vector<double> p(static_cast<std::size_t>(bins), 0);
    for (int k = 0; k < points; ++k)
      p[static_cast<std::size_t>(k * static_cast<std::int64_t>(bins) / points)] +=
          (sum_[static_cast<std::size_t>(k)] - (k ? sum_[static_cast<std::size_t>(k - 1)] : 0)) / sum_.back();
    return p;
  }

 private:
  static constexpr int points = 36000;
  static double angle(int k) { return -180 + (k + 0.5) * 360.0 / points; }
  std::vector<double> sum_;
};

Bias amd(double threshold, double alpha) { return {BiasMethod::amd, BiasConvention::amber, {true, threshold, alpha}, {}}; }
double amd_energy(double v, const Bias& b) {
  const double d = b.dihedral.threshold - v;
  return d > 0 ? d * d / (b.dihedral.shape + d) : 0;
}

void add_frame(BiasedFrames& f, double phi, double boost, int state = 0) {
  f.value.push_back({phi, 0, 0});
  f.boost.push_back(boost);
  f.potential.push_back(double_well(phi));
  f.dihedral.push_back(double_well(phi));
  f.cmap.push_back(0);
  f.work.push_back(0);
  f.step.push_back(static_cast<std::int64_t>(f.size()));
  f.state.push_back(state);
}

BiasedFrames on_the_dihedral(std::vector<Bias> biases) {
  BiasedFrames f;
  f.axes = {{"phi", "dihedral(0,1,2,3)", "deg", true}};
  for (const Bias& b : biases) f.states.push_back({b, b.dihedral.on, temperature, false});
  return f;
}

/// Independent frames of the boosted double well.
BiasedFrames boosted_frames(const Bias& bias, int count, unsigned seed) {
  BiasedFrames f = on_the_dihedral({bias});
  std::mt19937_64 generator(seed);
  const Circle sampled([&](double phi) { return double_well(phi) + amd_energy(double_well(phi), bias); });
  f.series = {0, static_cast<std::size_t>(count)};
  for (int n = 0; n < count; ++n) {
    const double phi = sampled.draw(generator);
    add_frame(f, phi, amd_energy(double_well(phi), bias));
  }
  return f;
}

/// Frames whose boost is Gaussian in every bin, of a mean and width that depend on the dihedral: the cumulant expansion to
/// second order is exact.
struct GaussianModel {
  static double mean(double phi) { return 9 + 4 * std::cos(phi * radian); }
  static double deviation(double phi) { return 3 + 1.2 * std::sin(phi * radian); }
  static BiasedFrames frames(int count, unsigned seed) {
    BiasedFrames f = on_the_dihedral({amd(1, 1)});
    std::mt19937_64 generator(seed);
    const Circle sampled([](double phi) { return 0.5 * double_well(phi); });
    f.series = {0, static_cast<std::size_t>(count)};
    for (int n = 0; n < count; ++n) {
      const double phi = sampled.draw(generator);
      add_frame(f, phi, std::normal_distribution<double>(mean(phi), deviation(phi))(generator));
    }
    return f;
  }
  static std::vector<double> exact(int bins) {
    return Circle([](double phi) { return 0.5 * double_well(phi) - mean(phi) - deviation(phi) * deviation(phi) / (2 * kt); })
        .probabilities(bins);
  }
};

FreeEnergyRequest request(ReweightMethod method, int bins, int order = 0) {
  FreeEnergyRequest r;
  r.method = method;
  r.order = order;
  r.bins = {bins};
  r.cutoff = 5;
  return r;
}

/// Mean of ((estimate - exact)/stated error)^2 over bins.
double mean_square_deviation(const FreeEnergySurface& s, const std::vector<double>& exact) {
  double sum = 0;
  int bins = 0;
  for (std::size_t b = 0; b < exact.size(); ++b) {
    if (!std::isfinite(s.error[b])) continue;
    const double z = -kt * (std::log(s.probability[b]) - std::log(exact[b])) / s.error[b];
    sum += z * z;
    ++bins;
  }
  EXPECT_GT(bins, static_cast<int>(exact.size()) * 3 / 4);
  return sum / bins;
}

TEST(FreeEnergy, EveryMethodFindsTheDoubleWellWithinItsError) {
  const Bias bias = amd(12, 6);
  const std::vector<double> exact = Circle(double_well).probabilities(24);
  const BiasedFrames f = boosted_frames(bias, 60000, 1);
  for (const auto& [method, order] : {std::pair(ReweightMethod::exponential, 0), std::pair(ReweightMethod::pooled, 0),
                                      std::pair(ReweightMethod::maclaurin, 12), std::pair(ReweightMethod::cumulant, 2),
                                      std::pair(ReweightMethod::cumulant, 3), std::pair(ReweightMethod::mbar, 0)}) {
    const FreeEnergySurface s = free_energy_surface(f, request(method, 24, order));
    // 24 squares of nearly normal deviates: their mean stays below 2 but once in a thousand times.
    EXPECT_LT(mean_square_deviation(s, exact), 2) << method_name(method) << order;
    for (double e : s.error) EXPECT_LT(e, 0.4);  // and the error is a useful one
  }
  // What is not reweighted is far off.
  EXPECT_GT(mean_square_deviation(free_energy_surface(f, request(ReweightMethod::none, 24)), exact), 50);
}

TEST(FreeEnergy, CumulantsAreExactForGaussianBoosts) {
  const std::vector<double> exact = GaussianModel::exact(18);
  const BiasedFrames f = GaussianModel::frames(60000, 4);
  const FreeEnergySurface second = free_energy_surface(f, request(ReweightMethod::cumulant, 18, 2)),
                          first = free_energy_surface(f, request(ReweightMethod::cumulant, 18, 1));
  EXPECT_LT(mean_square_deviation(second, exact), 2);
  EXPECT_GT(mean_square_deviation(first, exact), 20);  // the width matters, and it differs from bin to bin
}

TEST(FreeEnergy, AFewGaussianBoostsAreNotFarFromGaussian) {
  // A histogram of few frames has less entropy than what they were drawn from.
  std::mt19937_64 generator(3);
  for (int count : {100, 200, 300}) {
    BiasedFrames f = boosted_frames(amd(12, 6), count, 3);
    for (double& b : f.boost) b = std::normal_distribution<double>(10, 3)(generator);
    EXPECT_THAT(free_energy_surface(f, request(ReweightMethod::cumulant, 6)).warnings,
                ::testing::Not(::testing::Contains(::testing::HasSubstr("far from Gaussian"))));
    for (double& b : f.boost) b = std::exponential_distribution<double>(0.1)(generator);
    EXPECT_THAT(free_energy_surface(f, request(ReweightMethod::cumulant, 6)).warnings,
                ::testing::Contains(::testing::HasSubstr("far from Gaussian")));
  }
}

TEST(FreeEnergy, BoostsOfHundredsOfKtDoNotOverflow) {
  BiasedFrames f = boosted_frames(amd(12, 6), 5000, 2);
  const FreeEnergySurface plain = free_energy_surface(f, request(ReweightMethod::exponential, 12));
  for (double& b : f.boost) b += 5000;  // a constant drops out
  for (ReweightMethod method : {ReweightMethod::exponential, ReweightMethod::cumulant}) {
    const FreeEnergySurface s = free_energy_surface(f, request(method, 12));
    for (double p : s.pmf) EXPECT_TRUE(std::isfinite(p));
    for (std::size_t b = 0; method == ReweightMethod::exponential && b < s.pmf.size(); ++b)
      EXPECT_NEAR(s.pmf[b], plain.pmf[b], 1e-8);
  }
}

/// How often the truth lies within one stated error, over many repeats: 0.683 for a normal deviate.
template <class Make>
double coverage(ReweightMethod method, int order, const std::vector<double>& exact, int repeats, Make&& make) {
  int inside = 0, all = 0;
  for (int n = 0; n < repeats; ++n) {
    FreeEnergyRequest r = request(method, static_cast<int>(exact.size()), order);
    r.bootstrap = 60;
    const FreeEnergySurface s = free_energy_surface(make(static_cast<unsigned>(1000 + n)), r);
    for (std::size_t b = 0; b < exact.size(); ++b) {
      if (!std::isfinite(s.error[b])) continue;
      inside += std::abs(-kt * std::log(s.probability[b] / exact[b])) < s.error[b];
      ++all;
    }
  }
  return static_cast<double>(inside) / all;
}

TEST(FreeEnergy, ErrorsCoverTheTruthAtTheirRate) {
  const Bias bias = amd(12, 6);
  const std::vector<double> exact = Circle(double_well).probabilities(12);
  // 200 repeats of 12 bins, not quite independent: the rate is known to 0.02. Blocks of finite length miss a little of the
  // variance, and 60 replicates know the error to a tenth, which takes 0.01 off.
  for (const auto& [method, order] : {std::pair(ReweightMethod::exponential, 0), std::pair(ReweightMethod::cumulant, 2)}) {
    const double rate = coverage(method, order, exact, 200, [&](unsigned seed) { return boosted_frames(bias, 2000, seed); });
    EXPECT_GT(rate, 0.62) << method_name(method);
    EXPECT_LT(rate, 0.74) << method_name(method);
  }
  const double gaussian = coverage(ReweightMethod::cumulant, 2, GaussianModel::exact(12), 200,
                                   [](unsigned seed) { return GaussianModel::frames(2000, seed); });
  EXPECT_GT(gaussian, 0.62);
  EXPECT_LT(gaussian, 0.74);
}

/// A Metropolis walk in the boosted well: frames remember each other for about forty.
BiasedFrames correlated_frames(const Bias& bias, int count, unsigned seed) {
  BiasedFrames f = on_the_dihedral({bias});
  std::mt19937_64 generator(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  const auto energy = [&](double phi) { return double_well(phi) + amd_energy(double_well(phi), bias); };
  double phi = Circle(energy).draw(generator);
  for (int n = 0; n < count; ++n) {
    double next = phi + 70 * (uniform(generator) - 0.5);
    next -= 360 * std::floor((next + 180) / 360);
    if (uniform(generator) < std::exp((energy(phi) - energy(next)) / kt)) phi = next;
    add_frame(f, phi, amd_energy(double_well(phi), bias));
  }
  f.series = {0, static_cast<std::size_t>(count)};
  return f;
}

TEST(FreeEnergy, ErrorsKnowOfCorrelation) {
  const Bias bias = amd(12, 6);
  const std::vector<double> exact = Circle(double_well).probabilities(12);
  const double rate =
      coverage(ReweightMethod::exponential, 0, exact, 120, [&](unsigned seed) { return correlated_frames(bias, 10000, seed); });
  EXPECT_GT(rate, 0.58);  // blocks of five times the inefficiency miss a tenth of the variance
  EXPECT_LT(rate, 0.76);
  // Taken for independent, the same frames would claim errors several times too small.
  const FreeEnergySurface s = free_energy_surface(correlated_frames(bias, 10000, 5), request(ReweightMethod::exponential, 12));
  EXPECT_GT(s.inefficiency, 5);
}

TEST(FreeEnergy, ManyShortReplicasHaveErrors) {
  // Blocks would be longer than each of 40 walks, which have few independent frames of their own, but many together.
  const Bias bias = amd(12, 6);
  const std::vector<double> exact = Circle(double_well).probabilities(12);
  const double rate = coverage(ReweightMethod::exponential, 0, exact, 60, [&](unsigned seed) {
    BiasedFrames all = on_the_dihedral({bias});
    for (unsigned replica = 0; replica < 40; ++replica) {
      const BiasedFrames one = correlated_frames(bias, 100, 1000 * seed + replica);
      all.series.push_back(all.size());
      for (std::size_t i = 0; i < one.size(); ++i) add_frame(all, one.value[i][0], one.boost[i]);
    }
    all.series.push_back(all.size());
    return all;
  });
  EXPECT_GT(rate, 0.58);
  EXPECT_LT(rate, 0.76);
}

/// Runs in either of two parts of the circle, which none of them leaves; `biases` of them in turn.
BiasedFrames runs_apart(const std::vector<Bias>& biases, int runs) {
  BiasedFrames f = on_the_dihedral(biases);
  std::mt19937_64 generator(9);
  for (int r = 0; r < runs; ++r) {
    const int state = r % static_cast<int>(biases.size());
    std::normal_distribution<double> normal(r % 4 == 0 ? -90 : 90, 20);
    f.series.push_back(f.size());
    for (int n = 0; n < 1000; ++n) {
      const double phi = normal(generator);
      add_frame(f, phi, amd_energy(double_well(phi), biases[static_cast<std::size_t>(state)]), state);
    }
  }
  f.series.push_back(f.size());
  return f;
}

TEST(FreeEnergy, RunsThatStayApartAreNotTrusted) {
  // Each by itself has a thousand independent frames; how the two parts weigh depends on where the runs began.
  const auto why = [](const BiasedFrames& f, ReweightMethod method) -> std::string {
    try {
      free_energy_surface(f, request(method, 12));
    } catch (const InputError& e) {
      return e.what();
    }
    return "";
  };
  const std::string differ = "runs differ in phi by more than they change within";
  for (ReweightMethod method : {ReweightMethod::exponential, ReweightMethod::cumulant, ReweightMethod::mbar})
    EXPECT_THAT(why(runs_apart({amd(12, 6)}, 4), method), ::testing::HasSubstr(differ)) << method_name(method);
  const std::vector<Bias> biases{amd(12, 6), amd(12.2, 6), amd(12.4, 6.2), amd(12.6, 6.3)};  // of four baselines
  EXPECT_THAT(why(runs_apart(biases, 4), ReweightMethod::mbar), ::testing::HasSubstr(differ));
  // Many of them are an estimate, whose error is that of drawing runs: p = 1/4 of 40 is known to a quarter, 0.7 kJ/mol.
  const FreeEnergySurface s = free_energy_surface(runs_apart({amd(12, 6)}, 40), request(ReweightMethod::exponential, 12));
  EXPECT_NEAR(s.error[3], 0.7, 0.25);  // -90 to -60 degrees
  EXPECT_THAT(s.warnings, ::testing::Contains(::testing::HasSubstr(differ)));
  // So it is where each has a bias of its own: 1.2 kJ/mol for twelve.
  std::vector<Bias> own;
  for (int r = 0; r < 12; ++r) own.push_back(amd(12 + 0.01 * r, 6));
  FreeEnergyRequest mbar = request(ReweightMethod::mbar, 12);
  mbar.bootstrap = 40;
  EXPECT_NEAR(free_energy_surface(runs_apart(own, 12), mbar).error[3], 1.2, 0.5);
}

/// Replica exchange of a Metropolis walk whose steps are short: which configurations there are changes slowly.
BiasedFrames exchanged_frames(const std::vector<double>& temperatures, int count, unsigned seed) {
  const std::size_t replicas = temperatures.size();
  std::mt19937_64 generator(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<double> phi(replicas);
  for (double& one : phi) one = Circle(double_well).draw(generator);
  std::vector<std::vector<double>> all(replicas);
  const auto beta = [&](std::size_t k) { return 1 / (constants::boltzmann * temperatures[k]); };
  for (int n = 0; n < count; ++n) {
    for (std::size_t k = 0; k < replicas; ++k) {
      double next = phi[k] + 90 * (uniform(generator) - 0.5);
      next -= 360 * std::floor((next + 180) / 360);
      if (uniform(generator) < std::exp(beta(k) * (double_well(phi[k]) - double_well(next)))) phi[k] = next;
    }
    for (std::size_t k = static_cast<std::size_t>(n) % 2; k + 1 < replicas; k += 2)
      if (uniform(generator) < std::exp((beta(k) - beta(k + 1)) * (double_well(phi[k]) - double_well(phi[k + 1]))))
        std::swap(phi[k], phi[k + 1]);
    for (std::size_t k = 0; k < replicas; ++k) all[k].push_back(phi[k]);
  }
  BiasedFrames f;
  f.axes = {{"phi", "dihedral(0,1,2,3)", "deg", true}};
  for (std::size_t k = 0; k < replicas; ++k) {
    f.states.push_back({Bias{}, false, temperatures[k], false});
    f.series.push_back(f.size());
    f.ensembles.push_back(0);
    for (double one : all[k]) add_frame(f, one, 0, static_cast<int>(k));
  }
  f.series.push_back(f.size());
  return f;
}

TEST(FreeEnergy, ErrorsKnowOfExchange) {
  const std::vector<double> exact = Circle(double_well).probabilities(12);
  const double rate = coverage(ReweightMethod::mbar, 0, exact, 30, [&](unsigned seed) {
    return exchanged_frames({300, 360, 430}, 3000, seed);
  });
  EXPECT_GT(rate, 0.55);  // taken for runs that know nothing of each other: 0.41
  EXPECT_LT(rate, 0.8);
}

TEST(Mbar, FreeEnergiesOfHarmonicStatesAreExact) {
  // u_k = a_k x^2/2: f_k - f_0 = ln(a_k/a_0)/2, in kT.
  const std::vector<double> stiffness{1, 3, 0.4};
  std::mt19937_64 generator(6);
  std::vector<std::vector<double>> u(3);
  std::vector<double> counts;
  for (double a : stiffness) {
    std::normal_distribution<double> normal(0, 1 / std::sqrt(a));
    counts.push_back(20000);
    for (int n = 0; n < 20000; ++n) {
      const double x = normal(generator);
      for (std::size_t k = 0; k < 3; ++k) u[k].push_back(stiffness[k] * x * x / 2);
    }
  }
  const MbarResult r = solve_mbar(u, counts);
  EXPECT_TRUE(r.converged);
  EXPECT_EQ(r.free_energies[0], 0);
  EXPECT_NEAR(r.free_energies[1], 0.5 * std::log(3.0), 0.02);  // overlaps are large: four errors of 0.005
  EXPECT_NEAR(r.free_energies[2], 0.5 * std::log(0.4), 0.02);
}

TEST(Mbar, PutsStagesWithDifferentBoostsTogether) {
  const std::vector<Bias> biases{Bias{}, amd(8, 4), amd(14, 5)};
  const std::vector<double> exact = Circle(double_well).probabilities(24);
  BiasedFrames f = on_the_dihedral(biases);
  std::mt19937_64 generator(8);
  for (int k = 0; k < 3; ++k) {
    const Bias& bias = biases[static_cast<std::size_t>(k)];
    const auto boost = [&](double phi) { return bias.dihedral.on ? amd_energy(double_well(phi), bias) : 0; };
    const Circle sampled([&](double phi) { return double_well(phi) + boost(phi); });
    f.series.push_back(f.size());
    for (int n = 0; n < 15000; ++n) {
      const double phi = sampled.draw(generator);
      add_frame(f, phi, boost(phi), k);
    }
  }
  f.series.push_back(f.size());
  FreeEnergyRequest r = request(ReweightMethod::mbar, 24);
  r.bootstrap = 40;
  const FreeEnergySurface s = free_energy_surface(f, r);
  EXPECT_LT(mean_square_deviation(s, exact), 2);
  ASSERT_EQ(s.state_free_energies.size(), 3u);
  for (std::size_t k = 1; k < 3; ++k) {
    double p = 0, q = 0;
    for (int n = 0; n < 3600; ++n) {
      const double v = double_well(n * 0.1 - 180);
      q += std::exp(-v / kt);
      p += std::exp(-(v + amd_energy(v, biases[k])) / kt);
    }
    EXPECT_NEAR(s.state_free_energies[k], -kt * std::log(p / q), 0.1);
  }
  // One bias for all would be wrong, and is refused.
  EXPECT_THROW(free_energy_surface(f, request(ReweightMethod::exponential, 24)), InputError);
  EXPECT_THROW(free_energy_surface(f, request(ReweightMethod::pooled, 24)), InputError);
}

TEST(FreeEnergy, SaysWhatCannotBeTrusted) {
  const auto fails = [](const BiasedFrames& f, const FreeEnergyRequest& r, const char* part) {
    try {
      free_energy_surface(f, r);
      ADD_FAILURE() << "was given: " << part;
    } catch (const InputError& e) {
      EXPECT_THAT(e.what(), ::testing::HasSubstr(part));
    }
  };
  BiasedFrames f = boosted_frames(amd(12, 6), 3000, 3);
  f.boost[17] += 100;  // a single frame has all the weight
  fails(f, request(ReweightMethod::exponential, 12), "cannot be trusted");
  FreeEnergyRequest forced = request(ReweightMethod::exponential, 12);
  forced.force = true;
  EXPECT_THAT(free_energy_surface(f, forced).warnings, ::testing::Contains(::testing::HasSubstr("of all weight")));

  f = boosted_frames(amd(12, 6), 3000, 3);
  f.states[0].updating = true;
  fails(f, request(ReweightMethod::exponential, 12), "changed while it ran");
  f.states[0].updating = false;
  fails(f, request(ReweightMethod::cumulant, 12, 4), "goes to order 3");
  FreeEnergyRequest hot = request(ReweightMethod::exponential, 12);
  hot.temperature = 310;
  fails(f, hot, "sampled at 300 K");
  FreeEnergyRequest plain = request(ReweightMethod::none, 12);
  const auto of_temperatures = ::testing::Contains(::testing::HasSubstr("of no one temperature"));
  EXPECT_THAT(free_energy_surface(f, plain).warnings, ::testing::Not(of_temperatures));
  f.states.push_back(f.states[0]);
  f.states.back().temperature = 310;
  EXPECT_THAT(free_energy_surface(f, plain).warnings, of_temperatures);
  f.states.pop_back();
  FreeEnergyRequest empty = request(ReweightMethod::exponential, 12);
  empty.cutoff = 100000;
  fails(f, empty, "no bin has");
  FreeEnergyRequest ranges = request(ReweightMethod::exponential, 12);
  ranges.ranges = {{-180, 180}, {0, 1}};
  fails(f, ranges, "--range");
}

TEST(FreeEnergy, TwoAndThreeVariablesAreWhatTheyAreMadeOf) {
  // Independent variables: the surface is the sum of its parts, and unbiased frames go the same way.
  std::mt19937_64 generator(12);
  const Circle well(double_well);
  BiasedFrames f = on_the_dihedral({Bias{}});
  f.axes.push_back({"psi", "dihedral(1,2,3,4)", "deg", true});
  f.axes.push_back({"r", "distance(0,1)", "nm", false});
  std::normal_distribution<double> normal(0.3, 0.02);
  for (int n = 0; n < 40000; ++n) {
    add_frame(f, well.draw(generator), 0);
    f.value.back()[1] = well.draw(generator);
    f.value.back()[2] = normal(generator);
  }
  f.series = {0, f.size()};
  FreeEnergyRequest r;
  r.bins = {6, 8, 2};
  r.ranges = {{-180, 180}, {-180, 180}, {0.28, 0.32}};
  r.bootstrap = 20;
  const FreeEnergySurface s = free_energy_surface(f, r);
  EXPECT_EQ(s.method, ReweightMethod::none);
  ASSERT_EQ(s.pmf.size(), 96u);
  const std::vector<double> p6 = well.probabilities(6), p8 = well.probabilities(8);
  for (std::size_t i = 0; i < 6; ++i)
    for (std::size_t j = 0; j < 8; ++j)
      for (std::size_t k = 0; k < 2; ++k) {
        const std::size_t b = (i * 8 + j) * 2 + k;
        if (std::isnan(s.error[b])) continue;
        EXPECT_NEAR(-kt * std::log(s.probability[b]), -kt * std::log(p6[i] * p8[j] * 0.5), 5 * s.error[b] + 0.05);
      }
}

}  // namespace
}  // namespace uplift

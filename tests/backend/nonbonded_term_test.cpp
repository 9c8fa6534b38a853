// The CPU's nonbonded term against every pair and image summed naively.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <tuple>

#include "oracle/pair.hpp"
#include "uplift/backend/cpu/force_term.hpp"
#include "uplift/backend/dispersion.hpp"
#include "uplift/core/constants.hpp"

namespace uplift {
namespace {

using cpu::ForceSums;
using cpu::Threads;

const double right = constants::pi / 2, tetrahedral = std::acos(-1.0 / 3);
Box brick() { return make_box({2.1, 2.5, 1.9}, {right, right, right}); }
Box octahedron() { return make_box({2.4, 2.4, 2.4}, {tetrahedral, tetrahedral, tetrahedral}); }
/// Columns of clusters along z are so long that the list looks at a part of each.
Box tower() { return make_box({2.1, 2.5, 24.0}, {right, right, right}); }
Box leaning_tower() { return make_box({2.6, 2.3, 24.0}, {1.3, 1.4, 1.9}); }
Box skewed() { return make_box({2.6, 2.3, 2.2}, {1.2, 1.4, 1.9}); }

/// Lennard-Jones parameters of two types that differ: by Lorentz and Berthelot's rules, so but for one pair of types, by
/// geometric rules, or by none.
enum class Mixing { rules, exception, geometric, none };

struct Case {
  System system;
  std::vector<Vec3d> x;
  Box box;
  double alpha = 3.3;
};

/// n atoms on a jittered lattice (no two closer than about half its spacing), three Lennard-Jones types, random charges, and
/// every atom excluded from a few of the next ones. Coordinates are spread over several cells, as an unwrapped trajectory's
/// are.
Case make_case(int n, const Box& box, NonbondedMethod method, Mixing mixing = Mixing::rules, unsigned seed = 7) {
  Case c;
  c.box = method == NonbondedMethod::no_cutoff ? Box{} : box;
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> u(-1, 1);
  const int side = std::max(1, static_cast<int>(std::ceil(std::cbrt(n))));
  for (int i = 0; i < n; ++i) {
    const Vec3d s{(i % side + 0.2 * u(random)) / side, (i / side % side + 0.2 * u(random)) / side,
                  (i / side / side + 0.2 * u(random)) / side};
    const double far = c.box.periodic() ? 3 : 0;
    c.x.push_back(box.position(
        {s.x + std::round(far * u(random)), s.y + std::round(far * u(random)), s.z + std::round(far * u(random))}));
    c.system.force_field.charges.push_back(u(random));
    c.system.force_field.lj_type.push_back(i % 3);
  }
  c.system.topology.atoms.resize(static_cast<std::size_t>(n));
  ForceField& ff = c.system.force_field;
  ff.lj_types = 3;
  const double spacing = std::cbrt(box.volume() / std::max(n, 1)), sigma[3] = {0.5 * spacing, 0.4 * spacing, 0.0},
               epsilon[3] = {0.6, 0.3, 0.0};
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      const double mean = mixing == Mixing::geometric ? std::sqrt(sigma[i] * sigma[j]) : (sigma[i] + sigma[j]) / 2;
      // Types 1 and 2 may have a repulsion alone, which no rule has.
      const bool odd = mixing == Mixing::none || (mixing == Mixing::exception && i + j == 1);
      const double s6 = std::pow(mean, 6), e = std::sqrt(epsilon[i] * epsilon[j]) * (odd ? 1.7 - 0.3 * std::abs(i - j) : 1.0);
      ff.lj_c6.push_back(4 * e * s6);
      ff.lj_c12.push_back(mixing == Mixing::none && i + j == 3 && i != j ? 0.1 * s6 * s6 : 4 * e * s6 * s6);
    }
  for (int i = 0; i < n; ++i)
    for (int j : {i + 1, i + 2, i + 9})
      if (j < n && (i + j) % 4 != 0) ff.exclusions.push_back({i, j});
  ff.exclusions.push_back({0, n - 1});  // far apart, too
  if (n < 2) ff.exclusions.clear();
  std::sort(ff.exclusions.begin(), ff.exclusions.end());
  ff.exclusions.erase(std::unique(ff.exclusions.begin(), ff.exclusions.end()), ff.exclusions.end());
  c.system.forces.nonbonded = method;
  c.system.forces.cutoff = 0.85;
  c.system.forces.dispersion_correction = false;
  return c;
}

/// Pairs, and with PME what the mesh has of excluded ones.
class Terms {
 public:
  Terms(const Case& c, Precision precision, const Threads& threads)
      : pairs_(cpu::make_nonbonded_term(c.system, pme(c), precision, threads)),
        excluded_(cpu::make_excluded_term(c.system, pme(c), precision, threads)) {}
  void evaluate(const cpu::ForceRequest& request, ForceSums& sums) const {
    pairs_->evaluate(request, sums);
    if (excluded_) excluded_->evaluate(request, sums);
  }
  std::int64_t lists() const { return pairs_->phases().at(0).calls; }  ///< built so far
  cpu::ForceTerm& pairs() const { return *pairs_; }

 private:
  static PmeParameters pme(const Case& c) { return {c.alpha, {32, 32, 32}, 5}; }
  std::unique_ptr<cpu::ForceTerm> pairs_, excluded_;
};

struct Wanted {
  bool energies = true, virial = true, every_step = false;
};
ForceSums run(const Case& c, Precision precision, int threads = 2, const Wanted& wanted = {}) {
  const Threads t(threads);
  ForceSums sums;
  sums.force.resize(3 * c.x.size());
  Terms(c, precision, t).evaluate({c.x, c.box, wanted.energies, wanted.virial, wanted.every_step}, sums);
  return sums;
}

double energy(const ForceSums& s, EnergyTerm t) { return from_fixed(s.energy[static_cast<std::size_t>(t)]); }
Vec3d force(const ForceSums& s, std::size_t i) {
  return {from_fixed(s.force[3 * i]), from_fixed(s.force[3 * i + 1]), from_fixed(s.force[3 * i + 2])};
}

/// rms difference of forces over the rms force.
double force_error(const ForceSums& s, const oracle::PairResult& expected) {
  double difference = 0, total = 0;
  for (std::size_t i = 0; i < expected.force.size(); ++i) {
    const Vec3d d = force(s, i) - expected.force[i];
    difference += dot(d, d);
    total += dot(expected.force[i], expected.force[i]);
  }
  return total > 0 ? std::sqrt(difference / total) : std::sqrt(difference);
}

void expect_equal(const Case& c, const std::string& what) {
  SCOPED_TRACE(what);
  const oracle::PairResult expected = oracle::pairs(c.system, c.x, c.box, c.alpha);
  double scale = 1;
  for (double w : expected.virial) scale = std::max(scale, std::abs(w));
  // Double: rounding of sums of some hundred pairs, and of the fixed-point unit (2e-10) against forces of some hundred
  // kJ/mol/nm. Mixed: some ten float roundings (6e-8) a pair, which partly cancel.
  for (const auto& [precision, f_limit, e_limit] :
       {std::tuple(Precision::double_, 1e-10, 1e-10), std::tuple(Precision::mixed, 3e-6, 2e-6)}) {
    for (bool every_step : {false, true}) {
      const ForceSums s = run(c, precision, 2, {true, true, every_step});
      EXPECT_LT(force_error(s, expected), f_limit) << every_step;
      EXPECT_NEAR(energy(s, EnergyTerm::lj), expected.lj, e_limit * scale) << every_step;
      EXPECT_NEAR(energy(s, EnergyTerm::coulomb_direct), expected.coulomb, e_limit * scale) << every_step;
      for (std::size_t k = 0; k < 9; ++k)
        EXPECT_NEAR(from_fixed(s.virial[k]), expected.virial[k], e_limit * scale) << "virial " << k << every_step;
    }
  }
}

TEST(NonbondedTerm, EqualsNaiveSumsInEveryBox) {
  for (NonbondedMethod method : {NonbondedMethod::pme, NonbondedMethod::reaction_field})
    for (const auto& [box, name] :
         {std::pair(brick(), "brick"), std::pair(octahedron(), "octahedron"), std::pair(skewed(), "skewed"),
          std::pair(tower(), "tower"), std::pair(leaning_tower(), "leaning tower")})
      for (int n : {0, 1, 2, 31, 32, 33, 1000})
        expect_equal(make_case(n, box, method), std::string(name) + " " + std::to_string(n));
}

TEST(NonbondedTerm, EqualsNaiveSumsWithoutCutoff) {
  for (int n : {0, 1, 2, 31, 32, 33, 700}) expect_equal(make_case(n, brick(), NonbondedMethod::no_cutoff), std::to_string(n));
}

TEST(NonbondedTerm, TakesLennardJonesByAnyRuleAndByNone) {
  for (NonbondedMethod method : {NonbondedMethod::pme, NonbondedMethod::reaction_field, NonbondedMethod::no_cutoff})
    for (Mixing mixing : {Mixing::exception, Mixing::geometric, Mixing::none}) {
      Case c = make_case(600, method == NonbondedMethod::pme ? octahedron() : brick(), method, mixing);
      expect_equal(c, "mixing " + std::to_string(static_cast<int>(mixing)));
      // Seldom an exception: most entries of the list have none.
      for (int& type : c.system.force_field.lj_type)
        if (type == 0 && &type - c.system.force_field.lj_type.data() > 20) type = 1;
      expect_equal(c, "few of mixing " + std::to_string(static_cast<int>(mixing)));
    }
}

TEST(NonbondedTerm, SwitchesLennardJones) {
  for (NonbondedMethod method : {NonbondedMethod::pme, NonbondedMethod::reaction_field})
    for (Mixing mixing : {Mixing::rules, Mixing::exception, Mixing::geometric, Mixing::none})
      for (const Box& box : {brick(), octahedron()}) {
        Case c = make_case(600, box, method, mixing);
        c.system.forces.switch_distance = 0.6;
        expect_equal(c, "switched, mixing " + std::to_string(static_cast<int>(mixing)));
      }
}

TEST(NonbondedTerm, WorksInTheSmallestBoxThatTheCutoffAllows) {
  const Box box = make_box({1.7001, 1.7001, 1.7001}, {right, right, right});
  expect_equal(make_case(400, box, NonbondedMethod::pme), "cube just over twice the cutoff");
}

/// In every variant of the loop: forces do not depend on what else is wanted, nor on how it is compiled.
TEST(NonbondedTerm, SameBitsWithoutEnergies) {
  for (Mixing mixing : {Mixing::rules, Mixing::exception, Mixing::geometric, Mixing::none})
    for (const Box& box : {brick(), octahedron()})
      for (bool switching : {false, true})
        for (bool half : {false, true}) {
          Case c = make_case(1000, box, NonbondedMethod::pme, mixing);
          if (switching) c.system.forces.switch_distance = 0.6;
          if (half)  // i clusters whose last two atoms have no Lennard-Jones parameters
            for (std::size_t i = 0; i < 1000; ++i)
              c.system.force_field.lj_type[i] = i % 3 == 0 ? static_cast<int>(i / 3 % 2) : 2;
          const std::string what = std::to_string(static_cast<int>(mixing)) + (box.orthorhombic() ? " brick" : " octahedron") +
                                   (switching ? " switching" : "") + (half ? " half" : "");
          const ForceSums loud = run(c, Precision::mixed, 1), rows = run(c, Precision::mixed, 1, {true, false}),
                          quiet = run(c, Precision::mixed, 1, {false, false});
          EXPECT_TRUE(std::equal(loud.force.begin(), loud.force.end(), quiet.force.begin())) << what;
          EXPECT_TRUE(std::equal(loud.force.begin(), loud.force.end(), rows.force.begin())) << what;
          // What a boost goes by has bits of its own, whether the virial is wanted or not.
          const ForceSums boost = run(c, Precision::mixed, 1, {true, false, true}),
                          with_virial = run(c, Precision::mixed, 1, {true, true, true});
          EXPECT_TRUE(std::equal(boost.force.begin(), boost.force.end(), with_virial.force.begin())) << what;
          EXPECT_EQ(boost.energy, with_virial.energy) << what;
        }
}

TEST(NonbondedTerm, SameBitsForAnyNumberOfThreads) {
  const Case c = make_case(1000, octahedron(), NonbondedMethod::pme);
  for (Precision precision : {Precision::mixed, Precision::double_}) {
    const ForceSums one = run(c, precision, 1);
    for (int threads : {2, 3, 5}) {
      const ForceSums more = run(c, precision, threads);
      EXPECT_TRUE(std::equal(one.force.begin(), one.force.end(), more.force.begin())) << threads << " threads";
      EXPECT_EQ(one.energy, more.energy);
      EXPECT_EQ(one.virial, more.virial);
    }
  }
}

TEST(NonbondedTerm, NeverMissesAPairWhileAtomsMove) {
  for (NonbondedMethod method : {NonbondedMethod::pme, NonbondedMethod::no_cutoff}) {
    Case c = make_case(500, skewed(), method);
    const Threads threads(2);
    const Terms terms(c, Precision::double_, threads);
    std::mt19937 random(3);
    std::normal_distribution<double> kick(0, 0.004);  // [nm] a step: lists are pruned every few steps and rebuilt now and then
    ForceSums sums;
    for (int step = 0; step < 60; ++step) {
      for (Vec3d& r : c.x) r += Vec3d{kick(random), kick(random), kick(random)};
      sums.force.resize(3 * c.x.size());
      sums.clear();
      terms.evaluate({c.x, c.box, false, false}, sums);
      ASSERT_LT(force_error(sums, oracle::pairs(c.system, c.x, c.box, c.alpha)), 1e-9) << "step " << step;
    }
  }
}

/// Molecules go with the box, so that it is not what atoms move by that makes a list too old.
TEST(NonbondedTerm, NeverMissesAPairWhileTheBoxIsScaled) {
  for (const Box& box : {make_box({2.6, 2.7, 2.5}, {right, right, right}), make_box({3.1, 2.8, 2.7}, {1.2, 1.4, 1.9})})
    for (const Vec3d& by : {Vec3d{0.997, 0.997, 0.997}, Vec3d{1.001, 0.998, 1.003}, Vec3d{1, 1, 0.995}}) {
      Case c = make_case(500, box, NonbondedMethod::pme);
      const Threads threads(2);
      const Terms terms(c, Precision::double_, threads);
      std::mt19937 random(3);
      std::normal_distribution<double> kick(0, 0.001);  // [nm]
      const auto scaled = [&](const Vec3d& r) { return Vec3d{by.x * r.x, by.y * r.y, by.z * r.z}; };
      ForceSums sums;
      for (int step = 0; step < 30; ++step) {
        c.box = {scaled(c.box.a), scaled(c.box.b), scaled(c.box.c)};
        for (Vec3d& r : c.x) r = scaled(r) + Vec3d{kick(random), kick(random), kick(random)};
        sums.force.resize(3 * c.x.size());
        sums.clear();
        terms.evaluate({c.x, c.box, false, false}, sums);
        ASSERT_LT(force_error(sums, oracle::pairs(c.system, c.x, c.box, c.alpha)), 1e-9) << "step " << step;
      }
      EXPECT_LE(terms.lists(), 2);
    }
}

/// A list that is in use goes on in the box that it was made in.
TEST(NonbondedTerm, GoesOnWithTheListOfAnotherBox) {
  Case c = make_case(1000, brick(), NonbondedMethod::pme);
  const Threads threads(2);
  const Terms one(c, Precision::mixed, threads), other(c, Precision::mixed, threads), anew(c, Precision::mixed, threads);
  const auto sums_of = [&](const Terms& terms) {
    ForceSums sums;
    sums.force.resize(3 * c.x.size());
    terms.evaluate({c.x, c.box, true, true}, sums);
    return sums;
  };
  sums_of(one);
  c.box = {1.01 * c.box.a, 1.01 * c.box.b, 1.01 * c.box.c};
  for (Vec3d& r : c.x) r = 1.01 * r + Vec3d{0.01, 0, -0.01};
  const ForceSums before = sums_of(one);
  EXPECT_EQ(one.lists(), 1);
  other.pairs().restore_list(one.pairs().list_origin());
  const ForceSums after = sums_of(other);
  EXPECT_TRUE(std::equal(before.force.begin(), before.force.end(), after.force.begin()));
  EXPECT_EQ(before.energy, after.energy);
  const ForceSums of_now = sums_of(anew);  // sums follow the list: were it another one, this would have been seen
  EXPECT_FALSE(std::equal(before.force.begin(), before.force.end(), of_now.force.begin()));
}

TEST(NonbondedTerm, ForcesAreTheSlopeOfTheEnergy) {
  Case c = make_case(300, octahedron(), NonbondedMethod::reaction_field);
  c.system.forces.switch_distance = 0.6;
  const auto total = [&] {
    const ForceSums s = run(c, Precision::double_);
    return energy(s, EnergyTerm::lj) + energy(s, EnergyTerm::coulomb_direct);
  };
  const ForceSums s = run(c, Precision::double_);
  for (std::size_t i : {std::size_t{0}, std::size_t{17}, std::size_t{250}}) {
    const double h = 1e-5;
    Vec3d& r = c.x[i];
    const double x0 = r.x;
    r.x = x0 + h;
    const double plus = total();
    r.x = x0 - h;
    const double minus = total();
    r.x = x0;
    // Reaction field and switching leave no step in the energy at the cutoff. h^2 times a third derivative of at most 1e6.
    EXPECT_NEAR(-(plus - minus) / (2 * h), force(s, i).x, 1e-4 + 1e-6 * std::abs(force(s, i).x));
  }
}

TEST(NonbondedTerm, ForcesSumToZero) {
  for (Precision precision : {Precision::mixed, Precision::double_}) {
    const Case c = make_case(1000, brick(), NonbondedMethod::pme);
    const ForceSums s = run(c, precision);
    Vec3d sum{0, 0, 0};
    for (std::size_t i = 0; i < c.x.size(); ++i) sum += force(s, i);
    // i forces are summed in `real`, j forces in fixed point: 1000 atoms, each within a few roundings of 1e3 kJ/mol/nm.
    const double limit = precision == Precision::mixed ? 1e-1 : 1e-6;
    EXPECT_LT(std::sqrt(dot(sum, sum)), limit);
  }
}

TEST(NonbondedTerm, OverlapSaturatesAndNeverBecomesNaN) {
  Case c = make_case(100, brick(), NonbondedMethod::reaction_field);
  c.system.force_field.exclusions.clear();
  c.x[4] = c.x[1] + Vec3d{1e-9, 0, 0};  // types 1 and 1: both have a core
  for (Precision precision : {Precision::mixed, Precision::double_}) {
    const ForceSums s = run(c, precision);
    const Vec3d f = force(s, 1);
    EXPECT_GT(std::sqrt(dot(f, f)), force_limit);
    EXPECT_TRUE(std::isfinite(energy(s, EnergyTerm::lj)));
  }
}

TEST(DispersionCorrection, IsTheIntegralOfTheTail) {
  Case c = make_case(64, brick(), NonbondedMethod::pme);
  const ForceField& ff = c.system.force_field;
  for (double on : {0.0, 0.6}) {
    if (on > 0) c.system.forces.switch_distance = on;
    const double low = on > 0 ? on : 0.85, h = 1e-3;
    // By shells: the energy is 2 pi N^2/V times the mean over pairs of the integral of r^2 (E - what the pair sum has), the
    // pressure times V
    // -(2 pi/3) N^2/V times that of r^3 times the slope that the pair sum lacks, its jump at the cutoff not being a force.
    std::vector<double> energy(9, 0), slope(9, 0);
    for (std::size_t at = 0; at < 9; ++at) {
      const auto full = [&](double r) { return ff.lj_c12[at] / std::pow(r, 12) - ff.lj_c6[at] / std::pow(r, 6); };
      const auto kept = [&](double r) {
        const double t = (r - low) / (0.85 - low);
        return on > 0 && r < 0.85 ? full(r) * (1 - 10 * t * t * t + 15 * std::pow(t, 4) - 6 * std::pow(t, 5)) : 0;
      };
      for (double r = low + h / 2; r < 20; r += h) {
        energy[at] += r * r * (full(r) - kept(r)) * h;
        slope[at] += r * r * r * (full(r + h / 2) - full(r - h / 2) - kept(r + h / 2) + kept(r - h / 2));
      }
    }
    double tail = 0, missing = 0;
    for (std::size_t i = 0; i < 64; ++i)
      for (std::size_t j = i; j < 64; ++j) {
        const auto at = static_cast<std::size_t>(ff.lj_type[i] * 3 + ff.lj_type[j]);
        tail += energy[at] / (64 * 65 / 2);
        missing += slope[at] / (64 * 65 / 2);
      }
    const DispersionCorrection found = dispersion_correction_times_volume(c.system);
    const double expected = 2 * constants::pi * 64 * 64 * tail, virial = -2 * constants::pi / 3 * 64 * 64 * missing;
    // Midpoint rule with 1 pm shells (1e-6) and the tail beyond 20 nm (1e-4 of 20^-3/0.85^-3).
    EXPECT_NEAR(found.energy, expected, 2e-4 * std::abs(expected));
    EXPECT_NEAR(found.virial, virial, 2e-4 * std::abs(virial));
    EXPECT_EQ(found.virial == found.energy, on > 0);  // a smooth end has no jump
  }
}

}  // namespace
}  // namespace uplift

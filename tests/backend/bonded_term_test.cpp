// The CPU's bonded and restraint terms on whole systems against tests/oracle.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <limits>
#include <numbers>
#include <random>

#include "cpu/cpu_isa.hpp"
#include "oracle/bonded.hpp"
#include "uplift/backend/cpu/force_term.hpp"

namespace uplift::cpu {
namespace {

constexpr double pi = std::numbers::pi;

struct Case {
  System system;
  Box box;
  std::vector<Vec3d> x;
};

class Builder {
 public:
  // `terms` of every kind, on molecules of five atoms: chains whose atoms are at least 0.1 nm apart and whose angles stay clear
  // of 0 and 180 degrees, so that the oracle's acos keeps its digits. In a box every atom is wrapped on its own.
  Case make(int terms, const Box& box) {
    Case c;
    c.box = box;
    ForceField& ff = c.system.force_field;
    const int molecules = terms / 4 + 1;
    for (int m = 0; m < molecules; ++m) add_molecule(c);
    for (int map = 0; map < 2; ++map) {
      const int resolution = map == 0 ? 24 : 12;
      CmapGrid grid{resolution, {}};
      for (int n = 0; n < resolution * resolution; ++n) grid.energy.push_back(uniform(-5, 5));
      ff.cmap_grids.push_back(grid);
    }
    for (int t = 0; t < terms; ++t) {
      const int first = 5 * (t % molecules), a = first + t % 2;
      const bool back = t % 3 == 0;
      const std::array<int, 4> four = back ? std::array{a + 3, a + 2, a + 1, a} : std::array{a, a + 1, a + 2, a + 3};
      ff.bonds.push_back({four[0], four[1], uniform(0.09, 0.15), uniform(1e5, 4e5)});
      ff.angles.push_back({four[0], four[1], four[2], uniform(1.8, 2.2), uniform(200, 800)});
      ff.urey_bradleys.push_back({four[0], four[2], uniform(0.2, 0.25), uniform(1e3, 2e4)});
      ff.dihedrals.push_back(
          {four[0], four[1], four[2], four[3], t % 7, t % 2 ? pi : uniform(-pi, pi), uniform(-5, 15), t % 5 == 0});
      ff.impropers.push_back({four[1], four[0], four[2], four[3], t % 2 ? pi : uniform(-pi, pi), uniform(50, 500)});
      ff.cmaps.push_back({first, first + 1, first + 2, first + 3, first + 4, t % 2});
      ff.pairs14.push_back({four[0], four[3], uniform(-0.3, 0.3), uniform(0, 1e-4), uniform(0, 1e-8)});
    }
    c.system.masses.assign(c.x.size(), 12.0);
    return c;
  }
  double uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random_); }

 private:
  void add_molecule(Case& c) {
    std::array<Vec3d, 5> chain;
    do {
      chain[0] = {uniform(-4, 4), uniform(-4, 4), uniform(-4, 4)};
      for (std::size_t n = 1; n < 5; ++n) {
        const Vec3d d{uniform(-1, 1), uniform(-1, 1), uniform(-1, 1)};
        chain[n] = chain[n - 1] + (uniform(0.1, 0.16) / std::sqrt(dot(d, d))) * d;
      }
    } while (!usable(chain));
    for (Vec3d r : chain) {
      if (c.box.periodic()) {
        Vec3d s = c.box.fraction(r);
        s = {s.x - std::floor(s.x), s.y - std::floor(s.y), s.z - std::floor(s.z)};
        r = c.box.position(s);
      }
      c.x.push_back(r);
      c.system.topology.atoms.push_back({"C", "C", 6, 12.0, 0});
    }
  }
  static bool usable(const std::array<Vec3d, 5>& r) {
    for (std::size_t a = 0; a < 5; ++a)
      for (std::size_t b = a + 1; b < 5; ++b) {
        if (dot(r[a] - r[b], r[a] - r[b]) < 0.01) return false;
        for (std::size_t c = 0; c < 5; ++c)
          if (c != a && c != b) {
            const double theta = oracle::angle(r[a], r[c], r[b]);
            if (theta < 0.2 || theta > pi - 0.2) return false;
          }
      }
    return true;
  }
  std::mt19937_64 random_{5};
};

ForceSums run(ForceTerm& term, const Case& c, bool energies = true, bool virial = true) {
  ForceSums sums;
  sums.force.resize(3 * c.x.size());
  term.compute({c.x, c.box, energies, virial}, sums);
  return sums;
}

Vec3d force(const ForceSums& sums, std::size_t atom) {
  return {from_fixed(sums.force[3 * atom]), from_fixed(sums.force[3 * atom + 1]), from_fixed(sums.force[3 * atom + 2])};
}

struct Errors {
  double force_rms = 0, force_max = 0, reference_rms = 0;
};
Errors compare(const ForceSums& sums, const std::vector<Vec3d>& reference) {
  Errors e;
  for (std::size_t a = 0; a < reference.size(); ++a) {
    const Vec3d d = force(sums, a) - reference[a];
    e.force_rms += dot(d, d);
    e.force_max = std::max({e.force_max, std::abs(d.x), std::abs(d.y), std::abs(d.z)});
    e.reference_rms += dot(reference[a], reference[a]);
  }
  e.force_rms = std::sqrt(e.force_rms / static_cast<double>(reference.size()));
  e.reference_rms = std::sqrt(e.reference_rms / static_cast<double>(reference.size()));
  return e;
}

std::vector<Box> boxes() {
  return {Box{}, make_box({2.1, 2.4, 2.7}, {pi / 2, pi / 2, pi / 2}), make_box({2.5, 2.5, 2.5}, {1.9106, 1.9106, 1.9106})};
}

constexpr std::array bonded_terms{EnergyTerm::bond,     EnergyTerm::angle, EnergyTerm::urey_bradley, EnergyTerm::dihedral,
                                  EnergyTerm::improper, EnergyTerm::cmap,  EnergyTerm::lj_14,        EnergyTerm::coulomb_14};

TEST(BondedTerm, DoubleMatchesTheOracle) {
  for (const Box& box : boxes())
    for (int terms : {1, 31, 32, 33, 1000}) {
      const Case c = Builder().make(terms, box);
      const auto term = make_bonded_term(c.system, Precision::double_, Threads(1));
      ASSERT_TRUE(term);
      const ForceSums sums = run(*term, c);
      const oracle::BondedSums expected = oracle::bonded(c.system, c.x, c.box);
      // A displacement taken from coordinates of 4 nm carries an error of 2^-52 x 4 nm, which the stiffest bond (4e5
      // kJ/mol/nm^2) turns into 4e-10 kJ/mol/nm; an atom has up to 40 such terms. The rest of the arithmetic is 100 roundings
      // of the largest term.
      const double epsilon = std::numeric_limits<double>::epsilon();
      const double tolerance = 40 * 4 * epsilon * 4e5 + 100 * epsilon * expected.largest + fixed_unit;
      EXPECT_LT(compare(sums, expected.forces).force_max, tolerance) << terms << " terms";
      for (EnergyTerm t : bonded_terms) {
        const double e = expected.energies[t];
        EXPECT_NEAR(from_fixed(sums.energy[static_cast<std::size_t>(t)]), e,
                    1e-12 * (std::abs(e) + 100 * terms) + 4 * fixed_unit)
            << energy_term_names[static_cast<std::size_t>(t)];
      }
      for (std::size_t w = 0; w < 9; ++w)
        EXPECT_NEAR(from_fixed(sums.virial[w]), expected.energies.virial[w], terms * (0.3 * tolerance + 20 * fixed_unit));
    }
}

TEST(BondedTerm, MixedStaysCloseToDouble) {
  const Case c = Builder().make(1000, boxes()[2]);
  const auto mixed = make_bonded_term(c.system, Precision::mixed, Threads(1));
  const ForceSums sums = run(*mixed, c);
  const oracle::BondedSums expected = oracle::bonded(c.system, c.x, c.box);
  const Errors e = compare(sums, expected.forces);
  // Float rounds to 2^-24 = 6e-8; the cross products of two bond vectors at the smallest angle here lose a factor 1/sin(0.2) =
  // 5, and four such products and quotients follow one another. Bonds and angles are evaluated in double.
  EXPECT_LT(e.force_rms, 4 * 5 * 6e-8 * e.reference_rms);
  EXPECT_GT(e.force_rms, 0);
  for (EnergyTerm t : bonded_terms) {
    const double energy = expected.energies[t];
    EXPECT_NEAR(from_fixed(sums.energy[static_cast<std::size_t>(t)]), energy, 1e-6 * (std::abs(energy) + 100));
  }
}

// The promise of mixed precision: what is far from the origin is as exact as what is near it.
TEST(BondedTerm, MixedIsAsExactFarFromTheOrigin) {
  Case c = Builder().make(200, Box{});
  const auto term = make_bonded_term(c.system, Precision::mixed, Threads(1));
  const ForceSums near = run(*term, c);
  for (Vec3d& r : c.x) r += Vec3d{512, -1024, 256};
  const ForceSums far = run(*term, c);
  for (std::size_t a = 0; a < c.x.size(); ++a) {
    const Vec3d d = force(near, a) - force(far, a), f = force(near, a);
    EXPECT_LT(std::sqrt(dot(d, d)),
              1e-5 * std::sqrt(dot(f, f)) + 0.01);  // 2e-13 nm x 4e5 is 1e-7; float rounding of 1e4 is 1e-3
  }
}

TEST(BondedTerm, BitsDoNotDependOnThreadsOrOnWhatIsAsked) {
  for (Precision precision : {Precision::mixed, Precision::double_}) {
    const Case c = Builder().make(1000, boxes()[1]);
    const auto one = make_bonded_term(c.system, precision, Threads(1));
    const ForceSums first = run(*one, c);
    for (int threads : {1, 2, 3}) {
      const auto many = make_bonded_term(c.system, precision, Threads(threads));
      for (int repeat = 0; repeat < 3; ++repeat) {
        const ForceSums again = run(*many, c);
        EXPECT_TRUE(std::equal(first.force.begin(), first.force.end(), again.force.begin()));
        EXPECT_EQ(first.energy, again.energy);
        EXPECT_EQ(first.virial, again.virial);
      }
      const ForceSums bare = run(*many, c, false, false);
      EXPECT_TRUE(std::equal(first.force.begin(), first.force.end(), bare.force.begin()));
      EXPECT_EQ(bare.energy, (std::array<Fixed, energy_term_count>{}));
      EXPECT_EQ(bare.virial, (std::array<Fixed, 9>{}));
    }
  }
}

TEST(BondedTerm, AddsToWhatIsThere) {
  const Case c = Builder().make(33, Box{});
  const auto term = make_bonded_term(c.system, Precision::mixed, Threads(2));
  const ForceSums once = run(*term, c);
  ForceSums twice;
  twice.force.resize(3 * c.x.size());
  for (int n = 0; n < 2; ++n) term->evaluate({c.x, c.box, true, true}, twice);
  for (std::size_t n = 0; n < once.force.size(); ++n) EXPECT_EQ(twice.force[n], 2 * once.force[n]);
  for (std::size_t n = 0; n < once.energy.size(); ++n) EXPECT_EQ(twice.energy[n], 2 * once.energy[n]);
}

TEST(BondedTerm, ForcesAddUpToZero) {
  const Case c = Builder().make(1000, boxes()[2]);
  const auto term = make_bonded_term(c.system, Precision::double_, Threads(2));
  const ForceSums sums = run(*term, c);
  Vec3d total{0, 0, 0};
  for (std::size_t a = 0; a < c.x.size(); ++a) total += force(sums, a);
  // One rounding of 2^-33 an atom and one of 2^-53 of up to 4e5 kJ/mol/nm an interaction, at random.
  const double tolerance = 5 * std::sqrt(1000.0 * 20) * 1e-10;
  EXPECT_LT(std::abs(total.x) + std::abs(total.y) + std::abs(total.z), tolerance);
  // Pairwise forces without torque have a symmetric virial.
  const auto w = [&](int n) { return from_fixed(sums.virial[static_cast<std::size_t>(n)]); };
  EXPECT_NEAR(w(1), w(3), 1e-6);
  EXPECT_NEAR(w(2), w(6), 1e-6);
  EXPECT_NEAR(w(5), w(7), 1e-6);
}

// Scaling box and positions by 1 + s changes the energy by -s trace(W): box and oracle know nothing of each other here.
TEST(BondedTerm, VirialIsTheStrainDerivative) {
  const Case c = Builder().make(33, boxes()[2]);
  const auto term = make_bonded_term(c.system, Precision::double_, Threads(1));
  const auto energy = [&](double scale) {
    Case s = c;
    s.box = {scale * c.box.a, scale * c.box.b, scale * c.box.c};
    for (Vec3d& r : s.x) r = scale * r;
    const ForceSums sums = run(*term, s);
    double e = 0;
    for (Fixed f : sums.energy) e += from_fixed(f);
    return e;
  };
  const double h = 1e-5;  // fourth-order difference: error h^4 E''''' / 30, far below the rounding of E / h
  const double slope = (8 * (energy(1 + h) - energy(1 - h)) - (energy(1 + 2 * h) - energy(1 - 2 * h))) / (12 * h);
  const ForceSums sums = run(*term, c);
  const double trace = from_fixed(sums.virial[0] + sums.virial[4] + sums.virial[8]);
  EXPECT_NEAR(trace, -slope, 1e-4 + 1e-7 * std::abs(trace));
}

TEST(BondedTerm, DegenerateGeometryStaysFinite) {
  Case c = Builder().make(33, Box{});
  for (std::size_t m = 0; m < c.x.size() / 5; ++m)
    for (std::size_t a = 0; a < 5; ++a)  // every other molecule straight, the others collapsed to a point
      c.x[5 * m + a] = m % 2 ? Vec3d{0.1 * static_cast<double>(a), 0, 0} : Vec3d{1, 1, 1};
  for (Precision precision : {Precision::mixed, Precision::double_}) {
    const auto term = make_bonded_term(c.system, precision, Threads(1));
    const ForceSums sums = run(*term, c);
    for (Fixed f : sums.force) EXPECT_LT(std::abs(from_fixed(f)), force_limit);  // NaN and infinity would be clamped above it
    for (EnergyTerm t : {EnergyTerm::bond, EnergyTerm::angle, EnergyTerm::dihedral, EnergyTerm::improper, EnergyTerm::cmap})
      EXPECT_LT(std::abs(from_fixed(sums.energy[static_cast<std::size_t>(t)])), 1e6);
  }
}

TEST(BondedTerm, NothingToDoIsNoTerm) {
  const Case c = Builder().make(0, Box{});
  EXPECT_EQ(make_bonded_term(c.system, Precision::mixed, Threads(1)), nullptr);
  EXPECT_EQ(make_restraint_term(c.system, Precision::mixed, Threads(1)), nullptr);
}

TEST(RestraintTerm, PullsTowardsTheNearestImage) {
  for (const Box& box : boxes())
    for (int atoms : {1, 31, 32, 33, 1000}) {
      Builder random;
      Case c;
      c.box = box;
      double energy = 0;
      std::vector<Vec3d> expected(static_cast<std::size_t>(atoms), Vec3d{0, 0, 0});
      for (int a = 0; a < atoms; ++a) {
        const Vec3d d{random.uniform(-0.3, 0.3), random.uniform(-0.3, 0.3), random.uniform(-0.3, 0.3)};
        const Vec3d at{random.uniform(-5, 5), random.uniform(-5, 5), random.uniform(-5, 5)};
        const double k = random.uniform(100, 1000);
        c.x.push_back(at + d);
        c.system.topology.atoms.push_back({"C", "C", 6, 12.0, 0});
        const Vec3d reference = at + 2.0 * box.a - box.b + box.c;
        c.system.position_restraints.push_back({a, reference, k, reference});
        energy += k / 2 * dot(d, d);
        expected[static_cast<std::size_t>(a)] = -k * d;
      }
      const auto one = make_restraint_term(c.system, Precision::mixed, Threads(1)),
                 three = make_restraint_term(c.system, Precision::mixed, Threads(3));
      const ForceSums sums = run(*one, c), threaded = run(*three, c);
      EXPECT_LT(compare(sums, expected).force_max, 1e-11 * 1000);  // 20 nm x 2^-52 x k
      EXPECT_NEAR(from_fixed(sums.energy[static_cast<std::size_t>(EnergyTerm::restraint)]), energy, 1e-11 * energy + 1e-8);
      const double trace = from_fixed(sums.virial[0] + sums.virial[4] + sums.virial[8]);
      EXPECT_NEAR(trace, -2 * energy, 1e-11 * energy + 1e-8);
      EXPECT_TRUE(std::equal(sums.force.begin(), sums.force.end(), threaded.force.begin()));
      EXPECT_EQ(sums.energy, threaded.energy);
    }
}

// The instruction set is chosen once a process, so each one runs these tests, and those of constraints, in a process of its
// own.
class BondedTermIsa : public testing::TestWithParam<const char*> {};
TEST_P(BondedTermIsa, PassesTheSameTests) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  const auto run_with = [&](const char* filter, const char* output) {
    const std::string command = std::string("UPLIFT_ISA=") + GetParam() + " '" + program +
                                "' --gtest_brief=1 --gtest_also_run_disabled_tests --gtest_filter='" + filter + "'" + output;
    return std::system(command.c_str());
  };
  if (run_with("BondedTermProbe.*", " > /dev/null 2>&1") != 0)
    GTEST_SKIP() << GetParam() << " is not built in or not supported by this processor";
  EXPECT_EQ(run_with("BondedTerm.*:Constraints.*:*ConstraintModes.*", ""), 0);
}
INSTANTIATE_TEST_SUITE_P(All, BondedTermIsa, testing::Values("portable", "avx2", "avx512"));

// Only for the test above: does this build and machine have the instruction set that UPLIFT_ISA names?
TEST(BondedTermProbe, DISABLED_InstructionSetIsThere) { EXPECT_NO_THROW(active_isa()); }

}  // namespace
}  // namespace uplift::cpu

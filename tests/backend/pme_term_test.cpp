#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "oracle/ewald.hpp"
#include "uplift/backend/cpu/force_term.hpp"
#include "uplift/core/constants.hpp"

namespace uplift {
namespace {

using cpu::ForceSums;
using cpu::Threads;

const double right = M_PI / 2, tetrahedral = std::acos(-1.0 / 3);
Box brick() { return make_box({2.1, 2.4, 1.9}, {right, right, right}); }
Box octahedron() { return make_box({2.2, 2.2, 2.2}, {tetrahedral, tetrahedral, tetrahedral}); }
Box skewed() { return make_box({2.3, 2.1, 2.0}, {1.2, 1.4, 1.9}); }

struct Charges {
  std::vector<Vec3d> x;
  std::vector<double> q;
};

Charges random_charges(int n, const Box& box, double net, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> u(0, 1);
  Charges c;
  double sum = 0;
  for (int i = 0; i < n; ++i) {
    c.x.push_back(box.position({u(random), u(random), u(random)}));
    c.q.push_back(2 * u(random) - 1);
    sum += c.q.back();
  }
  for (double& q : c.q) q += (net - sum) / n;
  return c;
}

System system_of(const std::vector<double>& q) {
  System s;
  s.topology.atoms.resize(q.size());
  s.force_field.charges = q;
  return s;
}

oracle::EwaldResult result_of(const ForceSums& sums, std::size_t atoms) {
  oracle::EwaldResult r;
  r.energy = from_fixed(sums.energy[static_cast<std::size_t>(EnergyTerm::coulomb_reciprocal)]);
  for (std::size_t i = 0; i < atoms; ++i)
    r.force.push_back({from_fixed(sums.force[3 * i]), from_fixed(sums.force[3 * i + 1]), from_fixed(sums.force[3 * i + 2])});
  for (std::size_t c = 0; c < 9; ++c) r.virial[c] = from_fixed(sums.virial[c]);
  return r;
}

ForceSums sums_of(const Charges& c, const Box& box, const PmeParameters& pme, Precision precision = Precision::double_,
                  int threads = 2) {
  const auto term = cpu::make_pme_term(system_of(c.q), pme, precision, Threads(threads));
  ForceSums sums;
  sums.force.resize(3 * c.x.size());
  if (term) term->evaluate({c.x, box, true, true}, sums);
  return sums;
}

oracle::EwaldResult compute(const Charges& c, const Box& box, const PmeParameters& pme,
                            Precision precision = Precision::double_) {
  return result_of(sums_of(c, box, pme, precision), c.x.size());
}

double rms(const std::vector<Vec3d>& f) {
  double sum = 0;
  for (const Vec3d& v : f) sum += dot(v, v);
  return std::sqrt(sum / static_cast<double>(f.size()));
}
double rms_difference(const std::vector<Vec3d>& f, const std::vector<Vec3d>& g) {
  std::vector<Vec3d> d;
  for (std::size_t i = 0; i < f.size(); ++i) d.push_back(f[i] - g[i]);
  return rms(d);
}

// Rounding of doubles (2e-16) over a few thousand terms, and the fixed-point unit of 2e-10 per task: 1e-9 of values of order
// 100.
void expect_same(const oracle::EwaldResult& got, const oracle::EwaldResult& want) {
  EXPECT_NEAR(got.energy, want.energy, 1e-8 + 1e-12 * std::abs(want.energy));
  EXPECT_LT(rms_difference(got.force, want.force), 1e-9 + 1e-11 * rms(want.force));
  for (std::size_t c = 0; c < 9; ++c) EXPECT_NEAR(got.virial[c], want.virial[c], 1e-8 + 1e-11 * std::abs(want.energy)) << c;
}

TEST(PmeTerm, MatchesNaivePme) {
  const std::array<int, 3> grids[] = {{16, 12, 14}, {15, 13, 9}, {6, 22, 7}, {8, 11, 18}};
  for (const Box& box : {brick(), octahedron(), skewed()})
    for (int order : {4, 5, 6})
      for (const auto& grid : grids) {
        SCOPED_TRACE(testing::Message() << order << " " << grid[0] << " " << grid[1] << " " << grid[2] << " " << box.c.x);
        const Charges c = random_charges(31, box, order == 5 ? -3 : 0);
        expect_same(compute(c, box, {2.5, grid, order}), oracle::naive_pme(c.x, c.q, box, 2.5, grid, order));
      }
}

TEST(PmeTerm, GridAsSmallAsTheSpline) {
  for (int order : {4, 5, 6}) {
    const std::array<int, 3> grid{order, order, order};
    const Charges c = random_charges(33, skewed(), 1);
    expect_same(compute(c, skewed(), {1.5, grid, order}), oracle::naive_pme(c.x, c.q, skewed(), 1.5, grid, order));
  }
}

TEST(PmeTerm, WithDirectSpaceEqualsExactEwald) {
  for (const Box& box : {brick(), octahedron(), skewed()})
    for (double net : {0.0, 5.0}) {
      const Charges c = random_charges(20, box, net);
      const auto exact_direct = oracle::ewald_direct(c.x, c.q, box, 4.0),
                 exact_rest = oracle::ewald_reciprocal(c.x, c.q, box, 4.0);
      const auto direct = oracle::ewald_direct(c.x, c.q, box, 2.2);
      // Order 6 with a spacing h of 0.037 nm or less: interpolation errs by (alpha h)^6 = 3e-7 at alpha = 2.2 /nm.
      const auto mesh = compute(c, box, {2.2, {64, 65, 64}, 6});
      std::vector<Vec3d> got, want;
      for (std::size_t i = 0; i < c.x.size(); ++i) {
        got.push_back(direct.force[i] + mesh.force[i]);
        want.push_back(exact_direct.force[i] + exact_rest.force[i]);
      }
      const double scale = 3e-7 * std::abs(mesh.energy);
      EXPECT_NEAR(direct.energy + mesh.energy, exact_direct.energy + exact_rest.energy, scale);
      EXPECT_LT(rms_difference(got, want), 3e-7 * rms(mesh.force));
      for (std::size_t k = 0; k < 9; ++k)
        EXPECT_NEAR(direct.virial[k] + mesh.virial[k], exact_direct.virial[k] + exact_rest.virial[k], scale) << k;
    }
}

TEST(PmeTerm, ForcesAreTheGradient) {
  const double h = 1e-4;
  for (int order : {4, 5, 6}) {
    Charges c = random_charges(10, skewed(), 1);
    const PmeParameters pme{2.5, {14, 15, 16}, order};
    const auto at = compute(c, skewed(), pme);
    for (std::size_t i = 0; i < 3; ++i)
      for (int k = 0; k < 3; ++k) {
        double& x = k == 0 ? c.x[i].x : k == 1 ? c.x[i].y : c.x[i].z;
        const double force = k == 0 ? at.force[i].x : k == 1 ? at.force[i].y : at.force[i].z;
        const double x0 = x;
        x = x0 + h;
        const double up = compute(c, skewed(), pme).energy;
        x = x0 - h;
        const double down = compute(c, skewed(), pme).energy;
        x = x0;
        // h^2/6 of the third derivative, (1/spacing)^2 = 60 /nm^2 of the force: 1e-7; fixed point: 16 x 2e-10 / h = 3e-5.
        EXPECT_NEAR((down - up) / (2 * h), force, 5e-5 + 1e-6 * rms(at.force));
      }
  }
}

TEST(PmeTerm, VirialIsTheStrainDerivative) {
  const double h = 1e-5;
  for (const Box& box : {brick(), octahedron(), skewed()}) {
    const Charges c = random_charges(20, box, 4);
    const PmeParameters pme{2.5, {14, 15, 16}, 5};
    const auto at = compute(c, box, pme);
    const auto strained = [&](int row, int column, double by) {  // r_row += by r_column
      const auto apply = [&](Vec3d v) {
        const double p = column == 0 ? v.x : column == 1 ? v.y : v.z;
        (row == 0 ? v.x : row == 1 ? v.y : v.z) += by * p;
        return v;
      };
      Charges d = c;
      for (Vec3d& v : d.x) v = apply(v);
      return compute(d, Box{apply(box.a), apply(box.b), apply(box.c)}, pme).energy;
    };
    for (int row = 0; row < 3; ++row)
      for (int column = row; column < 3; ++column) {  // upper triangle: the box keeps its form
        const double slope = -(strained(row, column, h) - strained(row, column, -h)) / (2 * h);
        // Fixed point: 16 x 2e-10 / h = 3e-4; truncation h^2 of energies of order 1e4.
        EXPECT_NEAR(at.virial[static_cast<std::size_t>(3 * row + column)], slope, 4e-4) << row << column;
        EXPECT_EQ(at.virial[static_cast<std::size_t>(3 * row + column)], at.virial[static_cast<std::size_t>(3 * column + row)]);
      }
  }
}

TEST(PmeTerm, LatticeTranslationsChangeNothing) {
  const Box box = skewed();
  Charges c = random_charges(100, box, 2);
  const PmeParameters pme{2.5, {16, 15, 18}, 5};
  const auto at = compute(c, box, pme);
  for (std::size_t i = 0; i < c.x.size(); ++i)
    c.x[i] += double(int(i % 7) - 3) * box.a + double(int(i % 5) - 2) * box.b + double(int(i % 2000) - 50) * box.c;
  // Positions of 100 nm carry 1.4e-14 nm: 1e-12 of a force that varies over 0.1 nm.
  expect_same(compute(c, box, pme), at);
  for (Vec3d& x : c.x) x += 1e6 * box.a;  // 2.3e6 nm, 5e-10 nm of rounding
  EXPECT_LT(rms_difference(compute(c, box, pme).force, at.force), 1e-7 * rms(at.force));
}

TEST(PmeTerm, SameBitsForAnyNumberOfThreads) {
  for (const std::array<int, 3>& grid :
       {std::array<int, 3>{40, 36, 33}, std::array<int, 3>{8, 64, 10}, std::array<int, 3>{7, 7, 7}})
    for (Precision precision : {Precision::mixed, Precision::double_}) {
      const Charges c = random_charges(5000, octahedron(), -2);
      const PmeParameters pme{3, grid, 5};
      const ForceSums one = sums_of(c, octahedron(), pme, precision, 1);
      for (int threads : {1, 2, 3, 7}) {
        const ForceSums many = sums_of(c, octahedron(), pme, precision, threads);
        EXPECT_TRUE(std::equal(one.force.begin(), one.force.end(), many.force.begin()));
        EXPECT_EQ(one.energy, many.energy);
        EXPECT_EQ(one.virial, many.virial);
      }
    }
}

TEST(PmeTerm, RepeatedCallsAndBoxChangesLeaveNoTrace) {
  const Charges c = random_charges(500, brick(), 0);
  const PmeParameters pme{3, {20, 24, 18}, 5};
  const auto term = cpu::make_pme_term(system_of(c.q), pme, Precision::mixed, Threads(2));
  ForceSums first, other, again;
  for (ForceSums* s : {&first, &other, &again}) s->force.resize(3 * c.x.size());
  term->evaluate({c.x, brick(), true, true}, first);
  term->evaluate({c.x, skewed(), true, true}, other);
  term->evaluate({c.x, brick(), false, false}, again);
  EXPECT_TRUE(std::equal(first.force.begin(), first.force.end(), again.force.begin()));
  EXPECT_FALSE(std::equal(first.force.begin(), first.force.end(), other.force.begin()));
  EXPECT_EQ(again.energy, (std::array<Fixed, energy_term_count>{}));
  EXPECT_EQ(again.virial, (std::array<Fixed, 9>{}));
  const auto phases = term->phases();
  ASSERT_EQ(phases.size(), 3u);
  for (const PhaseTime& p : phases) EXPECT_EQ(p.calls, 3);
}

TEST(PmeTerm, Sizes) {
  const PmeParameters pme{2.5, {15, 16, 12}, 5};
  EXPECT_EQ(cpu::make_pme_term(system_of({}), pme, Precision::mixed, Threads(1)), nullptr);
  EXPECT_EQ(cpu::make_pme_term(system_of({0, 0}), pme, Precision::mixed, Threads(1)), nullptr);
  for (int n : {1, 2, 31, 32, 33, 1000}) {
    const Charges c = random_charges(n, brick(), 1);
    expect_same(compute(c, brick(), pme), oracle::naive_pme(c.x, c.q, brick(), 2.5, pme.grid, 5));
  }
}

TEST(PmeTerm, UnchargedAtomsFeelNothing) {
  Charges c = random_charges(33, brick(), 0);
  c.q[0] = c.q[7] = 0;
  const PmeParameters pme{2.5, {15, 16, 12}, 5};
  const auto r = compute(c, brick(), pme);
  expect_same(r, oracle::naive_pme(c.x, c.q, brick(), 2.5, pme.grid, 5));
  EXPECT_EQ(rms({r.force[0], r.force[7]}), 0);
}

TEST(PmeTerm, MixedFollowsDouble) {
  for (const Box& box : {brick(), octahedron(), skewed()})
    for (int order : {4, 5, 6}) {
      const Charges c = random_charges(1000, box, -1);
      const PmeParameters pme{3, {20, 21, 20}, order};
      const auto mixed = compute(c, box, pme, Precision::mixed), wide = compute(c, box, pme);
      // Floats of 6e-8 in the potential, of size phi; the force is its slope over a spacing h of 0.1 nm, smaller than phi/h by
      // about 2 pi/alpha/h = 20, and transforms over 8400 points add a factor of log2(8400) = 13 at most. The integer mesh has
      // a unit of 2^-25 of the largest charge, and of the order^3 points those with less than half a unit are lost: at most an
      // eighth of a unit on average.
      const double lost = order * order * order / 8.0 * std::exp2(-25);
      EXPECT_LT(rms_difference(mixed.force, wide.force), 20 * 13 * 6e-8 * rms(wide.force));
      EXPECT_NEAR(mixed.energy, wide.energy, (13 * 6e-8 + lost) * std::abs(wide.energy));
    }
}

TEST(PmeTerm, LikeChargesPiledUpDoNotOverflow) {
  Charges c;
  for (int i = 0; i < 100; ++i) {
    c.x.push_back({0.5, 0.5, 0.5});
    c.q.push_back(1.0);
  }
  const PmeParameters pme{3, {20, 24, 18}, 4};
  const auto mixed = compute(c, brick(), pme, Precision::mixed), wide = compute(c, brick(), pme);
  EXPECT_NEAR(mixed.energy, wide.energy, 13 * 6e-8 * std::abs(wide.energy) * 2);
}

/// The self energy of 20 million atoms of water is beyond what one contribution may be.
TEST(PmeTerm, LargeSelfEnergiesAreNotCutOff) {
  Charges c = random_charges(31, brick(), 0);
  for (double& q : c.q) q *= 900;
  const PmeParameters pme{2.5, {16, 12, 14}, 5};
  const double want = oracle::naive_pme(c.x, c.q, brick(), pme.alpha, pme.grid, pme.order).energy;
  double self = 0;
  for (double q : c.q) self -= constants::coulomb * pme.alpha / std::sqrt(constants::pi) * q * q;
  ASSERT_LT(self, -1.5e9);
  EXPECT_NEAR(compute(c, brick(), pme).energy, want, 1e-9 * std::abs(self));
}

TEST(PmeTerm, OtherMethodsHaveNoMesh) {
  System s = system_of({1, -1});
  s.forces.nonbonded = NonbondedMethod::reaction_field;
  EXPECT_EQ(cpu::make_pme_term(s, {2.5, {15, 16, 12}, 5}, Precision::mixed, Threads(1)), nullptr);
}

}  // namespace
}  // namespace uplift

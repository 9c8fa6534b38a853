// Minimisation on a backend with forces made for the test.
#include <gtest/gtest.h>

#include <cmath>

#include "support/toy_backend.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/random.hpp"
#include "uplift/engine/minimization.hpp"

namespace uplift {
namespace {

using test::ToyBackend;

double norm(const Vec3d& a) { return std::sqrt(dot(a, a)); }

/// Atoms in a row, none in its place.
State scattered(int n) {
  const auto noise = [](int i, int k) { return gaussian3(5, NoisePurpose::initial_velocities, k, i); };
  State s;
  for (int i = 0; i < n; ++i) {
    s.x.push_back(Vec3d{0.3 * i, 0, 0} + 0.03 * noise(i, 0));
    s.v.push_back(0.5 * noise(i, 1));
  }
  return s;
}

MinimizeSettings until(double force, int steps) {
  MinimizeSettings m;
  m.force_tolerance = force;
  m.max_steps = steps;
  return m;
}

TEST(Minimize, FindsTheBottomOfAWell) {
  const System system = test::free_atoms(6, 12);
  ToyBackend backend(system, [](std::span<const Vec3d> x, std::vector<Vec3d>& f) {
    double e = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Vec3d d = x[i] - Vec3d{static_cast<double>(i), 0, 0};
      e += 500 * dot(d, d);
      f[i] = -1000.0 * d;
    }
    return e;
  });
  State s = scattered(6);
  const auto v = s.v;
  const MinimizeResult r = minimize(system, backend, s, until(0.5, 2000));
  EXPECT_TRUE(r.converged);
  EXPECT_LE(r.worst.at(0).magnitude, 0.5);
  for (int i = 0; i < 6; ++i) EXPECT_LT(norm(s.x[at(i)] - Vec3d{1.0 * i, 0, 0}), 0.5 * std::sqrt(3.0) / 1000 + 1e-12);
  EXPECT_EQ(s.v[2].x, v[2].x);
  const MinimizeResult again = minimize(system, backend, s, until(0.5, 2000));
  EXPECT_EQ(again.steps, 0);
  EXPECT_FALSE(minimize(system, backend, s, until(0, 3)).converged);
  State bent = scattered(6);
  const auto worst = minimize(system, backend, bent, until(0.5, 0)).worst;
  ASSERT_EQ(worst.size(), 3u);
  EXPECT_GE(worst[0].magnitude, worst[1].magnitude);
  EXPECT_GE(worst[1].magnitude, worst[2].magnitude);
}

TEST(Minimize, GoesOnFromItsMemoryWithTheSameBits) {
  const System system = test::free_atoms(6, 12);
  const auto valley = [](std::span<const Vec3d> x, std::vector<Vec3d>& f) {  // stiff one way, soft the other, and bent
    double e = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double a = x[i].x - 1.0 * static_cast<double>(i), b = x[i].y - a * a, c = x[i].z;
      e += 10 * a * a + 4000 * b * b + 200 * c * c;
      f[i] = {-20 * a + 16000 * a * b, -8000 * b, -400 * c};
    }
    return e;
  };
  ToyBackend backend(system, valley), other(system, valley);
  Minimization whole(system, backend, scattered(6), until(1e-3, 2000));
  for (int n = 0; n < 25; ++n) whole.advance();
  ASSERT_FALSE(whole.finished());
  const DescentMemory memory = whole.memory();
  EXPECT_EQ(memory.slots.size(), 8u);
  Minimization second(system, other, whole.checkpoint_state(), until(1e-3, 2000), &memory);
  EXPECT_EQ(second.energy(), whole.energy());
  while (!whole.finished()) whole.advance();
  while (!second.finished()) second.advance();
  EXPECT_TRUE(whole.result().converged);
  EXPECT_EQ(second.steps(), whole.steps());
  EXPECT_EQ(second.result().energy, whole.result().energy);
  const State a = whole.state(), b = second.state();
  for (std::size_t i = 0; i < a.x.size(); ++i) EXPECT_EQ(norm(a.x[i] - b.x[i]), 0) << i;
}

TEST(Minimize, ConstraintForcesDoNotKeepItFromConverging) {
  // A stretched C-H bond of fixed length: the field pulls the ends apart with 5000 kJ/mol/nm, for ever; what is left to do is
  // to turn into the field and to bring the pair to the middle of a weak well.
  Topology t;
  ForceField ff;
  test::add_molecule(t, ff, "CHX", {6, 1}, {12, 1}, {{0, 1, 0.109}});
  test::add_water(t, ff);
  test::finish(t, ff);
  ForceSettings settings;
  settings.nonbonded = NonbondedMethod::no_cutoff;
  const System system = make_system(t, ff, settings);
  ToyBackend backend(system, [](std::span<const Vec3d> x, std::vector<Vec3d>& f) {
    double e = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double pull = i == 0 ? -5000 : i == 1 ? 5000 : i == 2 ? -3000 : 1500;
      e += 50 * dot(x[i], x[i]) - pull * x[i].z;
      f[i] = -100.0 * x[i] + Vec3d{0, 0, pull};
    }
    return e;
  });
  State s;
  const double height = std::sqrt(0.09572 * 0.09572 - 0.15139 * 0.15139 / 4);
  s.x = {{0.2, 0.1, 0},
         {0.2 + 0.109 / std::sqrt(2.0), 0.1 + 0.109 / std::sqrt(2.0), 0},
         {0.3, 0, 0},
         {0.3 + height, 0.15139 / 2, 0},
         {0.3 + height, -0.15139 / 2, 0}};
  s.v.assign(5, Vec3d{0, 0, 0});
  const MinimizeResult r = minimize(system, backend, s, until(1, 5000));
  EXPECT_TRUE(r.converged) << r.worst.at(0).magnitude << " on " << r.worst.at(0).atom;
  EXPECT_NEAR(norm(s.x[1] - s.x[0]), 0.109, 1.1e-7);
  EXPECT_NEAR((s.x[1] - s.x[0]).z, 0.109, 1e-6);
  EXPECT_NEAR((0.5 * (s.x[3] + s.x[4]) - s.x[2]).z, height, 1e-5);
  EXPECT_LT(norm(s.x[0] + s.x[1]), 2 * std::sqrt(3.0) / 100);  // forces of at most 1 on each of the two, well of 100
}

TEST(Minimize, PlacesVirtualSites) {
  Topology t;
  ForceField ff;
  test::add_molecule(t, ff, "TP4", {8, 1, 1, 0}, {16, 1.008, 1.008, 0}, {{0, 1, 0.09572}, {0, 2, 0.09572}, {1, 2, 0.15139}});
  ff.virtual_sites.push_back({3, 0, 1, 2, 0.1067, 0.1067, 0});
  test::finish(t, ff);
  ForceSettings settings;
  settings.nonbonded = NonbondedMethod::no_cutoff;
  const System system = make_system(t, ff, settings);
  ToyBackend backend(system, [](std::span<const Vec3d> x, std::vector<Vec3d>& f) {  // the site's well alone pulls the water
    f[3] = -1000.0 * x[3];
    return 500 * dot(x[3], x[3]);
  });
  State s;
  const double height = std::sqrt(0.09572 * 0.09572 - 0.15139 * 0.15139 / 4);
  s.x = {{0.3, 0, 0}, {0.3 + height, 0.15139 / 2, 0}, {0.3 + height, -0.15139 / 2, 0}, {9, 9, 9}};
  s.v.assign(4, Vec3d{0, 0, 0});
  EXPECT_TRUE(minimize(system, backend, s, until(0.1, 2000)).converged);
  EXPECT_LT(norm(s.x[3]), 1e-3);
  auto placed = s.x;
  place_virtual_sites(system.force_field, placed);
  EXPECT_LT(norm(placed[3] - s.x[3]), 1e-14);
}

}  // namespace
}  // namespace uplift

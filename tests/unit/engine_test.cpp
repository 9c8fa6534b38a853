// The engine on a backend with forces made for the test: what a step asks for, what it reports, how it fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "support/toy_backend.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/random.hpp"
#include "uplift/engine/simulation.hpp"

namespace uplift {
namespace {

using test::ToyBackend;

Vec3d noise(int i, int k) { return gaussian3(5, NoisePurpose::initial_velocities, k, i); }
double norm(const Vec3d& a) { return std::sqrt(dot(a, a)); }
double no_force(std::span<const Vec3d>, std::vector<Vec3d>&) { return 0; }

DynamicsSettings verlet(double dt) {
  DynamicsSettings d;
  d.integrator = IntegratorKind::verlet;
  d.timestep = dt;
  return d;
}

/// Every atom tied to its own place by a spring, stiffer along z, and to its successor by a quartic one.
double springs(std::span<const Vec3d> x, std::vector<Vec3d>& f) {
  double e = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Vec3d home{0.3 * static_cast<double>(i), 0, 0}, d = x[i] - home;
    e += 500 * dot(d, d) + 500 * d.z * d.z;
    f[i] -= 1000.0 * d + Vec3d{0, 0, 1000 * d.z};
    if (i + 1 == x.size()) continue;
    const Vec3d r = x[i + 1] - x[i];
    const double r2 = dot(r, r);
    e += 3000 * r2 * r2;
    f[i] += 12000 * r2 * r;
    f[i + 1] -= 12000 * r2 * r;
  }
  return e;
}

State excited(int n) {
  State s;
  for (int i = 0; i < n; ++i) {
    s.x.push_back(Vec3d{0.3 * i, 0, 0} + 0.03 * noise(i, 0));
    s.v.push_back(0.5 * noise(i, 1));
  }
  return s;
}

struct Watcher final : Recorder {
  explicit Watcher(std::int64_t stride) : every(stride) {}
  bool due(std::int64_t step) const override { return step % every == 0; }
  void record(const Frame& frame) override {
    steps.push_back(frame.state.step);
    times.push_back(frame.state.time);
    energy.push_back(frame.conserved);
    potential.push_back(frame.energies.potential());
  }
  std::int64_t every;
  std::vector<std::int64_t> steps;
  std::vector<double> times, energy, potential;
};

TEST(Integrator, NamesAndVelocitiesInTime) {
  EXPECT_TRUE(make_integrator(verlet(0.001)).to_full_step.empty());
  DynamicsSettings langevin;
  EXPECT_FALSE(make_integrator(langevin).to_full_step.empty()) << "its velocities are half a step behind";
  EXPECT_EQ(make_integrator(langevin).name, "langevin");
  langevin.integrator = IntegratorKind::nose_hoover;
  EXPECT_FALSE(make_integrator(langevin).to_full_step.empty());
}

TEST(Langevin, TotalEnergyLessHeatIsConserved) {
  // Waters whose atoms hang on springs, and lone atoms: the noise is projected onto the constraints of the one and taken whole
  // by the other.
  Topology t;
  ForceField ff;
  for (int k = 0; k < 8; ++k) test::add_water(t, ff);
  for (int k = 0; k < 8; ++k) test::add_molecule(t, ff, "AR", {18}, {12}, {});
  test::finish(t, ff);
  ForceSettings settings;
  settings.nonbonded = NonbondedMethod::no_cutoff;
  const System system = make_system(t, ff, settings);
  State s;
  const double height = std::sqrt(0.09572 * 0.09572 - 0.15139 * 0.15139 / 4);
  for (int k = 0; k < 8; ++k)
    for (const Vec3d& r : {Vec3d{0, 0, 0}, Vec3d{height, 0.15139 / 2, 0}, Vec3d{height, -0.15139 / 2, 0}})
      s.x.push_back(r + Vec3d{0, 0, 0.3 * k});
  for (int k = 0; k < 8; ++k) s.x.push_back({0.4, 0, 0.3 * k});
  const std::vector<Vec3d> home = s.x;
  draw_velocities(system, 300, 3, s);
  const auto force = [&](std::span<const Vec3d> x, std::vector<Vec3d>& f) {
    double e = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Vec3d d = x[i] - home[i];
      e += 2000 * dot(d, d) + 4e4 * dot(d, d) * dot(d, d);
      f[i] = -(4000 + 1.6e5 * dot(d, d)) * d;
    }
    return e;
  };
  const auto run = [&](double dt, double& change_of_total) {
    DynamicsSettings d;
    d.timestep = dt;
    d.friction = 5;
    d.seed = 9;
    d.com_removal_every = 0;
    ToyBackend backend(system, force, 2, 1e-10);
    Simulation simulation(system, backend, s, d);
    Watcher watcher(20);
    simulation.add(watcher);
    simulation.begin();
    std::vector<double> total;
    for (int n = 0; n < static_cast<int>(std::lround(20 / dt)); ++n) simulation.step();
    double mean = 0, spread = 0, spread_total = 0;
    for (double e : watcher.energy) mean += e / static_cast<double>(watcher.energy.size());
    for (double e : watcher.energy) spread += (e - mean) * (e - mean) / static_cast<double>(watcher.energy.size());
    double middle = 0;
    for (double e : watcher.potential) middle += e / static_cast<double>(watcher.potential.size());
    for (double e : watcher.potential)
      spread_total += (e - middle) * (e - middle) / static_cast<double>(watcher.potential.size());
    change_of_total = std::sqrt(spread_total);
    return std::sqrt(spread);
  };
  double scale = 0;
  const double coarse = run(0.002, scale), fine = run(0.001, scale);
  // Half steps on either side of the noise leave an error of (omega dt)^2 each, which adds up as a walk: 4 on halving, and
  // thousands of times less than the energy that comes and goes.
  EXPECT_LT(coarse, 0.05 * scale);
  EXPECT_GT(coarse / fine, 2.5);
  EXPECT_LT(coarse / fine, 7);
}

TEST(Simulation, TemperatureFollowsTheRamp) {
  const System system = test::free_atoms(400, 12);
  ToyBackend backend(system, [](std::span<const Vec3d>, std::vector<Vec3d>&) { return 0.0; });
  State s;
  s.x.assign(400, Vec3d{0, 0, 0});
  s.v.assign(400, Vec3d{0, 0, 0});
  for (IntegratorKind kind : {IntegratorKind::langevin, IntegratorKind::v_rescale, IntegratorKind::nose_hoover}) {
    SCOPED_TRACE(static_cast<int>(kind));
    DynamicsSettings d;
    d.integrator = kind;
    d.timestep = 0.01;
    d.friction = 20;  // follows within a twentieth of a ps
    d.temperature = 77;
    d.com_removal_every = 0;
    d.ramp = TemperatureRamp{100, 300, 10};
    draw_velocities(system, 100, 5, s);
    Simulation simulation(system, backend, s, d);
    simulation.begin();
    double early = 0, late = 0, after = 0;
    for (int n = 1; n <= 1200; ++n) {
      simulation.step();
      const double temperature = 2 * backend.kinetic_energy() / (1200 * constants::boltzmann);
      if (n > 200 && n <= 300) early += temperature / 100;
      if (n > 700 && n <= 800) late += temperature / 100;
      if (n > 1100) after += temperature / 100;
    }
    // Means of a ps, of 1200 degrees of freedom with some 10 independent values: 1.3 % each; the lag is 0.05 ps of 20 K/ps.
    EXPECT_NEAR(early, 150, 0.05 * 150);
    EXPECT_NEAR(late, 250, 0.05 * 250);
    EXPECT_NEAR(after, 300, 0.05 * 300);
  }
}

TEST(Verlet, GoesBackToWhereItCameFrom) {
  const System system = test::free_atoms(20, 12);
  ToyBackend backend(system, springs);
  State start = excited(20);
  Simulation forward(system, backend, start, verlet(0.002));
  forward.begin();
  for (int n = 0; n < 500; ++n) forward.step();
  State turned = forward.state();
  EXPECT_GT(norm(turned.x[3] - start.x[3]), 1e-3);
  for (Vec3d& v : turned.v) v = -v;
  Simulation backward(system, backend, turned, verlet(0.002));
  backward.begin();
  for (int n = 0; n < 500; ++n) backward.step();
  // 1000 steps, each rounding positions of up to 6 nm (1e-15) and forces (2^-33 kJ/mol/nm); errors grow with the few hundred
  // radians of motion.
  for (int i = 0; i < 20; ++i) EXPECT_LT(norm(backward.state().x[at(i)] - start.x[at(i)]), 1e-11);
}

TEST(Verlet, ErrorFallsWithTheSquareOfTheTimestep) {
  const System system = test::free_atoms(8, 12);
  const auto end = [&](double dt) {
    ToyBackend backend(system, springs);
    Simulation s(system, backend, excited(8), verlet(dt));
    s.begin();
    for (int n = 0; n < static_cast<int>(std::lround(0.4 / dt)); ++n) s.step();
    return s.state();
  };
  const State exact = end(0.4 / 51200), coarse = end(0.4 / 200), fine = end(0.4 / 400);
  double coarse_error = 0, fine_error = 0;
  for (int i = 0; i < 8; ++i) {
    coarse_error = std::max(coarse_error, norm(coarse.x[at(i)] - exact.x[at(i)]));
    fine_error = std::max(fine_error, norm(fine.x[at(i)] - exact.x[at(i)]));
  }
  EXPECT_NEAR(coarse_error / fine_error, 4, 0.05);  // the next order is (omega dt)^2/10 of it, 2e-3
}

TEST(Verlet, KeepsEnergy) {
  const System system = test::free_atoms(30, 12);
  const auto spread = [&](double dt) {
    ToyBackend backend(system, springs, 2);
    Simulation s(system, backend, excited(30), verlet(dt));
    Watcher watcher(1);
    s.add(watcher);
    s.begin();
    for (int n = 0; n < 4000; ++n) s.step();
    const auto [low, high] = std::minmax_element(watcher.energy.begin(), watcher.energy.end());
    const double first = std::accumulate(watcher.energy.begin(), watcher.energy.begin() + 1000, 0.0) / 1000;
    const double last = std::accumulate(watcher.energy.end() - 1000, watcher.energy.end(), 0.0) / 1000;
    EXPECT_LT(std::abs(last - first), 0.05 * (*high - *low)) << "a drift, not an oscillation, at " << dt;
    return *high - *low;
  };
  EXPECT_NEAR(spread(0.004) / spread(0.002), 4, 0.6);  // an extreme of a chaotic oscillation
}

TEST(Simulation, AsksForWhatSomebodyNeeds) {
  System system = test::free_atoms(4, 12);
  system.remove_com = true;
  DynamicsSettings d = verlet(0.002);
  d.com_removal_every = 4;
  State start = excited(4);
  start.box.a.x = start.box.b.y = start.box.c.z = 50;
  start.step = 100;
  start.time = 7;
  ToyBackend backend(system, springs);
  Simulation s(system, backend, start, d);
  Watcher five(5), three(3);
  s.add(five);
  s.add(three);
  s.begin();
  for (int n = 0; n < 10; ++n) s.step();
  EXPECT_THAT(five.steps, testing::ElementsAre(100, 105, 110));
  EXPECT_THAT(three.steps, testing::ElementsAre(102, 105, 108));
  EXPECT_NEAR(five.times[2], 7 + 10 * 0.002, 1e-15);
  EXPECT_EQ(backend.force_calls, 11);
  EXPECT_EQ(backend.energy_calls, 5);  // at the start, 102, 105, 108, 110
  EXPECT_EQ(backend.virial_calls, 5);
  EXPECT_THAT(backend.com_removals, testing::ElementsAre(104, 108));
  EXPECT_EQ(s.current_step(), 110);
  s.step();
  std::vector<Vec3d> f(4, Vec3d{0, 0, 0});
  const Frame now = s.observe();  // nobody was due: the energies are worked out now
  EXPECT_NEAR(now.energies.potential(), springs(now.state.x, f), 1e-9);
}

/// Looks at positions alone.
class PositionWatcher final : public Recorder {
 public:
  bool due(std::int64_t step) const override { return step % 2 == 0; }
  Wanted wanted() const override { return {false, false}; }
  void record(const Frame& frame) override {
    ++frames;
    energies_known = energies_known || std::isfinite(frame.energies.potential()) || std::isfinite(frame.conserved);
    temperature = frame.temperature;
  }
  int frames = 0;
  bool energies_known = false;
  double temperature = 0;
};

TEST(Simulation, WorksOutNoEnergiesThatNobodyLooksAt) {
  System system = test::free_atoms(4, 12);
  ToyBackend backend(system, springs);
  State start = excited(4);
  Simulation s(system, backend, start, verlet(0.002));
  PositionWatcher positions;
  Watcher five(5);
  s.add(positions);
  s.begin();
  for (int n = 0; n < 4; ++n) s.step();
  EXPECT_EQ(positions.frames, 3);
  EXPECT_FALSE(positions.energies_known);
  EXPECT_GT(positions.temperature, 0);
  EXPECT_EQ(backend.energy_calls, 1);  // those of the start
  s.add(five);
  for (int n = 4; n < 10; ++n) s.step();
  EXPECT_EQ(backend.energy_calls, 3);  // 5 and 10
}

/// Takes frames as they come, as the trajectory does, or rows, as the table of energies does.
class LateWatcher final : public Recorder {
 public:
  explicit LateWatcher(Wanted what) : what_(what) {}
  static constexpr Wanted positions{false, false, true, false}, all{true, false, true, true}, row{false, true, false, false};
  bool due(std::int64_t step) const override { return step % 3 == 0; }
  Wanted wanted() const override { return what_; }
  Takes takes() const override { return Takes::late_frame; }
  void record_late(const LateFrame& frame) override { frames.push_back(frame); }
  std::vector<LateFrame> frames;

 private:
  Wanted what_;
};

TEST(Simulation, LateFramesKeepTheirMomentAndNoEnergiesAreWorkedOut) {
  const System system = test::free_atoms(4, 12);
  ToyBackend backend(system, springs);
  Simulation s(system, backend, excited(4), verlet(0.002));
  LateWatcher positions(LateWatcher::positions), all(LateWatcher::all);
  s.add(positions);
  s.add(all);
  s.begin();
  std::vector<State> expected;
  std::vector<std::vector<Vec3d>> forces;
  for (int n = 0; n <= 7; ++n) {
    if (n > 0) s.step();
    if (n % 3 != 0) continue;
    expected.push_back(s.state());
    forces.push_back(s.observe({true, false}).forces);
  }
  ASSERT_EQ(positions.frames.size(), 3u);
  ASSERT_EQ(all.frames.size(), 3u);
  for (std::size_t n = 0; n < 3; ++n) {
    const SnapshotContents& one = all.frames[n].get();
    EXPECT_EQ(all.frames[n].step(), expected[n].step);
    EXPECT_DOUBLE_EQ(all.frames[n].time(), expected[n].time);
    EXPECT_TRUE(std::equal(one.x.begin(), one.x.end(), expected[n].x.begin(), expected[n].x.end()));
    EXPECT_TRUE(std::equal(one.v.begin(), one.v.end(), expected[n].v.begin(), expected[n].v.end()));
    EXPECT_TRUE(std::ranges::equal(one.f, forces[n]));
  }
  EXPECT_EQ(backend.energy_calls, 1);  // those of the start
}

/// A row has the numbers that a frame of that step has, for which the run waits, and nothing else.
TEST(Simulation, LateRowsHaveTheNumbersOfTheirStep) {
  const System system = test::free_atoms(4, 12);
  DynamicsSettings d = verlet(0.002);
  d.integrator = IntegratorKind::langevin;
  ToyBackend backend(system, springs), other(system, springs);
  State start = excited(4);
  start.box.a.x = start.box.b.y = start.box.c.z = 50;
  Simulation s(system, backend, start, d), stops(system, other, start, d);
  LateWatcher rows(LateWatcher::row);
  s.add(rows);
  s.begin();
  stops.begin();
  for (int n = 1; n <= 7; ++n) {
    s.step();
    stops.step();
    if (n % 3 != 0) continue;
    const Frame expected = stops.observe();
    const LateFrame& late = rows.frames.back();
    EXPECT_EQ(late.step(), n);
    EXPECT_TRUE(late.get().x.empty());
    EXPECT_TRUE(late.get().v.empty());
    const Observables row = late.observables();
    EXPECT_EQ(row.energies.term, expected.energies.term);
    EXPECT_EQ(row.energies.bias.total, expected.energies.potential());
    EXPECT_EQ(row.kinetic, expected.kinetic);
    EXPECT_EQ(row.temperature, expected.temperature);
    EXPECT_EQ(row.pressure, expected.pressure);
    EXPECT_EQ(row.conserved, expected.conserved);
    EXPECT_NE(row.conserved, row.energies.potential() + row.kinetic);
  }
  EXPECT_EQ(rows.frames.size(), 3u);
  EXPECT_EQ(backend.energy_calls, 3);  // 0, 3 and 6
  EXPECT_EQ(s.state().x, stops.state().x);
  EXPECT_EQ(s.state().v, stops.state().v);
}

TEST(Simulation, NoFrameOfARunThatHasBlownUpIsHandedOut) {
  const System system = test::free_atoms(4, 12);
  int calls = 0;
  ToyBackend backend(system, [&](std::span<const Vec3d>, std::vector<Vec3d>& f) {
    if (++calls > 5) f[2] = {1e12, 0, 0};
    return 0.0;
  });
  Simulation s(system, backend, excited(4), verlet(0.002));
  LateWatcher frames(LateWatcher::positions);
  s.add(frames);
  s.begin();  // first call
  for (int n = 1; n < 6; ++n) s.step();
  try {
    s.step();
    FAIL() << "no error";
  } catch (const SimulationError& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("blown up at step 6"));
    EXPECT_THAT(e.what(), testing::HasSubstr("most of it from"));
  }
  EXPECT_EQ(frames.frames.size(), 2u);  // 0 and 3
}

/// What is found out too late for the backend to be asked: the snapshot has the force, and the frame throws.
TEST(LateFrame, ThrowsWhatItsSnapshotKnows) {
  const System system = test::free_atoms(40, 12);
  const auto message = [&](SnapshotContents contents) -> std::string {
    const LateFrame frame(system, 12, 0.024, 300,
                          std::make_shared<TakenSnapshot>(std::vector<Vec3d>(40), std::vector<Vec3d>{}, std::vector<Vec3d>{},
                                                          std::move(contents)));
    try {
      frame.get();
    } catch (const SimulationError& e) {
      return e.what();
    }
    return "";
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(message({{}, {}, {}, {}, {3, 100}, 150, {}}), "");
  EXPECT_THAT(message({{}, {}, {}, {}, {3, 1e12}, 150, {}}),
              testing::HasSubstr("blown up at step 12 (0.024 ps): the force on atom 4"));
  EXPECT_THAT(message({{}, {}, {}, {}, {3, nan}, 150, {}}), testing::HasSubstr("blown up at step 12"));
  EXPECT_THAT(message({{}, {}, {}, {}, {3, 100}, nan, {}}), testing::HasSubstr("not a number, at step 12"));
  EXPECT_THAT(message({{}, {}, {}, {}, {3, 100}, 1e6, {}}), testing::HasSubstr("the temperature is"));
  SnapshotEnergies energies;
  EXPECT_EQ(message({{}, {}, {}, {}, {3, 100}, 150, {}, energies}), "");
  energies.energies[EnergyTerm::lj] = nan;
  EXPECT_THAT(message({{}, {}, {}, {}, {3, 100}, 150, {}, energies}), testing::HasSubstr("not a number, at step 12"));
  EXPECT_THAT(message({{}, {}, {}, {}, {3, 100}, 150, "the list is full"}), testing::HasSubstr("the list is full, at step 12"));
}

TEST(Simulation, RecordingMoreOftenChangesNothing) {
  const System system = test::free_atoms(50, 12);
  const auto end = [&](std::int64_t every, int threads) {
    DynamicsSettings d;
    d.timestep = 0.002;
    d.seed = 3;
    ToyBackend backend(system, springs, threads);
    Simulation s(system, backend, excited(50), d);
    Watcher watcher(every);
    s.add(watcher);
    s.begin();
    for (int n = 0; n < 60; ++n) s.step();
    return s.state();
  };
  const State reference = end(1000, 1);
  for (const State& s : {end(1, 1), end(7, 2), end(7, 3)}) {
    EXPECT_EQ(std::memcmp(s.x.data(), reference.x.data(), 50 * sizeof(Vec3d)), 0);
    EXPECT_EQ(std::memcmp(s.v.data(), reference.v.data(), 50 * sizeof(Vec3d)), 0);
  }
}

TEST(Simulation, ABlowUpNamesTheAtom) {
  const System system = test::free_atoms(5, 12);
  const auto explode = [](std::span<const Vec3d> x, std::vector<Vec3d>& f) {
    f[3].x = x[3].x > 0 ? 1e9 : 0;
    return 0.0;
  };
  ToyBackend backend(system, explode);
  State s = excited(5);
  s.x[3] = {1, 0, 0};
  Simulation simulation(system, backend, s, verlet(0.002));
  try {
    simulation.begin();
    FAIL() << "no error";
  } catch (const SimulationError& e) {
    EXPECT_THAT(e.what(), testing::AllOf(testing::HasSubstr("atom 4 (Ar1 of AR 4)"), testing::HasSubstr("minimise")));
  }
  // A NaN in a force becomes the largest force there is.
  ToyBackend sick(system, [](std::span<const Vec3d>, std::vector<Vec3d>& f) {
    f[1].y = std::numeric_limits<double>::quiet_NaN();
    return 0.0;
  });
  Simulation other(system, sick, s, verlet(0.002));
  EXPECT_THROW(other.begin(), SimulationError);
  EXPECT_THROW(Simulation(system, sick, s, verlet(0.002)).step(), std::logic_error);  // never begun
}

TEST(Velocities, MaxwellBoltzmann) {
  System system = test::free_atoms(20000, 12);
  for (std::size_t i = 0; i < system.masses.size(); i += 2) system.masses[i] = 1;
  State s;
  s.x.resize(20000);
  draw_velocities(system, 300, 42, s);
  double light = 0, heavy = 0;
  for (std::size_t i = 0; i < 20000; i += 2) {
    light += dot(s.v[i], s.v[i]);
    heavy += 12 * dot(s.v[i + 1], s.v[i + 1]);
  }
  const double kt = constants::boltzmann * 300, n = 30000;
  EXPECT_NEAR(light / n / kt, 1, 5 * std::sqrt(2 / n));  // five sigma of a mean of n squares
  EXPECT_NEAR(heavy / n / kt, 1, 5 * std::sqrt(2 / n));
  const std::vector<Vec3d> first = s.v;
  draw_velocities(system, 300, 42, s);
  EXPECT_EQ(std::memcmp(first.data(), s.v.data(), first.size() * sizeof(Vec3d)), 0);
  draw_velocities(system, 300, 43, s);
  EXPECT_NE(first[7].x, s.v[7].x);
  system.remove_com = true;
  draw_velocities(system, 300, 42, s);
  Vec3d p{0, 0, 0};
  for (std::size_t i = 0; i < 20000; ++i) p += system.masses[i] * s.v[i];
  EXPECT_LT(norm(p), 1e-8);  // 20000 momenta of order 5, 1e-16 each, and their sum's rounding
}

TEST(Molecules, AreMadeWhole) {
  Topology t;
  ForceField ff;
  test::add_water(t, ff);
  test::add_water(t, ff);
  test::finish(t, ff);
  ForceSettings settings;
  const System system = make_system(t, ff, settings);
  State s;
  s.box.a = {2, 0, 0};
  s.box.b = {0.5, 2, 0};
  s.box.c = {0.3, 0.4, 2};
  const std::vector<Vec3d> whole = {{1.98, 1.97, 1.99}, {2.05, 2.0, 2.02}, {1.93, 2.02, 2.05},
                                    {1, 1, 1},          {1.09, 1, 1},      {1, 1.09, 1}};
  s.x = whole;
  s.x[1] = s.x[1] - s.box.c - s.box.a;
  s.x[2] = s.x[2] + s.box.b;
  make_molecules_whole(system, s);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_LT(norm(s.x[i] - whole[i]), 1e-14);
}

/// Soft repulsion 200 (1 - r/0.6)^2 between atoms of different diatomic molecules, nearest images.
double soft(const Box& box, std::span<const Vec3d> x, std::vector<Vec3d>& f) {
  double e = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t j = i + 1; j < x.size(); ++j) {
      if (i / 2 == j / 2) continue;
      const Vec3d d = box.image(x[i] - x[j]);
      const double r = norm(d), u = 1 - r / 0.6;
      if (u <= 0) continue;
      e += 200 * u * u;
      const Vec3d g = (400 * u / 0.6 / r) * d;
      f[i] += g;
      f[j] -= g;
    }
  return e;
}

TEST(Pressure, IsMinusTheDerivativeOfTheFreeEnergy) {
  Topology t;
  ForceField ff;
  for (int k = 0; k < 25; ++k) test::add_molecule(t, ff, "DIA", {7, 7}, {14, 10}, {{0, 1, 0.2}});
  test::finish(t, ff);
  ForceSettings settings;
  settings.constraints = ConstraintMode::all_bonds;
  const System system = make_system(t, ff, settings);
  State s;
  s.box.a.x = s.box.b.y = s.box.c.z = 1.5;
  for (int k = 0; k < 25; ++k) {
    const Vec3d centre{0.3 * (k % 5), 0.3 * (k / 5), 0.3 * ((k * 7) % 5)}, axis = noise(k, 3);
    s.x.push_back(centre + (0.2 * 10 / 24 / norm(axis)) * axis);
    s.x.push_back(centre - (0.2 * 14 / 24 / norm(axis)) * axis);
  }
  draw_velocities(system, 300, 1, s);
  // Virial of pairs by nearest images: the toy's sum of x (x) f is not it, so the test adds the images' part to the forces'
  // virial.
  struct ImageVirial final : Backend {
    ImageVirial(const System& sys, const Box& b)
        : inner(sys, [b](std::span<const Vec3d> x, std::vector<Vec3d>& f) { return soft(b, x, f); }), cell(b) {}
    std::string name() const override { return inner.name(); }
    std::string description() const override { return inner.description(); }
    void upload(const State& state) override { inner.upload(state); }
    void download(State& state) const override { inner.download(state); }
    void download_forces(std::vector<Vec3d>& f) const override { inner.download_forces(f); }
    void run(std::span<const Stage> stages, const ForcePlan& plan, std::int64_t step) override {
      inner.run(stages, plan, step);
    }
    Energies energies() const override {
      Energies e = inner.energies();
      State now;
      inner.download(now);
      e.virial.fill(0);
      for (std::size_t i = 0; i < now.x.size(); ++i)
        for (std::size_t j = i + 1; j < now.x.size(); ++j) {
          if (i / 2 == j / 2) continue;
          const Vec3d d = cell.image(now.x[i] - now.x[j]);
          const double r = norm(d), u = 1 - r / 0.6;
          if (u > 0)
            for (std::size_t k = 0; k < 9; k += 4) e.virial[k] += 400 * u / 0.6 * r / 3;  // only the trace is used
        }
      return e;
    }
    double kinetic_energy() const override { return inner.kinetic_energy(); }
    WorstForce worst_force() const override { return inner.worst_force(); }
    PmeParameters pme() const override { return {}; }
    std::vector<PhaseTime> phases() const override { return {}; }
    ToyBackend inner;
    Box box() const override { return cell; }
    Box cell;
  } backend(system, s.box);
  Simulation simulation(system, backend, s, verlet(0.001));
  simulation.begin();
  const Frame frame = simulation.observe();

  // Scaling the box moves molecules as rigid bodies by their centres: P = 2 K_molecules/(3 V) - dU/dV.
  const auto energy = [&](double scale) {
    Box box = frame.state.box;
    for (double* edge : {&box.a.x, &box.b.y, &box.c.z}) *edge *= scale;
    std::vector<Vec3d> x = frame.state.x, f(x.size(), Vec3d{0, 0, 0});
    for (std::size_t k = 0; k < 25; ++k) {
      const Vec3d centre = (14.0 / 24) * x[2 * k] + (10.0 / 24) * x[2 * k + 1], shift = (scale - 1) * centre;
      x[2 * k] += shift;
      x[2 * k + 1] += shift;
    }
    return soft(box, x, f);
  };
  double kinetic = 0;
  for (std::size_t k = 0; k < 25; ++k) {
    const Vec3d p = 14.0 * frame.state.v[2 * k] + 10.0 * frame.state.v[2 * k + 1];
    kinetic += dot(p, p) / 48;
  }
  const double h = 1e-5, volume = frame.state.box.volume(), slope = (energy(1 + h) - energy(1 - h)) / (2 * h) / (3 * volume);
  EXPECT_GT(std::abs(slope) * constants::bar_per_kj_mol_nm3, 100);
  // Second differences: 1e-10 relative of the third derivative; contacts at the cutoff have a kinked second derivative, 1e-5 of
  // it.
  EXPECT_NEAR(frame.pressure, (2 * kinetic / (3 * volume) - slope) * constants::bar_per_kj_mol_nm3,
              1e-3 * std::abs(frame.pressure));
  EXPECT_NEAR(frame.temperature, 2 * frame.kinetic / (degrees_of_freedom(system) * constants::boltzmann), 1e-9);
}

TEST(Simulation, StartsOnTheConstraints) {
  Topology t;
  ForceField ff;
  test::add_water(t, ff);
  test::add_molecule(t, ff, "CHX", {6, 1}, {12, 1}, {{0, 1, 0.109}});
  test::finish(t, ff);
  ForceSettings settings;
  settings.nonbonded = NonbondedMethod::no_cutoff;
  const System system = make_system(t, ff, settings);
  ToyBackend backend(system, no_force);
  State s;  // as rounded in a file, and a water that the box cut in two
  s.box.a.x = s.box.b.y = s.box.c.z = 2;
  s.x = {{1.99, 1, 1}, {0.048, 1.077, 1}, {0.049, 0.926, 1}, {1, 1, 1}, {1.11, 1, 1}};
  for (int i = 0; i < 5; ++i) s.v.push_back(noise(i, 0));
  Simulation simulation(system, backend, s, verlet(0.002));
  const State now = simulation.state();
  EXPECT_NEAR(norm(now.x[1] - now.x[0]), 0.09572, 1e-12);
  EXPECT_NEAR(norm(now.x[4] - now.x[3]), 0.109, 1.1e-7);
  EXPECT_LT(std::abs(dot(now.v[1] - now.v[0], now.x[1] - now.x[0])), 1e-13);
  EXPECT_LT(std::abs(dot(now.v[4] - now.v[3], now.x[4] - now.x[3])), 1e-7);
}

}  // namespace
}  // namespace uplift

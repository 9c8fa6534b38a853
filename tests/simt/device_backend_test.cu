// The device backend, on the emulator and on a GPU where there is one, against the CPU backend: energies, forces and virial
// term by term, and the course of every integrator.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <tuple>

#include "devices.hpp"
#include "simt/runtime.hpp"
#include "support/samples.hpp"
#include "uplift/backend/cpu/cpu_backend.hpp"
#include "uplift/backend/cuda/cuda_backend.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/engine/minimization.hpp"
#include "uplift/engine/simulation.hpp"

namespace uplift {
namespace {

using test::Device;
using test::device_only;
using test::evaluate;
using test::Evaluation;
using test::sample;
using test::Sample;
using test::tear_apart;

double norm(const Vec3d& v) { return std::sqrt(dot(v, v)); }

/// rms difference of forces over their rms.
double force_difference(const Evaluation& a, const Evaluation& b) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < a.forces.size(); ++i) {
    const Vec3d d = a.forces[i] - b.forces[i];
    difference += dot(d, d);
    size += dot(a.forces[i], a.forces[i]);
  }
  return std::sqrt(difference / size);
}

class DeviceForces : public ::testing::TestWithParam<std::tuple<Device, const char*, Precision>> {};

TEST_P(DeviceForces, AreThoseOfTheCpu) {
  const auto [where, name, precision] = GetParam();
  UPLIFT_SKIP_WITHOUT(where);
  const Sample s = sample(name);
  const auto cpu = cpu::make_cpu_backend(s.system, s.state.box, {precision, 2, 1e-10});
  const auto device = where.make(s.system, s.state.box, {precision, 1e-10});
  const Evaluation a = evaluate(*cpu, s.state), b = evaluate(*device, s.state);
  // In double both round at 1e-13 of the largest terms. In mixed precision each has an error of 1e-6 of its own (sums in other
  // orders).
  const double forces = precision == Precision::double_ ? 1e-11 : 4e-6,
               energies = precision == Precision::double_ ? 1e-10 : 3e-6;
  EXPECT_LT(force_difference(a, b), forces);
  double scale = 1;
  for (double e : a.energies.term) scale = std::max(scale, std::abs(e));
  for (std::size_t k = 0; k < a.energies.term.size(); ++k)
    EXPECT_NEAR(a.energies.term[k], b.energies.term[k], energies * scale) << energy_term_names[k];
  for (std::size_t k = 0; k < 9; ++k)
    EXPECT_NEAR(a.energies.virial[k], b.energies.virial[k], 3 * energies * scale) << "virial " << k;
}

/// What compilers make of a kernel with sums of energies and without must round alike, or reports would change a run.
TEST_P(DeviceForces, AreTheSameBitsWithoutEnergies) {
  const auto [where, name, precision] = GetParam();
  UPLIFT_SKIP_WITHOUT(where);
  const Sample s = sample(name);
  const auto device = where.make(s.system, s.state.box, {precision, 1e-10});
  const Evaluation with = evaluate(*device, s.state);
  Evaluation without;
  device->upload(s.state);
  const Stage stages[] = {PlaceVirtualSites{}, ComputeForces{}};
  device->run(stages, {}, 0);
  device->download_forces(without.forces);
  EXPECT_EQ(with.forces, without.forces);
}

/// A barostat decides by energies that come with a virial when a row is due, and without one when none is.
class EnergyBits : public ::testing::TestWithParam<std::tuple<Device, const char*, Precision>> {};
TEST_P(EnergyBits, AreTheSameWithoutTheVirial) {
  const auto [where, name, precision] = GetParam();
  UPLIFT_SKIP_WITHOUT(where);
  const Sample s = sample(name);
  const auto backend = where.make(s.system, s.state.box, {precision, 1e-10});
  const Evaluation with = evaluate(*backend, s.state);
  const Stage stages[] = {ComputeForces{}};
  backend->run(stages, ForcePlan{.energies = true}, 0);
  EXPECT_EQ(with.energies.term, backend->energies().term);
}
INSTANTIATE_TEST_SUITE_P(Systems, EnergyBits,
                         ::testing::Combine(::testing::ValuesIn(test::everywhere),
                                            ::testing::Values("everything", "reaction-field", "switched", "nbfix", "geometric"),
                                            ::testing::Values(Precision::mixed, Precision::double_)));

/// Evaluations that prune the list have a loop of their own, as the first one after a restart is.
TEST_P(DeviceForces, HaveTheSameBitsWhetherTheListIsPrunedOrNot) {
  const auto [where, name, precision] = GetParam();
  UPLIFT_SKIP_WITHOUT(where);
  Sample s = sample(name);
  const auto one = where.make(s.system, s.state.box, {precision, 1e-10}),
             other = where.make(s.system, s.state.box, {precision, 1e-10});
  evaluate(*one, s.state);
  for (Vec3d& x : s.state.x) x += Vec3d{0.02, 0.01, -0.02};
  const Evaluation before = evaluate(*one, s.state);
  s.state.list = one->list_origin();
  if (s.state.list.empty()) GTEST_SKIP() << "there is no list";
  const Evaluation after = evaluate(*other, s.state);
  EXPECT_EQ(before.forces, after.forces);
  EXPECT_EQ(before.energies.term, after.energies.term);
  EXPECT_EQ(before.energies.virial, after.energies.virial);
}

TEST_P(DeviceForces, HaveTheSameBitsInAnyOrder) {
  const auto [where, name, precision] = GetParam();
  UPLIFT_SKIP_WITHOUT(where);
  const Sample s = sample(name);
  const auto device = where.make(s.system, s.state.box, {precision, 1e-10});
  const Evaluation first = evaluate(*device, s.state);
  for (std::uint64_t seed : {1u, 2u}) {
    simt::set_seed(seed);
    simt::set_lazy_streams(true);
    const Evaluation other = evaluate(*device, s.state);
    EXPECT_EQ(first.energies.term, other.energies.term);
    EXPECT_EQ(first.energies.virial, other.energies.virial);
    for (std::size_t i = 0; i < first.forces.size(); ++i) {
      ASSERT_EQ(first.forces[i].x, other.forces[i].x);
      ASSERT_EQ(first.forces[i].z, other.forces[i].z);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Systems, DeviceForces,
                         ::testing::Combine(::testing::ValuesIn(device_only),
                                            ::testing::Values("everything", "vacuum", "water", "reaction-field", "order-4",
                                                              "order-6", "gb-hct", "gb-obc2", "gb-gbn2", "switched", "nbfix",
                                                              "nbfix-switched", "geometric"),
                                            ::testing::Values(Precision::mixed, Precision::double_)));

/// Rods of three atoms, so many that most are out of each other's reach.
Sample rods(bool brick, NonbondedMethod nonbonded) {
  std::mt19937 random(11);
  const auto uniform = [&](double low, double high) { return std::uniform_real_distribution<double>(low, high)(random); };
  Topology t;
  ForceField ff;
  Sample s;
  s.state.box = brick ? Box{{2.1, 0, 0}, {0, 2.4, 0}, {0, 0, 6.3}} : Box{{2.1, 0, 0}, {0.6, 2.4, 0}, {-0.5, 0.7, 6.3}};
  for (int m = 0; m < 7 * 8 * 11; ++m) {
    const Vec3d middle = s.state.box.position({(m % 7 + 0.3) / 7 + m % 3 - 1, m / 7 % 8 / 8.0, m / 56 / 11.0 - m % 2}),
                arm{0.05 * uniform(-1, 1), 0.05, 0.05 * uniform(-1, 1)};
    Residue residue;
    residue.name = "ROD";
    residue.number = m + 1;
    residue.first_atom = 3 * m;
    residue.atom_count = 3;
    t.residues.push_back(residue);
    for (int k = 0; k < 3; ++k) {
      Atom atom;
      atom.name = "A" + std::to_string(k);
      atom.type = "X";
      atom.element = 6;
      atom.mass = 12;
      atom.residue = m;
      t.atoms.push_back(atom);
      ff.charges.push_back(k == 1 ? -0.6 : 0.3);
      ff.lj_type.push_back(k % 2);
      s.state.x.push_back(middle + (k - 1.0) * arm);
      for (int other = 0; other < k; ++other) ff.exclusions.push_back({3 * m + other, 3 * m + k});
    }
  }
  ff.lj_types = 2;
  ff.lj_c6 = {1e-4, 2e-4, 2e-4, 1e-3};
  ff.lj_c12 = {1e-8, 3e-8, 3e-8, 1e-7};
  ForceSettings settings;
  settings.nonbonded = nonbonded;
  settings.cutoff = 0.7;
  settings.constraints = ConstraintMode::none;
  s.system = make_system(std::move(t), std::move(ff), settings);
  draw_velocities(s.system, 300, 5, s.state);
  return s;
}

/// What a device counts: builds and prunes of its list.
std::pair<std::int64_t, std::int64_t> builds_and_prunes(const Backend& device) {
  std::pair<std::int64_t, std::int64_t> counts{0, 0};
  for (const PhaseTime& p : device.phases()) {
    if (p.name == "pair list") counts.first = p.calls;
    if (p.name == "prune") counts.second = p.calls;
  }
  return counts;
}

/// A state that space is scaled with.
State scaled(State s, const Vec3d& by) {
  const auto stretch = [&](Vec3d& r) { r = {by.x * r.x, by.y * r.y, by.z * r.z}; };
  for (Vec3d& r : s.x) stretch(r);
  for (Vec3d* edge : {&s.box.a, &s.box.b, &s.box.c}) stretch(*edge);
  return s;
}

class DevicePairList : public ::testing::TestWithParam<std::tuple<Device, bool, NonbondedMethod>> {};

/// Rods wander: lists are pruned and built anew as they need to be, and no pair is ever missed.
TEST_P(DevicePairList, HasEveryPairWhereverAtomsGo) {
  const auto [where, brick, nonbonded] = GetParam();
  UPLIFT_SKIP_WITHOUT(where);
  Sample s = rods(brick, nonbonded);
  const auto cpu = cpu::make_cpu_backend(s.system, s.state.box, {Precision::double_, 2, 1e-10});
  const auto device = where.make(s.system, s.state.box, {Precision::double_, 1e-10});
  std::mt19937 random(3);
  std::normal_distribution<double> step(0, 0.006);
  const int steps = 16;
  std::pair<std::int64_t, std::int64_t> first;
  for (int n = 0; n < steps; ++n) {
    const Evaluation a = evaluate(*cpu, s.state), b = evaluate(*device, s.state);
    if (n == 0) first = builds_and_prunes(*device);
    ASSERT_LT(force_difference(a, b), 1e-11) << "step " << n;
    ASSERT_NEAR(a.energies.potential(), b.energies.potential(), 1e-9 * std::abs(a.energies.potential())) << "step " << n;
    if (n == steps / 2) s.state.box.c.z *= 1.002;
    for (Vec3d& x : s.state.x) {
      const double current = 0.015 * std::sin(2 * constants::pi * s.state.box.fraction(x).x);  // neighbours go together
      x += Vec3d{step(random), step(random) + current, step(random)};
    }
  }
  const auto [builds, prunes] = builds_and_prunes(*device);
  EXPECT_GE(builds - first.first, 2);
  EXPECT_GT(prunes, builds);
  EXPECT_LT(prunes, steps);
}

/// Molecules go with the box, so that lists last; what it shrinks by is taken off what they are good for.
TEST_P(DevicePairList, HasEveryPairWhileTheBoxIsScaled) {
  const auto [where, brick, nonbonded] = GetParam();
  UPLIFT_SKIP_WITHOUT(where);
  Sample s = rods(brick, nonbonded);
  const auto cpu = cpu::make_cpu_backend(s.system, s.state.box, {Precision::double_, 2, 1e-10});
  const auto device = where.make(s.system, s.state.box, {Precision::double_, 1e-10});
  std::mt19937 random(3);
  std::normal_distribution<double> step(0, 0.001);
  const Vec3d by[] = {{0.985, 0.985, 0.985}, {1.003, 0.99, 1.01}};
  const int steps = 24;
  std::pair<std::int64_t, std::int64_t> first;
  for (int n = 0; n < steps; ++n) {
    const Evaluation a = evaluate(*cpu, s.state), b = evaluate(*device, s.state);
    if (n == 0) first = builds_and_prunes(*device);
    ASSERT_LT(force_difference(a, b), 1e-11) << "step " << n;
    s.state = scaled(s.state, by[n >= steps / 2]);
    for (Vec3d& x : s.state.x) x += Vec3d{step(random), step(random), step(random)};
  }
  const std::int64_t builds = builds_and_prunes(*device).first - first.first,
                     prunes = builds_and_prunes(*device).second - first.second;
  EXPECT_GE(builds, 1);
  EXPECT_LE(builds, 2);
  EXPECT_GT(prunes, builds);
  EXPECT_LT(prunes, 6);
}

/// Sums follow the order of the list, so a run that goes on needs the list that it had, and the box that it was made in.
TEST_P(DevicePairList, GoesOnWithTheSameBits) {
  const auto [where, brick, nonbonded] = GetParam();
  UPLIFT_SKIP_WITHOUT(where);
  for (const Vec3d& by : {Vec3d{1, 1, 1}, Vec3d{0.995, 1.002, 0.999}}) {
    Sample s = rods(brick, nonbonded);
    const auto one = where.make(s.system, s.state.box, {Precision::mixed, 1e-10}),
               other = where.make(s.system, s.state.box, {Precision::mixed, 1e-10});
    evaluate(*one, s.state);
    s.state = scaled(s.state, by);
    for (Vec3d& x : s.state.x) x += Vec3d{0.03, 0.01, -0.02};
    evaluate(*one, s.state);
    State kept = s.state;
    kept.list = one->list_origin();
    ASSERT_EQ(kept.list.x.size(), s.state.x.size());
    EXPECT_EQ(kept.list.box == s.state.box, by.x == 1);
    // How long a list lasts must be the same, too.
    for (int n = 0; n < 8; ++n) {
      const Evaluation before = evaluate(*one, s.state), after = evaluate(*other, n == 0 ? kept : s.state);
      for (std::size_t i = 0; i < before.forces.size(); ++i) ASSERT_EQ(before.forces[i].x, after.forces[i].x) << i << ' ' << n;
      for (std::size_t i = 0; i < s.state.x.size(); ++i) s.state.x[i].z += i % 2 ? 0.01 : -0.01;
    }
    EXPECT_EQ(builds_and_prunes(*one).first, builds_and_prunes(*other).first);
    EXPECT_EQ(builds_and_prunes(*one).first, 2);
  }
}

/// The kernel that moves atoms tells the list where they are, so that no other one looks: the same bits, and as many builds.
TEST_P(DevicePairList, HearsFromMovesWhereAtomsAre) {
  const auto [where, brick, nonbonded] = GetParam();
  UPLIFT_SKIP_WITHOUT(where);
  const Sample s = rods(brick, nonbonded);
  const auto told = where.make(s.system, s.state.box, {Precision::mixed, 1e-10}),
             looks = where.make(s.system, s.state.box, {Precision::mixed, 1e-10});
  evaluate(*told, s.state);
  evaluate(*looks, s.state);
  const Stage both[] = {Drift{0.02}, ComputeForces{}};
  const std::span<const Stage> moves = std::span(both).first(1), forces = std::span(both).last(1);
  for (int step = 1; step <= 10; ++step) {
    told->run(both, {}, step);
    looks->run(moves, {}, step);
    looks->run(forces, {}, step);
    std::vector<Vec3d> a, b;
    told->download_forces(a);
    looks->download_forces(b);
    ASSERT_EQ(a, b) << "step " << step;
  }
  EXPECT_EQ(builds_and_prunes(*told), builds_and_prunes(*looks));
  EXPECT_GE(builds_and_prunes(*told).first, 3);
}

/// Charges are spread in the order of the list once there has been a look at it. Those of rods in no order do not fit the piece
/// of the mesh that a block has; those in the list's order do.
TEST_P(DevicePairList, GivesChargesAnOrderThatChangesNoBit) {
  const auto [where, brick, nonbonded] = GetParam();
  UPLIFT_SKIP_WITHOUT(where);
  Sample s = rods(brick, nonbonded);
  std::mt19937 random(7);
  const std::size_t rods = s.state.x.size() / 3;
  for (std::size_t m = rods - 1; m > 0; --m) {
    const std::size_t other = std::uniform_int_distribution<std::size_t>(0, m)(random);
    for (std::size_t k = 0; k < 3; ++k) std::swap(s.state.x[3 * m + k], s.state.x[3 * other + k]);
  }
  for (const Precision precision : {Precision::mixed, Precision::double_}) {
    const auto device = where.make(s.system, s.state.box, {precision, 1e-10});
    const Evaluation before = evaluate(*device, s.state);
    device->verify();
    const Evaluation after = evaluate(*device, s.state);
    EXPECT_EQ(before.forces, after.forces);
    EXPECT_EQ(before.energies.term, after.energies.term);
  }
}

void scale(State& state, double factor) {
  for (Vec3d* edge : {&state.box.a, &state.box.b, &state.box.c}) *edge = factor * *edge;
  for (Vec3d& x : state.x) x = factor * x;
}

/// Compression by and by: lists get more room in time, and keep what is in them. All at once: an error, not missing pairs, even
/// if there is room again before anybody looks.
TEST(DeviceRoom, GrowsBeforeItRunsOut) {
  Sample s = rods(true, NonbondedMethod::reaction_field);
  scale(s.state, 1.6);
  const State wide = s.state;
  const auto cpu = cpu::make_cpu_backend(s.system, s.state.box, {Precision::double_, 2, 1e-10});
  const auto device = simt_device::make_backend(s.system, s.state.box, {Precision::double_, 1e-10});
  evaluate(*device, s.state);
  const std::size_t before = simt::device_bytes();
  for (int n = 0; n < 14; ++n) {
    scale(s.state, 0.97);
    const Evaluation a = evaluate(*cpu, s.state), b = evaluate(*device, s.state);
    device->verify();
    device->upload(s.state);
    const Stage again[] = {ComputeForces{}};
    device->run(again, {}, 0);
    Evaluation c;
    device->download_forces(c.forces);
    double difference = 0, size = 0;
    for (std::size_t i = 0; i < a.forces.size(); ++i) {
      difference += dot(a.forces[i] - b.forces[i], a.forces[i] - b.forces[i]);
      size += dot(a.forces[i], a.forces[i]);
      ASSERT_EQ(b.forces[i].x, c.forces[i].x) << "the list has changed";
    }
    ASSERT_LT(std::sqrt(difference / size), 1e-10) << n;  // compressed, forces of neighbours cancel
  }
  EXPECT_GT(simt::device_bytes(), before);

  const auto other = simt_device::make_backend(s.system, wide.box, {Precision::double_, 1e-10});
  evaluate(*other, wide);
  other->verify();
  evaluate(*other, s.state);
  EXPECT_THROW(other->verify(), SimulationError);
  evaluate(*other, wide);
  EXPECT_THROW(other->verify(), SimulationError);
}

INSTANTIATE_TEST_SUITE_P(Boxes, DevicePairList,
                         ::testing::Combine(::testing::ValuesIn(device_only), ::testing::Bool(),
                                            ::testing::Values(NonbondedMethod::pme, NonbondedMethod::reaction_field)));

struct Course {
  const char *name, *system;
  IntegratorKind integrator;
  bool levels = false;
  std::optional<BarostatKind> barostat{};
};
void PrintTo(const Course& c, std::ostream* out) { *out << c.name; }

class DeviceDynamics : public ::testing::TestWithParam<std::tuple<Device, Course>> {};

/// In double, twenty steps on both: rounding grows by what molecules forget in a hundredth of a picosecond, which is little.
TEST_P(DeviceDynamics, GoesTheWayOfTheCpu) {
  const auto& [where, c] = GetParam();
  UPLIFT_SKIP_WITHOUT(where);
  const Sample s = sample(c.system);
  DynamicsSettings d;
  d.integrator = c.integrator;
  d.timestep = std::string(c.system) == "everything" ? 0.0005 : 0.001;
  d.friction = 10;
  d.seed = 4;
  d.constraint_tolerance = 1e-11;
  d.com_removal_every = 5;
  if (c.levels)
    d.levels = {{all_force_groups & ~static_cast<unsigned>(ForceGroup::pme_reciprocal), 1},
                {static_cast<unsigned>(ForceGroup::pme_reciprocal), 2}};
  if (c.barostat) {
    d.pressure = PressureSettings{};
    d.pressure->barostat = *c.barostat;
    d.pressure->coupling = PressureCoupling::semi_isotropic;
    d.pressure->every = 4;
  }
  const auto cpu = cpu::make_cpu_backend(s.system, s.state.box, {Precision::double_, 2, 1e-11});
  const auto device = where.make(s.system, s.state.box, {Precision::double_, 1e-11});
  Simulation here(s.system, *cpu, s.state, d), there(s.system, *device, s.state, d);
  here.begin();
  there.begin();
  for (int n = 0; n < 20; ++n) {
    here.step();
    there.step();
  }
  const State a = here.state(), b = there.state();
  double x = 0, v = 0, travelled = 0;
  for (std::size_t i = 0; i < a.x.size(); ++i) {
    x = std::max(x, norm(a.x[i] - b.x[i]));
    v = std::max(v, norm(a.v[i] - b.v[i]));
    travelled = std::max(travelled, norm(a.x[i] - s.state.x[i]));
  }
  EXPECT_GT(travelled, 0.003);
  EXPECT_LT(x, 1e-8);
  EXPECT_LT(v, 1e-5);
  EXPECT_NEAR(a.box.a.x, b.box.a.x, 1e-9);
  EXPECT_NEAR(a.box.c.z, b.box.c.z, 1e-9);
  EXPECT_NEAR(a.heat, b.heat, 1e-5 * std::max(1.0, std::abs(a.heat)));
  const Frame fa = here.observe(), fb = there.observe();
  EXPECT_NEAR(fa.kinetic, fb.kinetic, 1e-6 * fa.kinetic);
  EXPECT_NEAR(fa.conserved, fb.conserved, 1e-6 * std::abs(fa.conserved));
  EXPECT_NEAR(fa.pressure, fb.pressure, 1e-3);
}

INSTANTIATE_TEST_SUITE_P(
    Courses, DeviceDynamics,
    ::testing::Combine(
        ::testing::ValuesIn(device_only),
        ::testing::Values(
            Course{"Verlet", "water", IntegratorKind::verlet}, Course{"Sites", "everything", IntegratorKind::verlet},
            Course{"Vacuum", "vacuum", IntegratorKind::langevin}, Course{"Langevin", "dipeptide", IntegratorKind::langevin},
            Course{"Groups", "h-angles", IntegratorKind::langevin}, Course{"VRescale", "dipeptide", IntegratorKind::v_rescale},
            Course{"NoseHoover", "water", IntegratorKind::nose_hoover},
            Course{"Levels", "dipeptide", IntegratorKind::langevin, true},
            Course{"Restrained", "reaction-field", IntegratorKind::langevin},
            Course{"MonteCarlo", "water", IntegratorKind::langevin, false, BarostatKind::monte_carlo},
            Course{"RestrainedMonteCarlo", "reaction-field", IntegratorKind::langevin, false, BarostatKind::monte_carlo},
            Course{"CRescale", "dipeptide", IntegratorKind::v_rescale, false, BarostatKind::c_rescale})),
    [](const auto& one) { return std::string(std::get<0>(one.param).name) + std::get<1>(one.param).name; });

/// Two backends round differently, and molecules forget: what begins at the last digit grows. A wrong force would not begin
/// there.
class DeviceDivergence : public ::testing::TestWithParam<Device> {};
TEST_P(DeviceDivergence, GrowsFromRounding) {
  UPLIFT_SKIP_WITHOUT(GetParam());
  const Sample s = sample("water");
  const auto cpu = cpu::make_cpu_backend(s.system, s.state.box, {Precision::double_, 2, 1e-12});
  const auto device = GetParam().make(s.system, s.state.box, {Precision::double_, 1e-12});
  DynamicsSettings d;
  d.integrator = IntegratorKind::verlet;
  d.timestep = 0.002;
  Simulation here(s.system, *cpu, s.state, d), there(s.system, *device, s.state, d);
  here.begin();
  there.begin();
  std::vector<double> apart;
  for (int n = 1; n <= 150; ++n) {
    here.step();
    there.step();
    if (n != 2 && n != 50 && n != 150) continue;
    const Frame a = here.observe(), b = there.observe();
    double most = 0;
    for (std::size_t i = 0; i < a.state.x.size(); ++i) most = std::max(most, norm(a.state.x[i] - b.state.x[i]));
    apart.push_back(most);
    EXPECT_NEAR(a.energies.potential(), b.energies.potential(), 1e-9 * std::abs(a.energies.potential())) << n;
  }
  // Seen: 1e-14, 1e-12 and 5e-11 nm; on a GPU functions round differently from the start.
  EXPECT_LT(apart[0], 1e-12);
  EXPECT_LT(apart[0], apart[1]);
  EXPECT_LT(apart[1], apart[2]);
  EXPECT_LT(apart[2], 1e-8);
}
INSTANTIATE_TEST_SUITE_P(Devices, DeviceDivergence, ::testing::ValuesIn(device_only),
                         [](const auto& one) { return one.param.name; });

struct Steady {
  Course course;
  std::size_t nodes, depth;  ///< what the step had when this was written; FFTs count as one
};
void PrintTo(const Steady& s, std::ostream* out) { *out << s.course.name; }
class DeviceStep : public ::testing::TestWithParam<Steady> {};

/// Once a step repeats itself, it is one launch of one graph. Should one of these numbers fall, lower it here; let none rise
/// without a reason.
TEST_P(DeviceStep, IsOneGraphAndWaitsForNobody) {
  const Steady& expected = GetParam();
  const Sample s = sample(expected.course.system);
  const auto device = simt_device::make_backend(s.system, s.state.box, {Precision::mixed, 1e-6});
  DynamicsSettings d;
  d.integrator = expected.course.integrator;
  d.timestep = 0.002;
  d.com_removal_every = 0;
  if (expected.course.levels)
    d.levels = {{all_force_groups & ~static_cast<unsigned>(ForceGroup::pme_reciprocal), 1},
                {static_cast<unsigned>(ForceGroup::pme_reciprocal), 2}};
  Simulation simulation(s.system, *device, s.state, d);
  simulation.begin();
  for (int n = 0; n < 3; ++n) simulation.step();
  const auto before = simt::counters();
  for (int n = 0; n < 5; ++n) simulation.step();
  const auto after = simt::counters();
  EXPECT_EQ(after.launches - before.launches, 5u);
  EXPECT_EQ(after.synchronisations, before.synchronisations);
  EXPECT_EQ(after.allocations, before.allocations);
  EXPECT_EQ(simt::last_graph().nodes, expected.nodes);
  EXPECT_EQ(simt::last_graph().depth, expected.depth);
}

INSTANTIATE_TEST_SUITE_P(Integrators, DeviceStep,
                         ::testing::Values(Steady{{"Langevin", "dipeptide", IntegratorKind::langevin}, 16, 7},
                                           Steady{{"VRescale", "dipeptide", IntegratorKind::v_rescale}, 18, 9},
                                           Steady{{"Verlet", "water", IntegratorKind::verlet}, 16, 9},
                                           Steady{{"Levels", "dipeptide", IntegratorKind::langevin, true}, 26, 13}),
                         [](const auto& one) { return one.param.course.name; });

TEST(DeviceBackend, MinimisesAsTheCpuDoes) {
  const Sample s = sample("dipeptide");
  const auto cpu = cpu::make_cpu_backend(s.system, s.state.box, {Precision::double_, 2, 1e-10});
  const auto device = simt_device::make_backend(s.system, s.state.box, {Precision::double_, 1e-10});
  State a = s.state, b = s.state;
  const MinimizeSettings settings{10, 1};
  const MinimizeResult ra = minimize(s.system, *cpu, a, settings), rb = minimize(s.system, *device, b, settings);
  EXPECT_NEAR(ra.energy, rb.energy, 1e-6 * std::abs(ra.energy));
  EXPECT_EQ(ra.worst.at(0).atom, rb.worst.at(0).atom);
}

TEST(DeviceBackend, MinimisesWithoutFetchingItsVectors) {
  const Sample s = sample("water");
  const auto device = simt_device::make_backend(s.system, s.state.box, {}),
             other = simt_device::make_backend(s.system, s.state.box, {});
  Minimization whole(s.system, *device, s.state, {60, 1e-3});
  const double start = whole.energy();
  while (whole.steps() < 12) whole.advance();
  const auto before = simt::counters();
  const int steps = whole.steps();
  whole.advance();
  ASSERT_EQ(whole.steps(), steps + 1);
  EXPECT_LT(simt::counters().bytes_to_host - before.bytes_to_host, s.state.x.size() * sizeof(Vec3d) / 2);
  EXPECT_EQ(simt::counters().allocations, before.allocations);
  EXPECT_LT(whole.energy(), start);

  const DescentMemory memory = whole.memory();
  EXPECT_GT(memory.slots.size(), 1u);
  Minimization second(s.system, *other, whole.checkpoint_state(), {60, 1e-3}, &memory);
  for (int n = 0; n < 8; ++n) {
    whole.advance();
    second.advance();
    EXPECT_EQ(second.energy(), whole.energy()) << n;
    EXPECT_EQ(second.largest_force(), whole.largest_force()) << n;
  }
  const State a = whole.state(), b = second.state();
  for (std::size_t i = 0; i < a.x.size(); ++i) EXPECT_EQ(norm(a.x[i] - b.x[i]), 0) << i;
}

/// So near that energies of several pairs together are beyond what sums hold, and wrap round: not to be believed.
TEST(DeviceBackend, MinimisesWhereMoleculesOverlap) {
  for (const double apart : {0.011, 0.02, 0.03}) {
    Sample s = sample("water");
    for (std::size_t m = 0; m < 5; ++m)
      for (std::size_t k = 0; k < 3; ++k)
        s.state.x[30 * m + 3 + k] = s.state.x[30 * m + k] + Vec3d{apart, 0.3 * apart, 0.3 * apart};
    const auto expect_minimum = [&](Backend& backend, int steps, double force, double energy) {
      Minimization minimization(s.system, backend, s.state, {steps, force});
      EXPECT_EQ(minimization.energy(), std::numeric_limits<double>::infinity());
      while (!minimization.finished()) minimization.advance();
      EXPECT_LT(minimization.largest_force(), force) << apart;
      EXPECT_LT(minimization.energy(), energy);
      EXPECT_GT(minimization.energy(), -1e6);
    };
    expect_minimum(*cpu::make_cpu_backend(s.system, s.state.box, {Precision::mixed, 2, 1e-8}), 300, 100, 0);
    if (apart == 0.02) expect_minimum(*simt_device::make_backend(s.system, s.state.box, {}), 40, 1e5, 1e6);
  }
}

TEST(DeviceBackend, AnAttemptTooFarForTheConstraintsLeavesTheBest) {
  const Sample s = sample("dipeptide");
  const auto device = simt_device::make_backend(s.system, s.state.box, {});
  device->upload(s.state);
  const auto descent = device->descent();
  const Descent::Attempt first = descent->attempt(0, 0, {});
  descent->take();
  Descent::Row along_the_force{};
  along_the_force[Descent::force_vector] = 1;
  const double length = descent->aim(along_the_force);
  EXPECT_THROW(descent->attempt(2 / length, 0, {}), SimulationError);
  const Descent::Attempt near = descent->attempt(1e-4 / length, 0, {});
  EXPECT_LT(near.energy, first.energy);
  EXPECT_NEAR(near.energy, first.energy, 1e-2 * std::abs(first.energy));
  const std::array known{0};
  const Descent::Attempt back = descent->attempt(0, 1, known);
  EXPECT_NEAR(back.energy, first.energy, 1e-6 * std::abs(first.energy));
  EXPECT_NEAR(back.largest, first.largest, 1e-4 * first.largest);
  EXPECT_NEAR(back.force[Descent::force_vector], first.force[Descent::force_vector], 1e-4 * first.force[Descent::force_vector]);
}

TEST(DeviceBackend, AConstraintThatCannotBeMetIsNamed) {
  const Sample s = sample("dipeptide");
  const auto device = simt_device::make_backend(s.system, s.state.box, {});
  try {
    tear_apart(*device, s.state);
    device->verify();
    FAIL() << "no error";
  } catch (const SimulationError& e) {
    EXPECT_THAT(e.what(), ::testing::AnyOf(::testing::HasSubstr("torn apart"), ::testing::HasSubstr("cannot be met")));
  }
}

TEST(DeviceBackend, GivesItsMemoryBack) {
  const std::size_t before = simt::device_bytes();
  {
    const Sample s = sample("water");
    const auto device = simt_device::make_backend(s.system, s.state.box, {});
    evaluate(*device, s.state);
    EXPECT_GT(simt::device_bytes(), before);
  }
  EXPECT_EQ(simt::device_bytes(), before);
}

}  // namespace
}  // namespace uplift

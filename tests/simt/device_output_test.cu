// What a run on a device is looked at by while it goes on: frames, rows of energies, and what they cost it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <thread>
#include <tuple>

#include "devices.hpp"
#include "simt/runtime.hpp"
#include "support/samples.hpp"
#include "uplift/core/error.hpp"
#include "uplift/engine/pressure.hpp"
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

constexpr Wanted whole_frame{false, false, true, true}, row_of_energies{false, true, false, false},
    frame_of_everything{true, true, true, true};
class KeepsLateFrames final : public Recorder {
 public:
  explicit KeepsLateFrames(const Wanted& wanted) : wanted_(wanted) {}
  bool due(std::int64_t) const override { return true; }
  Wanted wanted() const override { return wanted_; }
  Takes takes() const override { return Takes::late_frame; }
  void record_late(const LateFrame& frame) override { frames.push_back(frame); }
  std::vector<LateFrame> frames;

 private:
  Wanted wanted_;
};
DynamicsSettings two_femtoseconds() {
  DynamicsSettings d;
  d.integrator = IntegratorKind::langevin;
  d.timestep = 0.002;
  return d;
}
DynamicsSettings with_barostat(BarostatKind kind, int every) {
  DynamicsSettings d = two_femtoseconds();
  d.pressure = PressureSettings{};
  d.pressure->barostat = kind;
  d.pressure->every = every;
  return d;
}

/// c-rescale needs the pressure and energies, not positions, velocities or forces; and in the new box the step is a graph at
/// once.
TEST(DeviceBarostat, AsksForLittle) {
  const Sample s = sample("dipeptide");
  const auto device = simt_device::make_backend(s.system, s.state.box, {Precision::mixed, 1e-6});
  const DynamicsSettings d = with_barostat(BarostatKind::c_rescale, 4);
  Simulation simulation(s.system, *device, s.state, d);
  simulation.begin();
  for (int n = 0; n < 7; ++n) simulation.step();
  const Box box = device->box();
  const auto before = simt::counters();
  simulation.step();
  const auto between = simt::counters();
  simulation.step();
  const auto after = simt::counters();
  EXPECT_FALSE(box == device->box());
  EXPECT_LT(between.bytes_to_host - before.bytes_to_host, s.state.x.size() * sizeof(Vec3d) / 2);
  EXPECT_LE(between.synchronisations - before.synchronisations, 3u);
  EXPECT_EQ(between.captures, before.captures);  // the step that the barostat looks at is another in each box
  EXPECT_EQ(after.launches - between.launches, 1u);
  EXPECT_EQ(after.captures - between.captures, 1u);
  simulation.step();
  EXPECT_EQ(simt::counters().captures, after.captures);
}

/// Neither forces nor lists are worked out anew after a volume that was refused: steps are one launch again at once, with
/// restraints whose centres move with the box, too.
class DeviceRefusal : public ::testing::TestWithParam<bool> {};

TEST_P(DeviceRefusal, LeavesNoTraceInStepsThatFollow) {
  Sample s = sample("dipeptide");
  if (GetParam()) {
    s.system.reference_box = s.state.box;
    for (int atom : {1, 5, 8})
      s.system.position_restraints.push_back({atom, s.state.x[static_cast<std::size_t>(atom)], 500, s.state.x[1]});
  }
  const DynamicsSettings d = with_barostat(BarostatKind::monte_carlo, 3);
  const auto device = simt_device::make_backend(s.system, s.state.box, {Precision::mixed, 1e-6});
  Simulation simulation(s.system, *device, s.state, d);
  simulation.begin();
  bool refused = false;
  for (int n = 0; n < 30 && !refused; ++n) {
    const std::int64_t attempted = simulation.barostat()->attempted(), accepted = simulation.barostat()->accepted();
    simulation.step();
    // By then both kinds of steps have been captured.
    refused = n > 6 && simulation.barostat()->attempted() > attempted && simulation.barostat()->accepted() == accepted;
  }
  ASSERT_TRUE(refused);
  for (int n = 0; n < 2; ++n) {
    const auto before = simt::counters();
    simulation.step();
    const auto after = simt::counters();
    EXPECT_EQ(after.launches - before.launches, 1u);
    EXPECT_EQ(after.captures, before.captures);
    EXPECT_EQ(after.synchronisations - before.synchronisations, 0u);
  }
}
INSTANTIATE_TEST_SUITE_P(Restrained, DeviceRefusal, ::testing::Bool());

/// The memory of what was given back unread is used again when all has arrived there, and not before.
TEST(DeviceSnapshot, MayBeGivenBackUnread) {
  const Sample s = sample("dipeptide");
  const auto device = simt_device::make_backend(s.system, s.state.box, {Precision::mixed, 1e-6});
  device->upload(s.state);
  const Stage stages[] = {ComputeForces{}}, drift[] = {Drift{0.001}};
  device->run(stages, {}, 0);
  const SnapshotPlan plan{.positions = true, .velocities = true};
  device->snapshot(plan);
  device->run(drift, {}, 1);
  const auto kept = device->snapshot(plan);
  State now;
  device->download(now);
  const SnapshotContents& contents = kept->get();
  EXPECT_TRUE(std::ranges::equal(contents.x, now.x));
  EXPECT_TRUE(std::ranges::equal(contents.v, now.v));
}

class BarostatCourses : public ::testing::TestWithParam<std::tuple<Device, BarostatKind>> {};

/// What nobody reports is not worked out, and that changes no bit of what comes after, nor of what is reported.
TEST_P(BarostatCourses, HaveTheSameBitsWithRowsAndWithout) {
  const auto [where, kind] = GetParam();
  UPLIFT_SKIP_WITHOUT(where);
  const Sample s = sample("dipeptide");
  const DynamicsSettings d = with_barostat(kind, 2);
  struct Course {
    std::vector<Observables> rows;
    State end;
  };
  enum Looks { at_nothing, by_rows, by_itself };
  const int steps = std::string(where.name) == "simt" ? 8 : 16;
  const auto run = [&](Looks looks) {
    const auto backend = where.make(s.system, s.state.box, {Precision::mixed, 1e-6});
    Simulation simulation(s.system, *backend, s.state, d);
    KeepsLateFrames frames(row_of_energies);
    if (looks == by_rows) simulation.add(frames);
    simulation.begin();
    Course course;
    for (int n = 0; n < steps; ++n) {
      simulation.step();
      if (looks == by_itself) {
        const Frame f = simulation.observe();
        course.rows.push_back({f.energies, f.kinetic, f.temperature, f.pressure, f.conserved});
      }
    }
    for (std::size_t n = 1; n < frames.frames.size(); ++n) course.rows.push_back(frames.frames[n].observables());
    frames.frames.clear();
    course.end = simulation.state();
    return course;
  };
  const Course plain = run(at_nothing), rows = run(by_rows), looked = run(by_itself);
  EXPECT_FALSE(plain.end.box == s.state.box);
  for (const Course* other : {&rows, &looked}) {
    EXPECT_EQ(plain.end.x, other->end.x);
    EXPECT_EQ(plain.end.v, other->end.v);
    EXPECT_EQ(plain.end.box, other->end.box);
    EXPECT_EQ(plain.end.heat, other->end.heat);
  }
  ASSERT_EQ(rows.rows.size(), looked.rows.size());
  for (std::size_t n = 0; n < rows.rows.size(); ++n) {
    EXPECT_EQ(rows.rows[n].energies.term, looked.rows[n].energies.term) << n;
    EXPECT_EQ(rows.rows[n].pressure, looked.rows[n].pressure) << n;
    EXPECT_EQ(rows.rows[n].conserved, looked.rows[n].conserved) << n;
  }
}
/// The pair list may be of another box than that of now, and forces of before a refused move.
TEST_P(BarostatCourses, GoOnFromAnyStepWithTheSameBits) {
  const auto [where, kind] = GetParam();
  UPLIFT_SKIP_WITHOUT(where);
  const Sample s = sample("dipeptide");
  const DynamicsSettings d = with_barostat(kind, 3);
  const bool emulated = std::string(where.name) == "simt";
  const int steps = emulated ? 9 : 60;
  std::vector<State> states;
  const auto first = where.make(s.system, s.state.box, {Precision::mixed, 1e-6});
  {
    Simulation simulation(s.system, *first, s.state, d);
    simulation.begin();
    for (int n = 0; n < steps; ++n) {
      states.push_back(simulation.checkpoint_state());
      simulation.step();
    }
    states.push_back(simulation.checkpoint_state());
  }
  int of_another_box = 0;
  for (int n = 1; n < steps; n += emulated ? 3 : 1) {
    const State& from = states[static_cast<std::size_t>(n)];
    of_another_box += !(from.list.box == from.box);
    // As made for the box that the stage began with.
    const auto other = where.make(s.system, s.state.box, {Precision::mixed, 1e-6});
    Simulation simulation(s.system, *other, from, d, StageStart{states[0].step, states[0].time});
    simulation.begin();
    while (simulation.current_step() < states.back().step) simulation.step();
    const State end = simulation.checkpoint_state();
    EXPECT_EQ(states.back().x, end.x) << n;
    EXPECT_EQ(states.back().v, end.v) << n;
    EXPECT_EQ(states.back().box, end.box) << n;
    EXPECT_EQ(states.back().list.x, end.list.x) << n;
    EXPECT_EQ(states.back().list.box, end.list.box) << n;
  }
  EXPECT_GT(of_another_box, 0);
}
INSTANTIATE_TEST_SUITE_P(Kinds, BarostatCourses,
                         ::testing::Combine(::testing::ValuesIn(test::everywhere),
                                            ::testing::Values(BarostatKind::monte_carlo, BarostatKind::c_rescale)));

/// A frame or a row at every step: its memory comes back from those that were read, nobody waits, and the step remains one
/// graph.
struct Recorded {
  const char* name;
  Wanted wanted;
  unsigned launches;  ///< besides the graph
};
void PrintTo(const Recorded& r, std::ostream* out) { *out << r.name; }
class DeviceRecords : public ::testing::TestWithParam<Recorded> {};
TEST_P(DeviceRecords, TheRunDoesNotWaitForThem) {
  const Sample s = sample("dipeptide");
  const auto device = simt_device::make_backend(s.system, s.state.box, {Precision::mixed, 1e-6});
  Simulation simulation(s.system, *device, s.state, two_femtoseconds());
  KeepsLateFrames frames(GetParam().wanted);
  simulation.add(frames);
  simulation.begin();
  for (int n = 0; n < 4; ++n) simulation.step();
  frames.frames.clear();
  simt::set_lazy_streams(true);  // nothing is done before somebody waits for it
  const auto before = simt::counters();
  for (int n = 0; n < 4; ++n) simulation.step();
  const auto after = simt::counters();
  simt::restore_order();
  EXPECT_EQ(after.kernels, before.kernels);
  EXPECT_EQ(after.synchronisations, before.synchronisations);
  EXPECT_EQ(after.allocations, before.allocations);
  EXPECT_EQ(after.launches - before.launches, 4 * (1 + GetParam().launches));
  EXPECT_EQ(frames.frames.size(), 4u);
}
// The record with zeros, two structs put aside and two sums, one copy. Positions and velocities put aside, two copies.
// Forces of a level likewise. Tallies, molecules; velocities kept, moved, summed and put back.
INSTANTIATE_TEST_SUITE_P(Kinds, DeviceRecords,
                         ::testing::Values(Recorded{"Frame", whole_frame, 6 + 4}, Recorded{"Row", row_of_energies, 6 + 6},
                                           Recorded{"FrameOfEverything", frame_of_everything, 6 + 4 + 2 + 6}),
                         [](const auto& one) { return one.param.name; });

/// Streams that do nothing until somebody waits: the frames of steps long past, read by another thread, are those of a run that
/// stopped for each of them; and that run has the same bits as one without frames.
TEST(DeviceSnapshot, IsOfItsStepHoweverLateItIsRead) {
  const Sample s = sample("dipeptide");
  const DeviceOptions options{Precision::mixed, 1e-6};
  const auto late = simt_device::make_backend(s.system, s.state.box, options),
             stops = simt_device::make_backend(s.system, s.state.box, options),
             bare = simt_device::make_backend(s.system, s.state.box, options);
  Simulation a(s.system, *late, s.state, two_femtoseconds()), b(s.system, *stops, s.state, two_femtoseconds()),
      c(s.system, *bare, s.state, two_femtoseconds());
  KeepsLateFrames frames(frame_of_everything);
  a.add(frames);
  a.begin();
  b.begin();
  c.begin();
  std::vector<State> expected{b.state()};
  const Frame first = b.observe();
  std::vector<Observables> numbers{first};
  std::vector<std::vector<Vec3d>> forces{first.forces};
  for (int n = 0; n < 6; ++n) {
    b.step();
    expected.push_back(b.state());
    const Frame now = b.observe();
    numbers.push_back(now);
    forces.push_back(now.forces);
    c.step();
  }
  simt::set_lazy_streams(true);
  for (int n = 0; n < 6; ++n) a.step();
  ASSERT_EQ(frames.frames.size(), 7u);
  EXPECT_FALSE(frames.frames.back().ready());
  std::thread reader([&] {
    for (const LateFrame& frame : frames.frames) frame.get();
  });
  reader.join();
  for (std::size_t n = 0; n < expected.size(); ++n) {
    const SnapshotContents& one = frames.frames[n].get();
    EXPECT_TRUE(frames.frames[n].ready());
    EXPECT_EQ(frames.frames[n].step(), expected[n].step);
    ASSERT_EQ(one.x.size(), expected[n].x.size());
    EXPECT_TRUE(std::equal(one.x.begin(), one.x.end(), expected[n].x.begin())) << n;
    EXPECT_TRUE(std::equal(one.v.begin(), one.v.end(), expected[n].v.begin())) << n;
    EXPECT_TRUE(std::ranges::equal(one.f, forces[n])) << n;
    const Observables row = frames.frames[n].observables();
    EXPECT_EQ(row.energies.term, numbers[n].energies.term) << n;
    EXPECT_EQ(row.kinetic, numbers[n].kinetic) << n;
    EXPECT_EQ(row.temperature, numbers[n].temperature) << n;
    EXPECT_EQ(row.pressure, numbers[n].pressure) << n;
    EXPECT_EQ(row.conserved, numbers[n].conserved) << n;
  }
  EXPECT_EQ(a.state().x, c.state().x);
  EXPECT_EQ(a.state().v, c.state().v);
  simt::restore_order();
}

/// Runs in threads of their own, each on a device of its own, whose frames another thread reads that has chosen no device: as
/// one run alone.
TEST(DeviceSnapshot, OfASecondDeviceIsReadByWhoeverComes) {
  simt::set_devices(3);
  const Sample s = sample("dipeptide");
  std::array<State, 3> ends;
  const std::size_t on_first = simt::device_bytes(0);
  const auto run = [&](int device) {
    DeviceOptions options{Precision::mixed, 1e-6};
    options.device = device;
    const std::size_t already = simt::device_bytes(device);
    const auto backend = simt_device::make_backend(s.system, s.state.box, options);
    EXPECT_GT(simt::device_bytes(device), already);
    Simulation simulation(s.system, *backend, s.state, two_femtoseconds());
    KeepsLateFrames frames(frame_of_everything);
    simulation.add(frames);
    simulation.begin();
    for (int n = 0; n < 4; ++n) simulation.step();
    std::thread reader([&] {
      for (const LateFrame& frame : frames.frames) frame.get();
      frames.frames.clear();
    });
    reader.join();
    simulation.step();
    if (device != 0) {
      EXPECT_EQ(simt::device_bytes(0), on_first);
    }
    backend->verify();
    ends[static_cast<std::size_t>(device)] = simulation.state();
  };
  std::thread one(run, 1), two(run, 2);
  one.join();
  two.join();
  run(0);
  for (const State& end : ends) {
    EXPECT_EQ(end.x, ends[0].x);
    EXPECT_EQ(end.v, ends[0].v);
  }
}

/// A constraint breaks in the step of a frame: the frame says so instead of handing out positions.
TEST(DeviceSnapshot, OfARunThatHasFailedIsNotHandedOut) {
  const Sample s = sample("dipeptide");
  const auto device = simt_device::make_backend(s.system, s.state.box, {});
  tear_apart(*device, s.state);
  for (const SnapshotPlan& plan : {SnapshotPlan{.velocities = true}, SnapshotPlan{.positions = false, .energies = true}}) {
    const LateFrame frame(s.system, 7, 0.014, 300, device->snapshot(plan));
    try {
      frame.observables();
      FAIL() << "no error";
    } catch (const SimulationError& e) {
      EXPECT_THAT(e.what(), ::testing::AnyOf(::testing::HasSubstr("torn apart"), ::testing::HasSubstr("cannot be met")));
      EXPECT_THAT(e.what(), ::testing::HasSubstr("at step 7 "));
    }
  }
}

/// What a row has of molecules, small ones and large ones, is what the host makes of positions, velocities and forces.
class DeviceRows : public ::testing::TestWithParam<std::tuple<Device, const char*>> {};
TEST_P(DeviceRows, HaveThePressureThatTheHostWorksOut) {
  const auto [where, name] = GetParam();
  UPLIFT_SKIP_WITHOUT(where);
  Sample s = sample(name);
  // Some molecules as one: of 33 and of 300 atoms, which threads of a block share.
  std::vector<int>& molecule_of = s.system.molecules.molecule_of;
  const int atoms = s.system.size();
  ASSERT_GT(atoms, 400);
  for (int i = 0; i < atoms; ++i) molecule_of[static_cast<std::size_t>(i)] = i < 33 ? 0 : i < 333 ? 1 : 2 + (i - 333) / 7;
  s.system.molecules.count = 3 + (atoms - 1 - 333) / 7;
  const auto device = where.make(s.system, s.state.box, {Precision::double_, 1e-10});
  const Evaluation e = evaluate(*device, s.state);
  State now;
  device->download(now);
  const Vec3d expected = molecular_pressure_volume(s.system, now, e.forces, e.energies);
  std::optional<Vec3d> first;
  for (std::uint64_t seed : {1u, 2u, 3u}) {
    simt::set_seed(seed);
    simt::set_lazy_streams(seed != 1);
    const auto snapshot = device->snapshot({.positions = false, .energies = true});
    const SnapshotContents& c = snapshot->get();
    ASSERT_TRUE(c.energies);
    const Vec3d got = c.energies->pressure_volume;
    EXPECT_EQ(c.energies->energies.term, e.energies.term);
    EXPECT_EQ(c.energies->energies.virial, e.energies.virial);
    for (const auto& [a, b] : {std::pair(got.x, expected.x), std::pair(got.y, expected.y), std::pair(got.z, expected.z)})
      EXPECT_NEAR(a, b, 1e-6);  // kJ/mol, of sums of about 1e4
    if (!first) first = got;
    EXPECT_EQ(got, *first) << "seed " << seed;
  }
  simt::restore_order();
}
INSTANTIATE_TEST_SUITE_P(Systems, DeviceRows,
                         ::testing::Combine(::testing::ValuesIn(device_only),
                                            ::testing::Values("water", "dipeptide", "reaction-field")));

/// Every step's row, whatever the integrator makes of heat and of velocities behind their positions, against the CPU.
class DeviceRowCourse : public ::testing::TestWithParam<std::tuple<Device, IntegratorKind, bool>> {};
TEST_P(DeviceRowCourse, HasTheNumbersOfTheCpu) {
  const auto& [where, integrator, levels] = GetParam();
  UPLIFT_SKIP_WITHOUT(where);
  const Sample s = sample("dipeptide");
  DynamicsSettings d = two_femtoseconds();
  d.integrator = integrator;
  d.constraint_tolerance = 1e-11;
  d.com_removal_every = 3;
  if (levels)
    d.levels = {{all_force_groups & ~static_cast<unsigned>(ForceGroup::pme_reciprocal), 1},
                {static_cast<unsigned>(ForceGroup::pme_reciprocal), 2}};
  const auto cpu = cpu::make_cpu_backend(s.system, s.state.box, {Precision::double_, 2, 1e-11});
  const auto device = where.make(s.system, s.state.box, {Precision::double_, 1e-11});
  Simulation here(s.system, *cpu, s.state, d), there(s.system, *device, s.state, d);
  KeepsLateFrames a({true, true, false, false}), b({true, true, false, false});
  here.add(a);
  there.add(b);
  here.begin();
  there.begin();
  for (int n = 0; n < 6; ++n) {
    here.step();
    there.step();
  }
  ASSERT_EQ(b.frames.size(), 7u);
  for (std::size_t n = 0; n < b.frames.size(); ++n) {
    const Observables x = a.frames[n].observables(), y = b.frames[n].observables();
    for (std::size_t k = 0; k < x.energies.term.size(); ++k)
      EXPECT_NEAR(x.energies.term[k], y.energies.term[k], 1e-5) << n << ' ' << energy_term_names[k];
    EXPECT_NEAR(x.energies.bias.dihedral, y.energies.bias.dihedral, 1e-6) << n;
    EXPECT_NEAR(x.kinetic, y.kinetic, 1e-6) << n;
    EXPECT_NEAR(x.temperature, y.temperature, 1e-7) << n;
    EXPECT_NEAR(x.pressure, y.pressure, 1e-4) << n;
    EXPECT_NEAR(x.conserved, y.conserved, 1e-5) << n;
    const auto f = a.frames[n].get().f, g = b.frames[n].get().f;
    ASSERT_EQ(f.size(), s.state.x.size());
    ASSERT_EQ(g.size(), f.size());
    for (std::size_t i = 0; i < f.size(); ++i) EXPECT_LT(dot(f[i] - g[i], f[i] - g[i]), 1e-8) << n << ' ' << i;
  }
}
INSTANTIATE_TEST_SUITE_P(Integrators, DeviceRowCourse,
                         ::testing::Combine(::testing::ValuesIn(device_only),
                                            ::testing::Values(IntegratorKind::verlet, IntegratorKind::langevin,
                                                              IntegratorKind::v_rescale, IntegratorKind::nose_hoover),
                                            ::testing::Bool()));

}  // namespace
}  // namespace uplift

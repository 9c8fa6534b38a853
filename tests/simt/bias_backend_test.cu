// Boosted forces, one body on every backend: the gradient of the boosted potential, its virial, what dynamics conserves with
// it, and statistics.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "devices.hpp"
#include "simt/runtime.hpp"
#include "support/samples.hpp"
#include "uplift/engine/pressure.hpp"
#include "uplift/engine/simulation.hpp"

namespace uplift {
namespace {

using test::Device;
using test::sample;
using test::Sample;

struct Kind {
  const char* name;
  BiasMethod method;
  BiasConvention convention;
  bool dihedral, total;
};
void PrintTo(const Kind& k, std::ostream* out) { *out << k.name; }
const Kind kinds[] = {{"AmdDihedral", BiasMethod::amd, BiasConvention::amber, true, false},
                      {"AmdTotal", BiasMethod::amd, BiasConvention::amber, false, true},
                      {"AmdDual", BiasMethod::amd, BiasConvention::amber, true, true},
                      {"AmdNamdDihedral", BiasMethod::amd, BiasConvention::namd, true, false},
                      {"AmdNamdDual", BiasMethod::amd, BiasConvention::namd, true, true},
                      {"GamdDual", BiasMethod::gamd, BiasConvention::amber, true, true},
                      {"GamdNamdDual", BiasMethod::gamd, BiasConvention::namd, true, true}};

struct Evaluation {
  Energies energies;
  std::vector<Vec3d> forces;
};
Evaluation evaluate(Backend& backend, const State& state, const Bias& bias, bool virial = true) {
  std::vector<Stage> stages = make_integrator({}, {bias}).forces;
  stages.insert(stages.begin(), PlaceVirtualSites{});
  backend.upload(state);
  backend.run(stages, ForcePlan{.energies = true, .virial = virial}, 0);
  Evaluation e{backend.energies(), {}};
  backend.download_forces(e.forces);
  if (const auto snapshot = backend.snapshot({.positions = false, .forces = true})) {
    EXPECT_TRUE(std::ranges::equal(snapshot->get().f, e.forces));
  }
  return e;
}

/// Boosts of a size at which neither is negligible, with the energies of this state below both thresholds.
Bias bias_for(const Kind& kind, Backend& backend, const State& state) {
  const Energies e = evaluate(backend, state, {}).energies;
  const bool amd = kind.method == BiasMethod::amd, namd = kind.convention == BiasConvention::namd;
  const double dihedral = e[EnergyTerm::dihedral] + (namd ? e[EnergyTerm::cmap] : 0),
               seen = e.potential() - (namd && kind.dihedral ? dihedral : 0);
  Bias bias{kind.method,
            kind.convention,
            {kind.dihedral, dihedral + 30, amd ? 20.0 : 0.012},
            {kind.total, seen + 60, amd ? 40.0 : 0.006}};
  return bias;
}

class BiasForces : public ::testing::TestWithParam<std::tuple<Device, Kind>> {};

TEST_P(BiasForces, AreTheGradientOfTheBoostedPotential) {
  const auto& [where, kind] = GetParam();
  UPLIFT_SKIP_WITHOUT(where);
  for (const char* name : {"everything", "vacuum", "gb-obc2"}) {
    SCOPED_TRACE(name);
    if (std::string(name) == "gb-obc2" && std::string(where.name) != "cpu")
      continue;  // slow on the emulator, and of one kind with the others
    Sample s = sample(name);
    const auto plain = where.make(s.system, s.state.box, {Precision::double_, 1e-10});
    const Bias bias = bias_for(kind, *plain, s.state);
    s.system.torsions_apart = boosted_torsions(bias);
    const auto backend = where.make(s.system, s.state.box, {Precision::double_, 1e-10});
    const Evaluation here = evaluate(*backend, s.state, bias);
    EXPECT_EQ(here.energies.bias.boost_dihedral > 1, kind.dihedral);
    EXPECT_EQ(here.energies.bias.boost_total > 1, kind.total);
    for (int atom : {0, 3, 8, 14}) {
      if (s.system.masses[static_cast<std::size_t>(atom)] == 0) continue;
      const double h = 2e-5;
      const auto potential = [&](double by) {
        State moved = s.state;
        moved.x[static_cast<std::size_t>(atom)].y += by;
        return evaluate(*backend, moved, bias, false).energies.boosted_potential();
      };
      const double gradient = (potential(h) - potential(-h)) / (2 * h), force = here.forces[static_cast<std::size_t>(atom)].y;
      // Curvature of curvature: 1e6 kJ/mol/nm^3 times h^2, and sums of 1e-10 (fixed point) over h.
      EXPECT_NEAR(force, -gradient, 1e-5 * std::abs(force) + 0.02) << "atom " << atom;
    }
  }
}

TEST_P(BiasForces, AreTheScaledSumOfTheirParts) {
  const auto& [where, kind] = GetParam();
  UPLIFT_SKIP_WITHOUT(where);
  Sample s = sample("everything");
  s.system.forces.dispersion_correction =
      false;  // its virial is that of a fluid without a cutoff, not the derivative of its energy
  const auto plain = where.make(s.system, s.state.box, {Precision::double_, 1e-10});
  const Bias bias = bias_for(kind, *plain, s.state);
  s.system.torsions_apart = boosted_torsions(bias);
  const auto backend = where.make(s.system, s.state.box, {Precision::double_, 1e-10});
  const Evaluation boosted = evaluate(*backend, s.state, bias), without = evaluate(*plain, s.state, {});
  // The same energies whether torsions are apart or not; the virial by the box's own work, dV*/dlnL.
  for (std::size_t k = 0; k < boosted.energies.term.size(); ++k)
    EXPECT_NEAR(boosted.energies.term[k], without.energies.term[k], 1e-7) << energy_term_names[k];
  EXPECT_NEAR(boosted.energies.bias.total, without.energies.potential(), 1e-7);
  const double strain = 1e-6;
  const auto stretched = [&](double factor) {
    const Stage scale[] = {ScaleBox{{factor, factor, factor}, false}};
    backend->upload(s.state);
    backend->run(scale, {}, 0);
    State state;
    backend->download(state);
    return evaluate(*backend, state, bias).energies.boosted_potential();
  };
  const double work = (stretched(1 + strain) - stretched(1 - strain)) / (2 * strain);
  State placed = s.state;
  place_virtual_sites(s.system.force_field, placed.x);
  for (Vec3d& v : placed.v) v = {0, 0, 0};
  const Vec3d pressure_volume = molecular_pressure_volume(s.system, placed, boosted.forces, boosted.energies);
  const double volume = placed.box.volume(), pressure = mean_pressure(pressure_in(placed.box, pressure_volume));
  const double unit = 16.605390671738467;  // bar of 1 kJ/mol/nm^3
  // The mesh keeps alpha and grid: 1e-4 of the work is its error.
  EXPECT_NEAR(-pressure * 3 * volume / unit, work, 2e-3 * std::abs(work) + 0.5);
}

/// A trial volume that is refused leaves forces, energies and boosts as they were, to the last bit; unless pairs have been
/// listed anew for it.
TEST_P(BiasForces, ComeBackAfterARefusedMove) {
  const auto& [where, kind] = GetParam();
  UPLIFT_SKIP_WITHOUT(where);
  Sample s = sample("everything");
  const auto plain = where.make(s.system, s.state.box, {Precision::mixed, 1e-10});
  const Bias bias = bias_for(kind, *plain, s.state);
  s.system.torsions_apart = boosted_torsions(bias);
  const auto backend = where.make(s.system, s.state.box, {Precision::mixed, 1e-10});
  const Evaluation before = evaluate(*backend, s.state, bias);
  const std::vector<Stage> forces = make_integrator({}, {bias}).forces;
  const auto now = [&] {
    Evaluation e{backend->energies(), {}};
    backend->download_forces(e.forces);
    return e;
  };
  const auto expect_as_before = [&](const Evaluation& e) {
    EXPECT_EQ(before.forces, e.forces);
    EXPECT_EQ(before.energies.term, e.energies.term);
    EXPECT_EQ(before.energies.virial, e.energies.virial);
    EXPECT_EQ(before.energies.boosted_potential(), e.energies.boosted_potential());
  };
  const Stage grow = ScaleBox{{1.002, 1.002, 1.002}, false}, shrink = ScaleBox{{0.999, 0.998, 1}, false}, far = Drift{0.3};
  for (const auto& [trial, lasts] : {std::pair(grow, true), std::pair(shrink, true), std::pair(far, false)}) {
    const Stage move[] = {SaveConfiguration{}, trial}, back[] = {RestoreConfiguration{}};
    backend->run(move, {}, 1);
    backend->run(forces, ForcePlan{.energies = true}, 1);
    EXPECT_NE(backend->energies().boosted_potential(), before.energies.boosted_potential());
    backend->run(back, {}, 1);
    EXPECT_EQ(backend->forces_restored(), lasts);
    if (!lasts) break;
    expect_as_before(now());
    backend->run(forces, ForcePlan{.energies = true, .virial = true}, 1);
    expect_as_before(now());
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, BiasForces,
                         ::testing::Combine(::testing::ValuesIn(test::everywhere), ::testing::ValuesIn(kinds)),
                         [](const auto& one) {
                           return std::string(std::get<0>(one.param).name) + std::get<1>(one.param).name;
                         });

struct Split {
  const char* name;
  std::vector<ForceLevel> levels;
};
void PrintTo(const Split& s, std::ostream* out) { *out << s.name; }
constexpr ForceGroups bonded = static_cast<unsigned>(ForceGroup::bonded);

class BiasConservation : public ::testing::TestWithParam<std::tuple<Device, Split, Kind>> {};

/// Velocity Verlet, single and multiple time steps: V* + kinetic energy fluctuates by a quarter when the step is halved. Any
/// wrong weight of a level or boost makes it wander instead.
TEST_P(BiasConservation, FluctuationFallsWithTheSquareOfTheTimestep) {
  const auto& [where, split, kind] = GetParam();
  UPLIFT_SKIP_WITHOUT(where);
  Sample s = sample("vacuum");
  const auto plain = where.make(s.system, s.state.box, {Precision::double_, 1e-11});
  DynamicsSettings d;
  d.integrator = IntegratorKind::verlet;
  d.constraint_tolerance = 1e-11;
  d.timestep = 0.0005;
  Simulation warm(s.system, *plain, s.state, d);
  warm.begin();
  for (int n = 0; n < 200; ++n) warm.step();
  const State start = warm.state();
  const Bias bias = [&] {
    Bias b = bias_for(kind, *plain, start);
    // Thresholds that are never crossed: a kink would be of another order.
    b.dihedral.threshold += 80;
    b.total.threshold += 160;
    if (kind.method == BiasMethod::gamd) b.dihedral.shape = 0.004, b.total.shape = 0.0015;
    return b;
  }();
  s.system.torsions_apart = boosted_torsions(bias);
  const auto backend = where.make(s.system, s.state.box, {Precision::double_, 1e-11});
  const auto fluctuation = [&](double dt) {
    DynamicsSettings each = d;
    each.timestep = dt;
    each.levels = split.levels;
    Simulation simulation(s.system, *backend, start, each, {}, {{bias, false}, 0, {}});
    simulation.begin();
    const int steps = static_cast<int>(std::lround(0.2 / dt)), every = static_cast<int>(std::lround(0.004 / dt));
    std::vector<double> energy;
    for (int n = 0; n < steps; ++n) {
      simulation.step();
      if ((n + 1) % every == 0) energy.push_back(simulation.observe().conserved);
    }
    double mean = 0, square = 0;
    for (double e : energy) mean += e / static_cast<double>(energy.size());
    for (double e : energy) square += (e - mean) * (e - mean) / static_cast<double>(energy.size());
    return std::sqrt(square);
  };
  const double coarse = fluctuation(0.001), fine = fluctuation(0.0005);
  EXPECT_GT(coarse / fine, 3.5);
  EXPECT_LT(coarse / fine, 4.5);
  EXPECT_GT(coarse, 1e-4);  // there is something to see
}

INSTANTIATE_TEST_SUITE_P(
    Splits, BiasConservation,
    ::testing::Combine(::testing::ValuesIn(test::everywhere),
                       ::testing::Values(Split{"Single", {}},
                                         Split{"Levels", {{bonded, 1}, {static_cast<unsigned>(ForceGroup::nonbonded), 2}}},
                                         Split{"SlowBonded", {{static_cast<unsigned>(ForceGroup::nonbonded), 1}, {bonded, 2}}}),
                       ::testing::ValuesIn(kinds)),
    [](const auto& one) {
      return std::string(std::get<0>(one.param).name) + std::get<1>(one.param).name + std::get<2>(one.param).name;
    });

class BiasCourses : public ::testing::TestWithParam<Device> {};

/// As seen from outside, step by step.
TEST_P(BiasCourses, GatherStatisticsOfEveryStep) {
  UPLIFT_SKIP_WITHOUT(GetParam());
  const Sample s = sample("vacuum");
  const auto backend = GetParam().make(s.system, s.state.box, {Precision::double_, 1e-8});
  DynamicsSettings d;
  d.timestep = 0.002;
  Simulation simulation(s.system, *backend, s.state, d, {}, {{{}, true}, 0, {}});
  simulation.begin();
  RunningStatistics dihedral, total;
  for (int n = 0; n < 40; ++n) {
    simulation.step();
    const Energies e = simulation.observe().energies;  // looking changes nothing
    dihedral.add(e[EnergyTerm::dihedral]);
    total.add(e.potential());
  }
  const BiasStatistics got = simulation.state().statistics;
  EXPECT_EQ(got.total.count, 40);
  for (const auto& [a, b] : {std::pair(got.dihedral, dihedral), std::pair(got.total, total)}) {
    EXPECT_NEAR(a.mean, b.mean, 1e-7);
    EXPECT_NEAR(a.squares, b.squares, 1e-6 * b.squares);
    EXPECT_NEAR(a.least, b.least, 1e-7);
    EXPECT_NEAR(a.most, b.most, 1e-7);
  }
}

/// Parameters that change count as heat: the account stays closed.
TEST_P(BiasCourses, ConserveThroughChangesOfParameters) {
  UPLIFT_SKIP_WITHOUT(GetParam());
  Sample s = sample("vacuum");
  const auto plain = GetParam().make(s.system, s.state.box, {Precision::double_, 1e-10});
  BiasCourse course;
  course.plan = {bias_for(kinds[5], *plain, s.state), true};
  course.update_every = 10;
  course.update = [first = course.plan.bias](const BiasStatistics& now) {
    Bias b = first;
    b.dihedral.shape *= 1 + 0.1 * now.total.count / 10;
    b.total.threshold += now.total.count / 10;
    return b;
  };
  s.system.torsions_apart = boosted_torsions(course.plan.bias);
  const auto backend = GetParam().make(s.system, s.state.box, {Precision::double_, 1e-10});
  DynamicsSettings d;
  d.integrator = IntegratorKind::verlet;
  d.timestep = 0.00025;
  Simulation simulation(s.system, *backend, s.state, d, {}, course);
  simulation.begin();
  const double before = simulation.observe().conserved, boost = simulation.observe().energies.bias.boost();
  double least = 1e300, most = -1e300;
  for (int n = 0; n < 60; ++n) {
    simulation.step();
    const Frame f = simulation.observe();
    least = std::min(least, f.conserved);
    most = std::max(most, f.conserved);
  }
  EXPECT_GT(std::abs(simulation.observe().energies.bias.boost() - boost), 3);  // parameters did change
  EXPECT_GT(std::abs(simulation.state().heat), 1);
  EXPECT_NEAR(least, before, 0.2);  // the fluctuation of Verlet at this step without any change: 0.1
  EXPECT_NEAR(most, before, 0.2);
}

/// Runs that look at everything, at nothing, and that stop and go on have the same bits.
TEST_P(BiasCourses, HaveTheSameBitsHoweverTheyAreWatched) {
  UPLIFT_SKIP_WITHOUT(GetParam());
  for (const char* name : {"dipeptide", "vacuum"}) {
    Sample s = sample(name);
    const bool slow = std::string(GetParam().name) == "simt" && s.system.size() > 100;
    const auto plain = GetParam().make(s.system, s.state.box, {Precision::mixed, 1e-6});
    BiasCourse course;
    course.plan = {bias_for(kinds[5], *plain, s.state), true};
    course.update_every = 4;
    course.update = [first = course.plan.bias](const BiasStatistics& now) {
      Bias b = first;
      b.total.threshold = std::max(first.total.threshold, now.total.mean + 50);
      return b;
    };
    s.system.torsions_apart = boosted_torsions(course.plan.bias);
    const auto backend = GetParam().make(s.system, s.state.box, {Precision::mixed, 1e-6});
    DynamicsSettings d;
    d.timestep = 0.002;
    if (s.state.box.periodic()) {
      d.pressure = PressureSettings{};
      d.pressure->every = 5;
    }
    const int steps = slow ? 8 : 30;
    const auto run = [&](bool watched, int stop) {
      Simulation simulation(s.system, *backend, s.state, d, {}, course);
      simulation.begin();
      for (int n = 0; n < (stop ? stop : steps); ++n) {
        simulation.step();
        if (watched) simulation.observe();
      }
      if (!stop) return simulation.state();
      const State half = simulation.checkpoint_state();
      Simulation rest(s.system, *backend, half, d, StageStart{0, 0}, course);
      rest.begin();
      for (int n = stop; n < steps; ++n) rest.step();
      return rest.state();
    };
    const State reference = run(false, 0);
    for (const State& other : {run(true, 0), run(false, slow ? 5 : 11)}) {
      for (std::size_t i = 0; i < reference.x.size(); ++i) ASSERT_EQ(reference.x[i].x, other.x[i].x) << name;
      EXPECT_EQ(reference.heat, other.heat) << name;
      EXPECT_EQ(reference.statistics, other.statistics) << name;
      EXPECT_EQ(reference.bias, other.bias) << name;
    }
  }
}

/// A boosted step is one graph as a plain one is: its energies never come to the host. The kernel that works out the boosts
/// ends the step in place of another, so that a dihedral boost alone has more: clearing and computing the level of the
/// torsions. A boost of torsions alone is worked out beside other forces: nobody waits for it.
TEST(BiasStep, IsOneGraphAndWaitsForNobody) {
  struct Graph {
    std::size_t nodes, depth;
  };
  const auto graph_of = [](const Kind* kind, bool gather) {
    Sample s = sample("dipeptide");
    Bias bias;
    if (kind) {
      const auto plain = simt_device::make_backend(s.system, s.state.box, {Precision::mixed, 1e-6});
      bias = bias_for(*kind, *plain, s.state);
    }
    s.system.torsions_apart = boosted_torsions(bias);
    const auto device = simt_device::make_backend(s.system, s.state.box, {Precision::mixed, 1e-6});
    DynamicsSettings d;
    d.timestep = 0.002;
    d.com_removal_every = 0;
    Simulation simulation(s.system, *device, s.state, d, {}, {{bias, gather}, 0, {}});
    simulation.begin();
    for (int n = 0; n < 3; ++n) simulation.step();
    const auto before = simt::counters();
    for (int n = 0; n < 5; ++n) simulation.step();
    const auto after = simt::counters();
    EXPECT_EQ(after.launches - before.launches, 5u);
    EXPECT_EQ(after.synchronisations, before.synchronisations);
    EXPECT_EQ(after.allocations, before.allocations);
    return Graph{simt::last_graph().nodes, simt::last_graph().depth};
  };
  const Graph plain = graph_of(nullptr, false), dihedral = graph_of(&kinds[0], false), total = graph_of(&kinds[1], true),
              dual = graph_of(&kinds[2], true);
  EXPECT_EQ(dihedral.nodes, plain.nodes + 2);
  EXPECT_EQ(dihedral.depth, plain.depth);
  EXPECT_EQ(total.nodes, plain.nodes);
  EXPECT_LE(total.depth, plain.depth + 1);
  EXPECT_EQ(dual.nodes, plain.nodes + 2);
  EXPECT_LE(dual.depth, plain.depth + 1);
}

INSTANTIATE_TEST_SUITE_P(Devices, BiasCourses, ::testing::ValuesIn(test::everywhere),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace uplift

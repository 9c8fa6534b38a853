// The stages of the CPU: against plain loops and the constraint oracle, and the same bits for any number of threads.
#include "uplift/backend/cpu/integration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "oracle/constraints.hpp"
#include "support/toy_backend.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/random.hpp"

namespace uplift {
namespace {

Vec3d noise(int i, int k) { return gaussian3(23, NoisePurpose::initial_velocities, k, i); }
double distance(const Vec3d& a, const Vec3d& b) { return std::sqrt(dot(a - b, a - b)); }

/// A system with one exact starting geometry a molecule, kept beside it.
struct Mixture {
  Topology topology;
  ForceField force_field;
  std::vector<Vec3d> x;

  void place(const std::vector<Vec3d>& molecule) {
    const Vec3d shift = 2.0 * noise(static_cast<int>(x.size()), 99);
    for (const Vec3d& r : molecule) x.push_back(r + shift);
  }
  void water() {
    test::add_water(topology, force_field);
    const double h = 0.15139 / 2;
    const double height = std::sqrt(0.09572 * 0.09572 - h * h);
    place({{0, 0, 0}, {height, h, 0}, {height, -h, 0}});
  }
  /// CH_n, n from 1 to 4.
  void hydride(int n) {
    const double d = 0.109 / std::sqrt(3.0), sites[4][3] = {{1, 1, 1}, {1, -1, -1}, {-1, 1, -1}, {-1, -1, 1}};
    std::vector<int> elements = {6};
    std::vector<double> masses = {12.01};
    std::vector<std::array<double, 3>> bonds;
    std::vector<Vec3d> r = {{0, 0, 0}};
    for (int k = 0; k < n; ++k) {
      elements.push_back(1);
      masses.push_back(1.008);
      bonds.push_back({0, static_cast<double>(k + 1), 0.109});
      r.push_back({d * sites[k][0], d * sites[k][1], d * sites[k][2]});
    }
    const int first = topology.size();  // angles of CH2 and CH3; of CH4 they would fix one distance twice
    for (int a = 1; a <= n && n < 4; ++a)
      for (int b = a + 1; b <= n; ++b) force_field.angles.push_back({first + a, first, first + b, std::acos(-1.0 / 3), 300});
    test::add_molecule(topology, force_field, "CHN", elements, masses, bonds);
    place(r);
  }
  /// A six-membered carbon ring, flat, with one hydrogen: coupled constraints once all bonds are constrained.
  void ring() {
    std::vector<std::array<double, 3>> bonds;
    std::vector<Vec3d> r;
    for (int k = 0; k < 6; ++k) {
      bonds.push_back({static_cast<double>(k), static_cast<double>((k + 1) % 6), 0.14});
      r.push_back({0.14 * std::cos(k * constants::pi / 3), 0.14 * std::sin(k * constants::pi / 3), 0});
    }
    bonds.push_back({0, 6, 0.108});
    r.push_back({0.248, 0, 0});
    test::add_molecule(topology, force_field, "RNG", {6, 6, 6, 6, 6, 6, 1}, {12.01, 12.01, 12.01, 12.01, 12.01, 12.01, 1.008},
                       bonds);
    place(r);
  }
  System build(ConstraintMode mode) {
    Topology t = topology;
    ForceField ff = force_field;
    test::finish(t, ff);
    ForceSettings settings;
    settings.nonbonded = NonbondedMethod::no_cutoff;
    settings.constraints = mode;
    return make_system(std::move(t), std::move(ff), settings);
  }
};

Mixture everything(int copies) {
  Mixture m;
  for (int k = 0; k < copies; ++k) {
    m.water();
    for (int n = 1; n <= 4; ++n) m.hydride(n);
    m.ring();
    m.water();
  }
  return m;
}

std::vector<oracle::Rod> rods_of(const System& s) {
  std::vector<oracle::Rod> rods;
  for (const Constraint& c : s.constraints) rods.push_back({c.i, c.j, c.length});
  for (const RigidWater& w : s.rigid_waters)
    for (const oracle::Rod& r : {oracle::Rod{w.oxygen, w.hydrogen1, w.oh}, oracle::Rod{w.oxygen, w.hydrogen2, w.oh},
                                 oracle::Rod{w.hydrogen1, w.hydrogen2, w.hh}})
      rods.push_back(r);
  return rods;
}

State at_rest(const std::vector<Vec3d>& x) {
  State s;
  s.x = x;
  s.v.assign(x.size(), Vec3d{0, 0, 0});
  return s;
}

class ConstraintModes : public testing::TestWithParam<ConstraintMode> {};

TEST_P(ConstraintModes, PositionsAndVelocitiesAgreeWithTheOracle) {
  Mixture m = everything(2);
  const System system = m.build(GetParam());
  const auto rods = rods_of(system);
  const double tolerance = 1e-10, dt = 0.002;
  const cpu::Threads threads(2);
  cpu::CpuIntegration integration(system, tolerance, threads);
  State s = at_rest(m.x);
  for (int i = 0; i < s.size(); ++i) s.v[at(i)] = noise(i, 0);  // 1 nm/ps: displacements of 2 pm
  integration.upload(s);
  integration.run(SavePositions{}, {}, 0);
  integration.run(Drift{dt}, {}, 0);
  integration.run(ConstrainPositions{dt}, {}, 0);
  State got;
  integration.download(got);

  auto expected = s.x;
  for (int i = 0; i < s.size(); ++i) expected[at(i)] += dt * s.v[at(i)];
  oracle::constrain_positions(rods, system.masses, s.x, expected);
  Vec3d momentum{0, 0, 0};
  for (int i = 0; i < s.size(); ++i) {
    // Coupled constraints magnify what the tolerance leaves of each (0.14 nm x 1e-10), in a ring of six by less than ten.
    EXPECT_LT(distance(got.x[at(i)], expected[at(i)]), 1e-10) << i;
    const Vec3d v = (1 / dt) * (got.x[at(i)] - s.x[at(i)]);
    EXPECT_LT(distance(got.v[at(i)], v), 1e-11) << i;  // rounding of positions of some nm over dt
    momentum += system.masses[at(i)] * (got.v[at(i)] - s.v[at(i)]);
  }
  EXPECT_LT(std::sqrt(dot(momentum, momentum)), 1e-9);  // Da nm/ps; atoms of 1 nm/ps, 2e-13 of rounding each
  for (const auto& r : rods) EXPECT_NEAR(distance(got.x[at(r.i)], got.x[at(r.j)]) / r.length, 1, tolerance + 1e-13);

  got.v = s.v;
  integration.upload(got);
  integration.run(ConstrainVelocities{}, {}, 0);
  State now;
  integration.download(now);
  auto velocity = s.v;
  oracle::constrain_velocities(rods, system.masses, got.x, velocity);
  for (int i = 0; i < s.size(); ++i) EXPECT_LT(distance(now.v[at(i)], velocity[at(i)]), 1e-10) << i;
  for (const auto& r : rods) {
    const Vec3d d = now.x[at(r.i)] - now.x[at(r.j)];
    EXPECT_LT(std::abs(dot(d, now.v[at(r.i)] - now.v[at(r.j)])) / dot(d, d), tolerance + 1e-12);
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, ConstraintModes,
                         testing::Values(ConstraintMode::none, ConstraintMode::h_bonds, ConstraintMode::h_angles,
                                         ConstraintMode::all_bonds));

/// After a step of random velocities, with the constraints met.
State drifted(const System& system, const std::vector<Vec3d>& x, int thread_count) {
  const cpu::Threads threads(thread_count);
  cpu::CpuIntegration integration(system, 1e-8, threads);
  State s = at_rest(x);
  for (int i = 0; i < s.size(); ++i) s.v[at(i)] = noise(i, 1);
  integration.upload(s);
  integration.run(SavePositions{}, {}, 0);
  integration.run(Drift{0.002}, {}, 0);
  integration.run(ConstrainPositions{0.002}, {}, 0);
  integration.run(ConstrainVelocities{}, {}, 0);
  integration.download(s);
  return s;
}

TEST(Constraints, EverySizeOfList) {
  for (int n : {0, 1, 31, 32, 33, 1000}) {
    Mixture m;
    for (int k = 0; k < n; ++k) {
      m.water();
      m.hydride(1 + k % 4);
    }
    const System system = m.build(ConstraintMode::h_bonds);
    const State s = drifted(system, m.x, 3);
    for (const auto& r : rods_of(system)) {
      const Vec3d d = s.x[at(r.i)] - s.x[at(r.j)];
      ASSERT_NEAR(std::sqrt(dot(d, d)) / r.length, 1, 1e-8);
      ASSERT_LT(std::abs(dot(d, s.v[at(r.i)] - s.v[at(r.j)])) / dot(d, d), 1e-8);
    }
  }
}

// The end of a list is as the rest of it: how many molecules a rank has must not change any of them.
TEST(Constraints, MoleculesDoNotKnowHowManyFollow) {
  const auto moved = [](int n) {
    Mixture m;
    for (int k = 0; k < n; ++k) {
      m.water();
      for (int arms = 1; arms <= 4; ++arms) m.hydride(arms);
    }
    return drifted(m.build(ConstraintMode::h_bonds), m.x, 1);
  };
  const State many = moved(17);
  for (int n = 1; n < 17; ++n) {
    const State few = moved(n);
    for (int i = 0; i < few.size(); ++i) {
      ASSERT_EQ(few.x[at(i)], many.x[at(i)]) << n << " of each, atom " << i;
      ASSERT_EQ(few.v[at(i)], many.v[at(i)]) << n << " of each, atom " << i;
    }
  }
}

TEST(Constraints, FailureNamesTheAtoms) {
  const auto message = [](Mixture m, int atom, const Vec3d& kick, ConstraintMode mode) {
    const System system = m.build(mode);
    const cpu::Threads threads(2);
    cpu::CpuIntegration integration(system, 1e-6, threads);
    State s = at_rest(m.x);
    s.v[at(atom)] = kick;
    integration.upload(s);
    integration.run(Drift{0.002}, {}, 0);
    try {
      integration.run(ConstrainPositions{0.002}, {}, 0);
    } catch (const SimulationError& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Mixture waters;
  for (int k = 0; k < 20; ++k) waters.water();
  EXPECT_THAT(message(waters, 34, {nan, 0, 0}, ConstraintMode::h_bonds), testing::HasSubstr("O1 of WAT 12"));
  EXPECT_THAT(message(waters, 34, {0, 0, 500}, ConstraintMode::h_bonds), testing::HasSubstr("torn apart"));
  Mixture hydrides;
  for (int k = 0; k < 20; ++k) hydrides.hydride(3);
  EXPECT_THAT(message(hydrides, 4 * 13 + 2, {nan, 0, 0}, ConstraintMode::h_bonds),
              testing::AllOf(testing::HasSubstr("C1 of CHN 14"), testing::Not(testing::HasSubstr("instead of")),
                             testing::HasSubstr("atoms overlap"), testing::Not(testing::HasSubstr("nan"))));
  Mixture rings;
  for (int k = 0; k < 5; ++k) rings.ring();
  EXPECT_THAT(message(rings, 7 * 3 + 1, {0, nan, 0}, ConstraintMode::all_bonds),
              testing::AllOf(testing::HasSubstr("of RNG 4"), testing::HasSubstr("cannot be met")));
}

TEST(Integration, KickAndDriftArePlainArithmetic) {
  for (int n : {0, 1, 31, 32, 33, 1000}) {
    const System system = test::free_atoms(n, 3.5);
    const cpu::Threads threads(2);
    cpu::CpuIntegration integration(system, 1e-6, threads);
    State s = at_rest(std::vector<Vec3d>(at(n)));
    cpu::CpuIntegration::Levels levels;
    levels.sums[0].force.resize(3 * at(n));
    auto& force = levels.sums[0].force;
    for (int i = 0; i < n; ++i) {
      s.x[at(i)] = noise(i, 0);
      s.v[at(i)] = noise(i, 1);
      const Vec3d f = 1000.0 * noise(i, 2);
      force[3 * at(i)] = fixed_force(f.x);
      force[3 * at(i) + 1] = fixed_force(f.y);
      force[3 * at(i) + 2] = fixed_force(f.z);
    }
    integration.upload(s);
    integration.run(Kick{0.004}, levels, 0);
    integration.run(Drift{0.004}, levels, 0);
    State got;
    integration.download(got);
    for (int i = 0; i < n; ++i) {
      const double vx = s.v[at(i)].x + 0.004 / 3.5 * from_fixed(force[3 * at(i)]);
      EXPECT_NEAR(got.v[at(i)].x, vx, 1e-14 * (1 + std::abs(vx)));  // a few roundings of numbers of order one
      EXPECT_NEAR(got.x[at(i)].x, s.x[at(i)].x + 0.004 * vx, 1e-14);
    }
    EXPECT_NEAR(
        integration.kinetic_energy(),
        [&] {
          double sum = 0;
          for (const Vec3d& v : got.v) sum += 0.5 * 3.5 * dot(v, v);
          return sum;
        }(),
        1e-12 * (1 + 10.0 * n));
  }
}

TEST(Integration, NoiseOfTheKernelsIsTheNoiseOfTheRegistry) {
  for (int n : {1, 31, 32, 33, 1000, 2500}) {
    const System system = test::free_atoms(n, 18);
    const cpu::Threads threads(2);
    cpu::CpuIntegration integration(system, 1e-6, threads);
    State s = at_rest(std::vector<Vec3d>(at(n)));
    for (int i = 0; i < n; ++i) s.v[at(i)] = {1, 2, 3};
    integration.upload(s);
    const OrnsteinUhlenbeck stage{0.002, 5, 310, 0x123456789abcdefull};
    const std::int64_t step = (1ll << 33) + 5;
    integration.run(stage, {}, step);
    integration.download(s);
    const double a = std::exp(-5 * 0.002), b = std::sqrt((1 - a * a) * constants::boltzmann * 310 / 18);
    for (int i = 0; i < n; ++i) {
      const Vec3d g = gaussian3(stage.seed, NoisePurpose::langevin, step, i);
      EXPECT_NEAR(s.v[at(i)].x, a + b * g.x,
                  1e-14);  // logarithm, sine and cosine of both are good to a few units in the last place
      EXPECT_NEAR(s.v[at(i)].y, 2 * a + b * g.y, 1e-14);
      EXPECT_NEAR(s.v[at(i)].z, 3 * a + b * g.z, 1e-14);
    }
  }
}

TEST(Integration, SameBitsForAnyNumberOfThreads) {
  Mixture m = everything(60);
  const System system = m.build(ConstraintMode::all_bonds);
  cpu::CpuIntegration::Levels levels;
  levels.sums[0].force.resize(3 * m.x.size());
  auto& force = levels.sums[0].force;
  for (std::size_t k = 0; k < force.size(); ++k) force[k] = fixed_force(300 * noise(static_cast<int>(k), 7).x);
  const auto run = [&](int count) {
    const cpu::Threads threads(count);
    cpu::CpuIntegration integration(system, 1e-6, threads);
    State s = at_rest(m.x);
    integration.upload(s);
    for (int step = 0; step < 20; ++step) {
      for (const Stage& stage : {Stage(Kick{0.001}), Stage(ConstrainVelocities{}), Stage(SavePositions{}), Stage(Drift{0.0005}),
                                 Stage(OrnsteinUhlenbeck{0.001, 1, 300, 4}), Stage(Drift{0.0005}),
                                 Stage(ConstrainPositions{0.001}), Stage(RemoveComMotion{})})
        integration.run(stage, levels, step);
    }
    integration.download(s);
    s.time = integration.kinetic_energy();
    return s;
  };
  const State one = run(1);
  for (int count : {1, 2, 3, 5}) {
    const State s = run(count);
    EXPECT_EQ(std::memcmp(s.x.data(), one.x.data(), s.x.size() * sizeof(Vec3d)), 0) << count;
    EXPECT_EQ(std::memcmp(s.v.data(), one.v.data(), s.v.size() * sizeof(Vec3d)), 0) << count;
    EXPECT_EQ(s.time, one.time);
  }
}

TEST(Integration, CentreOfMassComesToRest) {
  Mixture m = everything(10);
  const System system = m.build(ConstraintMode::h_bonds);
  const cpu::Threads threads(2);
  cpu::CpuIntegration integration(system, 1e-6, threads);
  State s = at_rest(m.x);
  for (int i = 0; i < s.size(); ++i) s.v[at(i)] = noise(i, 3) + Vec3d{3, -2, 1};
  integration.upload(s);
  integration.run(RemoveComMotion{}, {}, 0);
  State got;
  integration.download(got);
  Vec3d p{0, 0, 0};
  double mass = 0;
  for (int i = 0; i < s.size(); ++i) {
    p += system.masses[at(i)] * got.v[at(i)];
    mass += system.masses[at(i)];
  }
  EXPECT_LT(std::sqrt(dot(p, p)) / mass, 1e-14);
  double before = 0, after = 0;
  for (int i = 0; i < s.size(); ++i) {
    before += 0.5 * system.masses[at(i)] * dot(s.v[at(i)], s.v[at(i)]);
    after += 0.5 * system.masses[at(i)] * dot(got.v[at(i)], got.v[at(i)]);
  }
  EXPECT_NEAR(got.heat - s.heat, after - before, 1e-10 * before);  // or it would be missing from the conserved energy
  const Vec3d shift = got.v[0] - s.v[0];
  for (int i = 0; i < s.size(); ++i) EXPECT_LT(distance(got.v[at(i)] - s.v[at(i)], shift), 1e-14);
}

TEST(Integration, VirtualSitesMoveWithTheirParentsAndPassTheirForceOn) {
  Topology t;
  ForceField ff;
  for (int k = 0; k < 40; ++k) {
    const int first = t.size();
    test::add_molecule(t, ff, "TP5", {8, 1, 1, 0, 0}, {16, 1.008, 1.008, 0, 0},
                       {{0, 1, 0.09572}, {0, 2, 0.09572}, {1, 2, 0.15139}});
    ff.virtual_sites.push_back({first + 3, first, first + 1, first + 2, -0.34, -0.34, 6.4});
    ff.virtual_sites.push_back({first + 4, first, first + 1, first + 2, 0.1, 0.2, 0});
  }
  test::finish(t, ff);
  ForceSettings settings;
  settings.nonbonded = NonbondedMethod::no_cutoff;
  const System system = make_system(t, ff, settings);
  State s = at_rest(std::vector<Vec3d>(system.masses.size()));
  for (int i = 0; i < s.size(); ++i) s.x[at(i)] = 0.1 * noise(i, 0) + noise(i / 5, 1);
  const auto energy = [&](const std::vector<Vec3d>& x) {  // each site in a well of its own; k = 1000
    double e = 0;
    for (const VirtualSite& v : system.force_field.virtual_sites) {
      const Vec3d d = x[at(v.site)] - noise(v.site, 2);
      e += 500 * dot(d, d);
    }
    return e;
  };
  std::vector<std::vector<Fixed>> results;
  for (int count : {1, 2, 3}) {
    const cpu::Threads threads(count);
    cpu::CpuIntegration integration(system, 1e-6, threads);
    integration.upload(s);
    integration.run(PlaceVirtualSites{}, {}, 0);
    State placed;
    integration.download(placed);
    auto x = s.x;
    place_virtual_sites(system.force_field, x);
    for (int i = 0; i < s.size(); ++i) EXPECT_LT(distance(x[at(i)], placed.x[at(i)]), 1e-14);
    cpu::ForceSums sums;
    sums.force.resize(3 * x.size());
    double virial[9] = {};
    for (const VirtualSite& v : system.force_field.virtual_sites) {
      const Vec3d f = -1000.0 * (x[at(v.site)] - noise(v.site, 2));
      const double fs[3] = {f.x, f.y, f.z}, r[3] = {x[at(v.site)].x, x[at(v.site)].y, x[at(v.site)].z};
      for (std::size_t k = 0; k < 9; ++k) virial[k] += r[k / 3] * fs[k % 3];
      for (std::size_t k = 0; k < 3; ++k) sums.force[3 * at(v.site) + k] = fixed_force(fs[k]);
    }
    for (std::size_t k = 0; k < 9; ++k) sums.virial[k] = fixed_energy(virial[k]);
    integration.spread_virtual_site_forces(sums);
    results.emplace_back(sums.force.begin(), sums.force.end());
    double spread_virial[9] = {};
    for (int i = 0; i < s.size(); ++i) {
      const double r[3] = {x[at(i)].x, x[at(i)].y, x[at(i)].z};
      for (std::size_t k = 0; k < 9; ++k) spread_virial[k] += r[k / 3] * from_fixed(sums.force[3 * at(i) + k % 3]);
    }
    // Rounding to 2^-32 of 600 forces at some nm.
    for (std::size_t k = 0; k < 9; ++k) EXPECT_NEAR(from_fixed(sums.virial[k]), spread_virial[k], 1e-6);
    for (int i = 0; i < 20; ++i) {
      for (std::size_t k = 0; k < 3; ++k) {
        const double f = from_fixed(sums.force[3 * at(i) + k]);
        if (system.masses[at(i)] == 0) {
          EXPECT_EQ(f, 0);
          continue;
        }
        auto up = x, down = x;
        const double h = 1e-5;
        (k == 0 ? up[at(i)].x : k == 1 ? up[at(i)].y : up[at(i)].z) += h;
        (k == 0 ? down[at(i)].x : k == 1 ? down[at(i)].y : down[at(i)].z) -= h;
        place_virtual_sites(system.force_field, up);
        place_virtual_sites(system.force_field, down);
        // Energies of 1e5 kJ/mol to 1e-16 over 2e-5 nm; the energy is a quartic, its third derivative about 1e5.
        EXPECT_NEAR(f, -(energy(up) - energy(down)) / (2 * h), 1e-5);
      }
    }
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

}  // namespace
}  // namespace uplift

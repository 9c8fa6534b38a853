// Generalized Born on the CPU: whole systems against tests/oracle, by hand where that is possible, and the invariants.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <utility>

#include "oracle/gb.hpp"
#include "uplift/backend/cpu/force_term.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"

namespace uplift::cpu {
namespace {

constexpr GbModel models[] = {GbModel::hct, GbModel::obc1, GbModel::obc2, GbModel::gbn, GbModel::gbn2};
constexpr double water = 78.5;

struct Case {
  System system;
  std::vector<Vec3d> x;

  int size() const { return static_cast<int>(x.size()); }
  oracle::GbSystem oracle_system() const {
    const ImplicitSolventSettings& s = *system.forces.implicit_solvent;
    return {gb_parameters(system), system.force_field.charges, 1 / s.solute_dielectric, 1 / s.solvent_dielectric,
            s.surface == SurfaceModel::ace};
  }
};

/// Pairs of atoms 0.1 to 0.16 nm apart on a jittered lattice, as dense as a protein; every second residue a nucleic acid's.
Case blob(int atoms, GbModel model, double salt = 0, SurfaceModel surface = SurfaceModel::none) {
  std::mt19937_64 random(11);
  const auto uniform = [&](double low, double high) { return std::uniform_real_distribution<double>(low, high)(random); };
  Case c;
  c.system.forces.nonbonded = NonbondedMethod::no_cutoff;
  c.system.forces.implicit_solvent = ImplicitSolventSettings{.model = model, .salt = salt, .surface = surface};
  const int side = static_cast<int>(std::ceil(std::cbrt(0.5 * atoms)));
  const int elements[] = {1, 6, 7, 8, 16, 15, 1, 6};
  const double radii[] = {0.12, 0.17, 0.155, 0.15, 0.18, 0.185, 0.13, 0.1725},
               screens[] = {0.85, 0.72, 0.79, 0.85, 0.96, 0.86, 0.85, 0.72};
  for (int r : {0, 1}) c.system.topology.residues.push_back({r ? "DA" : "ALA", r + 1, "", 0, 0});
  for (int n = 0; n < atoms; ++n) {
    const int site = n / 2;
    if (n % 2 == 0) {
      const Vec3d corner{0.3 * (site % side), 0.3 * (site / side % side), 0.3 * (site / side / side)};
      c.x.push_back(corner + Vec3d{uniform(-0.02, 0.02), uniform(-0.02, 0.02), uniform(-0.02, 0.02)});
    } else {
      const Vec3d d{uniform(0.3, 1), uniform(0.3, 1), uniform(0.3, 1)};
      c.x.push_back(c.x.back() + (uniform(0.1, 0.16) / std::sqrt(dot(d, d))) * d);
    }
    c.system.topology.atoms.push_back({"X", "T", elements[n % 8], 12, n / 16 % 2});
    c.system.force_field.gb.push_back({radii[n % 8], screens[n % 8]});
    c.system.force_field.charges.push_back(uniform(-0.6, 0.6));
  }
  return c;
}

ForceSums run(const Case& c, Precision precision, int threads = 1, bool energies = true) {
  const Threads pool(threads);
  const auto term = make_implicit_solvent_term(c.system, precision, pool);
  ForceSums sums;
  sums.force.resize(3 * c.x.size());
  term->evaluate({c.x, Box{}, energies, false}, sums);
  return sums;
}
Vec3d force(const ForceSums& sums, int i) {
  return {from_fixed(sums.force[at(3 * i)]), from_fixed(sums.force[at(3 * i + 1)]), from_fixed(sums.force[at(3 * i + 2)])};
}
double energy(const ForceSums& sums) { return from_fixed(sums.energy[static_cast<std::size_t>(EnergyTerm::implicit_solvent)]); }
double rms_force(const ForceSums& sums, int atoms) {
  double sum = 0;
  for (int i = 0; i < atoms; ++i) sum += dot(force(sums, i), force(sums, i));
  return std::sqrt(sum / (3 * atoms));
}
double rms_difference(const ForceSums& a, const ForceSums& b, int atoms) {
  double sum = 0;
  for (int i = 0; i < atoms; ++i) sum += dot(force(a, i) - force(b, i), force(a, i) - force(b, i));
  return std::sqrt(sum / (3 * atoms));
}
bool same_bits(const ForceSums& a, const ForceSums& b) {
  return std::equal(a.force.begin(), a.force.end(), b.force.begin(), b.force.end());
}

Case ions(std::vector<Vec3d> x, std::vector<double> charges, double radius, GbModel model) {
  Case c;
  c.x = std::move(x);
  c.system.forces.nonbonded = NonbondedMethod::no_cutoff;
  c.system.forces.implicit_solvent = ImplicitSolventSettings{.model = model, .surface = SurfaceModel::none};
  c.system.topology.residues.push_back({"ION", 1, "", 0, 0});
  for (double q : charges) {
    c.system.topology.atoms.push_back({"X", "T", 17, 35, 0});
    c.system.force_field.gb.push_back({radius, 0});  // no screening: every Born radius is rho
    c.system.force_field.charges.push_back(q);
  }
  return c;
}

TEST(ImplicitSolvent, OneIonHasBornsEnergy) {
  for (GbModel model : models)
    for (Precision precision : {Precision::mixed, Precision::double_})
      for (double salt : {0.0, 0.2}) {
        Case c = ions({{100, -3, 7}}, {-2}, 0.17, model);
        c.system.forces.implicit_solvent->salt = salt;
        const double born = model == GbModel::gbn2 ? 0.17 - 0.0195141 : 0.161;
        const double tau = 1 - std::exp(-gb_salt_kappa(salt, water, 300) * born) / water;
        const ForceSums sums = run(c, precision);
        EXPECT_NEAR(energy(sums), -0.5 * constants::coulomb * 4 / born * tau, 1e-9);  // half a unit of 2^-32
        for (Fixed f : sums.force) EXPECT_EQ(f, 0);
        c.system.forces.implicit_solvent->surface = SurfaceModel::ace;
        EXPECT_NEAR(energy(run(c, precision)) - energy(sums), 28.3919551 * 0.31 * 0.31 * std::pow(0.17 / born, 6), 1e-7);
      }
}

TEST(ImplicitSolvent, TwoUnscreenedIonsHaveStillsEnergyAndForce) {
  for (double r : {0.05, 0.3, 1.0, 20.0, 500.0}) {
    const Case c = ions({{1, 2, 3}, {1, 2, 3 + r}}, {1, -0.5}, 0.209, GbModel::obc2);
    const double b = 0.2, tau = 1 - 1 / water, decay = std::exp(-r * r / (4 * b * b)), f = std::sqrt(r * r + b * b * decay);
    const double expected = -constants::coulomb * tau * (0.5 * 1.25 / b - 0.5 / f);
    const double pull =
        -constants::coulomb * tau * 0.5 * r * (1 - decay / 4) / (f * f * f);  // -dE/dr: opposite charges are kept apart
    for (Precision precision : {Precision::mixed, Precision::double_}) {
      const ForceSums sums = run(c, precision);
      EXPECT_NEAR(energy(sums), expected, 1e-9) << r;
      EXPECT_NEAR(force(sums, 1).z, -pull, 1e-9 + 1e-12 * std::abs(pull)) << r;
      EXPECT_NEAR(force(sums, 1).x, 0, 1e-9);
      EXPECT_EQ(sums.force[2], -sums.force[5]);
    }
  }
}

// Sizes round the register widths and the tile. Energies round to N^2 epsilon of the sum of magnitudes at worst, sqrt(N^2) in
// practice.
TEST(ImplicitSolvent, EnergiesMatchTheOracle) {
  for (GbModel model : models)
    for (int atoms : {1, 2, 15, 16, 17, 31, 32, 33, 300, 1100})
      for (int extras = 0; extras < 2; ++extras) {
        const Case c = blob(atoms, model, extras ? 0.5 : 0, extras ? SurfaceModel::ace : SurfaceModel::none);
        const double expected = oracle::gb_energy(c.oracle_system(), c.x);
        EXPECT_NEAR(energy(run(c, Precision::double_, 2)), expected, 1e-9 + 1e-10 * atoms)
            << atoms << " atoms, model " << static_cast<int>(model);
      }
}

// Where the Born integral goes over from one case to the next its second derivative jumps, and necks end in a small step:
// differences across such a place mean nothing.
bool has_kink_within(const GbParameters& p, const std::vector<Vec3d>& x, int i, double margin) {
  for (int j = 0; j < static_cast<int>(x.size()); ++j) {
    if (i == j) continue;
    const double r = std::sqrt(dot(x[at(i)] - x[at(j)], x[at(i)] - x[at(j)]));
    for (const auto& [a, b] : {std::pair(i, j), std::pair(j, i)}) {
      const double rho = p.rho[at(a)], s = p.scaled[at(b)];
      if (std::abs(std::abs(r - s) - rho) < margin || std::abs(r + s - rho) < margin) return true;
    }
    if (p.neck_scale > 0 && std::abs(r - p.radius[at(i)] - p.radius[at(j)] - gb_neck_cut) < margin) return true;
  }
  return false;
}

TEST(ImplicitSolvent, ForcesAreSlopesOfTheEnergy) {
  // The five-point difference of an energy E rounded to epsilon errs by 1.5 epsilon E/h at worst, some ten times that with the
  // roundings of its terms; its truncation, h^4 E'''''/30, is below 1e-10 for anything that changes over 0.01 nm.
  const double h = 2e-5;
  for (GbModel model : models)
    for (int atoms : {2, 31, 32, 33, 300})
      for (int extras = 0; extras < 2; ++extras) {
        const Case c = blob(atoms, model, extras ? 0.5 : 0, extras ? SurfaceModel::ace : SurfaceModel::none);
        const oracle::GbSystem naive = c.oracle_system();
        const ForceSums sums = run(c, Precision::double_, 2);
        const double scale = std::max(1.0, std::abs(oracle::gb_energy(naive, c.x)));
        int checked = 0, skipped = 0;
        for (int i = 0; i < atoms; i += atoms < 50 ? 1 : 73) {
          if (has_kink_within(naive.parameters, c.x, i, 4 * h)) {
            ++skipped;
            continue;
          }
          ++checked;
          const Vec3d expected = oracle::gb_force(naive, c.x, i, h), d = force(sums, i) - expected;
          const double tolerance = 1e-7 + 15 * std::numeric_limits<double>::epsilon() * scale / h;
          EXPECT_LT(std::sqrt(dot(d, d)), tolerance) << atoms << " atoms, model " << static_cast<int>(model) << ", atom " << i;
        }
        EXPECT_GT(checked, 2 * skipped) << atoms << " atoms, model " << static_cast<int>(model);
      }
}

TEST(ImplicitSolvent, MixedIsDouble) {
  for (GbModel model : models) {
    const Case c = blob(300, model, 0.1, SurfaceModel::ace);
    const ForceSums exact = run(c, Precision::double_), mixed = run(c, Precision::mixed);
    EXPECT_TRUE(same_bits(exact, mixed)) << static_cast<int>(model);
    EXPECT_EQ(energy(mixed), energy(exact));
  }
}

TEST(ImplicitSolvent, BitsDoNotDependOnThreadsOrOnWhatIsAsked) {
  const Precision precision = Precision::mixed;
  for (GbModel model : {GbModel::obc2, GbModel::gbn2})
    for (int atoms : {33, 700, 2100}) {
      const Case c = blob(atoms, model, 0.1, SurfaceModel::ace);
      const ForceSums first = run(c, precision, 1);
      for (int threads : {1, 2, 3}) {
        const Threads pool(threads);
        const auto term = make_implicit_solvent_term(c.system, precision, pool);
        for (int repeat = 0; repeat < 3; ++repeat) {  // one term again and again: nothing may be left over
          const bool energies = repeat != 1;
          ForceSums again;
          again.force.resize(3 * c.x.size());
          term->evaluate({c.x, Box{}, energies, false}, again);
          EXPECT_TRUE(same_bits(first, again)) << atoms << " atoms, " << threads << " threads";
          EXPECT_EQ(energy(again), energies ? energy(first) : 0);
          EXPECT_EQ(again.virial, (std::array<Fixed, 9>{}));
        }
      }
    }
}

TEST(ImplicitSolvent, AddsToWhatIsThere) {
  const Case c = blob(33, GbModel::obc2);
  const auto term = make_implicit_solvent_term(c.system, Precision::mixed, Threads(2));
  const ForceSums once = run(c, Precision::mixed);
  ForceSums twice;
  twice.force.resize(3 * c.x.size());
  for (int n = 0; n < 2; ++n) term->evaluate({c.x, Box{}, true, false}, twice);
  for (std::size_t n = 0; n < once.force.size(); ++n) EXPECT_EQ(twice.force[n], 2 * once.force[n]);
  EXPECT_EQ(energy(twice), 2 * energy(once));
}

TEST(ImplicitSolvent, NeitherPushesNorTurnsTheWhole) {
  for (GbModel model : models) {
    const Case c = blob(300, model, 0.1, SurfaceModel::ace);
    const ForceSums sums = run(c, Precision::mixed, 2);
    Vec3d total{0, 0, 0}, torque{0, 0, 0};
    for (int i = 0; i < c.size(); ++i) {
      total += force(sums, i);
      torque += cross(c.x[at(i)], force(sums, i));
    }
    // Every pair force enters twice with opposite signs; what differs is the rounding of sums to 2^-33, up to 30 an atom.
    const double tolerance = 1e-7;
    EXPECT_LT(std::sqrt(dot(total, total)), tolerance) << static_cast<int>(model);
    EXPECT_LT(std::sqrt(dot(torque, torque)), 2 * tolerance) << static_cast<int>(model);  // within 2 nm of the origin
  }
}

TEST(ImplicitSolvent, MovingAndTurningTheWholeChangesNothing) {
  const Case c = blob(300, GbModel::gbn2, 0.1, SurfaceModel::ace);
  const double cosine = std::cos(0.7), sine = std::sin(0.7);
  const auto turn = [&](const Vec3d& v) {
    const Vec3d w{cosine * v.x - sine * v.y, sine * v.x + cosine * v.y, v.z};
    return Vec3d{w.z, w.x, w.y};
  };
  const ForceSums before = run(c, Precision::mixed);
  Case moved = c, turned = c;
  for (Vec3d& r : moved.x) r += Vec3d{512, -1024, 256};  // rounds positions to 1e-13 nm
  for (Vec3d& r : turned.x) r = turn(r);
  const ForceSums after_move = run(moved, Precision::mixed), after_turn = run(turned, Precision::mixed);
  const double tolerance = 1e-10 * rms_force(before, c.size()) + 1e-7;
  EXPECT_LT(rms_difference(before, after_move, c.size()), tolerance);
  double sum = 0;
  for (int i = 0; i < c.size(); ++i) {
    const Vec3d d = turn(force(before, i)) - force(after_turn, i);
    sum += dot(d, d);
  }
  EXPECT_LT(std::sqrt(sum / (3 * c.size())), tolerance);
  EXPECT_NEAR(energy(after_move), energy(before), 1e-6);
  EXPECT_NEAR(energy(after_turn), energy(before), 1e-6);
}

TEST(ImplicitSolvent, HoldsOutWithAtomsVeryFarApart) {
  Case c = blob(64, GbModel::obc2);
  for (int i = 32; i < 64; ++i) c.x[at(i)] += Vec3d{30000, 0, 0};  // rounds positions to 4e-12 nm, times forces of 1e3
  EXPECT_NEAR(energy(run(c, Precision::mixed)), oracle::gb_energy(c.oracle_system(), c.x), 1e-7);
}

// The energy has no pole where two atoms meet, so the forces there stay ordinary; what is not a number must not look like one.
TEST(ImplicitSolvent, AtomsAtOnePlaceAreOrdinaryButNanIsABlowUp) {
  for (Precision precision : {Precision::mixed, Precision::double_}) {
    Case c = blob(40, GbModel::gbn2);
    c.x[7] = c.x[3];
    const ForceSums sums = run(c, precision);
    for (int i = 0; i < c.size(); ++i) EXPECT_LT(std::sqrt(dot(force(sums, i), force(sums, i))), 1e5);
    c.x[7].x = std::numeric_limits<double>::quiet_NaN();
    EXPECT_GT(std::abs(force(run(c, precision), 7).x), force_limit);
  }
}

TEST(ImplicitSolvent, NothingToDoIsNoTerm) {
  Case c = blob(0, GbModel::obc2);
  EXPECT_EQ(energy(run(c, Precision::mixed)), 0);
  c.system.forces.implicit_solvent.reset();
  EXPECT_EQ(make_implicit_solvent_term(c.system, Precision::mixed, Threads(1)), nullptr);
}

}  // namespace
}  // namespace uplift::cpu

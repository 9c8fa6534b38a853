#include "uplift/model/replicate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "uplift/backend/cpu/cpu_backend.hpp"
#include "uplift/core/error.hpp"
#include "uplift/engine/simulation.hpp"
#include "uplift/io/amber.hpp"
#include "uplift/model/selection.hpp"

namespace uplift {
namespace {

struct Sample {
  System system;
  State state;
};

/// One of the project's inputs, with an explicit mesh: copies need the same alpha and the same points a length.
Sample from_inputs(const std::string& name, std::array<int, 3> grid) {
  const std::string folder = std::string(UPLIFT_SOURCE_DIR) + "/inputs/" + name + "/system.";
  AmberTopology amber = read_prmtop(folder + "prmtop.gz");
  const Coordinates coordinates = read_amber_coordinates(folder + "inpcrd.gz");
  ForceSettings forces;
  forces.hydrogen_mass = 3.024;
  forces.pme.alpha = 3.0;
  forces.pme.grid = grid;
  // The mean over pairs counts each atom's pair with itself, so that it is not that of one copy: n (n + 1) / (N (N + 1)).
  forces.dispersion_correction = false;
  Sample s;
  s.state.box = *choose_box(amber, coordinates);
  s.state.x = coordinates.x;
  s.system = make_system(std::move(amber.topology), std::move(amber.force_field), forces);
  s.system.remove_com = true;
  make_molecules_whole(s.system, s.state);
  apply_restraints(s.system, {"name O CA", 1e5}, s.state.x, s.state.box);
  s.state.x[0].x += 0.01;  // so that a restraint acts, by far more than the 2^-32 kJ/mol that energies are counted in
  draw_velocities(s.system, 300, 5, s.state);
  return s;
}

Sample copied(Sample s, const std::array<int, 3>& copies) {
  std::array<int, 3>& grid = *s.system.forces.pme.grid;
  for (std::size_t d = 0; d < 3; ++d) grid[d] *= copies[d];
  replicate(s.system, s.state, copies);
  return s;
}

struct Result {
  Energies energies;
  std::vector<Vec3d> forces;
};
Result compute(const Sample& s) {
  const std::unique_ptr<Backend> backend = cpu::make_cpu_backend(s.system, s.state.box, {Precision::double_, 2, 1e-6});
  backend->upload(s.state);
  const Stage stages[] = {PlaceVirtualSites{}, ComputeForces{}};
  backend->run(stages, ForcePlan{.energies = true, .virial = true}, 0);
  Result r{backend->energies(), {}};
  backend->download_forces(r.forces);
  return r;
}

void expect_copies_of(const Result& one, const Result& many, int copies) {
  for (int t = 0; t < energy_term_count; ++t) {
    const double expected = copies * one.energies.term[static_cast<std::size_t>(t)];
    EXPECT_NEAR(many.energies.term[static_cast<std::size_t>(t)], expected, 1e-9 * std::abs(expected))
        << energy_term_names[static_cast<std::size_t>(t)];
  }
  double norm = 0, difference = 0;
  for (std::size_t i = 0; i < many.forces.size(); ++i) {
    const Vec3d& f = one.forces[i % one.forces.size()];
    norm += dot(f, f);
    difference += dot(many.forces[i] - f, many.forces[i] - f);
  }
  ASSERT_EQ(many.forces.size(), static_cast<std::size_t>(copies) * one.forces.size());
  EXPECT_LT(std::sqrt(difference / norm), 1e-9);
}

TEST(Replicate, EveryCopyHasTheEnergiesAndForcesOfTheOriginal) {
  for (const auto& [name, grid, copies] :
       {std::tuple{"water-tip3p-small", std::array{20, 20, 20}, std::array{2, 1, 3}},
        std::tuple{"alanine-dipeptide-tip3p", std::array{28, 28, 28}, std::array{1, 2, 1}}}) {
    SCOPED_TRACE(name);
    const Sample one = from_inputs(name, grid);
    const Sample many = copied(one, copies);
    expect_copies_of(compute(one), compute(many), copies[0] * copies[1] * copies[2]);
  }
}

TEST(Replicate, NumbersOfTheCopiesFollowEachOther) {
  const Sample one = from_inputs("alanine-dipeptide-tip3p", {28, 28, 28});
  const Sample many = copied(one, {2, 1, 2});
  const int n = one.system.size(), molecules = one.system.molecules.count,
            residues = static_cast<int>(one.system.topology.residues.size());
  ASSERT_EQ(many.system.size(), 4 * n);
  ASSERT_EQ(many.state.x.size(), static_cast<std::size_t>(4 * n));
  EXPECT_EQ(many.system.molecules.count, 4 * molecules);
  EXPECT_EQ(degrees_of_freedom(many.system), 4 * (degrees_of_freedom(one.system) + 3) - 3);
  EXPECT_EQ(many.system.force_field.exclusions.size(), 4 * one.system.force_field.exclusions.size());
  EXPECT_TRUE(std::is_sorted(many.system.force_field.exclusions.begin(), many.system.force_field.exclusions.end()));
  EXPECT_EQ(many.system.rigid_waters.size(), 4 * one.system.rigid_waters.size());
  EXPECT_EQ(many.system.constraints.size(), 4 * one.system.constraints.size());
  EXPECT_EQ(many.system.position_restraints.size(), 4 * one.system.position_restraints.size());
  for (int i = 0; i < 4 * n; ++i) {
    const auto a = static_cast<std::size_t>(i), b = static_cast<std::size_t>(i % n);
    ASSERT_EQ(many.system.masses[a], one.system.masses[b]);
    ASSERT_EQ(many.system.force_field.charges[a], one.system.force_field.charges[b]);
    ASSERT_EQ(many.system.force_field.lj_type[a], one.system.force_field.lj_type[b]);
    ASSERT_EQ(many.system.molecules.molecule_of[a], one.system.molecules.molecule_of[b] + i / n * molecules);
    const Atom& atom = many.system.topology.atoms[a];
    ASSERT_EQ(atom.residue, one.system.topology.atoms[b].residue + i / n * residues);
    const Residue& residue = many.system.topology.residues[static_cast<std::size_t>(atom.residue)];
    ASSERT_GE(i, residue.first_atom);
    ASSERT_LT(i, residue.first_atom + residue.atom_count);
  }
  // What the builder finds in the copied topology is what was copied.
  const Molecules found = find_molecules(many.system.topology, many.system.force_field);
  EXPECT_EQ(found.count, many.system.molecules.count);
  EXPECT_EQ(found.molecule_of, many.system.molecules.molecule_of);
}

TEST(Replicate, BoxesOfAnyShapeStayReduced) {
  Sample one = from_inputs("water-tip3p-small", {20, 20, 20});
  const double edge = one.state.box.a.x;
  one.state.box = {{edge, 0, 0}, {0.4 * edge, edge, 0}, {-0.3 * edge, 0.45 * edge, edge}};
  const Vec3d c = one.state.box.c;
  const Sample many = copied(one, {1, 2, 3});
  const Box& box = many.state.box;
  EXPECT_NEAR(box.volume(), 6 * one.state.box.volume(), 1e-9);
  EXPECT_LE(std::abs(box.b.x), 0.5 * box.a.x + 1e-12);
  EXPECT_LE(std::abs(box.c.x), 0.5 * box.a.x + 1e-12);
  EXPECT_LE(std::abs(box.c.y), 0.5 * box.b.y + 1e-12);
  EXPECT_NEAR(many.state.x[static_cast<std::size_t>(one.system.size())].z, one.state.x[0].z + c.z,
              1e-12);  // copy 1 is (0, 0, 1)
  EXPECT_NEAR(many.state.x[static_cast<std::size_t>(one.system.size())].y, one.state.x[0].y + c.y, 1e-12);
}

TEST(Replicate, RefusesWhatCannotBe) {
  Sample s = from_inputs("water-tip3p-small", {20, 20, 20});
  EXPECT_THROW(replicate(s.system, s.state, {1, 0, 1}), InputError);
  EXPECT_THROW(replicate(s.system, s.state, {2000, 2000, 2}), InputError);
  EXPECT_EQ(s.system.size(), 651);
  s.state.box = Box{};
  EXPECT_THROW(replicate(s.system, s.state, {1, 1, 2}), InputError);
}

TEST(Replicate, CopiesComeNearTheWantedSize) {
  const Box cube{{1.88, 0, 0}, {0, 1.88, 0}, {0, 0, 1.88}};
  EXPECT_EQ(copies_for(cube, 651, 1), (std::array{1, 1, 1}));
  EXPECT_EQ(copies_for(cube, 651, 651 * 8), (std::array{2, 2, 2}));
  for (const double wanted : {2000.0, 24000.0, 100000.0, 1e6}) {
    const std::array<int, 3> n = copies_for(cube, 651, wanted);
    EXPECT_NEAR(651.0 * n[0] * n[1] * n[2] / wanted, 1, wanted < 1e4 ? 0.4 : 0.05) << wanted;
    EXPECT_LE(*std::max_element(n.begin(), n.end()) - *std::min_element(n.begin(), n.end()), 1) << wanted;
  }
  // A flat box is stacked.
  const std::array<int, 3> flat = copies_for({{4, 0, 0}, {0, 4, 0}, {0, 0, 1}}, 1000, 64000);
  EXPECT_GT(flat[2], flat[0]);
}

}  // namespace
}  // namespace uplift

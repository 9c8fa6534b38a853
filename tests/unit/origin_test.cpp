// Whatever is changed in a force field, a run that goes on notices, and says what.
#include "uplift/io/origin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace uplift {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// One of everything.
TopologyFile one_of_each() {
  TopologyFile file;
  file.topology.atoms.resize(5, Atom{"C", "CT", 6, 12.011, 0});
  ForceField& ff = file.force_field;
  ff.bonds = {{0, 1, 0.15, 2e5}};
  ff.fixed_distances = {{1, 2, 0.1}};
  ff.angles = {{0, 1, 2, 1.9, 400}};
  ff.urey_bradleys = {{0, 2, 0.22, 5000}};
  ff.dihedrals = {{0, 1, 2, 3, 2, 3.1, 4.5, false}};
  ff.impropers = {{0, 1, 2, 3, 0.1, 90}};
  ff.cmaps = {{0, 1, 2, 3, 4, 0}};
  ff.cmap_grids = {{2, {0, 1, 2, 3}}};
  ff.pairs14 = {{0, 3, 0.25, 1e-4, 1e-7}};
  ff.virtual_sites = {{4, 0, 1, 2, 0.1, 0.2, 0.3}};
  ff.charges = {0, 0.5, -0.5, 0.25, -0.25};
  ff.lj_type = {0, 0, 1, 1, 0};
  ff.lj_types = 2;
  ff.lj_c6 = {1e-3, 2e-3, 2e-3, 3e-3};
  ff.lj_c12 = {1e-6, 2e-6, 2e-6, 3e-6};
  ff.gb.resize(5, GbAtom{0.15, 0.8});
  ff.exclusions = {{0, 1}, {0, 2}};
  file.restrained = {{3, 1000}};
  return file;
}

std::vector<std::string> noticed(const std::function<void(TopologyFile&)>& change) {
  TopologyFile changed = one_of_each();
  change(changed);
  return changed_parameters(origin_of(one_of_each(), {}, {}), origin_of(changed, {}, {}));
}

TEST(Origin, NoticesEveryParameter) {
  EXPECT_THAT(noticed([](TopologyFile&) {}), IsEmpty());
  using F = TopologyFile&;
  EXPECT_THAT(noticed([](F f) { f.force_field.bonds[0].k *= 1.0001; }), ElementsAre("bonds"));
  EXPECT_THAT(noticed([](F f) { f.force_field.bonds[0].j = 2; }), ElementsAre("bonds"));
  EXPECT_THAT(noticed([](F f) { f.force_field.fixed_distances[0].length = 0.11; }), ElementsAre("constraints"));
  EXPECT_THAT(noticed([](F f) { f.force_field.angles[0].theta0 += 1e-5; }), ElementsAre("angles"));
  EXPECT_THAT(noticed([](F f) { f.force_field.urey_bradleys.clear(); }), ElementsAre("Urey-Bradley terms"));
  EXPECT_THAT(noticed([](F f) { f.force_field.dihedrals[0].periodicity = 3; }), ElementsAre("dihedrals"));
  EXPECT_THAT(noticed([](F f) { f.force_field.dihedrals[0].phase = 0; }), ElementsAre("dihedrals"));
  EXPECT_THAT(noticed([](F f) { f.force_field.impropers[0].phi0 = 0; }), ElementsAre("impropers"));
  EXPECT_THAT(noticed([](F f) { f.force_field.cmap_grids[0].energy[3] = 3.01; }), ElementsAre("CMAP terms"));
  EXPECT_THAT(noticed([](F f) { f.force_field.pairs14[0].charge_product = 0.2; }), ElementsAre("1-4 interactions"));
  EXPECT_THAT(noticed([](F f) { f.force_field.virtual_sites[0].c = 0.31; }), ElementsAre("virtual sites"));
  EXPECT_THAT(noticed([](F f) { f.force_field.charges[1] = 0.51; }), ElementsAre("charges"));
  EXPECT_THAT(noticed([](F f) { f.force_field.lj_type[1] = 1; }), ElementsAre("Lennard-Jones parameters"));
  EXPECT_THAT(noticed([](F f) { f.force_field.lj_c12[1] = 3e-6; }), ElementsAre("Lennard-Jones parameters"));
  EXPECT_THAT(noticed([](F f) { f.force_field.gb[4].radius = 0.17; }), ElementsAre("radii of implicit solvent"));
  EXPECT_THAT(noticed([](F f) { f.force_field.exclusions.pop_back(); }), ElementsAre("exclusions"));
  EXPECT_THAT(noticed([](F f) { f.restrained[0].k = 999; }), ElementsAre("restraints"));
  EXPECT_THAT(noticed([](F f) { f.topology.atoms[2].mass = 13; }), ElementsAre("masses"));
  EXPECT_THAT(noticed([](F f) { f.topology.atoms[2].element = 7; }), ElementsAre("elements"));
}

TEST(Origin, LastDigitsAreThoseOfTheMachine) {
  const auto ulp = [](double& x) { x = std::nextafter(x, 1e9); };
  EXPECT_THAT(noticed([&](TopologyFile& f) {
                ulp(f.force_field.lj_c12[0]);
                ulp(f.force_field.pairs14[0].c6);
                f.force_field.virtual_sites[0].a += 1e-17;
                f.force_field.charges[0] = -0.0;
              }),
              IsEmpty());
}

TEST(Origin, PositionsCountToTheLastBit) {
  const TopologyFile file = one_of_each();
  const std::vector<Vec3d> x{{1, 2, 3}}, moved{{1, 2, std::nextafter(3.0, 4.0)}};
  EXPECT_EQ(origin_of(file, x, {}).positions, origin_of(file, x, {}).positions);
  EXPECT_NE(origin_of(file, x, {}).positions, origin_of(file, moved, {}).positions);
}

TEST(Origin, BoxesDifferByMoreThanRounding) {
  const auto with = [](std::optional<Box> box) { return origin_of({}, {}, box); };
  const Box cube{{3, 0, 0}, {0, 3, 0}, {0, 0, 3}}, rounded{{3, 0, 0}, {1e-16, 3, 0}, {0, 0, 3}},
      longer{{3, 0, 0}, {0, 3, 0}, {0, 0, 3.001}};
  EXPECT_FALSE(changed_box(with(cube), with(rounded)));
  EXPECT_TRUE(changed_box(with(cube), with(longer)));
  EXPECT_TRUE(changed_box(with(cube), with({})));
  EXPECT_FALSE(changed_box(with({}), with({})));
}

TEST(Origin, WhatAnEarlierVersionDoesNotKnowIsNoChange) {
  Origin was = origin_of(one_of_each(), {}, {}), is = was;
  was.parameters.erase("angles");
  is.parameters.erase("bonds");
  EXPECT_THAT(changed_parameters(was, is), IsEmpty());
}

}  // namespace
}  // namespace uplift

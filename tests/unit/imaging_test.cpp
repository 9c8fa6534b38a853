// Whole, followed and centred molecules, in cells where the nearest image is not that of the fractions.
#include "uplift/model/imaging.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "uplift/core/constants.hpp"
#include "uplift/core/random.hpp"
#include "uplift/io/frames.hpp"

namespace uplift {
namespace {

constexpr double degree = constants::pi / 180;

/// Chains of three atoms.
System chains(int count) {
  Topology t;
  for (int m = 0; m < count; ++m) {
    t.residues.push_back({"MOL", m + 1, "", 3 * m, 3});
    for (int k = 0; k < 3; ++k) t.atoms.push_back({"C", "C", 6, 12, m});
    t.bonds.push_back({3 * m, 3 * m + 1});
    t.bonds.push_back({3 * m + 1, 3 * m + 2});
  }
  return bare_system(std::move(t));
}

Vec3d noise(std::int64_t step, std::int64_t atom) { return gaussian3(7, NoisePurpose::initial_velocities, step, atom); }

Vec3d lattice(const Box& box, const Vec3d& n) { return n.x * box.a + n.y * box.b + n.z * box.c; }

double distance(const Vec3d& a, const Vec3d& b) { return std::sqrt(dot(a - b, a - b)); }

std::vector<Box> boxes() {
  const double octahedron = std::acos(-1.0 / 3);
  return {make_box({3, 4, 5}, {90 * degree, 90 * degree, 90 * degree}),
          make_box({4, 4, 4}, {octahedron, octahedron, octahedron}),
          make_box({4, 4, 4}, {60 * degree, 60 * degree, 90 * degree})};
}

/// A frame of whole molecules, and the same with every atom at some image.
struct Frames {
  std::vector<Vec3d> whole, cut;
};
Frames frames(const Box& box, int count, int step) {
  Frames f;
  for (int i = 0; i < 3 * count; ++i) {
    const Vec3d start =
        i % 3 == 0 ? 2.0 * noise(0, i) + 0.05 * static_cast<double>(step) * noise(1, i) : f.whole.back() + 0.1 * noise(2, i);
    f.whole.push_back(start);
    const Vec3d n = noise(3 + step, i);
    f.cut.push_back(start + lattice(box, {std::round(2 * n.x), std::round(2 * n.y), std::round(2 * n.z)}));
  }
  return f;
}

TEST(Imaging, MoleculesBecomeWholeAtTheImageOfTheirFirstAtom) {
  const System system = chains(20);
  const MoleculeTree tree(system);
  EXPECT_EQ(tree.molecules(), 20);
  for (const Box& box : boxes()) {
    Frames f = frames(box, 20, 0);
    std::vector<Vec3d> x = f.cut;
    tree.make_whole(box, x);
    for (int m = 0; m < 20; ++m)
      for (std::size_t k = 0; k < 3; ++k) {
        const std::size_t i = 3 * static_cast<std::size_t>(m) + k, first = 3 * static_cast<std::size_t>(m);
        EXPECT_LT(distance(x[i] - x[first], f.whole[i] - f.whole[first]), 1e-12);
        EXPECT_EQ(x[first], f.cut[first]);
      }
  }
}

TEST(Imaging, MoleculesAreFollowedThroughFaces) {
  const System system = chains(20);
  const MoleculeTree tree(system);
  for (const Box& box : boxes()) {
    Unwrapper unwrap(tree);
    Frames first;
    std::vector<Vec3d> start;
    for (int step = 0; step < 30; ++step) {
      Frames f = frames(box, 20, step);
      std::vector<Vec3d> x = f.cut;
      tree.make_whole(box, x);
      unwrap(box, x);
      if (step == 0) first = f, start = x;
      for (std::size_t i = 0; i < x.size(); ++i)
        EXPECT_LT(distance(x[i] - start[i], f.whole[i] - first.whole[i]), 1e-9) << i << " at " << step;
    }
  }
}

/// In a box that breathes, a molecule at rest far from the origin stays at rest: its image does not jump with the edges.
TEST(Imaging, FollowedMoleculesDoNotMoveWithTheBox) {
  const System system = chains(1);
  const MoleculeTree tree(system);
  Unwrapper unwrap(tree);
  std::vector<Vec3d> before;
  for (int step = 0; step < 50; ++step) {
    const double edge = 3 + 0.1 * std::sin(step);
    const Box box = make_box({edge, edge, edge}, {90 * degree, 90 * degree, 90 * degree});
    // At rest at 1.5 in the cell, seen ten cells away and back in turns.
    std::vector<Vec3d> x(3, Vec3d{1.5, 1.0, 0.5});
    for (Vec3d& r : x) r += (step % 2 ? 10 * edge : 0.0) * Vec3d{1, 0, 0};
    unwrap(box, x);
    if (step > 0) {
      EXPECT_LT(distance(x[0], before[0]), 1e-9) << step;
    }
    before = x;
  }
}

TEST(Imaging, EverythingIsAtTheImageNearestToTheCentre) {
  const System system = chains(40);
  const MoleculeTree tree(system);
  for (const Box& box : boxes()) {
    std::vector<Vec3d> x = frames(box, 40, 0).cut;
    tree.make_whole(box, x);
    centre_on(tree, {0, 1, 2}, box, true, x);
    const Vec3d middle = 0.5 * (box.a + box.b + box.c);
    EXPECT_LT(distance((1.0 / 3) * (x[0] + x[1] + x[2]), middle), 1e-12);
    for (std::size_t m = 0; m < 40; ++m) {
      const Vec3d centre = (1.0 / 3) * (x[3 * m] + x[3 * m + 1] + x[3 * m + 2]);
      for (int i = -2; i <= 2; ++i)
        for (int j = -2; j <= 2; ++j)
          for (int k = -2; k <= 2; ++k)
            EXPECT_GE(distance(centre + lattice(box, {1.0 * i, 1.0 * j, 1.0 * k}), middle), distance(centre, middle) - 1e-9);
    }
  }
}

}  // namespace
}  // namespace uplift

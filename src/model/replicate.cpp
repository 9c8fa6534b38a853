#include "uplift/model/replicate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "uplift/core/error.hpp"

namespace uplift {
namespace {

/// Appends copies - 1 copies of what `list` holds; `shift` makes the n-th out of the original in place.
template <class T, class F>
void repeat(std::vector<T>& list, int copies, F&& shift) {
  const std::size_t n = list.size();
  list.reserve(n * static_cast<std::size_t>(copies));
  for (int copy = 1; copy < copies; ++copy)
    for (std::size_t k = 0; k < n; ++k) {
      T item = list[k];
      shift(item, copy);
      list.push_back(std::move(item));
    }
}

constexpr auto as_is = [](auto&, int) {};

void repeat_topology(Topology& t, int copies) {
  const int atoms = t.size(), residues = static_cast<int>(t.residues.size());
  repeat(t.atoms, copies, [&](Atom& a, int n) { a.residue += n * residues; });
  repeat(t.residues, copies, [&](Residue& r, int n) { r.first_atom += n * atoms; });
  repeat(t.bonds, copies, [&](Bond& b, int n) { b.i += n * atoms, b.j += n * atoms; });
}

void repeat_force_field(ForceField& ff, int atoms, int copies) {
  const auto ijkl = [&](auto& d, int n) { d.i += n * atoms, d.j += n * atoms, d.k += n * atoms, d.l += n * atoms; };
  const auto ij = [&](auto& p, int n) { p.i += n * atoms, p.j += n * atoms; };
  repeat(ff.bonds, copies, ij);
  repeat(ff.angles, copies, [&](HarmonicAngle& a, int n) { a.i += n * atoms, a.j += n * atoms, a.k += n * atoms; });
  repeat(ff.urey_bradleys, copies, [&](UreyBradley& u, int n) { u.i += n * atoms, u.k += n * atoms; });
  repeat(ff.dihedrals, copies, ijkl);
  repeat(ff.impropers, copies, ijkl);
  repeat(ff.cmaps, copies, [&](CmapTorsion& c, int n) {
    ijkl(c, n);
    c.m += n * atoms;
  });
  repeat(ff.pairs14, copies, ij);
  repeat(ff.virtual_sites, copies, [&](VirtualSite& v, int n) {
    v.site += n * atoms, v.parent0 += n * atoms, v.parent1 += n * atoms, v.parent2 += n * atoms;
  });
  repeat(ff.charges, copies, as_is);
  repeat(ff.lj_type, copies, as_is);
  repeat(ff.gb, copies, as_is);
  repeat(ff.exclusions, copies, [&](std::array<int, 2>& e, int n) { e[0] += n * atoms, e[1] += n * atoms; });
}

}  // namespace

void replicate(System& system, State& state, const std::array<int, 3>& copies) {
  if (!state.box.periodic()) throw InputError("a system without a periodic box cannot be replicated; give system.box");
  double total = 1;
  for (int n : copies) {
    if (n < 1)
      throw InputError("a system cannot be replicated " + std::to_string(n) + " times along an edge; counts start at 1");
    total *= n;
  }
  const int atoms = system.size();
  if (total * atoms > static_cast<double>(std::numeric_limits<int>::max()))
    throw InputError("replicating " + std::to_string(atoms) + " atoms " + std::to_string(copies[0]) + " x " +
                     std::to_string(copies[1]) + " x " + std::to_string(copies[2]) +
                     " times makes more atoms than can be numbered; ask for fewer");
  const int count = static_cast<int>(total);
  const Box one = state.box;
  const auto offset = [&](int n) {
    const int k = n % copies[2], j = n / copies[2] % copies[1], i = n / copies[2] / copies[1];
    return static_cast<double>(i) * one.a + static_cast<double>(j) * one.b + static_cast<double>(k) * one.c;
  };

  repeat_topology(system.topology, count);
  repeat_force_field(system.force_field, atoms, count);
  repeat(system.masses, count, as_is);
  repeat(system.constraints, count, [&](Constraint& c, int n) { c.i += n * atoms, c.j += n * atoms; });
  repeat(system.rigid_waters, count,
         [&](RigidWater& w, int n) { w.oxygen += n * atoms, w.hydrogen1 += n * atoms, w.hydrogen2 += n * atoms; });
  repeat(system.position_restraints, count, [&](PositionRestraint& r, int n) {
    r.atom += n * atoms;
    r.reference += offset(n);
    r.centre += offset(n);
  });
  repeat(system.molecules.molecule_of, count, [&](int& molecule, int n) { molecule += n * system.molecules.count; });
  system.molecules.count *= count;
  repeat(state.x, count, [&](Vec3d& x, int n) { x += offset(n); });
  repeat(state.v, count, as_is);

  state.box = reduce_box(
      {static_cast<double>(copies[0]) * one.a, static_cast<double>(copies[1]) * one.b, static_cast<double>(copies[2]) * one.c});
  if (system.reference_box.periodic()) system.reference_box = state.box;
  state.heat = 0;
  state.chain.clear();
  state.barostat.clear();
  state.list.clear();
}

std::array<int, 3> copies_for(const Box& box, int atoms, double wanted) {
  if (!box.periodic() || atoms < 1 || !(wanted >= 1))
    throw InputError("copies of a system need a periodic box, atoms, and a size to reach");
  const Vec3d w = box.widths();
  // The edge of a cube of that many atoms, in boxes along each direction; of the counts around it, those nearest in size, then
  // in shape.
  const double edge = std::cbrt(wanted / atoms * box.volume());
  const double ideal[3] = {edge / w.x, edge / w.y, edge / w.z};
  std::array<int, 3> best{1, 1, 1};
  double best_size = std::numeric_limits<double>::infinity(), best_shape = best_size;
  for (int corner = 0; corner < 27; ++corner) {
    std::array<int, 3> n{};
    const int step[3] = {corner / 9 % 3 - 1, corner / 3 % 3 - 1, corner % 3 - 1};
    for (std::size_t d = 0; d < 3; ++d) n[d] = std::max(1, static_cast<int>(std::floor(ideal[d])) + step[d]);
    const double product = static_cast<double>(n[0]) * n[1] * n[2];
    const double size = std::abs(std::log(product * atoms / wanted));
    double shape = 0;
    for (std::size_t d = 0; d < 3; ++d) shape += std::abs(std::log(n[d] / ideal[d]));
    if (size < best_size - 1e-12 || (size < best_size + 1e-12 && shape < best_shape - 1e-12)) {
      best = n;
      best_size = size;
      best_shape = shape;
    }
  }
  return best;
}

}  // namespace uplift

#include <cstdint>

#include "cpu/constrain_kernels.hpp"
#include "cpu/simd.hpp"
#include "physics/constrain/settle.hpp"
#include "physics/constrain/shake.hpp"

namespace uplift::cpu::UPLIFT_ISA {
namespace {

using Real = Pack<double>;
using Tag = Real::Tag;
using IndexTag = hn::RebindToSigned<Tag>;
using Index = hn::Vec<IndexTag>;
constexpr int width = Real::width;
static_assert(constraint_pad % width == 0);

constexpr int most_steps = 50;  // a star is there after a few
/// A water that is off by more than this (relative, of the squared length) had no solution: it was torn apart.
constexpr double torn = 2e-3;

UPLIFT_HD Index load_index(const int* p) {
  const hn::Rebind<std::int32_t, Tag> narrow;
  return hn::PromoteTo(IndexTag(), hn::LoadU(narrow, p));
}
UPLIFT_HD Vec3<Real> gather(const double* base, Index atom) {
  return {hn::GatherIndex(Tag(), base, atom), hn::GatherIndex(Tag(), base + 1, atom), hn::GatherIndex(Tag(), base + 2, atom)};
}
UPLIFT_HD void scatter(const Vec3<Real>& value, double* base, Index atom) {
  hn::ScatterIndex(value.x.v, Tag(), base, atom);
  hn::ScatterIndex(value.y.v, Tag(), base + 1, atom);
  hn::ScatterIndex(value.z.v, Tag(), base + 2, atom);
}
UPLIFT_HD void add(const Vec3<Real>& value, double* base, Index atom) { scatter(gather(base, atom) + value, base, atom); }

struct WaterAtoms {
  Index o, h1, h2;
};
UPLIFT_HD WaterAtoms atoms_of(const WaterList& list, int k) {
  return {load_index(list.o + k), load_index(list.h1 + k), load_index(list.h2 + k)};
}
UPLIFT_HD physics::WaterSites<Real> gather(const double* base, const WaterAtoms& atoms) {
  return {gather(base, atoms.o), gather(base, atoms.h1), gather(base, atoms.h2)};
}
UPLIFT_HD physics::WaterShape<Real> shape_of(const WaterList& list, int k) {
  return {Real::loadu(list.mass_o + k), Real::loadu(list.mass_h + k), Real::loadu(list.ra + k), Real::loadu(list.rb + k),
          Real::loadu(list.rc + k)};
}

int settle_positions(const WaterList& list, int first, int last, double inverse_dt, const double* before, double* x,
                     double* v) {
  const Real rate(inverse_dt);
  for (int k = first; k < last; k += width) {
    const WaterAtoms atoms = atoms_of(list, k);
    const physics::WaterSites<Real> moved = gather(x, atoms),
                                    now = physics::settle_positions(shape_of(list, k), gather(before, atoms), moved);
    const Real oh = Real::loadu(list.oh + k);
    const Vec3<Real> d = now.h1 - now.o;
    const auto whole = abs(dot(d, d) - oh * oh) < Real(torn) * oh * oh;  // false for a NaN too
    if (!hn::AllTrue(Tag(), whole)) return k + static_cast<int>(hn::FindFirstTrue(Tag(), hn::Not(whole)));
    scatter(now.o, x, atoms.o);
    scatter(now.h1, x, atoms.h1);
    scatter(now.h2, x, atoms.h2);
    add(rate * (now.o - moved.o), v, atoms.o);
    add(rate * (now.h1 - moved.h1), v, atoms.h1);
    add(rate * (now.h2 - moved.h2), v, atoms.h2);
  }
  return -1;
}

void settle_velocities(const WaterList& list, int first, int last, const double* x, double* v) {
  for (int k = first; k < last; k += width) {
    const WaterAtoms atoms = atoms_of(list, k);
    const physics::WaterSites<Real> now = physics::settle_velocities(shape_of(list, k), gather(x, atoms), gather(v, atoms));
    scatter(now.o, v, atoms.o);
    scatter(now.h1, v, atoms.h1);
    scatter(now.h2, v, atoms.h2);
  }
}

template <int arms>
UPLIFT_HD physics::StarShape<Real, arms> shape_of(const StarList& list, int k) {
  physics::StarShape<Real, arms> s;
  s.inverse_mass_centre = Real::loadu(list.inverse_mass[0] + k);
  for (int a = 0; a < arms; ++a) {
    s.inverse_mass[a] = Real::loadu(list.inverse_mass[a + 1] + k);
    s.length2[a] = Real::loadu(list.length2[a] + k);
  }
  return s;
}
template <int arms>
UPLIFT_HD physics::Star<Real, arms> gather(const double* base, const Index (&atoms)[arms + 1]) {
  physics::Star<Real, arms> s;
  s.centre = gather(base, atoms[0]);
  for (int a = 0; a < arms; ++a) s.arm[a] = gather(base, atoms[a + 1]);
  return s;
}

UPLIFT_HD Vec3<Real> select(Real::Mask m, const Vec3<Real>& yes, const Vec3<Real>& no) {
  return {select(m, yes.x, no.x), select(m, yes.y, no.y), select(m, yes.z, no.z)};
}

UPLIFT_HD Real::Mask finite(const Vec3<Real>& a) { return hn::IsFinite((a.x + a.y + a.z).v); }

/// Newton's steps until a lane is within the tolerance, and one more, which squares the error that is left. A lane that is
/// there stays as it is, so that the result does not depend on its neighbours. Returns the first lane that does not get there,
/// or -1.
template <int arms>
UPLIFT_HD int converge(const physics::StarShape<Real, arms>& shape, const Vec3<Real> (&reference)[arms], double tolerance,
                       physics::Star<Real, arms>& star) {
  auto met = Real(0.0) < Real(0.0);  // nobody yet
  for (int n = 0;; ++n) {
    const physics::StarStep<Real, arms> next = physics::shake_step(shape, reference, star);
    star.centre = select(met, star.centre, next.star.centre);
    for (int a = 0; a < arms; ++a) star.arm[a] = select(met, star.arm[a], next.star.arm[a]);
    met = hn::Or(met, hn::And(next.worst <= Real(tolerance), finite(star.centre)));  // max() may lose what is not a number
    if (hn::AllTrue(Tag(), met)) return -1;
    if (n == most_steps) return static_cast<int>(hn::FindFirstTrue(Tag(), hn::Not(met)));
  }
}

template <int arms>
int shake(const StarList& list, int first, int last, double tolerance, double inverse_dt, const double* before, double* x,
          double* v) {
  const Real rate(inverse_dt);
  for (int k = first; k < last; k += width) {
    Index atoms[arms + 1];
    for (int a = 0; a <= arms; ++a) atoms[a] = load_index(list.atoms[a] + k);
    const auto shape = shape_of<arms>(list, k);
    const auto was = gather<arms>(before, atoms), moved = gather<arms>(x, atoms);
    Vec3<Real> reference[arms];
    for (int a = 0; a < arms; ++a) reference[a] = was.arm[a] - was.centre;
    physics::Star<Real, arms> now = moved;
    const int failed = converge<arms>(shape, reference, tolerance, now);
    if (failed >= 0) return k + failed;
    scatter(now.centre, x, atoms[0]);
    add(rate * (now.centre - moved.centre), v, atoms[0]);
    for (int a = 0; a < arms; ++a) {
      scatter(now.arm[a], x, atoms[a + 1]);
      add(rate * (now.arm[a] - moved.arm[a]), v, atoms[a + 1]);
    }
  }
  return -1;
}

template <int arms>
int rattle(const StarList& list, int first, int last, const double* x, double* v) {
  for (int k = first; k < last; k += width) {
    Index atoms[arms + 1];
    for (int a = 0; a <= arms; ++a) atoms[a] = load_index(list.atoms[a] + k);
    const auto shape = shape_of<arms>(list, k);
    const auto at = gather<arms>(x, atoms);
    Vec3<Real> direction[arms];
    for (int a = 0; a < arms; ++a) direction[a] = at.arm[a] - at.centre;
    const auto now = physics::rattle(shape, direction, gather<arms>(v, atoms)).star;
    if (const auto met = finite(now.centre); !hn::AllTrue(Tag(), met))
      return k + static_cast<int>(hn::FindFirstTrue(Tag(), hn::Not(met)));
    scatter(now.centre, v, atoms[0]);
    for (int a = 0; a < arms; ++a) scatter(now.arm[a], v, atoms[a + 1]);
  }
  return -1;
}

int shake_stars(const StarList& list, int first, int last, double tolerance, double inverse_dt, const double* before, double* x,
                double* v) {
  switch (list.arms) {
    case 1:
      return shake<1>(list, first, last, tolerance, inverse_dt, before, x, v);
    case 2:
      return shake<2>(list, first, last, tolerance, inverse_dt, before, x, v);
    case 3:
      return shake<3>(list, first, last, tolerance, inverse_dt, before, x, v);
    default:
      return shake<4>(list, first, last, tolerance, inverse_dt, before, x, v);
  }
}

int rattle_stars(const StarList& list, int first, int last, const double* x, double* v) {
  switch (list.arms) {
    case 1:
      return rattle<1>(list, first, last, x, v);
    case 2:
      return rattle<2>(list, first, last, x, v);
    case 3:
      return rattle<3>(list, first, last, x, v);
    default:
      return rattle<4>(list, first, last, x, v);
  }
}

}  // namespace

extern const ConstrainKernels constrain_kernels;
const ConstrainKernels constrain_kernels{settle_positions, settle_velocities, shake_stars, rattle_stars};

}  // namespace uplift::cpu::UPLIFT_ISA

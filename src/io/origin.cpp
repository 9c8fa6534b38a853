#include "uplift/io/origin.hpp"

#include <zlib.h>

#include <cmath>
#include <cstring>
#include <initializer_list>

namespace uplift {
namespace {

/// A CRC-32 of numbers one after the other.
class Sum {
 public:
  Sum& add(std::initializer_list<int> integers) {
    for (const int i : integers) put(&i, sizeof i);
    return *this;
  }
  /// To the digits of a float; a zero has no sign.
  Sum& add(double number) {
    const float rounded = static_cast<float>(number) + 0.0F;
    put(&rounded, sizeof rounded);
    return *this;
  }
  Sum& exactly(double number) {
    put(&number, sizeof number);
    return *this;
  }
  std::uint32_t value() {
    flush();
    return static_cast<std::uint32_t>(sum_);
  }

 private:
  void put(const void* bytes, std::size_t size) {
    if (used_ + size > sizeof waiting_) flush();
    std::memcpy(waiting_ + used_, bytes, size);
    used_ += size;
  }
  void flush() {
    sum_ = crc32_z(sum_, waiting_, used_);
    used_ = 0;
  }
  unsigned char waiting_[4096];
  std::size_t used_ = 0;
  uLong sum_ = 0;
};

/// Of every item of a list.
template <class List, class F>
std::uint32_t sum_of(const List& list, F&& each) {
  Sum sum;
  for (const auto& item : list) each(sum, item);
  return sum.value();
}

/// A weight of a virtual site: what should be zero may be a rounding.
double weight(double w) { return std::abs(w) < 1e-12 ? 0 : w; }

std::uint32_t sum_of_cmaps(const ForceField& ff) {
  Sum sum;
  for (const CmapTorsion& t : ff.cmaps) sum.add({t.i, t.j, t.k, t.l, t.m, t.map});
  for (const CmapGrid& grid : ff.cmap_grids)
    for (const double energy : grid.energy) sum.add(energy);
  return sum.value();
}

std::uint32_t sum_of_lj(const ForceField& ff) {
  Sum sum;
  for (const int type : ff.lj_type) sum.add({type});
  for (const auto* table : {&ff.lj_c6, &ff.lj_c12})
    for (const double c : *table) sum.add(c);
  return sum.value();
}

}  // namespace

Origin origin_of(const TopologyFile& file, const std::vector<Vec3d>& positions, const std::optional<Box>& box) {
  const ForceField& ff = file.force_field;
  Origin o;
  o.box = box;
  o.positions = sum_of(positions, [](Sum& s, const Vec3d& x) { s.exactly(x.x).exactly(x.y).exactly(x.z); });
  auto& p = o.parameters;
  p["masses"] = sum_of(file.topology.atoms, [](Sum& s, const Atom& a) { s.add(a.mass); });
  p["elements"] = sum_of(file.topology.atoms, [](Sum& s, const Atom& a) { s.add({a.element}); });
  p["charges"] = sum_of(ff.charges, [](Sum& s, double q) { s.add(q); });
  p["bonds"] = sum_of(ff.bonds, [](Sum& s, const HarmonicBond& b) { s.add({b.i, b.j}).add(b.r0).add(b.k); });
  p["constraints"] = sum_of(ff.fixed_distances, [](Sum& s, const FixedDistance& d) { s.add({d.i, d.j}).add(d.length); });
  p["angles"] = sum_of(ff.angles, [](Sum& s, const HarmonicAngle& a) {
    s.add({a.i, a.j, a.k}).add(a.theta0).add(a.force_constant);
  });
  p["Urey-Bradley terms"] = sum_of(ff.urey_bradleys, [](Sum& s, const UreyBradley& u) {
    s.add({u.i, u.k}).add(u.r0).add(u.force_constant);
  });
  p["dihedrals"] = sum_of(ff.dihedrals, [](Sum& s, const PeriodicDihedral& d) {
    s.add({d.i, d.j, d.k, d.l, d.periodicity, d.improper}).add(d.phase).add(d.barrier);
  });
  p["impropers"] = sum_of(ff.impropers, [](Sum& s, const HarmonicImproper& d) {
    s.add({d.i, d.j, d.k, d.l}).add(d.phi0).add(d.force_constant);
  });
  p["CMAP terms"] = sum_of_cmaps(ff);
  p["Lennard-Jones parameters"] = sum_of_lj(ff);
  p["1-4 interactions"] = sum_of(ff.pairs14, [](Sum& s, const Pair14& q) {
    s.add({q.i, q.j}).add(q.charge_product).add(q.c6).add(q.c12);
  });
  p["exclusions"] = sum_of(ff.exclusions, [](Sum& s, const std::array<int, 2>& e) { s.add({e[0], e[1]}); });
  p["virtual sites"] = sum_of(ff.virtual_sites, [](Sum& s, const VirtualSite& v) {
    s.add({v.site, v.parent0, v.parent1, v.parent2}).add(weight(v.a)).add(weight(v.b)).add(weight(v.c));
  });
  p["radii of implicit solvent"] = sum_of(ff.gb, [](Sum& s, const GbAtom& g) { s.add(g.radius).add(g.screen); });
  p["restraints"] = sum_of(file.restrained, [](Sum& s, const RestrainedAtom& r) { s.add({r.atom}).add(r.k); });
  return o;
}

std::vector<std::string> changed_parameters(const Origin& was, const Origin& is) {
  std::vector<std::string> changed;
  for (const auto& [name, sum] : was.parameters)
    if (const auto now = is.parameters.find(name); now != is.parameters.end() && now->second != sum) changed.push_back(name);
  return changed;
}

bool changed_box(const Origin& was, const Origin& is) {
  if (was.box.has_value() != is.box.has_value()) return true;
  if (!was.box) return false;
  const auto far = [](const Vec3d& a, const Vec3d& b) { return dot(a - b, a - b) > 1e-12; };  // a millionth of a nm
  return far(was.box->a, is.box->a) || far(was.box->b, is.box->b) || far(was.box->c, is.box->c);
}

}  // namespace uplift

// Virtual sites of the templates in the engine's form, r0 + a (r1-r0) + b (r2-r0) + c (r1-r0) x (r2-r0).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "forcefield_xml_parts.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/vec3.hpp"

namespace uplift::xml {
namespace {

/// Positions of a rigid water's atoms in its own frame, by the force field's bond length and angle.
bool water_shape(const Assigned& a, const ForceField& ff, std::size_t residue, std::vector<std::pair<int, Vec3d>>& shape) {
  if (!is_water(a.topology, a.topology.residues[residue])) return false;
  double oh = -1, hh = -1, angle = -1;
  int oxygen = -1;
  std::vector<int> hydrogens;
  const Residue& r = a.topology.residues[residue];
  for (int i = r.first_atom; i < r.first_atom + r.atom_count; ++i) {
    if (a.topology.atoms[at(i)].element == 8) oxygen = i;
    if (a.topology.atoms[at(i)].element == 1) hydrogens.push_back(i);
  }
  const Definitions& d = a.definitions;
  const int to = a.type[at(oxygen)], th = a.type[at(hydrogens[0])];
  for (const BondRule& b : d.bonds) {
    const auto pair = [&](int s, int t) {
      return (d.matches(b.types[0], s) && d.matches(b.types[1], t)) || (d.matches(b.types[0], t) && d.matches(b.types[1], s));
    };
    if (oh < 0 && pair(to, th)) oh = b.length;
    if (hh < 0 && pair(th, th)) hh = b.length;
  }
  for (const AngleRule& g : d.angles)
    if (angle < 0 && d.matches(g.types[0], th) && d.matches(g.types[1], to) && d.matches(g.types[2], th)) angle = g.angle;
  if (oh <= 0 || (angle <= 0 && hh <= 0)) return false;
  const double half = angle > 0 ? oh * std::sin(angle / 2) : hh / 2;
  const double height = std::sqrt(std::max(0.0, oh * oh - half * half));
  shape = {{oxygen, {0, 0, 0}}, {hydrogens[0], {height, half, 0}}, {hydrogens[1], {height, -half, 0}}};
  (void)ff;
  return true;
}

/// A site that has a fixed place in a rigid triangle is a linear combination of its sides and their cross product.
VirtualSite in_rigid_water(const Assigned& a, const ForceField& ff, std::size_t residue, const TemplateSite& s, int site,
                           const std::vector<int>& parents) {
  std::vector<std::pair<int, Vec3d>> shape;
  if (!water_shape(a, ff, residue, shape))
    throw InputError(s.place + ": a localCoords virtual site of " + describe_atom(a.topology, site) +
                     ", which is not in water; the engine has such sites in rigid water only");
  Vec3d origin{0, 0, 0}, x{0, 0, 0}, y{0, 0, 0};
  for (std::size_t k = 0; k < parents.size(); ++k) {
    const auto place = std::find_if(shape.begin(), shape.end(), [&](const auto& p) { return p.first == parents[k]; });
    if (place == shape.end()) throw InputError(s.place + ": a virtual site of water hangs on an atom that is not its O or H");
    origin += s.origin[k] * place->second;
    x += s.x[k] * place->second;
    y += s.y[k] * place->second;
  }
  const auto unit = [](const Vec3d& v) { return (1 / std::sqrt(dot(v, v))) * v; };
  if (dot(x, x) == 0 || dot(cross(x, y), cross(x, y)) == 0)
    throw InputError(s.place + ": the local axes of the site are parallel");
  const Vec3d ex = unit(x), ez = unit(cross(x, y)), ey = cross(ez, ex);
  const Vec3d p = origin + s.position[0] * ex + s.position[1] * ey + s.position[2] * ez;
  // Solve p = a u + b w + c u x w in the plane z = 0 of the triangle: u, w lie in it, u x w is along z.
  const Vec3d u = shape[1].second, w = shape[2].second, n = cross(u, w);
  const double det = u.x * w.y - u.y * w.x;
  return {
      site,     shape[0].first, shape[1].first, shape[2].first, (p.x * w.y - p.y * w.x) / det, (u.x * p.y - u.y * p.x) / det,
      p.z / n.z};
}

}  // namespace

void assign_virtual_sites(const Assigned& a, ForceField& out) {
  for (std::size_t r = 0; r < a.assignments.size(); ++r) {
    const Assignment& own = a.assignments[r];
    for (const TemplateSite& s : own.of->sites) {
      const int site = a.in_system(r, s.site);
      std::vector<int> parents;
      for (int p : s.atoms) parents.push_back(a.in_system(r, p));
      switch (s.form) {
        case TemplateSite::Form::average2:
          out.virtual_sites.push_back({site, parents[0], parents[1], parents[1], s.weights[1], 0, 0});
          break;
        case TemplateSite::Form::average3:
          out.virtual_sites.push_back({site, parents[0], parents[1], parents[2], s.weights[1], s.weights[2], 0});
          break;
        case TemplateSite::Form::out_of_plane:
          out.virtual_sites.push_back({site, parents[0], parents[1], parents[2], s.weights[0], s.weights[1], s.weights[2]});
          break;
        case TemplateSite::Form::local_coordinates:
          out.virtual_sites.push_back(in_rigid_water(a, out, r, s, site, parents));
      }
    }
  }
}

}  // namespace uplift::xml

#include <cmath>

#include "model.hpp"

namespace uplift::build {

Vec3d unit(const Vec3d& v) { return (1 / std::sqrt(dot(v, v))) * v; }
double distance(const Vec3d& a, const Vec3d& b) { return std::sqrt(dot(a - b, a - b)); }

Vec3d place(const Vec3d& a, const Vec3d& b, const Vec3d& c, double length, double angle, double torsion) {
  const Vec3d along = unit(c - b);
  Vec3d normal = cross(b - a, along);
  if (dot(normal, normal) < 1e-12) normal = cross(Vec3d{0.31, 0.59, 0.74}, along);  // a, b, c on a line: any plane will do
  normal = unit(normal);
  const Vec3d up = cross(normal, along);
  return c + length * (-std::cos(angle) * along + std::sin(angle) * std::cos(torsion) * up +
                       std::sin(angle) * std::sin(torsion) * normal);
}

ModelAtom* ModelResidue::find(const std::string& wanted) {
  for (ModelAtom& a : atoms)
    if (a.name == wanted) return &a;
  return nullptr;
}
const ModelAtom* ModelResidue::find(const std::string& wanted) const { return const_cast<ModelResidue*>(this)->find(wanted); }

std::size_t Model::atoms() const {
  std::size_t n = 0;
  for (const ModelResidue& r : residues) n += r.atoms.size();
  return n;
}

std::optional<Vec3d> Model::given_partner(int residue, const std::string& atom) const {
  for (const auto& bond : given_bonds)
    for (std::size_t k = 0; k < 2; ++k) {
      const BondEnd &own = bond[k], &other = bond[1 - k];
      if (own.residue != residue || own.name != atom) continue;
      const ModelResidue& partner = residues[static_cast<std::size_t>(other.residue)];
      const ModelAtom* found =
          other.name.empty() ? &partner.atoms[static_cast<std::size_t>(other.atom)] : partner.find(other.name);
      if (found && !is_metal(found->element)) return found->x;
    }
  return {};
}

std::string describe(const ModelResidue& r) {
  return r.name + (r.chain.empty() ? " " : " " + r.chain + " ") + std::to_string(r.number) + r.insertion;
}

}  // namespace uplift::build

// How near the solute comes to its own images in a box whose edge was given.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model.hpp"
#include "uplift/core/error.hpp"

namespace uplift::build {
namespace {

constexpr double too_near = 0.25;  ///< [nm] heavy atoms that are not bonded keep farther apart
constexpr double reach = 1.0;      ///< [nm] beyond it nobody asks

struct Heavy {
  Vec3d x;
  const ModelResidue* residue;
  const std::string* name;
};
struct Nearest {
  double distance = reach;
  const Heavy *atom = nullptr, *other = nullptr;  ///< `other` in an image of the box
};

std::vector<Heavy> heavy_atoms(const Model& model) {
  std::vector<Heavy> atoms;
  for (const ModelResidue& r : model.residues) {
    if (r.name == "HOH") continue;
    for (const ModelAtom& a : r.atoms)
      if (a.element > 1) atoms.push_back({a.x, &r, &a.name});
  }
  return atoms;
}

Nearest nearest_image(const std::vector<Heavy>& atoms, const Box& box) {
  Vec3d middle{0, 0, 0};
  for (const Heavy& a : atoms) middle += (1.0 / static_cast<double>(atoms.size())) * a.x;
  double radius = 0;
  for (const Heavy& a : atoms) radius = std::max(radius, distance(a.x, middle));
  Nearest nearest;
  for (int n = 14; n < 27; ++n) {  // half of the images: the others are the same pairs
    const Vec3d shift = box.position({n / 9 - 1.0, n / 3 % 3 - 1.0, n % 3 - 1.0});
    for (const Heavy& a : atoms) {
      if (distance(a.x, middle + shift) > radius + nearest.distance) continue;
      for (const Heavy& b : atoms)
        if (const double d = distance(a.x, b.x + shift); d < nearest.distance) nearest = {d, &a, &b};
      if (nearest.distance < too_near) return nearest;
    }
  }
  return nearest;
}

}  // namespace

void check_images(Model& model, const Box& box) {
  const std::vector<Heavy> atoms = heavy_atoms(model);
  if (atoms.empty()) return;
  const Nearest nearest = nearest_image(atoms, box);
  if (!nearest.atom) return;
  const std::string what =
      fmt::format("{} of {} is {:.2f} nm from an image of {} of {}", *nearest.atom->name, describe(*nearest.atom->residue),
                  nearest.distance, *nearest.other->name, describe(*nearest.other->residue));
  if (nearest.distance < too_near)
    throw InputError("--edge: the box is too small for the molecule, which would lie in its own images: " + what +
                     "; give a longer edge, or --padding in its place");
  model.notes.push_back("the molecule is near its own images: " + what);
}

}  // namespace uplift::build

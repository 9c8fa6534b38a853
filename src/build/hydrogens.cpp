// Hydrogens, by the hybridisation of the atom that they sit on. Those that can turn (hydroxyls, thiols, water) take the
// direction with the best electrostatic surroundings among a few.
#include <algorithm>
#include <cmath>
#include <functional>

#include "model.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/random.hpp"

namespace uplift::build {
namespace {

constexpr double degree = constants::radians_per_degree;
const double tetrahedral = std::acos(-1.0 / 3);

double bond_length(int element) {  // [nm]; Amber's, rounded
  switch (element) {
    case 7:
      return 0.101;
    case 8:
      return 0.096;
    case 16:
      return 0.1336;
    default:
      return 0.109;
  }
}

class Hydrogens {
 public:
  explicit Hydrogens(Model& model) : model_(model) {}

  void add() {
    for (int r = 0; r < static_cast<int>(model_.residues.size()); ++r) {
      if (residue(r).library) {
        add_to_residue(r);
      } else if (is_water_name(residue(r).name)) {
        waters_.push_back(r);
      }
    }
    for (const auto& turn : turning_) turn();
    for (int r : waters_) add_to_water(residue(r));
  }

 private:
  ModelResidue& residue(int r) { return model_.residues[at(r)]; }

  /// Hydrogens of each parent as this residue needs them: ends of chains carry their charge.
  std::vector<IdealHydrogens> needed(const ModelResidue& r) const {
    std::vector<IdealHydrogens> all = r.library->hydrogens;
    if (r.free_start() && r.is_amino_acid()) {
      std::erase_if(all, [](const IdealHydrogens& h) { return h.parent == "N"; });
      if (r.library->name == "PRO")
        all.push_back({{"H2", "H3"}, "N", false});
      else
        all.push_back({{"H1", "H2", "H3"}, "N", false});
    }
    return all;
  }

  void add_to_residue(int index) {
    ModelResidue& r = residue(index);
    std::vector<ModelAtom> kept;
    for (const ModelAtom& a : r.atoms)
      if (a.element != 1) kept.push_back(a);
    const std::vector<ModelAtom> old = r.atoms;
    r.atoms = kept;
    for (const IdealHydrogens& h : needed(r)) {
      const ModelAtom* parent = r.find(h.parent);
      if (!parent) throw InputError(describe(r) + " lacks " + h.parent + ", which carries hydrogens");
      std::vector<Vec3d> there = own_hydrogens(old, kept, h.parent);
      if (there.size() == h.names.size()) {
        insert(r, h, there);
        continue;
      }
      const std::vector<Vec3d> neighbours = heavy_neighbours(index, h.parent);
      if (neighbours.size() == 1 && h.names.size() == 1) {
        const IdealHydrogens copy = h;
        turning_.push_back([this, index, copy] { add_turning(index, copy); });
        insert(r, h, {parent->x});  // its place in the order of atoms; moved later
        continue;
      }
      insert(r, h, directions(index, h, *parent, neighbours));
    }
  }

  /// After their parent, so that atoms of a group stay together.
  static void insert(ModelResidue& r, const IdealHydrogens& h, const std::vector<Vec3d>& x) {
    const auto parent = std::find_if(r.atoms.begin(), r.atoms.end(), [&](const ModelAtom& a) { return a.name == h.parent; });
    std::vector<ModelAtom> made;
    for (std::size_t k = 0; k < x.size(); ++k) made.push_back({h.names[k], 1, x[k]});
    r.atoms.insert(parent + 1, made.begin(), made.end());
  }

  static std::vector<Vec3d> own_hydrogens(const std::vector<ModelAtom>& all, const std::vector<ModelAtom>& heavy,
                                          const std::string& parent) {
    std::vector<Vec3d> found;
    for (const ModelAtom& h : all) {
      if (h.element != 1) continue;
      const auto nearest = std::min_element(heavy.begin(), heavy.end(), [&](const ModelAtom& a, const ModelAtom& b) {
        return distance(a.x, h.x) < distance(b.x, h.x);
      });
      if (nearest != heavy.end() && nearest->name == parent) found.push_back(h.x);
    }
    return found;
  }

  /// Positions of the heavy atoms that an atom is bonded to, those of neighbouring residues included.
  std::vector<Vec3d> heavy_neighbours(int index, const std::string& name) {
    ModelResidue& r = residue(index);
    std::vector<Vec3d> found;
    for (const auto& [a, b] : r.library->bonds) {
      const std::string& other = a == name ? b : a;
      if ((a == name || b == name) && r.find(other)) found.push_back(r.find(other)->x);
    }
    if (name == "N" && !r.chain_start && index > 0)
      if (const ModelAtom* c = residue(index - 1).find("C"); c && residue(index - 1).library) found.push_back(c->x);
    if (name == "N" && r.bonded_start)
      if (const std::optional<Vec3d> partner = model_.given_partner(index, name)) found.push_back(*partner);
    return found;
  }

  /// An atom bonded to the only neighbour of `parent`, to measure torsions from: the first in the library's order.
  Vec3d reference(int index, const std::string& parent) {
    ModelResidue& r = residue(index);
    std::string neighbour;
    for (const auto& [a, b] : r.library->bonds)
      if ((a == parent && r.find(b)) || (b == parent && r.find(a))) neighbour = a == parent ? b : a;
    for (const auto& [a, b] : r.library->bonds) {
      if (a == neighbour && b != parent && r.find(b)) return r.find(b)->x;
      if (b == neighbour && a != parent && r.find(a)) return r.find(a)->x;
    }
    if (r.name == "NHE" && index > 0 && residue(index - 1).find("O")) return residue(index - 1).find("O")->x;
    if (r.name == "NME" && index > 0 && residue(index - 1).find("C")) return residue(index - 1).find("C")->x;
    if (r.name == "ACE" && index + 1 < static_cast<int>(model_.residues.size()) && residue(index + 1).find("N"))
      return residue(index + 1).find("N")->x;
    return r.find(parent)->x + Vec3d{0.01, 0.02, 0.03};
  }

  std::vector<Vec3d> directions(int index, const IdealHydrogens& h, const ModelAtom& parent,
                                const std::vector<Vec3d>& neighbours) {
    const Vec3d p = parent.x;
    const double length = bond_length(parent.element);
    Vec3d away{0, 0, 0};
    for (const Vec3d& n : neighbours) away -= unit(n - p);
    const std::size_t count = h.names.size();
    if (count == 1 && neighbours.size() >= 2) {
      if (dot(away, away) < 1e-6) away = cross(neighbours[0] - p, Vec3d{0.31, 0.59, 0.74});  // flat: any side
      return {p + length * unit(away)};
    }
    if (count == 2 && neighbours.size() == 2) {
      const Vec3d middle = unit(away), side = unit(cross(neighbours[0] - p, neighbours[1] - p));
      const double half = tetrahedral / 2;
      return {p + length * (std::cos(half) * middle + std::sin(half) * side),
              p + length * (std::cos(half) * middle - std::sin(half) * side)};
    }
    if (neighbours.size() == 1) {
      const double angle = h.planar ? 120 * degree : tetrahedral, first = h.planar ? 0 : 60 * degree,
                   step = (h.planar ? 180 : 120) * degree;
      std::vector<Vec3d> made;
      const Vec3d from = reference(index, h.parent);
      for (std::size_t k = 0; k < count; ++k)
        made.push_back(place(from, neighbours[0], p, length, angle, first + step * static_cast<double>(k)));
      return made;
    }
    throw InputError(describe(residue(index)) + ": the hydrogens of " + h.parent +
                     " cannot be placed; atoms next to it are missing");
  }

  /// A hydroxyl or thiol hydrogen, of twelve directions; of two where it must lie in a plane (tyrosine, carboxylic acids).
  void add_turning(int index, const IdealHydrogens& h) {
    ModelResidue& r = residue(index);
    const Vec3d p = r.find(h.parent)->x, neighbour = heavy_neighbours(index, h.parent).at(0), from = reference(index, h.parent);
    const int element = r.find(h.parent)->element;
    const bool flat = r.library->name == "TYR" || r.library->name == "ASH" || r.library->name == "GLH";
    const double angle = (element == 16 ? 96 : flat ? 113 : 108.5) * degree;
    const int trials = flat ? 2 : 12;
    Vec3d best{};
    double lowest = 1e300;
    for (int k = 0; k < trials; ++k) {
      const Vec3d trial =
          place(from, neighbour, p, bond_length(element), angle, (flat ? 0 : 60 * degree) + 2 * constants::pi * k / trials);
      const double e = surroundings(trial, p);
      if (e < lowest - 1e-9) {
        lowest = e;
        best = trial;
      }
    }
    r.find(h.names[0])->x = best;
  }

  /// Rough energy of a hydrogen [e^2/nm]: charges of the elements, and a wall that keeps atoms apart. `own` is its parent.
  double surroundings(const Vec3d& x, const Vec3d& own) const {
    double sum = 0;
    for (const ModelResidue& r : model_.residues)
      for (const ModelAtom& a : r.atoms) {
        const Vec3d d = a.x - x;
        const double squared = dot(d, d);
        if (squared > 0.36 || squared < 1e-8 || distance(a.x, own) < 1e-6) continue;
        const double charge = a.element == 8 ? -0.5 : a.element == 7 ? -0.4 : a.element == 1 ? 0.2 : 0.1;
        const double distance_now = std::sqrt(squared);
        sum += 0.4 * charge / distance_now;
        if (distance_now < 0.16) sum += 1000 * (0.16 - distance_now);
      }
    return sum;
  }

  void add_to_water(ModelResidue& r) {
    const auto oxygen = std::find_if(r.atoms.begin(), r.atoms.end(), [](const ModelAtom& a) { return a.element == 8; });
    if (oxygen == r.atoms.end()) throw InputError(describe(r) + " is water without an oxygen; leave it out with --remove");
    const Vec3d o = oxygen->x;
    std::vector<Vec3d> hydrogens;
    for (const ModelAtom& a : r.atoms)
      if (a.element == 1) hydrogens.push_back(a.x);
    if (hydrogens.size() != 2) hydrogens = orient(o);
    r.name = "HOH";
    r.atoms = {{"O", 8, o}, {"H1", 1, hydrogens[0]}, {"H2", 1, hydrogens[1]}};
  }

  /// Of 60 directions that are the same in every run.
  std::vector<Vec3d> orient(const Vec3d& o) const {
    constexpr double length = 0.09572, angle = 104.52 * degree;
    std::vector<Vec3d> best;
    double lowest = 1e300;
    for (int k = 0; k < 60; ++k) {
      const Vec3d a = unit(gaussian3(0, NoisePurpose::building, 0, k)), b = gaussian3(0, NoisePurpose::building, 1, k);
      const Vec3d h1 = o + length * a, h2 = place(o + b, h1, o, length, angle, 0);
      const double e = surroundings(h1, o) + surroundings(h2, o);
      if (e < lowest) {
        lowest = e;
        best = {h1, h2};
      }
    }
    return best;
  }

  Model& model_;
  std::vector<std::function<void()>> turning_;
  std::vector<int> waters_;
};

}  // namespace

void add_hydrogens(Model& model) { Hydrogens(model).add(); }

}  // namespace uplift::build

// Box, water and ions. Water comes from the equilibrated box inputs/water-tip3p-small, repeated; so its density is that of
// water at 300 K and 1 bar wherever nothing else is.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "model.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/random.hpp"
#include "uplift/core/resources.hpp"
#include "uplift/io/amber.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift::build {
namespace {

constexpr double cutoff = 0.9;             ///< [nm] of the input that is written
constexpr double least_width = 2.0;        ///< [nm] between opposite faces: two cutoffs, and room for the barostat
constexpr double to_heavy = 0.24;          ///< [nm] least distance of a water's oxygen from a heavy atom,
constexpr double to_hydrogen = 0.17;       ///< from a hydrogen,
constexpr double to_water = 0.25;          ///< and from another water, where copies of the box meet the faces,
constexpr double least_to_water = 0.2;     ///< down to this where holes are filled until the density is right
constexpr double ion_apart = 0.5;          ///< [nm] ions from the solute and each other, while there is room
constexpr double waters_per_litre = 55.4;  ///< [mol/L]
const double octahedral = std::acos(-1.0 / 3);

/// Points in a periodic box, found by cells of at least `reach`.
class Cells {
 public:
  Cells(const Box& box, double reach) : box_(box), reach_(reach) {
    const Vec3d w = box.widths();
    n_ = {std::max(1, static_cast<int>(w.x / reach)), std::max(1, static_cast<int>(w.y / reach)),
          std::max(1, static_cast<int>(w.z / reach))};
  }
  void add(const Vec3d& x) { cells_[key(cell(x))].push_back(x); }
  bool any_within(const Vec3d& x, double distance) const { return nearest(x, distance) < distance; }
  /// Distance of the nearest point; `limit`, at most the reach, when none is nearer.
  double nearest(const Vec3d& x, double limit) const {
    double least = limit * limit;
    const std::array<int, 3> c = cell(x);
    for (int i = -1; i <= 1; ++i)
      for (int j = -1; j <= 1; ++j)
        for (int k = -1; k <= 1; ++k) {
          const auto found = cells_.find(key({wrap(c[0] + i, 0), wrap(c[1] + j, 1), wrap(c[2] + k, 2)}));
          if (found == cells_.end()) continue;
          for (const Vec3d& y : found->second) {
            const Vec3d d = box_.image(y - x);
            least = std::min(least, dot(d, d));
          }
        }
    return std::sqrt(least);
  }

 private:
  int wrap(int i, std::size_t axis) const { return (i % n_[axis] + n_[axis]) % n_[axis]; }
  std::array<int, 3> cell(const Vec3d& x) const {
    const Vec3d s = box_.fraction(x);
    const auto one = [&](double f, std::size_t axis) {
      return wrap(static_cast<int>(std::floor((f - std::floor(f)) * n_[axis])), axis);
    };
    return {one(s.x, 0), one(s.y, 1), one(s.z, 2)};
  }
  long key(const std::array<int, 3>& c) const { return (static_cast<long>(c[0]) * n_[1] + c[1]) * n_[2] + c[2]; }

  Box box_;
  double reach_;
  std::array<int, 3> n_{};
  std::unordered_map<long, std::vector<Vec3d>> cells_;
};

struct WaterBox {
  double edge;
  std::vector<std::array<Vec3d, 3>> waters;
};

const WaterBox& equilibrated_water() {
  static const WaterBox loaded = [] {
    const Coordinates c = read_amber_coordinates(resource("inputs/water-tip3p-small/system.inpcrd.gz").string());
    if (!c.box || c.x.size() % 3 != 0) throw InputError("inputs/water-tip3p-small, which comes with uplift, is damaged");
    WaterBox w{c.box->a.x, {}};
    for (std::size_t i = 0; i < c.x.size(); i += 3) {
      const Vec3d shift{std::floor(c.x[i].x / w.edge) * w.edge, std::floor(c.x[i].y / w.edge) * w.edge,
                        std::floor(c.x[i].z / w.edge) * w.edge};
      w.waters.push_back({c.x[i] - shift, c.x[i + 1] - shift, c.x[i + 2] - shift});
    }
    return w;
  }();
  return loaded;
}

void centre(Model& model, const Vec3d& there, const Vec3d& here) {
  for (ModelResidue& r : model.residues)
    for (ModelAtom& a : r.atoms) a.x += there - here;
}

/// The smallest sphere round the solute, nearly: Ritter's.
std::pair<Vec3d, double> sphere(const Model& model) {
  std::vector<Vec3d> all;
  for (const ModelResidue& r : model.residues)
    for (const ModelAtom& a : r.atoms) all.push_back(a.x);
  if (all.empty()) return {Vec3d{0, 0, 0}, 0};
  const auto farthest = [&](const Vec3d& from) {
    return *std::max_element(all.begin(), all.end(),
                             [&](const Vec3d& a, const Vec3d& b) { return distance(a, from) < distance(b, from); });
  };
  const Vec3d one = farthest(all.front()), two = farthest(one);
  Vec3d middle = 0.5 * (one + two);
  double radius = distance(one, two) / 2;
  for (const Vec3d& x : all)
    if (const double d = distance(x, middle); d > radius) {
      const double grown = (radius + d) / 2;
      middle += ((d - grown) / d) * (x - middle);
      radius = grown;
    }
  return {middle, radius};
}

/// Middle of the extent along each axis: what a rectangular box must be centred on; for the others it is near enough to the
/// sphere's.
std::pair<Vec3d, Vec3d> extent(const Model& model) {
  Vec3d low{1e9, 1e9, 1e9}, high{-1e9, -1e9, -1e9};
  for (const ModelResidue& r : model.residues)
    for (const ModelAtom& a : r.atoms) {
      low = {std::min(low.x, a.x.x), std::min(low.y, a.x.y), std::min(low.z, a.x.z)};
      high = {std::max(high.x, a.x.x), std::max(high.y, a.x.y), std::max(high.z, a.x.z)};
    }
  return {low, high};
}

double width(const Box& box) {
  const Vec3d w = box.widths();
  return std::min({w.x, w.y, w.z});
}

/// `wanted`, or the first letter that no chain has.
std::string unused_chain(const Model& model, const std::string& wanted) {
  const auto used = [&](const std::string& name) {
    return std::any_of(model.residues.begin(), model.residues.end(), [&](const ModelResidue& r) { return r.chain == name; });
  };
  if (!used(wanted)) return wanted;
  for (char c = 'Z'; c >= 'A'; --c)
    if (!used(std::string(1, c))) return std::string(1, c);
  return wanted;
}

}  // namespace

namespace {

Box wanted_box(const Model& model, const BuildOptions& options) {
  const double right = constants::pi / 2;
  if (options.shape == BoxShape::rectangular && !options.edge) {
    const auto [low, high] = extent(model);
    const auto side = [&](double l, double h) { return std::max(least_width, h - l + 2 * options.padding); };
    return make_box({side(low.x, high.x), side(low.y, high.y), side(low.z, high.z)}, {right, right, right});
  }
  Vec3d angles{right, right, right};
  // Of the ways to lay the vectors of a dodecahedron, the one whose angles are equal: a prmtop holds one angle for all three.
  if (options.shape == BoxShape::dodecahedron) angles = {constants::pi / 3, constants::pi / 3, constants::pi / 3};
  if (options.shape == BoxShape::octahedron) angles = {octahedral, octahedral, octahedral};
  // Nearest images are an edge apart in each of these lattices.
  const double edge = options.edge ? *options.edge : 2 * (sphere(model).second + options.padding);
  const double narrowest = width(make_box({1, 1, 1}, angles));
  if (options.edge && edge * narrowest < 2 * cutoff)
    throw InputError(fmt::format(
        "--edge: {:g} nm is too small; the faces of this box would be {:.3g} nm apart, and a cutoff of {:g} nm needs {:g} "
        "nm (an atom would meet two images of another); give at least {:.3g} nm",
        edge, edge * narrowest, cutoff, 2 * cutoff, std::ceil(100 * least_width / narrowest) / 100));
  const double chosen = options.edge ? edge : std::max(edge, least_width / narrowest);
  return make_box({chosen, chosen, chosen}, angles);
}

}  // namespace

Box choose_box(const Model& model, const BuildOptions& options) {
  const Box box = wanted_box(model, options);
  constexpr double most = 5e5;  // [nm^3] fifty million atoms
  if (!(box.volume() <= most))
    throw InputError(fmt::format(
        "the box would have {:.3g} nm^3, more than {:g}; atoms of the structure may lie far from the others (look at its "
        "coordinates), or the padding is too large",
        box.volume(), most));
  return box;
}

namespace {

/// Water of the equilibrated box, repeated over the periodic box. Copies meet the faces anywhere, so some waters there lie in
/// others: those are left out, and as many are put into the holes that stay.
class WaterFill {
 public:
  WaterFill(Model& model, const Box& box, bool four_sites)
      : model_(model), box_(box), four_sites_(four_sites), heavy_(box, reach), hydrogens_(box, reach), oxygens_(box, reach) {
    for (const ModelResidue& r : model.residues)
      for (const ModelAtom& a : r.atoms)
        if (a.element > 0) (a.element == 1 ? hydrogens_ : heavy_).add(a.x);
    chain_ = unused_chain(model, "W");
  }

  int fill() {
    int all = 0, clear = 0;
    for_copies([&](const std::array<Vec3d, 3>& w) {
      ++all;
      if (!clear_of_solute(w)) return;
      ++clear;
      if (!oxygens_.any_within(w[0], to_water)) add(w);
    });
    // Copies give the part of the box that is free, and their density how much goes there: the same molecules come to lie at a
    // face again and again, so that their own number would be some per cent off.
    const WaterBox& source = equilibrated_water();
    const double density = static_cast<double>(source.waters.size()) / std::pow(source.edge, 3);
    const int wanted = all == 0 ? 0 : static_cast<int>(std::lround(density * box_.volume() * clear / all));
    for (double apart = to_water; count_ < wanted && apart > least_to_water; apart -= 0.005) fill_holes(wanted, apart);
    return count_;
  }

 private:
  static constexpr double reach = 0.3;

  template <class F>
  void for_copies(F&& f) const {
    const WaterBox& source = equilibrated_water();
    Vec3d first{0, 0, 0}, last{0, 0, 0};  // corners between which the parallelepiped lies
    for (int k = 0; k < 8; ++k) {
      const Vec3d corner =
          box_.position({static_cast<double>(k & 1), static_cast<double>((k >> 1) & 1), static_cast<double>(k >> 2)});
      first = {std::min(first.x, corner.x), std::min(first.y, corner.y), std::min(first.z, corner.z)};
      last = {std::max(last.x, corner.x), std::max(last.y, corner.y), std::max(last.z, corner.z)};
    }
    const auto tile = [&](double x) { return static_cast<int>(std::floor(x / source.edge)); };
    for (int i = tile(first.x); i <= tile(last.x); ++i)
      for (int j = tile(first.y); j <= tile(last.y); ++j)
        for (int k = tile(first.z); k <= tile(last.z); ++k)
          for (const auto& w : source.waters) {
            const Vec3d shift = source.edge * Vec3d{static_cast<double>(i), static_cast<double>(j), static_cast<double>(k)};
            const Vec3d s = box_.fraction(w[0] + shift);
            if (s.x >= 0 && s.x < 1 && s.y >= 0 && s.y < 1 && s.z >= 0 && s.z < 1)
              f({w[0] + shift, w[1] + shift, w[2] + shift});
          }
  }

  bool clear_of_solute(const std::array<Vec3d, 3>& w) const {
    return !heavy_.any_within(w[0], to_heavy) && !hydrogens_.any_within(w[0], to_hydrogen) &&
           !heavy_.any_within(w[1], to_hydrogen) && !heavy_.any_within(w[2], to_hydrogen);
  }

  void add(const std::array<Vec3d, 3>& w) {
    oxygens_.add(w[0]);
    ModelResidue r{"HOH", chain_, ++count_, {{"O", 8, w[0]}, {"H1", 1, w[1]}, {"H2", 1, w[2]}}};
    if (four_sites_) r.atoms.push_back({"M", 0, w[0]});
    r.built_water = true;
    model_.residues.push_back(std::move(r));
  }

  /// Goes over a grid of points, each moved a little and each with an orientation drawn for it.
  void fill_holes(int wanted, double apart) {
    constexpr double spacing = 0.07;  // [nm]
    const auto steps = [](double length) { return std::max(1, static_cast<int>(std::ceil(length / spacing))); };
    const Vec3d w = box_.widths();
    const int n[3] = {steps(w.x), steps(w.y), steps(w.z)};
    std::int64_t index = 0;
    for (int i = 0; i < n[0]; ++i)
      for (int j = 0; j < n[1]; ++j)
        for (int k = 0; k < n[2]; ++k, ++index) {
          if (count_ >= wanted) return;
          const Vec3d o = box_.position({(i + 0.5) / n[0], (j + 0.5) / n[1], (k + 0.5) / n[2]});
          if (oxygens_.any_within(o, apart)) continue;
          const std::array<Vec3d, 3> water = turned(o, index);
          if (clear_of_solute(water)) add(water);
        }
  }

  /// The orientation, of a few, whose hydrogens lie farthest from other oxygens.
  std::array<Vec3d, 3> turned(const Vec3d& o, std::int64_t index) const {
    constexpr double length = 0.09572, angle = 104.52 * constants::radians_per_degree;
    std::array<Vec3d, 3> best{};
    double most = -1;
    for (std::int64_t trial = 0; trial < 20; ++trial) {
      const Vec3d a = unit(gaussian3(0, NoisePurpose::building, 3 + trial, 2 * index));
      const Vec3d b = gaussian3(0, NoisePurpose::building, 3 + trial, 2 * index + 1);
      const Vec3d h1 = o + length * a, h2 = place(o + b, h1, o, length, angle, 0);
      const double room = std::min(oxygens_.nearest(h1, reach), oxygens_.nearest(h2, reach));
      if (room > most) {
        most = room;
        best = {o, h1, h2};
      }
    }
    return best;
  }

  Model& model_;
  const Box& box_;
  bool four_sites_;
  Cells heavy_, hydrogens_, oxygens_;
  std::string chain_;
  int count_ = 0;
};

}  // namespace

int add_water(Model& model, const Box& box, bool four_sites) {
  const Vec3d middle = box.position({0.5, 0.5, 0.5});
  if (!model.residues.empty())
    centre(model, middle, box.orthorhombic() ? 0.5 * (extent(model).first + extent(model).second) : sphere(model).first);
  return WaterFill(model, box, four_sites).fill();
}

std::array<int, 2> add_ions(Model& model, const Box& box, int charge, const BuildOptions& options) {
  std::vector<int> waters;
  for (std::size_t r = 0; r < model.residues.size(); ++r)
    if (model.residues[r].built_water) waters.push_back(static_cast<int>(r));
  const int salt = static_cast<int>(std::lround(options.salt / waters_per_litre * static_cast<double>(waters.size())));
  const std::array<int, 2> wanted{salt + std::max(0, -charge), salt + std::max(0, charge)};
  if (static_cast<std::size_t>(wanted[0] + wanted[1]) * 2 > waters.size())
    throw InputError(
        fmt::format("{} ions do not fit among {} waters; use a larger box (--padding)", wanted[0] + wanted[1], waters.size()));
  Cells taken(box, ion_apart);
  for (const ModelResidue& r : model.residues)
    if (r.name != "HOH")
      for (const ModelAtom& a : r.atoms) taken.add(a.x);
  std::vector<ModelResidue> ions;
  const std::string chain = unused_chain(model, "I");
  double apart = ion_apart;
  std::int64_t draw = 0;
  for (int n = 0; n < wanted[0] + wanted[1]; ++n) {
    // The first water that is drawn and has room; where none has, ions may come nearer.
    for (int attempt = 0;; ++attempt) {
      if (attempt == 1000) {
        attempt = 0;
        apart *= 0.8;
      }
      const auto pick = static_cast<std::size_t>(uniform(options.seed, NoisePurpose::building, 2, draw++) *
                                                 static_cast<double>(waters.size()));
      ModelResidue& r = model.residues[at(waters[pick])];
      const Vec3d x = r.atoms[0].x;
      if (taken.any_within(x, apart)) continue;
      const bool positive = n < wanted[0];
      const std::string& name = positive ? options.positive : options.negative;
      std::string symbol = name.substr(0, 1);
      for (std::size_t k = 1; k < name.size(); ++k)
        symbol += static_cast<char>(std::tolower(static_cast<unsigned char>(name[k])));
      const int element = element_number(symbol);
      if (element == 0)
        throw InputError("there is no ion " + in_quotes(name) + "; the force fields have LI NA K RB CS and F CL BR I");
      ions.push_back({name, chain, static_cast<int>(ions.size()) + 1, {{name, element, x}}});
      taken.add(x);
      r.name = "";  // gone
      waters.erase(waters.begin() + static_cast<std::ptrdiff_t>(pick));
      break;
    }
  }
  std::erase_if(model.residues, [](const ModelResidue& r) { return r.name.empty(); });
  const auto first_water =
      std::find_if(model.residues.begin(), model.residues.end(), [](const ModelResidue& r) { return r.built_water; });
  model.residues.insert(first_water, ions.begin(), ions.end());
  int number = 0;
  for (ModelResidue& r : model.residues)
    if (r.built_water) r.number = ++number;
  return wanted;
}

}  // namespace uplift::build

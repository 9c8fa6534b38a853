#include "support/samples.hpp"

#include <cmath>
#include <random>
#include <vector>

#include "uplift/core/resources.hpp"
#include "uplift/engine/simulation.hpp"
#include "uplift/io/amber.hpp"
#include "uplift/model/selection.hpp"

namespace uplift::test {
namespace {

Sample from_inputs(const std::string& name, ForceSettings settings) {
  const std::string folder = resource("inputs/" + name).string() + "/system.",  // the source may have moved since the build
      end = name.ends_with("vacuum") ? "" : ".gz";
  AmberTopology amber = read_prmtop(folder + "prmtop" + end);
  const Coordinates coordinates = read_amber_coordinates(folder + "inpcrd" + end);
  Sample s;
  if (settings.nonbonded != NonbondedMethod::no_cutoff) s.state.box = *choose_box(amber, coordinates);
  s.state.x = coordinates.x;
  settings.cutoff = 0.85;
  s.system = make_system(std::move(amber.topology), std::move(amber.force_field), settings);
  s.system.remove_com = s.state.box.periodic();
  make_molecules_whole(s.system, s.state);
  draw_velocities(s.system, 300, 5, s.state);
  return s;
}

/// Every kind of bonded term and virtual site, on molecules of six atoms in a skewed box.
Sample everything(int molecules) {
  std::mt19937 random(7);
  const auto uniform = [&](double low, double high) { return std::uniform_real_distribution<double>(low, high)(random); };
  Topology t;
  ForceField ff;
  Sample s;
  s.state.box = {{2.6, 0, 0}, {0.7, 2.4, 0}, {-0.4, 0.6, 2.5}};
  for (int resolution : {24, 12}) {
    CmapGrid grid{resolution, {}};
    for (int n = 0; n < resolution * resolution; ++n) grid.energy.push_back(uniform(-5, 5));
    ff.cmap_grids.push_back(grid);
  }
  for (int m = 0; m < molecules; ++m) {
    const int a = 6 * m;
    // On a lattice, so that none overlap, in images near and far.
    const Vec3d origin = s.state.box.position({m % 4 / 4.0 + m % 3 - 1, m / 4 % 3 / 3.0, m / 12 / 3.0 - m % 2});
    const Vec3d shape[5] = {{0, 0, 0}, {0.13, 0.02, 0}, {0.19, 0.14, 0.03}, {0.32, 0.15, 0.1}, {0.36, 0.27, 0.05}};
    Residue residue;
    residue.name = "MOL";
    residue.number = m + 1;
    residue.first_atom = a;
    residue.atom_count = 6;
    t.residues.push_back(residue);
    for (int k = 0; k < 6; ++k) {
      Atom atom;
      atom.name = "A" + std::to_string(k);
      atom.type = "X";
      atom.element = k == 5 ? 0 : 6;
      atom.mass = k == 5 ? 0 : 12;
      atom.residue = m;
      t.atoms.push_back(atom);
      ff.charges.push_back(uniform(-0.4, 0.4));
      ff.lj_type.push_back(k % 2);
      s.state.x.push_back(k == 5 ? origin
                                 : origin + shape[k] + Vec3d{uniform(-0.01, 0.01), uniform(-0.01, 0.01), uniform(-0.01, 0.01)});
      for (int other = 0; other < k; ++other) ff.exclusions.push_back({a + other, a + k});
    }
    for (int k = 0; k < 4; ++k) {
      ff.bonds.push_back({a + k, a + k + 1, uniform(0.12, 0.15), uniform(1e5, 3e5)});
      t.bonds.push_back({a + k, a + k + 1});
    }
    for (int k = 0; k < 3; ++k) {
      ff.angles.push_back({a + k, a + k + 1, a + k + 2, uniform(1.8, 2.2), uniform(200, 800)});
      ff.urey_bradleys.push_back({a + k, a + k + 2, uniform(0.2, 0.25), uniform(1e3, 2e4)});
    }
    for (int k = 0; k < 2; ++k) {
      for (int n = 0; n < 4; ++n)
        ff.dihedrals.push_back({a + k, a + k + 1, a + k + 2, a + k + 3, n, uniform(-3, 3), uniform(-5, 15), false});
      ff.impropers.push_back({a + k + 1, a + k, a + k + 2, a + k + 3, uniform(-3, 3), uniform(50, 500)});
      ff.pairs14.push_back({a + k, a + k + 3, uniform(-0.2, 0.2), uniform(0, 1e-3), uniform(0, 1e-6)});
    }
    ff.cmaps.push_back({a, a + 1, a + 2, a + 3, a + 4, m % 2});
    ff.virtual_sites.push_back({a + 5, a, a + 1, a + 2, 0.3, 0.2, m % 3 ? 1.5 : 0});
  }
  ff.lj_types = 2;
  ff.lj_c6 = {2e-3, 1e-3, 1e-3, 0};
  ff.lj_c12 = {3e-6, 1e-6, 1e-6, 0};
  ForceSettings settings;
  settings.cutoff = 0.9;
  settings.constraints = ConstraintMode::none;
  s.system = make_system(std::move(t), std::move(ff), settings);
  place_virtual_sites(s.system.force_field, s.state.x);
  draw_velocities(s.system, 300, 5, s.state);
  return s;
}

/// One pair of types, the solute's first and that of water's oxygen, has parameters of its own, so strong that forces tell.
void make_exception(ForceField& ff) {
  const auto a = static_cast<std::size_t>(ff.lj_type.front()), b = static_cast<std::size_t>(ff.lj_type[ff.lj_type.size() - 3]),
             n = static_cast<std::size_t>(ff.lj_types);
  for (std::size_t k : {a * n + b, b * n + a}) {
    ff.lj_c6[k] *= 20;
    ff.lj_c12[k] *= 30;
  }
}
/// From Lorentz and Berthelot's rules to geometric ones.
void make_geometric(ForceField& ff) {
  const auto n = static_cast<std::size_t>(ff.lj_types);
  for (std::vector<double>* table : {&ff.lj_c6, &ff.lj_c12})
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j)
        if (i != j) (*table)[i * n + j] = std::sqrt((*table)[i * n + i] * (*table)[j * n + j]);
}

}  // namespace

Sample sample(const std::string& name) {
  ForceSettings settings;
  if (name == "everything") return everything(33);
  if (name == "vacuum") {
    settings.nonbonded = NonbondedMethod::no_cutoff;
    return from_inputs("alanine-dipeptide-vacuum", settings);
  }
  if (name.starts_with("gb")) {
    settings.nonbonded = NonbondedMethod::no_cutoff;
    settings.implicit_solvent = ImplicitSolventSettings{};
    settings.implicit_solvent->model = name == "gb-hct" ? GbModel::hct : name == "gb-obc2" ? GbModel::obc2 : GbModel::gbn2;
    settings.implicit_solvent->salt = name == "gb-gbn2" ? 0.15 : 0;
    settings.implicit_solvent->surface = name == "gb-hct" ? SurfaceModel::none : SurfaceModel::ace;
    return from_inputs("sdf1-implicit", settings);
  }
  if (name == "reaction-field") {
    settings.nonbonded = NonbondedMethod::reaction_field;
    settings.switch_distance = 0.7;
    Sample s = from_inputs("alanine-dipeptide-tip3p", settings);
    apply_restraints(s.system, {.selection = "protein", .k = 500}, s.state.x, s.state.box);
    for (PositionRestraint& r : s.system.position_restraints) r.reference += Vec3d{0.02, -0.01, 0.03};
    return s;
  }
  settings.constraints = ConstraintMode::h_bonds;
  if (name == "h-angles") settings.constraints = ConstraintMode::h_angles;
  if (name.ends_with("switched")) settings.switch_distance = 0.7;
  settings.pme.order = name == "order-4" ? 4 : name == "order-6" ? 6 : 5;
  Sample s = from_inputs(name == "water" ? "water-tip3p-small" : "alanine-dipeptide-tip3p", settings);
  if (name.starts_with("nbfix")) make_exception(s.system.force_field);
  if (name.starts_with("geometric")) make_geometric(s.system.force_field);
  return s;
}

}  // namespace uplift::test

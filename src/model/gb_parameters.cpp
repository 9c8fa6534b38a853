#include "uplift/model/gb_parameters.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "uplift/core/assert.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"

namespace uplift {
namespace {

constexpr double salt_temperature = 300;  // [K]
constexpr int most_radius_types = 256;    // published sets have fewer than 20 radii

struct Shape {
  double alpha, beta, gamma;
};

/// Screening factors of GBn (Mongan et al. 2007, table 2).
double gbn_screen(int element) {
  switch (element) {
    case 1:
      return 1.09085413633;
    case 6:
      return 0.48435382330;
    case 7:
      return 0.700147318409;
    case 8:
      return 1.06557401132;
    case 16:
      return 0.602256336067;
    default:
      return 0.5;
  }
}

/// Screening factors and shapes of GBn2 for proteins (Nguyen et al. 2013, table 2) ...
double gbn2_screen(int element) {
  switch (element) {
    case 1:
      return 1.425952;
    case 6:
      return 1.058554;
    case 7:
      return 0.733599;
    case 8:
      return 1.061039;
    case 16:
      return -0.703469;
    default:
      return 0.5;
  }
}
Shape gbn2_shape(int element) {
  switch (element) {
    case 1:
      return {0.788440, 0.798699, 0.437334};
    case 6:
      return {0.733756, 0.506378, 0.205844};
    case 7:
      return {0.503364, 0.316828, 0.192915};
    case 8:
    case 16:
      return {0.867814, 0.876635, 0.387882};
    default:
      return {1.0, 0.8, 4.851};
  }
}

/// ... and for nucleic acids (Nguyen et al. 2015).
double gbn2_nucleic_screen(int element) {
  switch (element) {
    case 1:
      return 1.696538;
    case 6:
      return 1.268902;
    case 7:
      return 1.4259728;
    case 8:
      return 0.1840098;
    case 15:
      return 1.5450597;
    case 16:
      return 0.05;
    default:
      return 0.5;
  }
}
Shape gbn2_nucleic_shape(int element) {
  switch (element) {
    case 1:
      return {0.537050, 0.362861, 0.116704};
    case 6:
      return {0.331670, 0.196842, 0.093422};
    case 7:
      return {0.686311, 0.463189, 0.138722};
    case 8:
    case 16:
      return {0.606344, 0.463006, 0.142262};
    case 15:
      return {0.418365, 0.290054, 0.1064245};
    default:
      return {1.0, 0.8, 4.851};
  }
}

/// Value of a neck table between its points, bilinear; radii in nm, result in angstrom units of the table. The published tables
/// have a row for each radius of the other atom and a column for each of the atom whose integral it is.
double interpolate(const double* table, double other, double own) {
  const auto place = [](double radius) { return std::clamp((10 * radius - 1.0) * 20, 0.0, gb_neck_size - 1.0); };
  const double p = place(other), q = place(own);
  const int a = std::min(static_cast<int>(p), gb_neck_size - 2), b = std::min(static_cast<int>(q), gb_neck_size - 2);
  const double u = p - a, w = q - b;
  const double* row = table + a * gb_neck_size + b;
  return (1 - u) * ((1 - w) * row[0] + w * row[1]) + u * ((1 - w) * row[gb_neck_size] + w * row[gb_neck_size + 1]);
}

void build_necks(const Topology& topology, GbParameters& out) {
  const int n = static_cast<int>(out.radius.size());
  for (int i = 0; i < n; ++i)
    UPLIFT_VALIDATE(
        out.radius[at(i)] > 0.1 - 1e-9 && out.radius[at(i)] < 0.2 + 1e-9,
        "forces.implicit_solvent: the radius of " + describe_atom(topology, i) + " is " +
            std::to_string(10 * out.radius[at(i)]) +
            " angstrom (gbn and gbn2 know radii from 1 to 2 angstrom); use model: obc2, or give the topology other radii");
  std::vector<double> radii = out.radius;
  std::sort(radii.begin(), radii.end());
  radii.erase(std::unique(radii.begin(), radii.end()), radii.end());
  UPLIFT_VALIDATE(radii.size() <= most_radius_types,
                  "forces.implicit_solvent: the topology has " + std::to_string(radii.size()) +
                      " different GB radii (a set such as mbondi3 "
                      "has fewer than 20); use model: obc2, or give the topology a published set of radii");
  out.radius_types = static_cast<int>(radii.size());
  for (double r : out.radius)
    out.radius_type.push_back(static_cast<int>(std::lower_bound(radii.begin(), radii.end(), r) - radii.begin()));
  for (double own : radii)
    for (double other : radii) {
      out.neck_distance.push_back(0.1 * interpolate(gb_neck_distance, other, own));
      out.neck_height.push_back(10 * interpolate(gb_neck_height, other, own));
    }
}

}  // namespace

bool is_nucleic_residue(const std::string& name) {
  std::string base = name;
  if (base.size() > 1 && (base.back() == '3' || base.back() == '5' || base.back() == 'N')) base.pop_back();
  if (base.size() == 2 && (base[0] == 'D' || base[0] == 'R')) base.erase(0, 1);
  return base.size() == 1 && std::string("ACGTU").find(base) != std::string::npos;
}

double gb_salt_kappa(double salt, double solvent_dielectric, double temperature) {
  const double density = salt * 1e-24 * constants::avogadro;  // ion pairs per nm^3
  const double bjerrum = constants::coulomb / (solvent_dielectric * constants::boltzmann * temperature);
  return 0.73 * std::sqrt(8 * constants::pi * bjerrum * density);
}

GbParameters gb_parameters(const System& system) {
  UPLIFT_EXPECT(system.forces.implicit_solvent.has_value());
  const ImplicitSolventSettings& s = *system.forces.implicit_solvent;
  const Topology& topology = system.topology;
  const std::vector<GbAtom>& atoms = system.force_field.gb;
  const int n = system.size();
  UPLIFT_VALIDATE(system.forces.nonbonded == NonbondedMethod::no_cutoff,
                  "forces.implicit_solvent needs nonbonded: no-cutoff (the solvent is a continuum without end)");
  UPLIFT_VALIDATE(s.solute_dielectric > 0 && s.solvent_dielectric > 0 && std::isfinite(s.solute_dielectric) &&
                      std::isfinite(s.solvent_dielectric),
                  "forces.implicit_solvent: solute_dielectric and solvent_dielectric must be above 0");
  UPLIFT_VALIDATE(s.salt >= 0 && std::isfinite(s.salt), "forces.implicit_solvent: salt must not be negative");
  UPLIFT_VALIDATE(
      static_cast<int>(atoms.size()) == n,
      "forces.implicit_solvent: the topology has no GB radii and screening factors (%FLAG RADII and SCREEN of a prmtop); "
      "make it with a set of radii, for instance 'set default PBRadii mbondi2' in tleap");
  UPLIFT_EXPECT(static_cast<int>(system.force_field.charges.size()) == n);

  GbParameters out;
  const bool neck = s.model == GbModel::gbn || s.model == GbModel::gbn2;
  const double offset = s.model == GbModel::gbn2 ? 0.0195141 : 0.009;  // [nm]
  out.form = s.model == GbModel::hct ? BornRadiusForm::inverse : BornRadiusForm::tanh;
  if (s.salt > 0) out.kappa = gb_salt_kappa(s.salt, s.solvent_dielectric, salt_temperature);
  for (int i = 0; i < n; ++i) {
    const Atom& atom = topology.atoms[at(i)];
    const double radius = atoms[at(i)].radius;
    UPLIFT_VALIDATE(radius > offset && radius < 1, "forces.implicit_solvent: the GB radius of " + describe_atom(topology, i) +
                                                       " is " + std::to_string(10 * radius) + " angstrom (it must be above " +
                                                       std::to_string(10 * offset) +
                                                       " and below 10); give the topology a published set of radii");
    double screen = atoms[at(i)].screen;
    Shape shape{0, 0, 0};
    switch (s.model) {
      case GbModel::hct:
        break;
      case GbModel::obc1:
        shape = {0.8, 0, 2.909125};
        break;
      case GbModel::obc2:
        shape = {1.0, 0.8, 4.85};
        break;
      case GbModel::gbn:
        screen = gbn_screen(atom.element);
        shape = {1.09511284, 1.907992938, 2.50798245};
        break;
      case GbModel::gbn2: {
        const bool nucleic = atom.residue >= 0 && atom.residue < static_cast<int>(topology.residues.size()) &&
                             is_nucleic_residue(topology.residues[at(atom.residue)].name);
        screen = nucleic ? gbn2_nucleic_screen(atom.element) : gbn2_screen(atom.element);
        shape = nucleic ? gbn2_nucleic_shape(atom.element) : gbn2_shape(atom.element);
        break;
      }
    }
    UPLIFT_VALIDATE(std::abs(screen) < 10, "forces.implicit_solvent: the GB screening factor of " + describe_atom(topology, i) +
                                               " is " + std::to_string(screen) +
                                               " (published ones are near 0.8); give the topology a published set of radii");
    out.radius.push_back(radius);
    out.rho.push_back(radius - offset);
    out.scaled.push_back(screen * (radius - offset));
    out.alpha.push_back(shape.alpha);
    out.beta.push_back(shape.beta);
    out.gamma.push_back(shape.gamma);
  }
  if (neck) {
    out.neck_scale = s.model == GbModel::gbn2 ? 0.826836 : 0.361825;
    build_necks(topology, out);
  }
  return out;
}

}  // namespace uplift

#pragma once
// What a generalized Born model needs of every atom, worked out from the topology and the settings. Lengths in nm.
#include <vector>

#include "uplift/model/system.hpp"

namespace uplift {

/// How the Born radius B follows from the integral I [1/nm] over the descreening atoms, psi = rho I:
/// inverse: 1/B = 1/rho - I (Hawkins, Cramer and Truhlar 1996); tanh: 1/B = 1/rho - tanh(alpha psi - beta psi^2 + gamma
/// psi^3)/R (Onufriev, Bashford and Case 2004, eq. 6).
enum class BornRadiusForm { inverse, tanh };

struct GbParameters {
  BornRadiusForm form = BornRadiusForm::tanh;
  std::vector<double> radius;              ///< [atoms] intrinsic radius R [nm]
  std::vector<double> rho;                 ///< [atoms] R less the model's offset [nm]
  std::vector<double> scaled;              ///< [atoms] rho times the screening factor [nm]; negative for sulfur in GBn2
  std::vector<double> alpha, beta, gamma;  ///< [atoms]; zero for the inverse form

  double neck_scale = 0;         ///< weight of the neck integral; 0: the model has none
  std::vector<int> radius_type;  ///< [atoms] number of the atom's radius; empty without neck
  int radius_types = 0;
  std::vector<double> neck_distance;  ///< [types^2] d0 [nm], at own type * radius_types + other's type
  std::vector<double> neck_height;    ///< [types^2] m0 [1/nm]; not symmetric

  double kappa = 0;  ///< inverse screening length of the salt, scaled as GB wants it [1/nm]
};

/// Neck integrals end where the surfaces of two atoms are this far apart [nm] (Mongan et al. 2007).
inline constexpr double gb_neck_cut = 0.68;

/// Parameters of the model in `system.forces.implicit_solvent`, which must be there:
///   hct   Hawkins, Cramer and Truhlar, J. Phys. Chem. 100, 19824 (1996); radii and screening factors of the input
///   obc1, obc2   Onufriev, Bashford and Case, Proteins 55, 383 (2004), models I and II; the same
///   gbn   Mongan, Simmerling, McCammon, Case and Onufriev, J. Chem. Theory Comput. 3, 156 (2007); radii of the input
///   gbn2  Nguyen, Roe and Simmerling, J. Chem. Theory Comput. 9, 2020 (2013), and for nucleic acids Nguyen, Perez, Bermeo and
///         Simmerling, J. Chem. Theory Comput. 11, 3714 (2015); radii of the input
/// Throws InputError, naming the atom, when there are no radii or the model cannot use one, and when a setting makes no sense.
GbParameters gb_parameters(const System& system);

/// Inverse screening length for generalized Born [1/nm] of a monovalent salt [mol/L] in a solvent of that relative permittivity
/// at `temperature` [K]: Debye and Hueckel's from first principles, times 0.73, which stands for the volume that ions cannot
/// enter (Srinivasan, Trevathan, Beroza and Case, Theor. Chem. Acc. 101, 426 (1999)).
double gb_salt_kappa(double salt, double solvent_dielectric, double temperature);

/// Whether GBn2 takes its nucleic-acid parameters for a residue of this name: A C G U T and their R and D forms, with or
/// without a mark of the chain's end (5, 3, N).
bool is_nucleic_residue(const std::string& name);

// The neck tables of Mongan et al. 2007 for radii of 1.00, 1.05 ... 2.00 angstrom, row: the other atom's radius, column: own.
inline constexpr int gb_neck_size = 21;
extern const double gb_neck_distance[gb_neck_size * gb_neck_size];  ///< where the neck integral peaks [angstrom]
extern const double gb_neck_height[gb_neck_size * gb_neck_size];    ///< its value there [1/angstrom]

}  // namespace uplift

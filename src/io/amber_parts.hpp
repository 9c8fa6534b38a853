#pragma once
// The parts of the prmtop reader: each turns some sections into some members of AmberTopology. Called in this order by
// read_prmtop.
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

#include "amber_sections.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/io/amber.hpp"

namespace uplift::amber {

inline constexpr double kj_per_kcal = constants::kilojoule_per_kilocalorie;
inline constexpr double nm_per_angstrom = constants::nm_per_angstrom;
/// Amber's bonds are E = K (r - r0)^2 with K in kcal/mol/A^2; ours E = k/2 (r - r0)^2 in kJ/mol/nm^2.
inline constexpr double bond_constant = 2 * kj_per_kcal / (nm_per_angstrom * nm_per_angstrom);
/// The same for angles and harmonic impropers: K (theta - theta0)^2 in kcal/mol/rad^2.
inline constexpr double angle_constant = 2 * kj_per_kcal;
inline constexpr double c6_constant = kj_per_kcal * 1e-6;    ///< kcal A^6/mol to kJ nm^6/mol
inline constexpr double c12_constant = kj_per_kcal * 1e-12;  ///< kcal A^12/mol to kJ nm^12/mol
/// CHAMBER multiplies charges by the square root of CHARMM's Coulomb constant instead of by amber_charge_factor.
inline const double chamber_charge_factor = std::sqrt(constants::charmm_coulomb);
/// Between the lone pairs of TIP5P: Mahoney and Jorgensen, J. Chem. Phys. 112, 8910 (2000), table I.
inline constexpr double tip5p_lone_pair_angle = 109.47 * constants::radians_per_degree;
/// Of H-H to O-H: a water that is all but straight has no plane to put sites on.
inline constexpr double straightest_water = 1.999;

/// The numbers of section POINTERS that are used, in its own names.
struct Pointers {
  int natom, ntypes, nbonh, ntheth, nphih, nnb, nres, nbona, ntheta, nphia, numbnd, numang, nptra, nphb, ifbox;
};

/// Refuses what the engine cannot do, checks the counts for being possible at all.
Pointers read_pointers(const Sections& sections);
/// LJ table by type pair, charges.
void read_nonbonded(const Sections& sections, const Pointers& pointers, AmberTopology& out);
/// Names, types, masses, residues; elements where the file has them, else 0.
void read_atoms(const Sections& sections, const Pointers& pointers, AmberTopology& out);
/// Every prmtop bond, those to virtual sites too (they hold the water's geometry).
std::vector<HarmonicBond> read_bonds(const Sections& sections, const Pointers& pointers, const Topology& topology);
/// Elements the file leaves open, from masses, names and bonds; hydrogen masses may be repartitioned.
void find_elements(const std::vector<HarmonicBond>& bonds, Topology& topology);
/// Chemical bonds, force-field bonds, virtual sites of water and their exclusions.
void place_bonds(const Sections& sections, const std::vector<HarmonicBond>& bonds, AmberTopology& out);
/// Angles and periodic dihedrals; 1-4 pairs.
void read_angles(const Sections& sections, const Pointers& pointers, AmberTopology& out);
void read_dihedrals(const Sections& sections, const Pointers& pointers, AmberTopology& out);
/// CMAP; for CHAMBER also Urey-Bradley terms and harmonic impropers.
void read_cmaps(const Sections& sections, AmberTopology& out);
void read_charmm_terms(const Sections& sections, AmberTopology& out);
void read_exclusions(const Sections& sections, const Pointers& pointers, AmberTopology& out);
void read_gb(const Sections& sections, AmberTopology& out);
void read_box(const Sections& sections, const Pointers& pointers, AmberTopology& out);

/// Atom number of an entry of a bond, angle or dihedral list (three times the index); throws when it is none.
int atom_of_entry(const Sections& sections, const std::string& flag, int entry, const Topology& topology);
/// The same for lists that hold atom numbers from 1.
int atom_of_number(const Sections& sections, const std::string& flag, int number, const Topology& topology);
/// Index from 0 of a 1-based parameter number, checked.
std::size_t type_of_entry(const Sections& sections, const std::string& flag, int entry, std::size_t count);
/// Throws when an atom comes up twice in one term.
void check_distinct(const Sections& sections, const std::string& flag, std::initializer_list<int> atoms,
                    const Topology& topology);
bool is_virtual(const Topology& topology, int atom);

}  // namespace uplift::amber

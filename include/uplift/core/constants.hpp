#pragma once
// Physical constants, all in one place. Units: nm, ps, Da, e, K, kJ/mol. CODATA 2018 (exact since the 2019 SI where so marked).
namespace uplift::constants {

inline constexpr double pi = 3.14159265358979323846;
inline constexpr double radians_per_degree = pi / 180, degrees_per_radian = 180 / pi;
inline constexpr double avogadro = 6.02214076e23;                    ///< [1/mol], exact
inline constexpr double boltzmann = 1.380649e-23 * avogadro / 1000;  ///< molar gas constant [kJ/mol/K], exact
/// 1/(4 pi eps0) [kJ nm/mol/e^2], CODATA 2018 (eps0 = 8.8541878128e-12 F/m, e = 1.602176634e-19 C).
inline constexpr double coulomb = 138.93545764438198;
inline constexpr double kilojoule_per_kilocalorie = 4.184;  ///< thermochemical calorie, exact by definition
inline constexpr double nm_per_angstrom = 0.1;
/// Pressure of 1 kJ/mol/nm^3 [bar].
inline constexpr double bar_per_kj_mol_nm3 = 1e25 / avogadro;  // 16.6053906717 bar
/// Amber velocity unit (Angstrom per 1/20.455 ps) [nm/ps]: prmtop restart files store velocities in it.
inline constexpr double nm_ps_per_amber_velocity = 0.1 * 20.455;
/// Time unit of CHARMM (AKMA), in which DCD files give their time step: sqrt(amu A^2 / (kcal/mol)) [ps].
inline constexpr double ps_per_akma_time = 0.04888821290839616;  // sqrt(0.01 / 4.184)
/// Charges in a prmtop are multiplied by this (Amber's sqrt of its Coulomb constant in kcal A/mol/e^2).
inline constexpr double amber_charge_factor = 18.2223;
/// CHARMM's 1/(4 pi eps0) [kcal A/mol/e^2], its CCELEC, whose root CHAMBER multiplies charges by and names in its files:
/// Crowley, Williamson and Walker, Int. J. Quantum Chem. 109, 3767 (2009).
inline constexpr double charmm_coulomb = 332.0716;

}  // namespace uplift::constants

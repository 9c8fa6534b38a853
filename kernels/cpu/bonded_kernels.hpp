#pragma once
// SIMD kernels of the bonded terms. Each takes a list of terms of one kind and a range of it, and writes the force of every
// term on each of its atoms to a place of its own; who adds them up per atom does not depend on instruction set or number of
// threads.
#include "cpu/cpu_isa.hpp"
#include "physics/bonded/nearest_image.hpp"

namespace uplift::cpu {

inline constexpr int bonded_pad = 16;  ///< lists are padded to a multiple of this (copies of the last term with zero strength)

/// A list of `padded` terms. Arrays are SoA: parameter p of term t is at parameters[p * padded + t], and the force on its atom
/// a goes to force_{x,y,z}[a * padded + t]. `Real` is the type of the forces; `Work` that of the parameters: stiff terms
/// (bonds, Urey-Bradley, angles), whose forces are small differences times large constants, and CMAP work in double in both
/// precisions.
template <class Real, class Work>
struct BondedList {
  const int* atoms[5];  ///< [padded] three times the atom number
  const Work* parameters;
  const double* table;     ///< CMAP coefficients of all maps
  const int* table_start;  ///< [padded] where a term's map starts
  int order;               ///< dihedrals: the highest multiple of the angle in this list
  int padded;
  Real *force_x, *force_y, *force_z;
};

/// What one call works on and adds to.
struct BondedTask {
  const double* x;  ///< [3 * atoms] nm
  physics::ImageCell cell;
  int first, last;  ///< range of terms, multiples of bonded_pad
  bool energies, virial;
  double energy[2];      ///< added to when asked; the second is the Coulomb energy of 1-4 pairs [kJ/mol]
  double virial_sum[9];  ///< added to when asked: sum of r (x) f [kJ/mol]
};

template <class Real>
struct BondedKernelSet {
  void (*bond)(const BondedList<Real, double>&, BondedTask&);    ///< 2 atoms: r0, k
  void (*angle)(const BondedList<Real, double>&, BondedTask&);   ///< 3 atoms: theta0, k
  void (*dihedral)(const BondedList<Real, Real>&, BondedTask&);  ///< 4 atoms: constant, then a_n, b_n for n = 1 ... order
  void (*improper)(const BondedList<Real, Real>&, BondedTask&);  ///< 4 atoms: cos phi0, sin phi0, k
  void (*cmap)(const BondedList<Real, double>&, BondedTask&);    ///< 5 atoms: resolution, strength (0 for padding)
  void (*pair14)(const BondedList<Real, Real>&, BondedTask&);    ///< 2 atoms: qq, c6, c12
};

struct BondedKernels {
  BondedKernelSet<float> mixed;
  BondedKernelSet<double> double_;
};

}  // namespace uplift::cpu

UPLIFT_DECLARE_KERNELS(BondedKernels, bonded_kernels)

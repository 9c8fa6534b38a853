#pragma once
// Bonded interactions as rows of atoms and numbers, one list a kind: what every backend packs for its kernels.
#include <array>
#include <vector>

#include "uplift/model/bias.hpp"
#include "uplift/model/energies.hpp"
#include "uplift/model/force_field.hpp"

namespace uplift {

enum class BondedKind { bond, angle, dihedral, improper, cmap, pair14 };

struct BondedRow {
  std::array<int, 5> atoms{};  ///< those that the kind has, then zeros
  std::vector<double> parameters;
  int table_start = 0;  ///< of a CMAP: where its map starts in BondedRows::table
};

/// Parameters by kind (units as in ForceField):
///   bond      r0, k (Urey-Bradley terms too)        angle     theta0, k
///   dihedral  constant, then a_n and b_n for n = 1 ... order: all terms on four atoms as one Fourier series
///   improper  cos phi0, sin phi0, k                 cmap      resolution, strength (1)
///   pair14    K q q [kJ nm/mol], c6, c12
struct BondedRows {
  BondedKind kind;
  EnergyTerm first, second;  ///< what the energy counts as; `second` is the Coulomb part of 1-4 pairs, else the first again
  int atoms_per_row, parameters_per_row;
  int first_strength;           ///< parameters from here on scale the energy: zero makes a row without effect
  int order;                    ///< of a dihedral's series
  std::vector<BondedRow> rows;  ///< by atoms
};

/// Every list that is not empty, in a fixed order.
std::vector<BondedRows> bonded_rows(const ForceField& force_field);
/// Those among them that are in the group, or with `inside` false those that are not.
std::vector<BondedRows> bonded_rows(const ForceField& force_field, TorsionGroup group, bool inside);
/// Bicubic coefficients of all CMAP grids, 16 a cell (cmap_coefficients), one grid after the other.
std::vector<double> cmap_table(const ForceField& force_field);

}  // namespace uplift

#pragma once
#include <string>
#include <vector>

#include "uplift/model/system.hpp"

namespace uplift {

/// Atoms, ascending, that an expression selects: all, protein, backbone, protein-heavy, heavy, water, `name CA CB`, `resname
/// ALA`, `resid 1-20 25`, combined with not, and, or and parentheses. Throws InputError naming the column of what it cannot
/// read.
std::vector<int> select_atoms(const Topology& topology, const std::string& expression);
/// Parts of an expression that ask for names, residues or chains which no atom has, as they are written: "resname LIH". In an
/// `or`, or behind `not`, they change what is selected and leave it not empty. Throws as select_atoms().
std::vector<std::string> absent_from(const Topology& topology, const std::string& expression);

/// Restrains atoms to `reference` [atoms] nm in `box`, its molecules whole. An atom that is restrained already gets the sum of
/// the constants, and this reference.
void restrain(System& system, const std::vector<RestrainedAtom>& atoms, const std::vector<Vec3d>& reference, const Box& box);

/// Restrains the selected atoms to `reference` [atoms] nm in `box`, its molecules whole. Throws InputError when nothing is
/// selected.
void apply_restraints(System& system, const RestraintSettings& settings, const std::vector<Vec3d>& reference, const Box& box);

}  // namespace uplift

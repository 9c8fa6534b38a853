#pragma once
// topology.pdb: the sidecar from which MDAnalysis, mdtraj and VMD take names and bonds.
#include <span>
#include <string>
#include <vector>

#include "uplift/core/box.hpp"
#include "uplift/model/system.hpp"

namespace uplift {

/// PDB text (format 3.3) of the chosen atoms (`atoms` ascending; empty: all) with positions [all atoms] nm. CRYST1 for a
/// periodic box; TER after each molecule of more than one residue; serial and residue numbers wrap (99999 -> 0, 9999 -> 0),
/// which every reader takes; all bonds as CONECT as long as serial numbers are unique. Virtual sites are atoms with an empty
/// element.
std::string pdb_text(const System& system, const Box& box, std::span<const Vec3d> x, const std::vector<int>& atoms = {});
/// Its parts: CRYST1; ATOM, HETATM and TER; CONECT.
std::string pdb_cell(const Box& box);
std::string pdb_atoms(const System& system, std::span<const Vec3d> x, const std::vector<int>& atoms = {});
std::string pdb_bonds(const System& system, const std::vector<int>& atoms = {});
/// The same into a file. Throws SimulationError when it cannot be written.
void write_topology_pdb(const std::string& path, const System& system, const Box& box, std::span<const Vec3d> x,
                        const std::vector<int>& atoms = {});

}  // namespace uplift

#pragma once
// Force fields as XML in OpenMM's format, and what they make of a structure.
#include <string>
#include <vector>

#include "uplift/io/structure.hpp"
#include "uplift/model/force_field.hpp"
#include "uplift/model/topology.hpp"

namespace uplift {

struct Parametrized {
  Topology topology;  ///< of the structure, with types and masses of the force field
  ForceField force_field;
  std::vector<std::string> notes;  ///< choices that were made, for the log
};

/// The parameters of `structure` in the force field that the files make together (format: OpenMM user guide, "Writing your own
/// force fields"). Residues are matched to templates by elements and bonds, not by names; residues that match none are tried
/// with patches. Known elements: AtomTypes, Residues, Patches, Include, HarmonicBondForce, HarmonicAngleForce,
/// AmoebaUreyBradleyForce, PeriodicTorsionForce, RBTorsionForce, CustomTorsionForce (harmonic), CMAPTorsionForce,
/// NonbondedForce, LennardJonesForce, GBSAOBCForce, and uplift's own GBRadii. Anything else that would change forces is refused
/// by name. Throws InputError
/// ("file:line: what, why, cure").
Parametrized apply_forcefield(const Structure& structure, const std::vector<std::string>& files);

/// The file that a name stands for: a path that exists (relative ones from `folder`), else NAME or NAME.xml in a folder of the
/// environment variable UPLIFT_FORCEFIELDS (a list with colons), else in forcefields/ of share/uplift (core/resources.hpp).
/// Throws InputError, with the names that there are.
std::string find_forcefield(const std::string& name, const std::string& folder);
/// The names that find_forcefield knows without a path, sorted.
std::vector<std::string> shipped_forcefields();

}  // namespace uplift

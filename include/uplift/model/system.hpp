#pragma once
// A System is what is simulated: topology, parameters and the settings of the forces, with constraints and masses worked out.
#include <vector>

#include "uplift/core/box.hpp"
#include "uplift/model/bias.hpp"
#include "uplift/model/force_field.hpp"
#include "uplift/model/settings.hpp"
#include "uplift/model/topology.hpp"

namespace uplift {

struct Constraint {
  int i, j;
  double length;  ///< [nm]
};
struct RigidWater {  ///< solved by SETTLE
  int oxygen, hydrogen1, hydrogen2;
  double oh, hh;  ///< [nm]
};
/// E = k/2 |x - x0|^2, nearest image. When the box changes, x0 moves as the centre of its molecule does.
struct PositionRestraint {
  int atom;
  Vec3d reference;  ///< x0 in System::reference_box [nm]
  double k;         ///< [kJ/mol/nm^2]
  Vec3d centre;     ///< of mass of its molecule, in the reference configuration [nm]
};

struct System {
  Topology topology;
  ForceField force_field;
  ForceSettings forces;
  std::vector<double> masses;           ///< effective masses [Da]; 0 for virtual sites
  std::vector<Constraint> constraints;  ///< all but those of rigid water
  std::vector<RigidWater> rigid_waters;
  std::vector<PositionRestraint> position_restraints;
  Box reference_box;  ///< of the restraints' references
  Molecules molecules;
  TorsionGroup torsions_apart = TorsionGroup::none;  ///< those of ForceGroup::torsions, not in ForceGroup::bonded
  bool remove_com = false;                           ///< centre-of-mass motion is removed: three degrees of freedom fewer

  int size() const { return topology.size(); }
};

/// Works out constraints, rigid water, molecules and masses; constrained bonds and the bonds and angles inside rigid water
/// leave the force field (their energy is constant). Throws InputError when a setting does not fit the system.
System make_system(Topology topology, ForceField force_field, const ForceSettings& forces);

/// Degrees of freedom: 3 per atom with mass, less constraints (three per rigid water), less 3 when centre-of-mass motion is
/// removed.
int degrees_of_freedom(const System& system);

/// Virtual sites from their parents, in place. `x` is [atoms].
void place_virtual_sites(const ForceField& force_field, std::vector<Vec3d>& x);

/// Checks that need both system and state: box there when the method needs one, cutoff within half the smallest width, finite
/// coordinates, no two atoms at one place. Throws InputError naming the atoms.
void validate_geometry(const System& system, const Box& box, const std::vector<Vec3d>& x);

}  // namespace uplift

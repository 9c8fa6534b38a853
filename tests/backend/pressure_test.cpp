// The pressure of real systems is minus the derivative of the energy by the volume, molecules moving by their centres.
#include "uplift/engine/pressure.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "uplift/backend/cpu/cpu_backend.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/engine/integrator.hpp"
#include "uplift/engine/simulation.hpp"
#include "uplift/io/amber.hpp"
#include "uplift/model/selection.hpp"

namespace uplift {
namespace {

class Pressure : public ::testing::TestWithParam<const char*> {};

TEST_P(Pressure, IsTheSlopeOfTheEnergyAlongEveryEdge) {
  const std::string folder = std::string(UPLIFT_SOURCE_DIR) + "/inputs/" + GetParam();
  AmberTopology amber = read_prmtop(folder + "/system.prmtop.gz");
  const Coordinates coordinates = read_amber_coordinates(folder + "/system.inpcrd.gz");
  State s;
  s.x = coordinates.x;
  s.v.assign(s.x.size(), Vec3d{0, 0, 0});
  s.box = *choose_box(amber, coordinates);
  ForceSettings settings;
  settings.switch_distance = 0.75;  // a sharp cutoff makes the energy jump where there is no force
  settings.pme.tolerance = 1e-7;
  System system = make_system(std::move(amber.topology), std::move(amber.force_field), settings);
  make_molecules_whole(system, s);
  place_virtual_sites(system.force_field, s.x);
  if (std::string(GetParam()) == "alanine-dipeptide-tip3p") {  // held, and off the places where it is held
    apply_restraints(system, {.selection = "protein", .k = 2000}, s.x, s.box);
    for (PositionRestraint& r : system.position_restraints) r.reference += Vec3d{0.1, -0.2, 0.05 * (r.atom % 3)};
  }
  const auto backend = cpu::make_cpu_backend(system, s.box, {Precision::double_, 2, 1e-8});
  const auto energies_at = [&](const Vec3d& factor) {
    backend->upload(s);
    const Stage stages[] = {ScaleBox{factor, false}, ComputeForces{}};
    backend->run(stages, ForcePlan{.energies = true, .virial = true}, 0);
    return backend->energies();
  };
  const Energies here = energies_at({1, 1, 1});
  std::vector<Vec3d> forces;
  backend->download_forces(forces);
  const Vec3d p = pressure_in(s.box, molecular_pressure_volume(system, s, forces, here));
  const double per_bar = s.box.volume() / constants::bar_per_kj_mol_nm3, h = 5e-5;
  const double found[3] = {p.x, p.y, p.z};
  for (int axis = 0; axis < 3; ++axis) {
    const auto along = [&](double e) {
      return energies_at({axis == 0 ? 1 + e : 1, axis == 1 ? 1 + e : 1, axis == 2 ? 1 + e : 1}).potential();
    };
    const double slope = -(along(h) - along(-h)) / (2 * h) / per_bar;
    // What is left is the PME error of the energy, 1e-7 of a pair at the cutoff, of as many pairs as cross it: about half a bar
    // here. A term that the virial lacked would be tens to thousands.
    const double tolerance = 1.5;
    EXPECT_NEAR(found[axis], slope, tolerance) << "axis " << axis;
  }
}

INSTANTIATE_TEST_SUITE_P(Systems, Pressure, ::testing::Values("water-tip3p", "alanine-dipeptide-tip3p"));

}  // namespace
}  // namespace uplift

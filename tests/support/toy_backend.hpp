#pragma once
// A backend whose forces are a function given by the test; everything else is the CPU's own integration.
#include <array>
#include <functional>
#include <string>
#include <vector>

#include "uplift/backend/backend.hpp"
#include "uplift/backend/cpu/integration.hpp"

namespace uplift::test {

/// Fills `f` (zeros on entry) and returns the potential energy [kJ/mol].
using ForceFunction = std::function<double(std::span<const Vec3d> x, std::vector<Vec3d>& f)>;

class ToyBackend final : public Backend {
 public:
  ToyBackend(const System& system, ForceFunction force, int threads = 1, double tolerance = 1e-6);

  std::string name() const override { return "toy"; }
  std::string description() const override { return "forces of a test"; }
  void upload(const State& state) override;
  void download(State& state) const override { integration_.download(state); }
  Box box() const override { return integration_.box(); }
  void download_forces(std::vector<Vec3d>& f) const override;
  void run(std::span<const Stage> stages, const ForcePlan& plan, std::int64_t step) override;
  Energies energies() const override { return energies_; }
  double kinetic_energy() const override { return integration_.kinetic_energy(); }
  WorstForce worst_force() const override;
  PmeParameters pme() const override { return {}; }
  std::vector<PhaseTime> phases() const override { return integration_.phases(); }

  ForceFunction slow_force;  ///< of the group pme_reciprocal; the other one is of all other groups
  int force_calls = 0, slow_calls = 0, energy_calls = 0, virial_calls = 0;
  std::vector<std::int64_t> com_removals;  ///< steps

 private:
  cpu::Threads threads_;
  ForceFunction force_;
  cpu::CpuIntegration integration_;
  cpu::CpuIntegration::Levels levels_;
  std::array<double, most_force_levels> level_energy_{};
  Energies energies_;
};

/// n free atoms of one mass in no box.
System free_atoms(int n, double mass);
/// Adds a molecule of `masses` (elements from the masses: 1 is hydrogen) with bonds (i, j, length) to what is there.
void add_molecule(Topology& topology, ForceField& force_field, const std::string& residue, const std::vector<int>& elements,
                  const std::vector<double>& masses, const std::vector<std::array<double, 3>>& bonds);
/// TIP3P water: O-H 0.09572 nm, H-H 0.15139 nm, as three bonds.
void add_water(Topology& topology, ForceField& force_field);
/// Everything that a force field needs beside its bonds: no charges, one Lennard-Jones type, bonds sorted.
void finish(Topology& topology, ForceField& force_field);

}  // namespace uplift::test

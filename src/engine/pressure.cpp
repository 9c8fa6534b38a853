#include "uplift/engine/pressure.hpp"

#include "uplift/core/constants.hpp"

namespace uplift {
namespace {

Vec3d product(const Vec3d& a, const Vec3d& b) { return {a.x * b.x, a.y * b.y, a.z * b.z}; }

}  // namespace

Vec3d molecular_pressure_volume(const System& system, const State& state, std::span<const Vec3d> forces,
                                const Energies& energies) {
  const auto n = static_cast<std::size_t>(system.molecules.count), atoms = state.x.size();
  std::vector<Vec3d> centre(n, {0, 0, 0}), momentum(n, {0, 0, 0});
  std::vector<double> mass(n, 0.0);
  const auto molecule = [&](std::size_t i) { return static_cast<std::size_t>(system.molecules.molecule_of[i]); };
  for (std::size_t i = 0; i < atoms; ++i) {
    const std::size_t m = molecule(i);
    centre[m] += system.masses[i] * state.x[i];
    momentum[m] += system.masses[i] * state.v[i];
    mass[m] += system.masses[i];
  }
  Vec3d sum{energies.virial[0], energies.virial[4], energies.virial[8]};
  for (std::size_t m = 0; m < n; ++m)
    if (mass[m] > 0) {
      sum += (1 / mass[m]) * product(momentum[m], momentum[m]);
      centre[m] = (1 / mass[m]) * centre[m];
    }
  for (std::size_t i = 0; i < atoms; ++i) sum -= product(state.x[i] - centre[molecule(i)], forces[i]);
  return sum;
}

Vec3d pressure_in(const Box& box, const Vec3d& pressure_volume) {
  return (constants::bar_per_kj_mol_nm3 / box.volume()) * pressure_volume;
}

}  // namespace uplift

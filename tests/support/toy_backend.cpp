#include "support/toy_backend.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace uplift::test {

ToyBackend::ToyBackend(const System& system, ForceFunction force, int threads, double tolerance)
    : threads_(threads), force_(std::move(force)), integration_(system, tolerance, threads_) {}

void ToyBackend::upload(const State& state) {
  integration_.upload(state);
  levels_ = {};
  level_energy_.fill(0);
}

void ToyBackend::download_forces(std::vector<Vec3d>& f) const {
  f.assign(integration_.positions().size(), Vec3d{0, 0, 0});
  for (const cpu::ForceSums& level : levels_.sums)
    for (std::size_t i = 0; i < level.force.size() / 3; ++i)
      f[i] += Vec3d{from_fixed(level.force[3 * i]), from_fixed(level.force[3 * i + 1]), from_fixed(level.force[3 * i + 2])};
}

void ToyBackend::run(std::span<const Stage> stages, const ForcePlan& plan, std::int64_t step) {
  for (const Stage& stage : stages) {
    if (std::holds_alternative<RemoveComMotion>(stage)) com_removals.push_back(step);
    const auto* compute = std::get_if<ComputeForces>(&stage);
    if (!compute) {
      integration_.run(stage, levels_, step);
      continue;
    }
    const auto level = static_cast<std::size_t>(compute->level);
    cpu::ForceSums& sums = levels_.sums[level];
    std::vector<Vec3d> f(integration_.positions().size(), Vec3d{0, 0, 0});
    sums.force.resize(3 * f.size());
    sums.clear();
    const bool slow = slow_force && has(compute->groups, ForceGroup::pme_reciprocal),
               fast = has(compute->groups, ForceGroup::bonded);
    level_energy_[level] =
        (fast ? force_(integration_.positions(), f) : 0) + (slow ? slow_force(integration_.positions(), f) : 0);
    double virial[9] = {};
    for (std::size_t i = 0; i < f.size(); ++i) {
      const double r[3] = {integration_.positions()[i].x, integration_.positions()[i].y, integration_.positions()[i].z};
      const double g[3] = {f[i].x, f[i].y, f[i].z};
      for (std::size_t k = 0; k < 3; ++k) {
        sums.force[3 * i + k] = fixed_force(g[k]);
        for (std::size_t l = 0; l < 3; ++l) virial[3 * l + k] += r[l] * g[k];
      }
    }
    for (std::size_t k = 0; k < 9; ++k) sums.virial[k] = fixed_energy(virial[k]);
    integration_.spread_virtual_site_forces(sums);
    force_calls += fast;
    slow_calls += slow;
    const bool energies = plan.energies && compute->last, virials = plan.virial && compute->last;
    energy_calls += energies;
    virial_calls += virials;
    if (energies) energies_[EnergyTerm::bond] = std::accumulate(level_energy_.begin(), level_energy_.end(), 0.0);
    if (virials)
      for (std::size_t k = 0; k < 9; ++k) {
        energies_.virial[k] = 0;
        for (const cpu::ForceSums& l : levels_.sums) energies_.virial[k] += from_fixed(l.virial[k]);
      }
  }
}

Backend::WorstForce ToyBackend::worst_force() const {
  WorstForce worst;
  std::vector<Vec3d> f;
  download_forces(f);
  for (std::size_t i = 0; i < f.size(); ++i)
    if (worst.atom < 0 || std::sqrt(dot(f[i], f[i])) > worst.magnitude)
      worst = {static_cast<int>(i), std::sqrt(dot(f[i], f[i]))};
  return worst;
}

void add_molecule(Topology& topology, ForceField& force_field, const std::string& residue, const std::vector<int>& elements,
                  const std::vector<double>& masses, const std::vector<std::array<double, 3>>& bonds) {
  const int first = topology.size();
  Residue r;
  r.name = residue;
  r.number = static_cast<int>(topology.residues.size()) + 1;
  r.first_atom = first;
  r.atom_count = static_cast<int>(elements.size());
  for (std::size_t i = 0; i < elements.size(); ++i) {
    Atom a;
    a.name = element_symbol(elements[i]) + std::to_string(i + 1);
    a.type = "X";
    a.element = elements[i];
    a.mass = masses[i];
    a.residue = static_cast<int>(topology.residues.size());
    topology.atoms.push_back(a);
  }
  topology.residues.push_back(r);
  for (const auto& b : bonds) {
    const int i = first + static_cast<int>(b[0]), j = first + static_cast<int>(b[1]);
    force_field.bonds.push_back({i, j, b[2], 200000});
    const bool both_hydrogen =
        topology.atoms[static_cast<std::size_t>(i)].element == 1 && topology.atoms[static_cast<std::size_t>(j)].element == 1;
    if (!both_hydrogen && masses[static_cast<std::size_t>(b[0])] > 0 && masses[static_cast<std::size_t>(b[1])] > 0)
      topology.bonds.push_back({std::min(i, j), std::max(i, j)});
  }
}

void add_water(Topology& topology, ForceField& force_field) {
  add_molecule(topology, force_field, "WAT", {8, 1, 1}, {15.9994, 1.008, 1.008},
               {{0, 1, 0.09572}, {0, 2, 0.09572}, {1, 2, 0.15139}});
}

void finish(Topology& topology, ForceField& force_field) {
  std::sort(topology.bonds.begin(), topology.bonds.end(),
            [](const Bond& a, const Bond& b) { return a.i != b.i ? a.i < b.i : a.j < b.j; });
  force_field.charges.assign(topology.atoms.size(), 0);
  force_field.lj_type.assign(topology.atoms.size(), 0);
  force_field.lj_types = 1;
  force_field.lj_c6 = {0};
  force_field.lj_c12 = {0};
}

System free_atoms(int n, double mass) {
  Topology t;
  ForceField ff;
  for (int i = 0; i < n; ++i) add_molecule(t, ff, "AR", {18}, {mass}, {});
  finish(t, ff);
  ForceSettings settings;
  settings.nonbonded = NonbondedMethod::no_cutoff;
  return make_system(std::move(t), std::move(ff), settings);
}

}  // namespace uplift::test

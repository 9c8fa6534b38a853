#include "uplift/engine/barostat.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/snapshot.hpp"
#include "physics/integrate/cell_rescaling.hpp"
#include "physics/integrate/volume_move.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/random.hpp"

namespace uplift {
namespace {

constexpr double first_size = 0.01;  // of the volume
constexpr double largest_size = 0.3;
constexpr int window = 10;       // trials after which their size is looked at
constexpr double settling = 10;  // windows in which the size may change much
constexpr int few_at_wall = 10;  // trials that a cutoff forbids, and their share
constexpr double often_at_wall = 0.01;
constexpr double largest_strain = 1;  // in one change; some thousandths are usual

}  // namespace

Barostat::Barostat(const System& system, const PressureSettings& settings, const DynamicsSettings& dynamics,
                   const std::vector<double>& memory)
    : system_(system),
      settings_(settings),
      seed_(dynamics.seed),
      timestep_(dynamics.timestep),
      target_(settings.pressure / constants::bar_per_kj_mol_nm3),
      noise_rate_(dynamics.integrator == IntegratorKind::langevin ? 2 * dynamics.friction : 0),
      com_removal_every_(dynamics.com_removal_every) {
  switch (settings.coupling) {
    case PressureCoupling::isotropic:
      groups_ = {{true, true, true}};
      break;
    case PressureCoupling::semi_isotropic:
      groups_ = {{true, true, false}, {false, false, true}};
      break;
    case PressureCoupling::anisotropic:
      groups_ = {{true, false, false}, {false, true, false}, {false, false, true}};
      break;
  }
  if (memory.size() != 4 * groups_.size()) return;  // of other settings
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    groups_[g].size = memory[4 * g];
    groups_[g].tried = static_cast<int>(memory[4 * g + 1]);
    groups_[g].taken = static_cast<int>(memory[4 * g + 2]);
    groups_[g].windows = static_cast<int>(memory[4 * g + 3]);
  }
}

std::vector<double> Barostat::memory() const {
  std::vector<double> all;
  for (const Group& g : groups_)
    all.insert(all.end(), {g.size, static_cast<double>(g.tried), static_cast<double>(g.taken), static_cast<double>(g.windows)});
  return all;
}

Vec3d Barostat::Group::factors(double strain) const {
  const double factor = std::exp(strain / edges());
  return {x ? factor : 1, y ? factor : 1, z ? factor : 1};
}

bool Barostat::too_small(const Box& box) const {
  const Vec3d w = box.widths();
  return 2 * system_.forces.cutoff > std::min({w.x, w.y, w.z});
}

void Barostat::act(Backend& backend, std::span<const Stage> forces, double temperature, std::int64_t step, bool wanted) {
  if (settings_.barostat == BarostatKind::monte_carlo)
    try_move(backend, forces, temperature, step, wanted);
  else
    rescale(backend, forces, temperature, step, wanted);
}

void Barostat::try_move(Backend& backend, std::span<const Stage> forces, double temperature, std::int64_t step, bool wanted) {
  const auto draw = [&](int index) { return uniform(seed_, NoisePurpose::barostat, step, index); };
  const auto count = static_cast<double>(groups_.size());
  Group& group = groups_[std::min(groups_.size() - 1, static_cast<std::size_t>(draw(0) * count))];
  const Box box = backend.box();
  const double volume = box.volume();
  if (group.size == 0) group.size = first_size * volume;
  const double next = volume + group.size * (2 * draw(1) - 1);
  ++group.tried;
  ++attempted_;

  bool taken = false;
  if (next > 0) {
    const double before = backend.energies().boosted_potential();
    const Stage move[] = {SaveConfiguration{}, ScaleBox{group.factors(std::log(next / volume)), false}};
    backend.run(move, {}, step);
    double ratio = -1;
    if (too_small(backend.box())) {
      // Now and then is chance. As often as this, the box stands at a wall that is no part of the ensemble.
      if (++at_wall_ >= few_at_wall && static_cast<double>(at_wall_) > often_at_wall * static_cast<double>(attempted_))
        stop(fmt::format(
                 "the box wants to shrink below twice the cutoff: {} of {} trial volumes would have, which would leave the "
                 "density too low",
                 at_wall_, attempted_),
             "take a larger box, or a smaller cutoff", step);
    } else {
      backend.run(forces, ForcePlan{.energies = true, .virial = wanted}, step);
      const double change = backend.energies().boosted_potential() - before, kt = constants::boltzmann * temperature;
      ratio = physics::volume_move_log_ratio<double>(change, target_, volume, next, system_.molecules.count, kt);
      taken = ratio >= 0 || draw(2) < std::exp(ratio);
      if (taken) {
        const Stage count_work[] = {AddHeat{change}};
        backend.run(count_work, {}, step);
      }
    }
    if (!taken) {
      const Stage back[] = {RestoreConfiguration{}};
      backend.run(back, {}, step);
      if (!backend.forces_restored()) backend.run(forces, ForcePlan{.energies = wanted, .virial = wanted}, step);
    }
  }
  group.taken += taken;
  accepted_ += taken;
  if (group.tried < window) return;
  // Towards a rate of one half, by less and less (Robbins and Monro, Ann. Math. Stat. 22, 400 (1951)): a size that went on
  // following the volume would bias it. So it is no more than not made larger where the volume is small: cut back to that as
  // well, it stayed so, and the volume of few molecules with it.
  ++group.windows;
  const double rate = static_cast<double>(group.taken) / group.tried;
  const double wanted_size = group.size * std::exp((rate - 0.5) * settling / (settling + group.windows));
  group.size = std::min(wanted_size, std::max(group.size, largest_size * volume));
  group.tried = group.taken = 0;
}

void Barostat::stop(const std::string& what, const std::string& cure, std::int64_t step) const {
  throw SimulationError(fmt::format("{}, at step {} (forces.cutoff: {:g} nm); {}", what, step, system_.forces.cutoff, cure));
}

/// Share of kT that the centre of mass lacks along each direction, its motion being removed now and then. The volume has it for
/// a degree of freedom all the same: V^N is that of N molecules, and without the centre's part of the pressure it would be
/// V^(N-1).
double Barostat::missing_motion(std::int64_t step) const {
  if (!system_.remove_com || com_removal_every_ == 0) return 0;
  return std::exp(-noise_rate_ * timestep_ * static_cast<double>(step % com_removal_every_));
}

void Barostat::rescale(Backend& backend, std::span<const Stage> forces, double temperature, std::int64_t step, bool wanted) {
  const auto snapshot = take_snapshot(system_, backend, {.positions = false, .energies = true}, step);
  const SnapshotContents& now = snapshot->get();
  if (!now.failure.empty()) throw SimulationError(now.failure);
  const double before = now.energies->energies.boosted_potential() + now.kinetic;
  const double kt = constants::boltzmann * temperature, volume = now.box.volume();
  const double missing = missing_motion(step) * kt;
  const Vec3d pressure = (1 / volume) * (now.energies->pressure_volume + Vec3d{missing, missing, missing});
  Vec3d scale{1, 1, 1};
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    const double along = (group.x * pressure.x + group.y * pressure.y + group.z * pressure.z) / group.edges();
    const double noise = gaussian3(seed_, NoisePurpose::barostat, step, static_cast<std::int64_t>(g)).x;
    const double strain = physics::cell_strain<double>(group.edges(), along, target_, kt, volume,
                                                       settings_.compressibility * constants::bar_per_kj_mol_nm3,
                                                       settings_.every * timestep_ / settings_.relaxation_time, noise);
    if (!(std::abs(strain) < largest_strain))
      throw SimulationError(
          fmt::format("the c-rescale barostat would change the volume by a factor of {:.3g} at once, from {:.4g} nm^3 at "
                      "{:.4g} bar, at step {}; take a longer relaxation_time or a smaller compressibility (few molecules need "
                      "that), and minimise before dynamics",
                      std::exp(strain), volume, along * constants::bar_per_kj_mol_nm3, step));
    const Vec3d factors = group.factors(strain);
    scale = {scale.x * factors.x, scale.y * factors.y, scale.z * factors.z};
  }
  const Stage move[] = {ScaleBox{scale, true}};
  backend.run(move, {}, step);
  if (too_small(backend.box()))
    stop(
        "the box has shrunk below twice the cutoff (the pressure of the start is far from the target, or the box was much too "
        "large)",
        "equilibrate at constant volume first, take a larger box, or a smaller cutoff", step);
  backend.run(forces, ForcePlan{.energies = true, .virial = wanted}, step);
  const Stage count_work[] = {AddHeat{backend.energies().boosted_potential() + backend.kinetic_energy() - before}};
  backend.run(count_work, {}, step);
}

}  // namespace uplift

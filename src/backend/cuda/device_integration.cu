#include "backend/cuda/device_integration.cuh"

#include <algorithm>
#include <climits>
#include <cmath>
#include <numeric>

#include "physics/integrate/langevin.hpp"
#include "physics/integrate/velocity_rescaling.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/random.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

}  // namespace

DeviceIntegration::DeviceIntegration(const System& system, double tolerance, cudaStream_t stream)
    : system_(system), tolerance_(tolerance), stream_(stream), degrees_of_freedom_(degrees_of_freedom(system)), mass_(system.masses), sums_(4) {
  std::vector<double> inverse;
  for (double m : system.masses) {
    inverse.push_back(m > 0 ? 1 / m : 0);
    total_mass_ += m;
  }
  inverse_mass_ = DeviceBuffer<double>(inverse);
  const Molecules& molecules = system.molecules;
  std::vector<int> start(at(molecules.count) + 1, 0), atoms(molecules.molecule_of.size());
  for (int m : molecules.molecule_of) ++start[at(m) + 1];
  std::partial_sum(start.begin(), start.end(), start.begin());
  std::vector<int> next(start.begin(), start.end() - 1);
  for (std::size_t i = 0; i < atoms.size(); ++i) atoms[at(next[at(molecules.molecule_of[i])]++)] = static_cast<int>(i);
  molecule_start_ = DeviceBuffer<int>(start);
  molecule_atoms_ = DeviceBuffer<int>(atoms);
  std::vector<int> sites;
  std::vector<double> parameters;
  for (const VirtualSite& s : system.force_field.virtual_sites) {
    sites.insert(sites.end(), {s.site, s.parent0, s.parent1, s.parent2});
    parameters.insert(parameters.end(), {s.a, s.b, s.c});
  }
  site_atoms_ = DeviceBuffer<int>(sites);
  site_parameters_ = DeviceBuffer<double>(parameters);
  add_constraints();
}

/// Waters for SETTLE, and groups of constraints that share atoms.
void DeviceIntegration::add_constraints() {
  std::vector<int> waters;
  std::vector<physics::WaterShape<double>> shapes;
  for (const RigidWater& w : system_.rigid_waters) {
    waters.insert(waters.end(), {w.oxygen, w.hydrogen1, w.hydrogen2});
    shapes.push_back(physics::WaterShape<double>::from(system_.masses[at(w.oxygen)], system_.masses[at(w.hydrogen1)], w.oh, w.hh));
  }
  water_atoms_ = DeviceBuffer<int>(waters);
  water_shapes_ = DeviceBuffer<physics::WaterShape<double>>(shapes);

  std::vector<int> root(at(system_.size()));
  std::iota(root.begin(), root.end(), 0);
  const auto find = [&](int i) {
    while (root[at(i)] != i) i = root[at(i)] = root[at(root[at(i)])];
    return i;
  };
  for (const Constraint& c : system_.constraints) {
    const int a = find(c.i), b = find(c.j);
    root[at(std::max(a, b))] = std::min(a, b);
  }
  constraints_ = system_.constraints;
  std::stable_sort(constraints_.begin(), constraints_.end(), [&](const Constraint& a, const Constraint& b) { return find(a.i) < find(b.i); });
  std::vector<int> start{0}, atoms;
  std::vector<double> length;
  for (std::size_t k = 0; k < constraints_.size(); ++k) {
    atoms.insert(atoms.end(), {constraints_[k].i, constraints_[k].j});
    length.push_back(constraints_[k].length);
    if (k + 1 == constraints_.size() || find(constraints_[k].i) != find(constraints_[k + 1].i)) start.push_back(static_cast<int>(k) + 1);
  }
  group_start_ = DeviceBuffer<int>(start);
  constraint_atoms_ = DeviceBuffer<int>(atoms);
  constraint_length_ = DeviceBuffer<double>(length);
  failure_ = DeviceBuffer<int>(std::vector<int>{INT_MAX, INT_MAX});
}

void DeviceIntegration::upload(const State& state) {
  x_.upload(state.x, stream_);
  v_.upload(state.v, stream_);
  saved_.copy_from(x_, stream_);
  check(cudaStreamSynchronize(stream_), "wait for the device");
  box_ = state.box;
  heat_ = state.heat;
  chain_ = {};
  if (state.chain.size() != 2 * physics::chain_length) return;
  for (std::size_t j = 0; j < physics::chain_length; ++j) {
    chain_.position[j] = state.chain[j];
    chain_.velocity[j] = state.chain[physics::chain_length + j];
  }
}

void DeviceIntegration::download(State& state) const {
  x_.download(state.x, stream_);
  v_.download(state.v, stream_);
  state.box = box_;
  state.heat = heat_;
  state.chain.assign(chain_.position.begin(), chain_.position.end());
  state.chain.insert(state.chain.end(), chain_.velocity.begin(), chain_.velocity.end());
}

void DeviceIntegration::run(const Stage& stage, const std::array<const Fixed*, most_force_levels>& levels, std::int64_t step) {
  std::visit(
      [&](const auto& s) {
        using S = std::decay_t<decltype(s)>;
        if constexpr (std::is_same_v<S, Kick>) kick(s, levels);
        if constexpr (std::is_same_v<S, Drift>) launch_drift(atoms(), s.dt, stream_);
        if constexpr (std::is_same_v<S, OrnsteinUhlenbeck>) {
          const auto factors = physics::ornstein_uhlenbeck_factors(s.dt, s.friction, s.temperature);
          launch_ornstein_uhlenbeck(atoms(), factors.decay, factors.spread, s.seed, step * s.substeps + s.substep, stream_);
        }
        if constexpr (std::is_same_v<S, RescaleVelocities>) rescale_velocities(s, step);
        if constexpr (std::is_same_v<S, MoveNoseHooverChain>) move_chain(s);
        if constexpr (std::is_same_v<S, SavePositions>) saved_.copy_from(x_, stream_);
        if constexpr (std::is_same_v<S, ConstrainPositions>)
          launch_constrain_positions(atoms(), waters_view(), constraints_view(), saved_.data(), s.dt, tolerance_, failure_.data(), stream_);
        if constexpr (std::is_same_v<S, ConstrainVelocities>)
          launch_constrain_velocities(atoms(), waters_view(), constraints_view(), s.at_saved ? saved_.data() : x_.data(), tolerance_, failure_.data(), stream_);
        if constexpr (std::is_same_v<S, PlaceVirtualSites>) launch_place_sites(atoms(), sites_view(), stream_);
        if constexpr (std::is_same_v<S, RemoveComMotion>) remove_com_motion();
        if constexpr (std::is_same_v<S, ScaleBox>) {
          launch_scale_box(atoms(), {static_cast<int>(molecule_start_.size()) - 1, molecule_start_.data(), molecule_atoms_.data()}, s, stream_);
          const auto scaled = [&](const Vec3d& r) { return Vec3d{s.factor.x * r.x, s.factor.y * r.y, s.factor.z * r.z}; };
          box_ = {scaled(box_.a), scaled(box_.b), scaled(box_.c)};
        }
        if constexpr (std::is_same_v<S, SaveConfiguration>) {
          kept_.copy_from(x_, stream_);
          kept_box_ = box_;
        }
        if constexpr (std::is_same_v<S, RestoreConfiguration>) {
          x_.copy_from(kept_, stream_);
          box_ = kept_box_;
        }
        if constexpr (std::is_same_v<S, SaveVelocities>) kept_v_.copy_from(v_, stream_);
        if constexpr (std::is_same_v<S, RestoreVelocities>) v_.copy_from(kept_v_, stream_);
        if constexpr (std::is_same_v<S, AddHeat>) heat_ += s.amount;
        if constexpr (std::is_same_v<S, CountHeat>) heat_ += s.sign * kinetic_energy();
      },
      stage);
}

void DeviceIntegration::kick(const Kick& stage, const std::array<const Fixed*, most_force_levels>& levels) {
  LevelsView view{};
  for (std::size_t l = 0; l < levels.size(); ++l) {
    view.force[l] = levels[l];
    view.weight[l] = stage.weight[l];
  }
  launch_kick(atoms(), view, stage.dt, stream_);
}

std::array<double, 4> DeviceIntegration::moments() {
  sums_.clear(stream_);
  launch_moments(atoms(), sums_.data(), stream_);
  std::vector<Fixed> sums;
  sums_.download(sums, stream_);
  return {from_fixed(sums[0]), from_fixed(sums[1]), from_fixed(sums[2]), from_fixed(sums[3])};
}

void DeviceIntegration::rescale_velocities(const RescaleVelocities& stage, std::int64_t step) {
  const double kinetic = kinetic_energy(), target = 0.5 * degrees_of_freedom_ * constants::boltzmann * stage.temperature;
  if (!(kinetic > 0) || degrees_of_freedom_ <= 0) return;
  const std::int64_t draw = step * stage.substeps + stage.substep;
  const double first = gaussian3(stage.seed, NoisePurpose::thermostat, draw, 0).x;
  const double others = chi_squared(degrees_of_freedom_ - 1, stage.seed, NoisePurpose::thermostat, draw, 1);
  const double wanted = physics::rescaled_kinetic_energy(kinetic, target, degrees_of_freedom_, stage.dt * stage.friction, first, others);
  scale_velocities(std::sqrt(wanted / kinetic));
  heat_ += wanted - kinetic;
}

void DeviceIntegration::move_chain(const MoveNoseHooverChain& stage) {
  const double degrees = degrees_of_freedom_, tau = 1 / stage.friction;
  if (degrees <= 0) return;
  const double before = physics::chain_energy(chain_, degrees, stage.temperature, tau);
  scale_velocities(physics::move_chain(chain_, kinetic_energy(), degrees, stage.temperature, tau, stage.dt));
  heat_ -= physics::chain_energy(chain_, degrees, stage.temperature, tau) - before;
}

void DeviceIntegration::remove_com_motion() {
  if (!(total_mass_ > 0)) return;
  const auto m = moments();
  launch_transform_velocities(atoms(), 1, (-1 / total_mass_) * Vec3d{m[1], m[2], m[3]}, stream_);
}

void DeviceIntegration::check_constraints() {
  if (water_shapes_.empty() && constraints_.empty()) return;
  std::vector<int> failed;
  failure_.download(failed, stream_);
  const char* why = " (forces too large for the time step)";
  if (failed[0] != INT_MAX)
    throw SimulationError("the water with " + describe_atom(system_.topology, system_.rigid_waters[at(failed[0])].oxygen) + " was torn apart in one step" + why);
  if (failed[1] != INT_MAX) {
    const Constraint& c = constraints_[at(failed[1])];
    throw SimulationError("the constraints of " + describe_atom(system_.topology, c.i) + " and " + describe_atom(system_.topology, c.j) + " cannot be met" + why);
  }
}

}  // namespace uplift::UPLIFT_DEVICE

#include "backend/cuda/device_integration.cuh"

#include <climits>
#include <cmath>

#include "physics/integrate/langevin.hpp"
#include "uplift/backend/chain_state.hpp"
#include "uplift/core/assert.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/error.hpp"

namespace uplift::UPLIFT_DEVICE {

DeviceIntegration::DeviceIntegration(const System& system, double tolerance, cudaStream_t stream)
    : system_(system),
      tolerance_(tolerance),
      stream_(stream),
      degrees_of_freedom_(degrees_of_freedom(system)),
      units_(system),
      mass_(system.masses),
      shared_(1),
      sums_(4),
      worst_(1) {
  std::vector<double> inverse;
  for (double m : system.masses) {
    inverse.push_back(m > 0 ? 1 / m : 0);
    total_mass_ += m;
  }
  inverse_mass_ = DeviceBuffer<double>(inverse);
  put_molecules();
  put_sites();
  upload(State{});
}

void DeviceIntegration::put_molecules() {
  const auto [start, atoms] = atoms_of_molecules(system_.molecules);
  molecule_start_ = DeviceBuffer<int>(start);
  molecule_atoms_ = DeviceBuffer<int>(atoms);
  molecule_count_ = system_.molecules.count;
  std::vector<int> small, large;
  for (int m = 0; m < molecule_count_; ++m)
    (start[at(m) + 1] - start[at(m)] <= most_atoms_of_a_thread ? small : large).push_back(m);
  small_molecules_ = DeviceBuffer<int>(small);
  large_molecules_ = DeviceBuffer<int>(large);
  for (int m = 0; m < molecule_count_; ++m)
    first_of_molecule_.push_back(start[at(m)] < start[at(m + 1)] ? atoms[at(start[at(m)])] : -1);
}

void DeviceIntegration::set_ranks(DeviceRanks& ranks) {
  ranks_ = &ranks;
  spread_ = spread_molecules(system_);
  std::vector<int> of_atom;
  for (int m : system_.molecules.molecule_of) of_atom.push_back(spread_.number[at(m)]);
  spread_of_atom_ = DeviceBuffer<int>(of_atom);
  spread_mass_ = DeviceBuffer<double>(spread_.mass);
  spread_sums_.resize(6 * spread_.mass.size());
}

void DeviceIntegration::set_share() {
  const RankShare& share = ranks_->share();
  units_.set_share(share, stream_);
  put_sites();
  std::vector<int> molecules;  // those that are whole here
  for (std::size_t m = 0; m < first_of_molecule_.size(); ++m)
    if (spread_.number[m] < 0 && first_of_molecule_[m] >= 0 && share.at_home(first_of_molecule_[m]))
      molecules.push_back(static_cast<int>(m));
  molecules_.upload_to_front(molecules, stream_);
  check(cudaStreamSynchronize(stream_), "wait for the device");
  molecule_count_ = static_cast<int>(molecules.size());
}

void DeviceIntegration::put_sites() {
  std::vector<int> sites;
  std::vector<double> parameters;
  for (const VirtualSite& s : system_.force_field.virtual_sites) {
    if (ranks_ && !ranks_->share().at_home(s.site)) continue;
    sites.insert(sites.end(), {s.site, s.parent0, s.parent1, s.parent2});
    parameters.insert(parameters.end(), {s.a, s.b, s.c});
  }
  site_atoms_.upload_to_front(sites, stream_);
  site_parameters_.upload_to_front(parameters, stream_);
  check(cudaStreamSynchronize(stream_), "wait for the device");
  site_count_ = static_cast<int>(sites.size() / 4);
}

std::vector<void*> DeviceIntegration::carried() {
  std::vector<void*> arrays;
  for (DeviceBuffer<Vec3d>* a : {&x_, &v_, &saved_, &kept_, &kept_v_})
    if (!a->empty()) arrays.push_back(a->data());
  return arrays;
}

void DeviceIntegration::upload(const State& state) {
  x_.upload(state.x, stream_);
  v_.upload(state.v, stream_);
  saved_.copy_from(x_, stream_);
  Shared shared{};
  shared.step = step_ = -1;
  shared.heat = state.heat;
  for (LevelFactors& f : shared.factors) f = {};
  shared.bias = {};
  shared.bias.statistics = state.statistics;
  shared.factor = 1;
  shared.failed_water = shared.failed_constraint = INT_MAX;
  shared.failed_step = LLONG_MAX;
  shared.chain = chain_from(state.chain);
  shared_.upload({&shared, 1}, stream_);
  check(cudaStreamSynchronize(stream_), "wait for the device");
  box_ = state.box;
  moves_ = {};
  heat_counted_ = false;
}

void DeviceIntegration::download(State& state) const {
  // All three are on their way before anybody waits, and to pinned memory: a frame holds up the steps for as little as it can.
  fetched_x_.reserve(x_.size());
  fetched_v_.reserve(v_.size());
  fetched_x_.copy_from(x_.data(), x_.size(), stream_);
  fetched_v_.copy_from(v_.data(), v_.size(), stream_);
  const Shared shared = look();
  state.x.assign(fetched_x_.data(), fetched_x_.data() + x_.size());
  state.v.assign(fetched_v_.data(), fetched_v_.data() + v_.size());
  state.box = box_;
  state.heat = shared.heat;
  state.statistics = shared.bias.statistics;
  state.chain = numbers_of(shared.chain);
}

Shared DeviceIntegration::look() const {
  fetched_shared_.reserve(1);
  fetched_shared_.copy_from(shared_.data(), 1, stream_);
  check(cudaStreamSynchronize(stream_), "wait for the device");
  return *fetched_shared_.data();
}

void DeviceIntegration::set_step(std::int64_t step) {
  if (step_ != step) launch_set_step(shared_.data(), step, stream_);
  step_ = step;
}
Move& DeviceIntegration::add(MoveKind kind) {
  if (moves_.count == most_moves) flush();
  Move& move = moves_.move[moves_.count++];
  move = {};
  move.kind = kind;
  const bool saves = kind == MoveKind::save,
             uses = kind == MoveKind::constrain_positions || kind == MoveKind::constrain_velocities_at_saved;
  if (uses && !moves_.stores_saved) moves_.loads_saved = true;
  if (saves) moves_.stores_saved = true;
  return move;
}

void DeviceIntegration::flush(const Placing<float>* placing) {
  moves_.tolerance = tolerance_;
  launch_moves(atoms(), units_.view(), moves_, shared_.data(), placing, stream_);
  moves_ = {};
}

void DeviceIntegration::sum_kinetic() {
  add(MoveKind::sum_kinetic);
  flush();
  if (ranks_) ranks_->sum(&shared_.data()->kinetic, 4, stream_);  // and momentum
}

void DeviceIntegration::scale_box(const ScaleBox& stage) {
  flush();
  launch_scale_box(atoms(),
                   {molecule_count_, ranks_ ? molecules_.data() : nullptr, molecule_start_.data(), molecule_atoms_.data()},
                   stage, stream_);
  if (ranks_ && !spread_.mass.empty()) {
    const SpreadView spread{spread_of_atom_.data(), spread_mass_.data(), spread_sums_.data()};
    spread_sums_.clear(stream_);
    launch_spread_sums(atoms(), home(), spread, stream_);
    ranks_->sum(spread_sums_.data(), static_cast<int>(spread_sums_.size()), stream_);
    launch_scale_spread(atoms(), home(), spread, stage, stream_);
  }
  const auto scaled = [&](const Vec3d& r) { return Vec3d{stage.factor.x * r.x, stage.factor.y * r.y, stage.factor.z * r.z}; };
  box_ = {scaled(box_.a), scaled(box_.b), scaled(box_.c)};
}

void DeviceIntegration::run(const Stage& stage, const LevelForces& levels) {
  std::visit(
      [&](const auto& s) {
        using S = std::decay_t<decltype(s)>;
        if constexpr (std::is_same_v<S, Kick>) add_kick(s, levels);
        if constexpr (std::is_same_v<S, Drift>) add(MoveKind::drift).dt = s.dt;
        if constexpr (std::is_same_v<S, OrnsteinUhlenbeck>) {
          const auto factors = physics::ornstein_uhlenbeck_factors(s.dt, s.friction, s.temperature);
          Move& m = add(MoveKind::noise);
          m.decay = factors.decay;
          m.spread = factors.spread;
          m.seed = s.seed;
          m.substep = s.substep;
        }
        if constexpr (std::is_same_v<S, RescaleVelocities>) {
          sum_kinetic();
          launch_rescale(shared_.data(), s, degrees_of_freedom_, stream_);
          add(MoveKind::transform);
        }
        if constexpr (std::is_same_v<S, MoveNoseHooverChain>) {
          sum_kinetic();
          launch_move_chain(shared_.data(), s, degrees_of_freedom_, stream_);
          add(MoveKind::transform);
        }
        if constexpr (std::is_same_v<S, RemoveComMotion>) {
          if (!(total_mass_ > 0)) return;
          sum_kinetic();
          launch_stop_drift(shared_.data(), total_mass_, stream_);
          add(MoveKind::transform);
        }
        if constexpr (std::is_same_v<S, SavePositions>) add(MoveKind::save);
        if constexpr (std::is_same_v<S, ConstrainPositions>) add(MoveKind::constrain_positions).dt = s.dt;
        if constexpr (std::is_same_v<S, ConstrainVelocities>)
          add(s.at_saved ? MoveKind::constrain_velocities_at_saved : MoveKind::constrain_velocities);
        if constexpr (std::is_same_v<S, CountHeat>) {
          add(MoveKind::count_heat).dt = s.sign;
          heat_counted_ = ranks_ != nullptr;
        }
        if constexpr (std::is_same_v<S, AddHeat>) launch_add_heat(shared_.data(), s.amount, stream_);
        if constexpr (std::is_same_v<S, PlaceVirtualSites>) {
          if (site_count_ == 0) return;
          flush();
          launch_place_sites(atoms(), sites_view(), stream_);
        }
        if constexpr (std::is_same_v<S, ScaleBox>) scale_box(s);
        if constexpr (std::is_same_v<S, SaveConfiguration>) {
          flush();
          kept_.copy_from(x_, stream_);
          kept_box_ = box_;
        }
        if constexpr (std::is_same_v<S, RestoreConfiguration>) {
          flush();
          x_.copy_from(kept_, stream_);
          box_ = kept_box_;
        }
        if constexpr (std::is_same_v<S, SaveVelocities>) {
          flush();
          kept_v_.copy_from(v_, stream_);
        }
        if constexpr (std::is_same_v<S, RestoreVelocities>) {
          flush();
          v_.copy_from(kept_v_, stream_);
        }
      },
      stage);
}

void DeviceIntegration::add_kick(const Kick& stage, const LevelForces& levels) {
  Move& m = add(MoveKind::kick);
  m.dt = stage.dt;
  for (std::size_t l = 0; l < levels.size(); ++l) {
    m.weight[l] = stage.weight[l];
    m.boost_weight = stage.boost_weight;
    moves_.force[l] = levels[l];
  }
}

MoleculesBySize DeviceIntegration::molecules_by_size() const {
  const auto those = [&](const DeviceBuffer<int>& list) {
    return MoleculesView{static_cast<int>(list.size()), list.data(), molecule_start_.data(), molecule_atoms_.data()};
  };
  return {those(small_molecules_), those(large_molecules_)};
}

LevelsView DeviceIntegration::view_of(const LevelForces& levels) {
  LevelsView view{};
  for (std::size_t l = 0; l < levels.size(); ++l) view.force[l] = levels[l];
  return view;
}

double DeviceIntegration::kinetic_energy() {
  sums_.clear(stream_);
  queue_kinetic_energy(sums_.data());
  if (ranks_) ranks_->sum(sums_.data(), 1, stream_);
  std::vector<Fixed> sums;
  sums_.download(sums, stream_);
  return from_fixed(sums[0]);
}

Backend::WorstForce DeviceIntegration::worst_force(const LevelForces& levels) {
  if (home().count == 0) return {};
  worst_.clear(stream_);
  queue_worst_force(levels, worst_.data());
  std::vector<unsigned long long> worst;
  worst_.download(worst, stream_);
  return worst_force_of(worst[0]);
}

void DeviceIntegration::check_constraints() const {
  if (const std::string failure = constraint_failure(look()); !failure.empty()) throw SimulationError(failure);
}

std::string DeviceIntegration::constraint_failure(const Shared& shared) const {
  const std::string when = " in step " + std::to_string(shared.failed_step) + " (forces too large for the time step)";
  if (shared.failed_water != INT_MAX)
    return "the water with " +
           describe_atom(system_.topology, system_.rigid_waters[at(units_.water(shared.failed_water))].oxygen) +
           " was torn apart" + when;
  if (shared.failed_constraint == INT_MAX) return {};
  const Constraint& c = units_.constraints()[at(shared.failed_constraint)];
  return "the constraints of " + describe_atom(system_.topology, c.i) + " and " + describe_atom(system_.topology, c.j) +
         " cannot be met" + when;
}

}  // namespace uplift::UPLIFT_DEVICE

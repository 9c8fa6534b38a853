#include "uplift/backend/cpu/integration.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <string>
#include <type_traits>

#include "physics/bonded/virtual_site.hpp"
#include "physics/integrate/langevin.hpp"
#include "physics/integrate/velocity_rescaling.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/random.hpp"

namespace uplift::cpu {
namespace {

constexpr int block = 1024;  // atoms a task
constexpr int site_block = 256;

std::size_t at(int i) { return static_cast<std::size_t>(i); }
double* flat(std::vector<Vec3d>& a) { return a.empty() ? nullptr : &a[0].x; }

class Timer {
 public:
  explicit Timer(PhaseTime& phase) : phase_(phase), start_(std::chrono::steady_clock::now()) {}
  ~Timer() {
    phase_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    ++phase_.calls;
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  PhaseTime& phase_;
  std::chrono::steady_clock::time_point start_;
};

double component(const Vec3d& a, int k) { return k == 0 ? a.x : k == 1 ? a.y : a.z; }

/// A site out of the plane of its parents contributes another virial there than its spread force does on the parents.
void move_virial(ForceSums& sums, const Vec3d& u, const Vec3d& w, const Vec3d& site,
                 const physics::VirtualSiteForces<double>& parents, const Vec3d& f) {
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 3; ++column)
      sums.add_virial_atomic(3 * row + column, component(u, row) * component(parents.on1, column) +
                                                   component(w, row) * component(parents.on2, column) -
                                                   component(site, row) * component(f, column));
}

}  // namespace

CpuIntegration::CpuIntegration(const System& system, double tolerance, const Threads& threads)
    : system_(system),
      threads_(threads),
      kernels_(select_integrate_kernels()),
      constraints_(system, tolerance, threads),
      degrees_of_freedom_(degrees_of_freedom(system)) {
  const Molecules& molecules = system.molecules;
  molecule_start_.assign(at(molecules.count) + 1, 0);
  for (int m : molecules.molecule_of) ++molecule_start_[at(m) + 1];
  std::partial_sum(molecule_start_.begin(), molecule_start_.end(), molecule_start_.begin());
  molecule_atoms_.resize(molecules.molecule_of.size());
  std::vector<int> next(molecule_start_.begin(), molecule_start_.end() - 1);
  for (std::size_t i = 0; i < molecules.molecule_of.size(); ++i)
    molecule_atoms_[at(next[at(molecules.molecule_of[i])]++)] = static_cast<int>(i);
  for (double m : system.masses) {
    inverse_mass3_.insert(inverse_mass3_.end(), 3, m > 0 ? 1 / m : 0.0);
    inverse_sqrt_mass_.push_back(m > 0 ? 1 / std::sqrt(m) : 0.0);
  }
}

void CpuIntegration::upload(const State& state) {
  x_ = state.x;
  v_ = state.v;
  saved_ = state.x;
  box_ = state.box;
  heat_ = state.heat;
  chain_ = {};
  if (state.chain.size() == 2 * physics::chain_length)
    for (std::size_t j = 0; j < physics::chain_length; ++j) {
      chain_.position[j] = state.chain[j];
      chain_.velocity[j] = state.chain[physics::chain_length + j];
    }
}

void CpuIntegration::download(State& state) const {
  state.x = x_;
  state.v = v_;
  state.box = box_;
  state.heat = heat_;
  state.chain.assign(chain_.position.begin(), chain_.position.end());
  state.chain.insert(state.chain.end(), chain_.velocity.begin(), chain_.velocity.end());
}

void CpuIntegration::run(const Stage& stage, const Levels& levels, std::int64_t step) {
  std::visit(
      [&](const auto& s) {
        using S = std::decay_t<decltype(s)>;
        if constexpr (std::is_same_v<S, ConstrainPositions> || std::is_same_v<S, ConstrainVelocities>) {
          Timer timer(constrain_);
          if constexpr (std::is_same_v<S, ConstrainPositions>)
            constraints_.positions(s.dt, flat(saved_), flat(x_), flat(v_));
          else
            constraints_.velocities(flat(s.at_saved ? saved_ : x_), flat(v_));
        } else {
          Timer timer(integrate_);
          if constexpr (std::is_same_v<S, Kick>) kick(s, levels);
          if constexpr (std::is_same_v<S, Drift>) drift(s);
          if constexpr (std::is_same_v<S, OrnsteinUhlenbeck>) ornstein_uhlenbeck(s, step);
          if constexpr (std::is_same_v<S, RescaleVelocities>) rescale_velocities(s, step);
          if constexpr (std::is_same_v<S, MoveNoseHooverChain>) move_chain(s);
          if constexpr (std::is_same_v<S, SavePositions>) save_positions();
          if constexpr (std::is_same_v<S, PlaceVirtualSites>) place_sites();
          if constexpr (std::is_same_v<S, RemoveComMotion>) remove_com_motion();
          if constexpr (std::is_same_v<S, ScaleBox>) scale_box(s);
          if constexpr (std::is_same_v<S, SaveConfiguration>) {
            kept_ = x_;
            kept_box_ = box_;
          }
          if constexpr (std::is_same_v<S, RestoreConfiguration>) {
            x_ = kept_;
            box_ = kept_box_;
          }
          if constexpr (std::is_same_v<S, SaveVelocities>) kept_v_ = v_;
          if constexpr (std::is_same_v<S, RestoreVelocities>) v_ = kept_v_;
          if constexpr (std::is_same_v<S, AddHeat>) heat_ += s.amount;
          if constexpr (std::is_same_v<S, CountHeat>) heat_ += s.sign * kinetic_energy();
        }
      },
      stage);
}

void CpuIntegration::kick(const Kick& stage, const Levels& levels) {
  threads_.for_blocks(static_cast<int>(x_.size()), block, [&](int first, int last, int) {
    for (std::size_t l = 0; l < levels.sums.size(); ++l) {
      const double weight = stage.weight[l] * levels.factors[l].own + stage.boost_weight * levels.factors[l].boost;
      if (weight != 0 && levels.sums[l].force.size() > 0)
        kernels_.kick(first, last, stage.dt * weight, inverse_mass3_.data(), levels.sums[l].force.data(), flat(v_));
    }
  });
}

void CpuIntegration::drift(const Drift& stage) {
  threads_.for_blocks(static_cast<int>(x_.size()), block,
                      [&](int first, int last, int) { kernels_.drift(first, last, stage.dt, flat(v_), flat(x_)); });
}

void CpuIntegration::ornstein_uhlenbeck(const OrnsteinUhlenbeck& stage, std::int64_t step) {
  const auto factors = physics::ornstein_uhlenbeck_factors(stage.dt, stage.friction, stage.temperature);
  const NoiseKey key{stage.seed, step * stage.substeps + stage.substep, static_cast<std::uint32_t>(NoisePurpose::langevin)};
  threads_.for_blocks(static_cast<int>(x_.size()), block, [&](int first, int last, int) {
    kernels_.ornstein_uhlenbeck(first, last, factors.decay, factors.spread, key, inverse_sqrt_mass_.data(), flat(v_));
  });
}

void CpuIntegration::rescale_velocities(const RescaleVelocities& stage, std::int64_t step) {
  const double kinetic = kinetic_energy(), target = 0.5 * degrees_of_freedom_ * constants::boltzmann * stage.temperature;
  if (!(kinetic > 0) || degrees_of_freedom_ <= 0) return;  // nothing to scale
  const std::int64_t draw = step * stage.substeps + stage.substep;
  const double first = gaussian3(stage.seed, NoisePurpose::thermostat, draw, 0).x;
  const double others = chi_squared(degrees_of_freedom_ - 1, stage.seed, NoisePurpose::thermostat, draw, 1);
  const double wanted =
      physics::rescaled_kinetic_energy(kinetic, target, degrees_of_freedom_, stage.dt * stage.friction, first, others);
  scale_velocities(std::sqrt(wanted / kinetic));
  heat_ += wanted - kinetic;
}

void CpuIntegration::move_chain(const MoveNoseHooverChain& stage) {
  const double degrees = degrees_of_freedom_, tau = 1 / stage.friction;
  if (degrees <= 0) return;
  const double before = physics::chain_energy(chain_, degrees, stage.temperature, tau);
  scale_velocities(physics::move_chain(chain_, kinetic_energy(), degrees, stage.temperature, tau, stage.dt));
  heat_ -= physics::chain_energy(chain_, degrees, stage.temperature, tau) - before;
}

void CpuIntegration::scale_velocities(double factor) {
  threads_.for_blocks(static_cast<int>(x_.size()), block, [&](int first, int last, int) {
    for (int i = first; i < last; ++i) v_[at(i)] = factor * v_[at(i)];
  });
}

void CpuIntegration::save_positions() {
  threads_.for_blocks(static_cast<int>(x_.size()), block, [&](int first, int last, int) {
    std::copy(x_.begin() + first, x_.begin() + last, saved_.begin() + first);
  });
}

void CpuIntegration::place_sites() {
  const auto& sites = system_.force_field.virtual_sites;
  threads_.for_blocks(static_cast<int>(sites.size()), site_block, [&](int first, int last, int) {
    for (int k = first; k < last; ++k) {
      const VirtualSite& s = sites[at(k)];
      const Vec3d& r0 = x_[at(s.parent0)];
      x_[at(s.site)] = physics::virtual_site_position(r0, x_[at(s.parent1)] - r0, x_[at(s.parent2)] - r0, s.a, s.b, s.c);
    }
  });
}

void CpuIntegration::spread_virtual_site_forces(ForceSums& sums) const {
  const auto& sites = system_.force_field.virtual_sites;
  threads_.for_blocks(static_cast<int>(sites.size()), site_block, [&](int first, int last, int) {
    for (int k = first; k < last; ++k) {
      const VirtualSite& s = sites[at(k)];
      Fixed* own = &sums.force[3 * at(s.site)];
      const Vec3d f{from_fixed(own[0]), from_fixed(own[1]), from_fixed(own[2])};
      own[0] = own[1] = own[2] = 0;
      const Vec3d &r0 = x_[at(s.parent0)], u = x_[at(s.parent1)] - r0, w = x_[at(s.parent2)] - r0;
      const auto parents = physics::spread_virtual_site_force(u, w, s.a, s.b, s.c, f);
      if (s.c != 0) move_virial(sums, u, w, x_[at(s.site)] - r0, parents, f);
      sums.add_atomic(s.parent1, parents.on1);
      sums.add_atomic(s.parent2, parents.on2);
      sums.add_atomic(s.parent0, parents.on0);
    }
  });
}

template <class F>
double CpuIntegration::block_sum(F&& f) const {
  const int n = static_cast<int>(x_.size());
  std::vector<double> part(at((n + block - 1) / block), 0.0);
  threads_.for_blocks(n, block, [&](int first, int last, int) {
    double sum = 0;
    for (int i = first; i < last; ++i) sum += f(i);
    part[at(first / block)] = sum;
  });
  return std::accumulate(part.begin(), part.end(), 0.0);
}

double CpuIntegration::kinetic_energy() const {
  return block_sum([&](int i) { return 0.5 * system_.masses[at(i)] * dot(v_[at(i)], v_[at(i)]); });
}

void CpuIntegration::scale_box(const ScaleBox& stage) {
  const Vec3d& s = stage.factor;
  const auto scaled = [&](const Vec3d& r) { return Vec3d{s.x * r.x, s.y * r.y, s.z * r.z}; };
  box_ = {scaled(box_.a), scaled(box_.b), scaled(box_.c)};
  threads_.for_blocks(static_cast<int>(molecule_start_.size()) - 1, block, [&](int first, int last, int) {
    for (int m = first; m < last; ++m) {
      Vec3d centre{0, 0, 0}, momentum{0, 0, 0};
      double mass = 0;
      const std::span<const int> atoms(molecule_atoms_.data() + molecule_start_[at(m)],
                                       at(molecule_start_[at(m) + 1] - molecule_start_[at(m)]));
      for (int i : atoms) {
        const double w = system_.masses[at(i)];
        mass += w;
        centre += w * x_[at(i)];
        momentum += w * v_[at(i)];
      }
      if (!(mass > 0)) continue;
      const Vec3d shift = (1 / mass) * (scaled(centre) - centre);
      for (int i : atoms) x_[at(i)] += shift;
      if (!stage.velocities) continue;
      const Vec3d slowed{momentum.x / s.x, momentum.y / s.y, momentum.z / s.z}, change = (1 / mass) * (slowed - momentum);
      for (int i : atoms)
        if (system_.masses[at(i)] > 0) v_[at(i)] += change;
    }
  });
}

void CpuIntegration::remove_com_motion() {
  const auto mass = [&](int i) { return system_.masses[at(i)]; };
  const double total = block_sum(mass);
  if (!(total > 0)) return;
  const Vec3d drift_velocity{block_sum([&](int i) { return mass(i) * v_[at(i)].x; }) / total,
                             block_sum([&](int i) { return mass(i) * v_[at(i)].y; }) / total,
                             block_sum([&](int i) { return mass(i) * v_[at(i)].z; }) / total};
  for (int i = 0; i < static_cast<int>(x_.size()); ++i)
    if (mass(i) > 0) v_[at(i)] -= drift_velocity;
}

}  // namespace uplift::cpu

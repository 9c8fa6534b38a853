#include "uplift/backend/cpu/integration.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <type_traits>

#include "backend/cpu/pieces.hpp"
#include "physics/bonded/virtual_site.hpp"
#include "physics/integrate/langevin.hpp"
#include "physics/integrate/scaled_molecule.hpp"
#include "physics/integrate/velocity_rescaling.hpp"
#include "uplift/backend/atom_groups.hpp"
#include "uplift/backend/chain_state.hpp"
#include "uplift/backend/phase_timer.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/random.hpp"

namespace uplift::cpu {
namespace {

constexpr int block = 1024;  // atoms a task
constexpr int site_block = 256;

double* flat(std::vector<Vec3d>& a) { return a.empty() ? nullptr : &a[0].x; }

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

CpuIntegration::CpuIntegration(const System& system, double tolerance, const Threads& threads, RankLink* link)
    : system_(system),
      threads_(threads),
      link_(link),
      kernels_(select_integrate_kernels()),
      constraints_(system, tolerance, threads),
      molecules_(atoms_of_molecules(system.molecules)),
      spread_(spread_molecules(system)),
      degrees_of_freedom_(degrees_of_freedom(system)) {
  const auto& sites = system.force_field.virtual_sites;
  site_of_.assign(at(system.size()), -1);
  for (std::size_t k = 0; k < sites.size(); ++k) site_of_[at(sites[k].site)] = static_cast<int>(k);
  sites_.resize(sites.size());
  std::iota(sites_.begin(), sites_.end(), 0);
  pieces_ = cut_pieces({{0, system.size()}}, block);
  for (double m : system.masses) {
    inverse_mass3_.insert(inverse_mass3_.end(), 3, m > 0 ? 1 / m : 0.0);
    inverse_sqrt_mass_.push_back(m > 0 ? 1 / std::sqrt(m) : 0.0);
  }
}

void CpuIntegration::set_share() {
  const RankShare& share = link_->share();
  constraints_.set_share(share);
  pieces_ = cut_pieces(share.home, block);
  sites_.clear();
  share.for_home([&](int i) {
    if (site_of_[at(i)] >= 0) sites_.push_back(site_of_[at(i)]);
  });
}

std::vector<std::byte*> CpuIntegration::carried() {
  std::vector<std::byte*> arrays;
  for (std::vector<Vec3d>* a : {&x_, &v_, &saved_, &kept_, &kept_v_})
    if (!a->empty()) arrays.push_back(reinterpret_cast<std::byte*>(a->data()));
  return arrays;
}

template <class F>
void CpuIntegration::for_home(F&& f) const {
  threads_.for_each(static_cast<int>(pieces_.size()), [&](int p, int) {
    for (const AtomRange& r : pieces_[at(p)]) f(r.first, r.last);
  });
}

void CpuIntegration::upload(const State& state) {
  x_ = state.x;
  v_ = state.v;
  saved_ = state.x;
  box_ = state.box;
  heat_ = state.heat;
  chain_ = chain_from(state.chain);
}

void CpuIntegration::download(State& state) const {
  state.x = x_;
  state.v = v_;
  state.box = box_;
  state.heat = heat_;
  state.chain = numbers_of(chain_);
}

void CpuIntegration::run(const Stage& stage, const Levels& levels, std::int64_t step) {
  std::visit(
      [&](const auto& s) {
        using S = std::decay_t<decltype(s)>;
        if constexpr (std::is_same_v<S, ConstrainPositions> || std::is_same_v<S, ConstrainVelocities>) {
          const PhaseTimer timer(constrain_);
          if constexpr (std::is_same_v<S, ConstrainPositions>)
            constraints_.positions(s.dt, flat(saved_), flat(x_), flat(v_));
          else
            constraints_.velocities(flat(s.at_saved ? saved_ : x_), flat(v_));
        } else {
          const PhaseTimer timer(integrate_, link_);
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
  for_home([&](int first, int last) {
    for (std::size_t l = 0; l < levels.sums.size(); ++l) {
      const double weight = levels.factors[l].in_kick(stage.weight[l], stage.boost_weight);
      if (weight != 0 && levels.sums[l].force.size() > 0)
        kernels_.kick(first, last, stage.dt * weight, inverse_mass3_.data(), levels.sums[l].force.data(), flat(v_));
    }
  });
}

void CpuIntegration::drift(const Drift& stage) {
  for_home([&](int first, int last) { kernels_.drift(first, last, stage.dt, flat(v_), flat(x_)); });
}

void CpuIntegration::ornstein_uhlenbeck(const OrnsteinUhlenbeck& stage, std::int64_t step) {
  const auto factors = physics::ornstein_uhlenbeck_factors(stage.dt, stage.friction, stage.temperature);
  const NoiseKey key{stage.seed, noise_step(step, stage.substep), static_cast<std::uint32_t>(NoisePurpose::langevin)};
  for_home([&](int first, int last) {
    kernels_.ornstein_uhlenbeck(first, last, factors.decay, factors.spread, key, inverse_sqrt_mass_.data(), flat(v_));
  });
}

void CpuIntegration::rescale_velocities(const RescaleVelocities& stage, std::int64_t step) {
  rescale(physics::draw_rescaling(kinetic_energy(), degrees_of_freedom_, stage.temperature, stage.dt * stage.friction,
                                  stage.seed, noise_step(step, stage.substep)));
}

void CpuIntegration::move_chain(const MoveNoseHooverChain& stage) {
  rescale(physics::move_chain_with_heat(chain_, kinetic_energy(), degrees_of_freedom_, stage.temperature, 1 / stage.friction,
                                        stage.dt));
}

void CpuIntegration::rescale(const physics::Rescaling& by) {
  for_home([&](int first, int last) {
    for (int i = first; i < last; ++i) v_[at(i)] = by.factor * v_[at(i)];
  });
  heat_ += by.heat;
}

void CpuIntegration::save_positions() {
  for_home([&](int first, int last) { std::copy(x_.begin() + first, x_.begin() + last, saved_.begin() + first); });
}

void CpuIntegration::place_sites() {
  const auto& sites = system_.force_field.virtual_sites;
  threads_.for_blocks(static_cast<int>(sites_.size()), site_block, [&](int first, int last, int) {
    for (int k = first; k < last; ++k) {
      const VirtualSite& s = sites[at(sites_[at(k)])];
      const Vec3d& r0 = x_[at(s.parent0)];
      x_[at(s.site)] = physics::virtual_site_position(r0, x_[at(s.parent1)] - r0, x_[at(s.parent2)] - r0, s.a, s.b, s.c);
    }
  });
}

void CpuIntegration::spread_virtual_site_forces(ForceSums& sums) const {
  const auto& sites = system_.force_field.virtual_sites;
  threads_.for_blocks(static_cast<int>(sites_.size()), site_block, [&](int first, int last, int) {
    for (int k = first; k < last; ++k) {
      const VirtualSite& s = sites[at(sites_[at(k)])];
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
double CpuIntegration::exact_sum(F&& f) const {
  // Units of 2^-44; a sum of 10^8 atoms needs more than 64 bits.
  constexpr double scale = 0x1p44, most = 0x1p18;
  std::vector<__int128> part(pieces_.size(), 0);
  threads_.for_each(static_cast<int>(pieces_.size()), [&](int p, int) {
    __int128 sum = 0;
    for (const AtomRange& r : pieces_[at(p)])
      for (int i = r.first; i < r.last; ++i) {
        const double value = f(i), bounded = value < most ? (value > -most ? value : -most) : most;  // not-a-number: the bound
        sum += static_cast<std::int64_t>(bounded * scale + (bounded >= 0 ? 0.5 : -0.5));
      }
    part[at(p)] = sum;
  });
  __int128 sum = 0;
  for (__int128 one : part) sum += one;
  if (link_) {
    std::int64_t words[2] = {static_cast<std::int64_t>(sum >> 32), static_cast<std::int64_t>(sum & 0xffffffff)};
    link_->sum(words);
    sum = (static_cast<__int128>(words[0]) << 32) + words[1];
  }
  return static_cast<double>(sum) / scale;
}

double CpuIntegration::kinetic_energy() const {
  return exact_sum([&](int i) { return 0.5 * system_.masses[at(i)] * dot(v_[at(i)], v_[at(i)]); });
}

/// Moves the atoms at home of a molecule with its centre; `centre` and `momentum` are sums with masses.
void CpuIntegration::scale_molecule(int molecule, const ScaleBox& stage, const Vec3d& centre, const Vec3d& momentum,
                                    double mass) {
  if (!(mass > 0)) return;
  const physics::MoleculeChange by = physics::scaled_molecule(stage.factor, mass, centre, momentum);
  for (int k = molecules_.start[at(molecule)]; k < molecules_.start[at(molecule) + 1]; ++k) {
    const int i = molecules_.atoms[at(k)];
    if (link_ && !link_->share().at_home(i)) continue;
    x_[at(i)] += by.shift;
    if (stage.velocities && system_.masses[at(i)] > 0) v_[at(i)] += by.change;
  }
}

void CpuIntegration::scale_box(const ScaleBox& stage) {
  const Vec3d& s = stage.factor;
  const auto scaled = [&](const Vec3d& r) { return Vec3d{s.x * r.x, s.y * r.y, s.z * r.z}; };
  box_ = {scaled(box_.a), scaled(box_.b), scaled(box_.c)};
  // Molecules that ranks may share: sums in whole numbers, 2^-24 Da nm and 2^-32 Da nm/ps.
  constexpr double place_scale = 0x1p24;
  std::vector<std::int64_t> sums(6 * spread_.mass.size(), 0);
  const auto molecule_of = [&](int i) { return system_.molecules.molecule_of[at(i)]; };
  if (!sums.empty()) {
    for (const auto& piece : pieces_)
      for (const AtomRange& r : piece)
        for (int i = r.first; i < r.last; ++i) {
          const int m = spread_.number[at(molecule_of(i))];
          if (m < 0) continue;
          std::int64_t* to = sums.data() + 6 * m;
          const Vec3d x = (system_.masses[at(i)] * place_scale) * x_[at(i)], p = system_.masses[at(i)] * v_[at(i)];
          to[0] += std::llround(x.x);
          to[1] += std::llround(x.y);
          to[2] += std::llround(x.z);
          to[3] += fixed_energy(p.x);
          to[4] += fixed_energy(p.y);
          to[5] += fixed_energy(p.z);
        }
    if (link_) link_->sum(sums);
  }
  // A molecule is the business of whoever has its first atom; shared ones are everybody's.
  for_home([&](int begin, int end) {
    for (int first = begin; first < end; ++first) {
      const int m = molecule_of(first);
      if (spread_.number[at(m)] >= 0 || molecules_.atoms[at(molecules_.start[at(m)])] != first) continue;
      Vec3d centre{0, 0, 0}, momentum{0, 0, 0};
      double mass = 0;
      for (int k = molecules_.start[at(m)]; k < molecules_.start[at(m) + 1]; ++k) {
        const int i = molecules_.atoms[at(k)];
        const double w = system_.masses[at(i)];
        mass += w;
        centre += w * x_[at(i)];
        momentum += w * v_[at(i)];
      }
      scale_molecule(m, stage, centre, momentum, mass);
    }
  });
  threads_.for_blocks(static_cast<int>(spread_.number.size()), block, [&](int first, int last, int) {
    for (int m = first; m < last; ++m) {
      if (spread_.number[at(m)] < 0) continue;
      const std::int64_t* from = sums.data() + 6 * spread_.number[at(m)];
      const auto place = [&](int k) { return static_cast<double>(from[k]) / place_scale; };
      scale_molecule(m, stage, {place(0), place(1), place(2)}, {from_fixed(from[3]), from_fixed(from[4]), from_fixed(from[5])},
                     spread_.mass[at(spread_.number[at(m)])]);
    }
  });
}

void CpuIntegration::remove_com_motion() {
  const auto mass = [&](int i) { return system_.masses[at(i)]; };
  const double total = exact_sum(mass);
  if (!(total > 0)) return;
  const Vec3d drift_velocity{exact_sum([&](int i) { return mass(i) * v_[at(i)].x; }) / total,
                             exact_sum([&](int i) { return mass(i) * v_[at(i)].y; }) / total,
                             exact_sum([&](int i) { return mass(i) * v_[at(i)].z; }) / total};
  heat_ -= 0.5 * total * dot(drift_velocity, drift_velocity);
  for_home([&](int first, int last) {
    for (int i = first; i < last; ++i)
      if (mass(i) > 0) v_[at(i)] -= drift_velocity;
  });
}

}  // namespace uplift::cpu

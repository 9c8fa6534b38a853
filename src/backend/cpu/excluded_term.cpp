// The mesh holds excluded pairs too, screened: what it has of them, q q erf(alpha r)/r, is taken back, at any distance.
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <numeric>
#include <vector>

#include "cpu/pair_kernels.hpp"
#include "uplift/backend/cpu/force_term.hpp"
#include "uplift/backend/erf_table.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"

namespace uplift::cpu {
namespace {

constexpr int pair_block = 256;  // pairs a task

template <class real>
class ExcludedTerm final : public ForceTerm {
  using FixedForce = std::array<Fixed, 3>;

 public:
  ExcludedTerm(const System& system, const PmeParameters& pme, const Threads& threads)
      : system_(system),
        threads_(threads),
        ops_(select_pair_ops<real>()),
        alpha_(pme.alpha),
        cutoff_(system.forces.cutoff),
        erf_(make_erf_table<real>(alpha_, cutoff_)),
        pairs_(system.force_field.exclusions),
        start_(at(system.size()) + 1, 0),
        block_of_(at(system.size()), -1),
        shared_(at(system.size()), 0) {
    for (const auto& pair : pairs_) ++start_[at(pair[0]) + 1];  // pairs are sorted by the first
    std::partial_sum(start_.begin(), start_.end(), start_.begin());
    find_shared_atoms();
  }

  std::string name() const override { return "excluded pairs"; }
  ForceGroup group() const override { return ForceGroup::nonbonded; }
  std::int64_t interactions() const override { return static_cast<std::int64_t>(pairs_.size()); }

  void set_share(const RankShare& share, std::span<const Vec3d> x, const Box& box) override {
    for (const auto& [i, j] : pairs_) shared_[at(i)] = shared_[at(j)] = 0;
    pairs_.clear();
    const auto& all = system_.force_field.exclusions;
    std::vector<int> local;
    share.for_local([&](int i) { local.push_back(i); });
    std::sort(local.begin(), local.end());
    for (int i : local)
      for (int k = start_[at(i)]; k < start_[at(i) + 1]; ++k)
        if (share.takes(all[at(k)], x, box)) pairs_.push_back(all[at(k)]);
    find_shared_atoms();
  }

  void compute(const ForceRequest& request, ForceSums& sums) override {
    const auto& q = system_.force_field.charges;
    threads_.for_blocks(static_cast<int>(pairs_.size()), pair_block, [&](int first, int last, int) {
      alignas(64) real x[pair_block], y[pair_block], z[pair_block], qq[pair_block], f[pair_block], e[pair_block];
      const int n = last - first, padded = (n + 15) / 16 * 16;
      for (int k = 0; k < padded; ++k) {
        Vec3d d{0, 0, 0};
        double product = 0;
        if (k < n) {
          const auto [i, j] = pairs_[at(first + k)];
          d = request.box.image(request.x[at(i)] - request.x[at(j)]);
          product = constants::coulomb * q[at(i)] * q[at(j)];
        }
        x[k] = static_cast<real>(d.x);
        y[k] = static_cast<real>(d.y);
        z[k] = static_cast<real>(d.z);
        qq[k] = static_cast<real>(product);
      }
      ops_.excluded(erf_, x, y, z, qq, padded, f, e);
      Fixed energy = 0, w[6] = {0, 0, 0, 0, 0, 0};
      int own = pairs_[at(first)][0];
      FixedForce own_force{0, 0, 0};
      for (int k = 0; k < n; ++k) {
        const auto [i, j] = pairs_[at(first + k)];
        const Vec3d d{static_cast<double>(x[k]), static_cast<double>(y[k]), static_cast<double>(z[k])};
        double scale = static_cast<double>(f[k]), part = static_cast<double>(e[k]);
        if (const double r2 = dot(d, d); r2 > cutoff_ * cutoff_) {  // beyond the range of the polynomial
          const double r = std::sqrt(r2), product = constants::coulomb * q[at(i)] * q[at(j)];
          scale = product * physics::erf_force_over_r(alpha_, r);
          part = product * physics::erf_over_r(alpha_, r);
        }
        const Vec3d force = -scale * d;
        if (request.energies || request.virial) energy -= fixed_energy(part);
        if (i != own) {  // pairs are sorted by i: its share is added once
          add(own, own_force, sums);
          own = i;
          own_force = {0, 0, 0};
        }
        const FixedForce f3{fixed_force(force.x), fixed_force(force.y), fixed_force(force.z)};
        for (std::size_t c = 0; c < 3; ++c) own_force[c] += f3[c];
        add(j, {-f3[0], -f3[1], -f3[2]}, sums);
        if (!request.virial) continue;
        const double products[6] = {force.x * d.x, force.y * d.y, force.z * d.z, force.x * d.y, force.x * d.z, force.y * d.z};
        for (int c = 0; c < 6; ++c) w[c] += fixed_energy(products[c]);
      }
      add(own, own_force, sums);
      if (request.energies || request.virial) sums.add_fixed_energy(EnergyTerm::coulomb_direct, energy);
      if (request.virial) sums.add_symmetric_virial(w);
    });
  }

 private:
  /// Blocks of pairs run side by side: atoms of more than one block are added to atomically. Water's are in one block each.
  void find_shared_atoms() {
    for (std::size_t k = 0; k < pairs_.size(); ++k)
      for (int i : pairs_[k]) {
        const int own = static_cast<int>(k) / pair_block;
        if (block_of_[at(i)] >= 0 && block_of_[at(i)] != own) shared_[at(i)] = 1;
        block_of_[at(i)] = own;
      }
    for (const auto& [i, j] : pairs_) block_of_[at(i)] = block_of_[at(j)] = -1;
  }

  void add(int i, const FixedForce& f, ForceSums& sums) const {
    Fixed* const to = sums.force.data() + 3 * at(i);
    for (std::size_t c = 0; c < 3; ++c) {
      if (shared_[at(i)])
        std::atomic_ref<Fixed>(to[c]).fetch_add(f[c], std::memory_order_relaxed);
      else
        to[c] += f[c];
    }
  }

  const System& system_;
  const Threads& threads_;
  const PairOps<real>& ops_;
  double alpha_, cutoff_;
  physics::ErfTable<real> erf_;
  std::vector<std::array<int, 2>> pairs_;  ///< of this rank, by the first
  std::vector<int> start_, block_of_;      ///< [atoms + 1] of all pairs; [atoms] scratch, -1
  std::vector<char> shared_;               ///< [atoms] in several blocks
};

}  // namespace

std::unique_ptr<ForceTerm> make_excluded_term(const System& system, const PmeParameters& pme, Precision precision,
                                              const Threads& threads) {
  if (system.forces.nonbonded != NonbondedMethod::pme || system.force_field.exclusions.empty()) return nullptr;
  if (precision == Precision::double_) return std::make_unique<ExcludedTerm<double>>(system, pme, threads);
  return std::make_unique<ExcludedTerm<float>>(system, pme, threads);
}

}  // namespace uplift::cpu

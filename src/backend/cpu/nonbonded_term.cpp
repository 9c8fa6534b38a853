// Lennard-Jones and direct-space Coulomb on the CPU: pair list, SIMD pair loop, dispersion correction. Positions are copied
// into the slots of the pair list as fractions of the box (pair_kernels.hpp says why).
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "backend/cpu/pair_list.hpp"
#include "backend/cpu/pieces.hpp"
#include "cpu/pair_exact_kernels.hpp"
#include "physics/pair/listing.hpp"
#include "physics/pair/reaction_field.hpp"
#include "uplift/backend/box_numbers.hpp"
#include "uplift/backend/cpu/force_term.hpp"
#include "uplift/backend/dispersion.hpp"
#include "uplift/backend/erf_table.hpp"
#include "uplift/backend/lj_rules.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"

namespace uplift::cpu {
namespace {

// Found by timing DHFR at 300 K and 2 fs: see ARCHITECTURE.md.
constexpr double outer_buffer = 0.20;  // [nm]
constexpr double inner_buffer = 0.06;
constexpr int tasks_wanted = 64;  // i clusters are shared out in about so many tasks, of so many clusters:
constexpr int task_least = 8, task_most = 64;
constexpr int slot_block = 1024;

/// `exact`: sums that do not depend on how atoms are shared out among ranks.
template <class real, bool exact>
class NonbondedTerm final : public ForceTerm {
  using Coordinate = typename PairCoordinate<real>::type;
  struct ThreadSums {
    Buffer<std::conditional_t<exact, typename PairLattice<real>::Integer, real>>
        force;              ///< of the task in hand, as PairOps::pairs has it; zero between tasks
    Buffer<Fixed> fixed;    ///< of all tasks of this thread
    std::vector<int> seen;  ///< -1 between uses
  };

 public:
  NonbondedTerm(const System& system, const PmeParameters& pme, const Threads& threads, RankLink* link)
      : system_(system),
        link_(link),
        threads_(threads),
        ops_(select_pair_ops<real>()),
        exact_ops_(exact_operations()),
        atoms_(system.size()),
        periodic_(system.forces.nonbonded != NonbondedMethod::no_cutoff),
        alpha_(pme.alpha),
        cutoff_(periodic_ ? system.forces.cutoff : std::numeric_limits<double>::infinity()),
        list_(system, cutoff_ + outer_buffer, threads),
        rules_(system.force_field),
        sums_(at(threads.count())) {
    if (atoms_ > 0) pieces_ = cut_pieces(std::vector<AtomRange>{{0, atoms_}});
    const ForceSettings& f = system.forces;
    form_ = f.nonbonded == NonbondedMethod::pme              ? CoulombForm::ewald
            : f.nonbonded == NonbondedMethod::reaction_field ? CoulombForm::reaction_field
                                                             : CoulombForm::plain;
    p_.periodic = periodic_;
    p_.cutoff2 = static_cast<real>(cutoff_ * cutoff_);
    p_.limit = lattice_limit<real>(cutoff_);
    p_.switching = periodic_ && f.switch_distance.has_value();
    if (p_.switching) {
      p_.switch_on = static_cast<real>(*f.switch_distance);
      p_.switch_inverse_width = static_cast<real>(1 / (f.cutoff - *f.switch_distance));
    }
    const auto field = physics::reaction_field_constants(f.reaction_field_dielectric, f.cutoff);
    p_.rf_k = static_cast<real>(field.k);
    p_.rf_c = static_cast<real>(field.c);
    if (form_ == CoulombForm::ewald) {
      p_.erf = make_erf_table<real>(alpha_, f.cutoff);
      p_.pieces = make_erf_pieces(alpha_, f.cutoff);
    }
    if (periodic_ && f.dispersion_correction) dispersion_ = dispersion_correction_times_volume(system);
    take_lennard_jones(system.force_field);
  }

  std::string name() const override { return "pairs"; }
  ForceGroup group() const override { return ForceGroup::nonbonded; }
  std::vector<PhaseTime> phases() const override { return {list_time_, prune_time_, slot_time_, pair_time_}; }

  void set_share(const RankShare& share, std::span<const Vec3d> /*x*/, const Box& /*box*/) override {
    share_ = &share;
    listed_.clear();  // a new list
    pieces_ = cut_pieces(share.home);
  }
  bool outdated(std::span<const Vec3d> x, const Box& box) override {
    return worn_out(listed_, x, box, outer_buffer, {});  // of the halo others know
  }
  double reach() const override { return cutoff_ + outer_buffer; }

  ListOrigin list_origin() const override { return link_ ? ListOrigin{} : listed_; }
  void restore_list(const ListOrigin& list) override {
    if (atoms_ > 0) timed(list_time_, [&] { build(list.x, list.box); });
  }
  std::int64_t lists_made() const override { return list_time_.calls; }

  void compute(const ForceRequest& request, ForceSums& sums) override {
    if (atoms_ == 0) return;
    refresh(request);
    timed(pair_time_, [&] { run_pairs(request, sums); });
    if (dispersion_.energy != 0 && (!link_ || link_->rank() == 0) && (request.energies || request.virial)) {
      sums.add_whole_energy(EnergyTerm::dispersion_correction, dispersion_.energy / request.box.volume());
      for (int d : {0, 4, 8})
        if (request.virial) sums.add_whole_virial(d, dispersion_.virial / request.box.volume());
    }
  }

 private:
  static const ExactPairOps<real>& exact_operations() {
    if constexpr (sizeof(real) == 4)
      return select_exact_pair_kernels().mixed;
    else
      return select_exact_pair_kernels().double_;
  }
  template <class F>
  static void timed(PhaseTime& phase, F&& f) {
    const auto start = std::chrono::steady_clock::now();
    f();
    phase.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    ++phase.calls;
  }

  /// By rules where there are some; otherwise, and in double, by the table.
  void take_lennard_jones(const ForceField& ff) {
    c6_.resize(ff.lj_c6.size());
    c12_.resize(ff.lj_c12.size());
    std::copy(ff.lj_c6.begin(), ff.lj_c6.end(), c6_.begin());
    std::copy(ff.lj_c12.begin(), ff.lj_c12.end(), c12_.begin());
    p_.lj_types = ff.lj_types;
    p_.c6 = c6_.data();
    p_.c12 = c12_.data();
    if (sizeof(real) == 8 || rules_.rule == LjRule::none) return;
    lj_ = rules_.rule == LjRule::geometric ? LjForm::geometric : LjForm::lorentz_berthelot;
    if (rules_.exception.empty()) return;
    list_.set_exceptions(ExceptionMarks(rules_.exception));
    for (std::size_t k = 0; k < rules_.exception.size(); ++k)
      if (!rules_.exception[k]) c12_[k] = -1;
  }

  /// Largest displacement of any atom since `then` [nm], where space was scaled `by` that since; with ranks, of those at home.
  double moved(std::span<const Vec3d> x, const ListOrigin& then, const Vec3d& by = {1, 1, 1}) {
    std::vector<double> worst(pieces_.size(), 0.0);
    threads_.for_each(static_cast<int>(pieces_.size()), [&](int p, int) {
      double most = 0;
      for (const AtomRange& r : pieces_[at(p)])
        for (int i = r.first; i < r.last; ++i) most = std::max(most, moved2(x[at(i)], then.x[at(i)], by));
      worst[at(p)] = most;
    });
    return worst.empty() ? 0 : std::sqrt(*std::max_element(worst.begin(), worst.end()));
  }
  static double moved2(const Vec3d& r, const Vec3d& then, const Vec3d& by) {
    const Vec3d d{r.x - by.x * then.x, r.y - by.y * then.y, r.z - by.z * then.z};
    return dot(d, d);
  }

  /// May pairs within the cutoff be missing by now from a list of those within cutoff and buffer? Two that were farther apart
  /// then are at least the smallest factor of the box times as far now, but for what both have moved against it. With ranks,
  /// by atoms at home and those of `halo`.
  bool worn_out(const ListOrigin& list, std::span<const Vec3d> x, const Box& box, double buffer, std::span<const int> halo) {
    if (list.empty()) return true;
    if (!periodic_) return 2 * moved(x, list) > 0.5 * lattice_span_;
    const std::optional<Vec3d> by = scaling(list.box, box);
    if (!by) return true;
    double most = moved(x, list, *by);
    for (int i : halo) most = std::max(most, std::sqrt(moved2(x[at(i)], list.x[at(i)], *by)));
    return 2 * most > physics::list_slack(cutoff_, buffer, std::min({by->x, by->y, by->z}));
  }

  void build(std::span<const Vec3d> x, const Box& box) {
    box_ = box;
    listed_ = {{x.begin(), x.end()}, box};
    pruned_.clear();
    list_.build(x, box, share_);
    set_lattice(x);
    fill_slots();
    task_clusters_ = std::clamp(list_.i_clusters() / tasks_wanted, task_least, task_most);
    touched_.resize(at((list_.i_clusters() + task_clusters_ - 1) / task_clusters_));
    if (!periodic_) {
      list_.restore_inner();
      threads_.for_blocks(list_.i_clusters(), task_clusters_,
                          [&](int first, int last, int thread) { note_touched(first, last, thread); });
    }
  }

  /// Lists that are valid for these positions, and the positions in their slots.
  void refresh(const ForceRequest& request) {
    bool rebuild = false, prune = false;
    timed(slot_time_, [&] {
      const std::span<const int> halo = share_ ? share_->halo : std::span<const int>{};
      rebuild = share_ ? listed_.empty() : worn_out(listed_, request.x, request.box, outer_buffer, {});  // ranks have agreed
      prune = periodic_ && (rebuild || worn_out(pruned_, request.x, request.box, inner_buffer, halo));
    });
    if (rebuild) timed(list_time_, [&] { build(request.x, request.box); });
    if (std::exchange(box_, request.box) != request.box) set_lattice(request.x);
    timed(slot_time_, [&] { place(request.x); });
    if (prune) {
      timed(prune_time_, [&] {
        pruned_ = {{request.x.begin(), request.x.end()}, request.box};
        const real reach = static_cast<real>(cutoff_ + inner_buffer);
        threads_.for_blocks(list_.i_clusters(), task_clusters_, [&](int first, int last, int thread) {
          for (int i = first; i < last; ++i) {
            const auto outer = list_.outer(i);
            list_.set_inner_count(i, ops_.prune(p_, slots(), i, outer.data(), static_cast<int>(outer.size()), reach * reach,
                                                list_.inner_room(i).data()));
          }
          note_touched(first, last, thread);
        });
      });
    }
  }

  /// The clusters of eight that a task (i clusters first to last) adds forces to.
  void note_touched(int first, int last, int thread) {
    std::vector<int>& seen = sums_[at(thread)].seen;
    std::vector<std::int32_t>& touched = touched_[at(first / task_clusters_)];
    const int eights = list_.slots() / cluster_j;
    if (static_cast<int>(seen.size()) < eights) seen.assign(at(eights), -1);
    touched.clear();
    const auto note = [&](int cluster) {
      if (std::exchange(seen[at(cluster)], first) != first) touched.push_back(cluster);
    };
    for (int i = first; i < last; ++i) {
      if (list_.inner(i).empty()) continue;
      note(i * cluster_i / cluster_j);
      for (const PairEntry& e : list_.inner(i)) note(e.j);
    }
    for (std::int32_t cluster : touched) seen[at(cluster)] = -1;
  }

  /// The unit of the slots' coordinates: a fraction of the box, or without a box a power of two of a nm about the middle of the
  /// atoms.
  void set_lattice(std::span<const Vec3d> x) {
    const double unit = sizeof(real) == 4 ? 0x1p-32 : 1.0;
    if (periodic_) {
      const std::array<double, 6> a = numbers_of(box_);
      for (std::size_t k = 0; k < 6; ++k) p_.a[k] = static_cast<real>(a[k] * unit);
      p_.triclinic = !box_.orthorhombic();
      return;
    }
    Vec3d low = x[0], high = x[0];
    for (const Vec3d& r : x) {
      low = {std::min(low.x, r.x), std::min(low.y, r.y), std::min(low.z, r.z)};
      high = {std::max(high.x, r.x), std::max(high.y, r.y), std::max(high.z, r.z)};
    }
    origin_ = 0.5 * (low + high);
    const double extent = std::max({high.x - low.x, high.y - low.y, high.z - low.z, 1.0});
    lattice_span_ = std::ldexp(1.0, static_cast<int>(std::ceil(std::log2(extent))));
    lattice_unit_ = sizeof(real) == 4 ? lattice_span_ * 0x1p-29 : 1.0;  // differences of up to 4 spans fit 31 bits
    for (int k = 0; k < 6; ++k) p_.a[k] = k == 0 || k == 3 || k == 5 ? static_cast<real>(lattice_unit_) : real(0);
    p_.triclinic = false;
  }

  /// What of a slot does not change with time.
  void fill_slots() {
    const auto n = at(list_.slots());
    for (Buffer<Coordinate>* b : {&x_, &y_, &z_})
      if (b->size() < n) b->resize(n + n / 8);
    for (Buffer<real>* b : {&charge_, &lj_first_, &lj_second_})
      if (b->size() < n) b->resize(n + n / 8);
    if (type_.size() < n) type_.resize(n + n / 8);
    for (ThreadSums& t : sums_) {
      if (t.fixed.size() < 3 * n) t.fixed.resize(3 * (n + n / 8));
      const auto sums = at(exact ? 1 : ops_.sums_a_force);
      if (t.force.size() < 3 * n * sums) t.force.resize(3 * (n + n / 8) * sums);
    }
    half_lj_.resize(at(list_.i_clusters()));
    const ForceField& ff = system_.force_field;
    const double root = std::sqrt(constants::coulomb);
    threads_.for_blocks(list_.slots(), slot_block, [&](int first, int last, int) {
      for (int s = first; s < last; ++s) {
        const int i = list_.atom_of_slot()[at(s)];
        const int t = i < 0 ? 0 : ff.lj_type[at(i)];
        charge_[at(s)] = i < 0 ? real(0) : static_cast<real>(root * ff.charges[at(i)]);
        const bool ruled = i >= 0 && rules_.rule != LjRule::none;
        lj_first_[at(s)] = ruled ? static_cast<real>(rules_.first[at(t)]) : real(0);
        lj_second_[at(s)] = ruled ? static_cast<real>(rules_.second[at(t)]) : real(0);
        type_[at(s)] = t;
        if (i < 0) x_[at(s)] = y_[at(s)] = z_[at(s)] = Coordinate(0);
      }
      for (int s = first; s < last; s += cluster_i) half_lj_[at(s / cluster_i)] = without_lj(s + 2) && without_lj(s + 3);
    });
  }

  bool without_lj(int slot) const { return lj_first_[at(slot)] == 0 && lj_second_[at(slot)] == 0; }

  void place(std::span<const Vec3d> x) {
    threads_.for_blocks(list_.slots(), slot_block, [&](int first, int last, int) {
      for (int s = first; s < last; ++s) {
        const int i = list_.atom_of_slot()[at(s)];
        if (i < 0) continue;
        Vec3d u;
        if (periodic_) {
          u = box_.fraction(x[at(i)]);
          u = {u.x - std::floor(u.x), u.y - std::floor(u.y), u.z - std::floor(u.z)};
        } else {
          u = (1 / lattice_unit_) * (x[at(i)] - origin_);
        }
        x_[at(s)] = coordinate(u.x);
        y_[at(s)] = coordinate(u.y);
        z_[at(s)] = coordinate(u.z);
      }
    });
  }
  Coordinate coordinate(double u) const {
    if constexpr (sizeof(real) == 4)
      return static_cast<std::int32_t>(
          static_cast<std::uint32_t>(static_cast<std::int64_t>(std::nearbyint(periodic_ ? u * 0x1p32 : u))));
    else
      return u;
  }

  PairSlots<real> slots() const {
    return {x_.data(),        y_.data(),         z_.data(),    charge_.data(),
            lj_first_.data(), lj_second_.data(), type_.data(), half_lj_.data()};
  }

  using TaskSums = std::conditional_t<exact, ExactPairSums, PairSums>;
  static Fixed in_fixed(double sum) { return fixed_energy(sum); }
  static Fixed in_fixed(Fixed sum) { return sum; }

  void run_pairs(const ForceRequest& request, ForceSums& sums) {
    p_.boosted = request.every_step;
    const PairTally tally = request.virial       ? PairTally::energies_and_virial
                            : request.every_step ? PairTally::boost
                            : request.energies   ? PairTally::energies
                                                 : PairTally::none;
    const std::size_t values = 3 * at(list_.slots());
    threads_.for_each(threads_.count(), [&](int t, int) { std::fill_n(sums_[at(t)].fixed.data(), values, Fixed(0)); });
    threads_.for_blocks(list_.i_clusters(), task_clusters_, [&](int first, int last, int thread) {
      // Without exact sums, what a task adds up in floating point is the same for any number of threads; only its sums become
      // integers.
      ThreadSums& own = sums_[at(thread)];
      TaskSums total{}, part{};
      const auto add = [&](int i, std::span<const PairEntry> entries, LjForm lj) {
        if (entries.empty()) return;
        const int n = static_cast<int>(entries.size());
        if constexpr (exact)
          exact_ops_.pairs(p_, slots(), i, entries.data(), n, lj, form_, own.force.data(), own.fixed.data(), tally, &part);
        else
          ops_.pairs(p_, slots(), i, entries.data(), n, lj, form_, own.force.data(), tally, &part);
        if (tally == PairTally::none) return;
        total.lj += part.lj;
        total.coulomb += part.coulomb;
        if (request.virial)
          for (int k = 0; k < 6; ++k) total.virial[k] += part.virial[k];
      };
      for (int i = first; i < last; ++i) {
        const auto entries = list_.inner(i);
        const auto ruled = at(list_.ruled(i));
        add(i, entries.first(ruled), lj_);
        add(i, entries.subspan(ruled), LjForm::exceptions);
      }
      const auto& touched = touched_[at(first / task_clusters_)];
      const int clusters = static_cast<int>(touched.size());
      if constexpr (exact)
        exact_ops_.flush(touched.data(), clusters, own.force.data(), own.fixed.data());
      else
        ops_.flush(touched.data(), clusters, own.force.data(), own.fixed.data());
      if (tally == PairTally::none) return;
      sums.add_fixed_energy(EnergyTerm::lj, in_fixed(total.lj));
      sums.add_fixed_energy(EnergyTerm::coulomb_direct, in_fixed(total.coulomb));
      if (!request.virial) return;
      Fixed w[6];
      for (int k = 0; k < 6; ++k) w[k] = in_fixed(total.virial[k]);
      sums.add_symmetric_virial(w);
    });
    threads_.for_blocks(list_.slots(), slot_block, [&](int first, int last, int) {
      for (int s = first; s < last; ++s) {
        const int i = list_.atom_of_slot()[at(s)];
        if (i < 0) continue;
        for (int c = 0; c < 3; ++c) {
          Fixed sum = 0;
          for (const ThreadSums& t : sums_) sum += t.fixed[at((s / cluster_j * 3 + c) * cluster_j + s % cluster_j)];
          sums.force[3 * at(i) + static_cast<std::size_t>(c)] += sum;
        }
      }
    });
  }

  const System& system_;
  RankLink* link_;  ///< null: one rank
  const RankShare* share_ = nullptr;
  const Threads& threads_;
  const PairOps<real>& ops_;
  const ExactPairOps<real>& exact_ops_;
  int atoms_;
  bool periodic_;
  double alpha_, cutoff_;
  DispersionCorrection dispersion_;
  PairList list_;
  CoulombForm form_;
  LjForm lj_ = LjForm::table;
  ExactPairParameters<real> p_{};
  LjRules rules_;
  Box box_;
  Vec3d origin_{0, 0, 0};
  double lattice_span_ = 0, lattice_unit_ = 1;
  ListOrigin listed_, pruned_;
  Buffer<real> c6_, c12_, charge_, lj_first_, lj_second_;
  Buffer<std::int32_t> type_;
  Buffer<Coordinate> x_, y_, z_;
  std::vector<std::uint8_t> half_lj_;           ///< PairSlots
  std::vector<std::vector<AtomRange>> pieces_;  ///< of the atoms at home, a task each
  int task_clusters_ = task_least;
  std::vector<std::vector<std::int32_t>> touched_;  ///< [task] clusters of eight
  std::vector<ThreadSums> sums_;
  PhaseTime list_time_{"pair list", 0, 0}, prune_time_{"prune", 0, 0}, slot_time_{"pair positions", 0, 0},
      pair_time_{"pairs", 0, 0};
};

}  // namespace

std::unique_ptr<ForceTerm> make_nonbonded_term(const System& system, const PmeParameters& pme, Precision precision,
                                               const Threads& threads, RankLink* link) {
  // Without a cutoff, forces of thousands of pairs cancel to a small rest: float pairs left 1e-5 of the rms force of a
  // minimised protein in implicit solvent, twice what mixed precision promises. Such systems are small, and double costs them
  // little.
  const bool in_double = precision == Precision::double_ || system.forces.nonbonded == NonbondedMethod::no_cutoff;
  if (link) {
    if (in_double) return std::make_unique<NonbondedTerm<double, true>>(system, pme, threads, link);
    return std::make_unique<NonbondedTerm<float, true>>(system, pme, threads, link);
  }
  if (in_double) return std::make_unique<NonbondedTerm<double, false>>(system, pme, threads, link);
  return std::make_unique<NonbondedTerm<float, false>>(system, pme, threads, link);
}

}  // namespace uplift::cpu

#include "uplift/backend/cpu/cpu_backend.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <fstream>
#include <string>
#include <utility>

#include "cpu/cpu_isa.hpp"
#include "uplift/backend/cpu/force_term.hpp"
#include "uplift/backend/cpu/integration.hpp"
#include "uplift/backend/pme_setup.hpp"
#include "uplift/core/assert.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/processors.hpp"

namespace uplift::cpu {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string processor_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown processor";
}

/// A force term and the time it has taken.
struct TimedTerm {
  std::unique_ptr<ForceTerm> term;
  PhaseTime time;
};

class CpuBackend final : public Backend {
 public:
  CpuBackend(const System& system, const Box& box, const CpuOptions& options)
      : precision_(options.precision),
        threads_(options.threads > 0 ? options.threads : usable_threads()),
        atoms_(system.size()),
        link_(options.link),
        integration_(system, options.constraint_tolerance, threads_, options.link) {
    if (link_) check_can_be_shared(system);
    if (system.forces.nonbonded == NonbondedMethod::pme) pme_ = resolve_pme(system.forces, box);
    add(make_nonbonded_term(system, pme_, precision_, threads_, link_));
    add(make_excluded_term(system, pme_, precision_, threads_));
    add(make_implicit_solvent_term(system, precision_, threads_));
    add(make_bonded_term(system, precision_, threads_));
    add(make_torsion_term(system, precision_, threads_));
    add(make_restraint_term(system, precision_, threads_));
    // The mesh needs no halo, and adds no forces on it: messages are on their way while it begins, and while it is worked out.
    if (system.forces.nonbonded == NonbondedMethod::pme) add(make_pme_term(system, pme_, precision_, threads_, link_));
    for (const TimedTerm& t : terms_) interactions_ += t.term->interactions();
    interactions_ += integration_.constraints();
    for (const TimedTerm& t : terms_) reach_ = std::max(reach_, t.term->reach());
  }

  std::string name() const override { return "cpu"; }
  std::string description() const override {
    return processor_name() + ", " + isa_name(active_isa()) + " kernels, " + std::to_string(threads_.count()) +
           (threads_.count() == 1 ? " thread, " : " threads, ") + (precision_ == Precision::double_ ? "double" : "mixed") +
           " precision";
  }

  void upload(const State& state) override {
    integration_.upload(state);
    levels_ = {};
    bias_ = {};
    bias_.statistics = state.statistics;
    failure_.clear();
    if (link_ && shares_ == 0) {
      link_->adopt(integration_.mutable_positions(), state.box, reach_);
      take_share();
    }
    if (!state.list.empty() && !link_)
      for (TimedTerm& t : terms_) t.term->restore_list(state.list);
  }
  ListOrigin list_origin() const override {
    for (const TimedTerm& t : terms_)
      if (ListOrigin list = t.term->list_origin(); !list.empty()) return list;
    return {};
  }
  void download(State& state) const override {
    integration_.download(state);
    state.statistics = bias_.statistics;
  }
  Box box() const override { return integration_.box(); }

  void for_each(int tasks, const std::function<void(int)>& f) const override {
    threads_.for_each(tasks, [&](int task, int) { f(task); });
  }
  void download_forces(std::vector<Vec3d>& f) const override {
    f.resize(static_cast<std::size_t>(atoms_));
    for_home([&](int i) { f[static_cast<std::size_t>(i)] = force_on(static_cast<std::size_t>(i)); });
  }

  void run(std::span<const Stage> stages, const ForcePlan& plan, std::int64_t step) override {
    for (const Stage& stage : stages) {
      if (const auto* forces = std::get_if<ComputeForces>(&stage))
        compute_forces(*forces, plan);
      else if (const auto* bias = std::get_if<ApplyBias>(&stage))
        apply_bias(*bias);
      else
        move(stage, step);
      if (std::holds_alternative<SaveConfiguration>(stage)) keep_forces();
      if (std::holds_alternative<RestoreConfiguration>(stage)) put_forces_back();
    }
    if (std::exchange(tally_is_new_, false)) add_tallies();
  }

  void verify() override {
    if (!failure_.empty()) throw SimulationError(std::exchange(failure_, {}));
  }

  bool forces_restored() const override { return forces_restored_; }
  Energies energies() const override {
    Energies e = energies_;
    e.bias = bias_.energies;
    e.bias.total = e.potential();
    return e;
  }
  double kinetic_energy() const override { return integration_.kinetic_energy(); }

  WorstForce worst_force() const override {
    WorstForce worst;
    for_home([&](int i) {
      const Vec3d f = force_on(static_cast<std::size_t>(i));
      const double magnitude = std::sqrt(dot(f, f));
      if (magnitude > worst.magnitude || worst.atom < 0) worst = {i, magnitude};
    });
    return worst;
  }

  PmeParameters pme() const override { return pme_; }

  std::vector<PhaseTime> phases() const override {
    std::vector<PhaseTime> all;
    for (const TimedTerm& t : terms_) {
      const std::vector<PhaseTime> own = t.term->phases();
      if (own.empty())
        all.push_back(t.time);
      else
        all.insert(all.end(), own.begin(), own.end());
    }
    const std::vector<PhaseTime> moves = integration_.phases();
    all.insert(all.end(), moves.begin(), moves.end());
    return all;
  }

 private:
  template <class F>
  void for_home(F&& f) const {
    for (const auto& piece : integration_.pieces())
      for (const AtomRange& r : piece)
        for (int i = r.first; i < r.last; ++i) f(i);
  }

  /// On several ranks sums do not follow lists, but atoms may be elsewhere.
  std::int64_t lists_made() const {
    if (link_) return shares_;
    std::int64_t all = 0;
    for (const TimedTerm& t : terms_) all += t.term->lists_made();
    return all;
  }
  void keep_forces() {
    copy(levels_, kept_.levels);
    kept_.bias = bias_;
    kept_.energies = energies_;
    kept_.lists = lists_made();
  }
  void put_forces_back() {
    forces_restored_ = kept_.lists == lists_made();
    if (!forces_restored_) return;
    copy(kept_.levels, levels_);
    bias_ = kept_.bias;
    energies_ = kept_.energies;
  }
  void copy(const CpuIntegration::Levels& from, CpuIntegration::Levels& to) const {
    for (std::size_t l = 0; l < from.sums.size(); ++l) {
      const ForceSums& source = from.sums[l];
      ForceSums& target = to.sums[l];
      if (target.force.size() != source.force.size()) target.force.resize(source.force.size());
      std::copy(source.force.begin(), source.force.end(), target.force.begin());
      target.energy = source.energy;
      target.virial = source.virial;
    }
    to.factors = from.factors;
  }

  /// With several ranks, what goes wrong on one is kept for verify(): the others go on to the next message, and wait.
  void move(const Stage& stage, std::int64_t step) {
    if (!link_) return integration_.run(stage, levels_, step);
    try {
      integration_.run(stage, levels_, step);
    } catch (const SimulationError& e) {
      if (failure_.empty()) failure_ = e.what();
    }
  }

  /// Interactions, constraints and atoms as the link shares them out now; they must be all there, each once.
  void take_share() {
    const RankShare& share = link_->share();
    std::int64_t here = 0;
    integration_.set_share();
    for (TimedTerm& t : terms_) {
      t.term->set_share(share, integration_.positions(), integration_.box());
      here += t.term->interactions();
    }
    here += integration_.constraints();
    check_shares(*link_, here, interactions_, atoms_);
    ++shares_;
  }

  /// Positions of the halo, where it is wanted, are on their way afterwards (true), or domains are new and they are there: when
  /// a list of pairs is too old.
  bool meet_ranks(bool halo) {
    bool outdated = false;
    for (TimedTerm& t : terms_) outdated = outdated || t.term->outdated(integration_.positions(), integration_.box());
    if (halo) link_->start_forward(integration_.mutable_positions());
    if (!link_->any(outdated)) return halo;
    if (halo) link_->finish_forward(integration_.mutable_positions());
    link_->note_work(std::exchange(work_, 0));
    std::vector<std::byte*> carried = integration_.carried();
    for (ForceSums& level : levels_.sums)
      if (!level.force.empty()) carried.push_back(reinterpret_cast<std::byte*>(level.force.data()));
    link_->migrate(integration_.mutable_positions(), carried, integration_.box(), reach_);
    take_share();
    return false;
  }

  void clear(ForceSums& sums) const {
    if (!link_) return sums.clear();
    sums.energy.fill(0);
    sums.virial.fill(0);
    link_->share().for_local([&](int i) { std::fill_n(sums.force.data() + 3 * static_cast<std::size_t>(i), 3, Fixed(0)); });
  }

  /// Energies and virial.
  void sum_over_ranks(ForceSums& sums) {
    std::array<std::int64_t, energy_term_count + 9> all;
    std::copy(sums.energy.begin(), sums.energy.end(), all.begin());
    std::copy(sums.virial.begin(), sums.virial.end(), all.begin() + energy_term_count);
    link_->sum(all);
    std::copy_n(all.begin(), energy_term_count, sums.energy.begin());
    std::copy_n(all.begin() + energy_term_count, 9, sums.virial.begin());
  }

  void add(std::unique_ptr<ForceTerm> term) {
    if (!term) return;
    PhaseTime time{term->name(), 0, 0};
    terms_.push_back({std::move(term), std::move(time)});
  }

  Vec3d force_on(std::size_t i) const {
    Vec3d f{0, 0, 0};
    Fixed plain[3] = {0, 0, 0};  // exact, where there is no bias
    for (std::size_t l = 0; l < levels_.sums.size(); ++l) {
      const Fixed* part = levels_.sums[l].force.size() > 0 ? levels_.sums[l].force.data() + 3 * i : nullptr;
      if (!part) continue;
      if (const double factor = levels_.factors[l].all(); factor != 1)
        f += factor * Vec3d{from_fixed(part[0]), from_fixed(part[1]), from_fixed(part[2])};
      else
        for (std::size_t c = 0; c < 3; ++c) plain[c] += part[c];
    }
    return f + Vec3d{from_fixed(plain[0]), from_fixed(plain[1]), from_fixed(plain[2])};
  }

  /// How long it takes [s]; work of this rank is what it does not wait for others in.
  template <class F>
  double work(F&& f) {
    const double waited = link_ ? link_->waited() : 0;
    const auto start = Clock::now();
    f();
    const double seconds = seconds_since(start);
    if (link_) work_ += seconds - (link_->waited() - waited);
    return seconds;
  }

  void compute_forces(const ComputeForces& stage, const ForcePlan& plan) {
    ForceSums& sums = levels_.sums[static_cast<std::size_t>(stage.level)];
    const ForceGroups groups = stage.groups & plan.groups;
    const bool tally = stage.last && (plan.energies || plan.virial);
    if (sums.force.empty()) sums.force.resize(3 * static_cast<std::size_t>(atoms_));
    bool halo = false;  // the mesh has nothing to do with it
    for (const TimedTerm& t : terms_)
      halo = halo || (has(groups, t.term->group()) && t.term->group() != ForceGroup::pme_reciprocal);
    const bool coming = link_ && meet_ranks(halo);
    const ForceRequest request{integration_.positions(), integration_.box(), stage.energies || (plan.energies && stage.last),
                               plan.virial && stage.last, stage.energies};
    clear(sums);
    if (link_)
      for (TimedTerm& t : terms_)
        if (has(groups, t.term->group())) work([&] { t.term->prepare(request); });
    if (coming) link_->finish_forward(integration_.mutable_positions());
    bool mesh = false;
    for (TimedTerm& t : terms_) {
      if (!has(groups, t.term->group())) continue;
      mesh = t.term->group() == ForceGroup::pme_reciprocal;
      if (mesh && link_ && halo) link_->start_reverse(sums.force.view());
      t.time.seconds += work([&] { link_ ? t.term->compute(request, sums) : t.term->evaluate(request, sums); });
      ++t.time.calls;
    }
    if (link_ && halo && !mesh) link_->start_reverse(sums.force.view());
    if (link_ && halo) link_->finish_reverse(sums.force.view());
    integration_.spread_virtual_site_forces(sums);
    if (link_ && (request.energies || request.virial)) sum_over_ranks(sums);
    tally_is_new_ = tally_is_new_ || tally;
  }

  void apply_bias(const ApplyBias& stage) {
    const auto of = [&](EnergyTerm term) {
      return total([k = static_cast<std::size_t>(term)](const ForceSums& level) { return level.energy[k]; });
    };
    const double all = total([](const ForceSums& level) {
      Fixed sum = 0;
      for (Fixed e : level.energy) sum += e;
      return sum;
    });
    bias_.apply(stage.bias, {of(EnergyTerm::dihedral), of(EnergyTerm::cmap), all}, stage.torsions_only, stage.gather);
    for (std::size_t l = 0; l < levels_.factors.size(); ++l)
      levels_.factors[l] = bias_.factors_of(static_cast<int>(l), stage.torsion_level);
  }

  /// Energies and virial of all levels, each with its part in the boosted forces.
  void add_tallies() {
    for (std::size_t k = 0; k < energies_.term.size(); ++k)
      energies_.term[k] = total([k](const ForceSums& level) { return level.energy[k]; });
    for (std::size_t k = 0; k < energies_.virial.size(); ++k) {
      energies_.virial[k] = 0;
      for (std::size_t l = 0; l < levels_.sums.size(); ++l)
        energies_.virial[k] += levels_.factors[l].all() * from_fixed(levels_.sums[l].virial[k]);
    }
  }

  template <class F>
  double total(F&& f) const {
    Fixed sum = 0;
    for (const ForceSums& level : levels_.sums) sum += f(level);
    return from_fixed(sum);
  }

  Precision precision_;
  Threads threads_;
  int atoms_;
  RankLink* link_;
  std::int64_t shares_ = 0;        ///< that the link has made of whose atoms are whose
  std::int64_t interactions_ = 0;  ///< of the whole system
  double reach_ = 0;               ///< of interactions [nm]
  double work_ = 0;                ///< since walls were last looked at [s]
  std::string failure_;            ///< the first since verify()
  CpuIntegration integration_;
  PmeParameters pme_;
  std::vector<TimedTerm> terms_;
  CpuIntegration::Levels levels_;
  BiasState bias_;
  Energies energies_;
  bool tally_is_new_ = false;
  struct Kept {
    CpuIntegration::Levels levels;
    BiasState bias;
    Energies energies;
    std::int64_t lists = 0;
  };
  Kept kept_;  ///< SaveConfiguration
  bool forces_restored_ = false;
};

}  // namespace

int usable_threads() {
  const int usable = usable_processors(), wanted = wanted_threads().threads;
  return wanted > 0 ? std::min(usable, wanted) : usable;
}

std::unique_ptr<Backend> make_cpu_backend(const System& system, const Box& box, const CpuOptions& options) {
  return std::make_unique<CpuBackend>(system, box, options);
}

}  // namespace uplift::cpu

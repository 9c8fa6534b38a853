// The backend on a device: forces and state stay there. The same source for the GPU and for the emulator.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "backend/cuda/box_energies.hpp"
#include "backend/cuda/device_descent.cuh"
#include "backend/cuda/device_energies.cuh"
#include "backend/cuda/device_force.cuh"
#include "backend/cuda/device_integration.cuh"
#include "backend/cuda/device_levels.cuh"
#include "backend/cuda/device_phases.cuh"
#include "backend/cuda/device_snapshot.cuh"
#include "backend/cuda/device_steps.cuh"
#include "uplift/backend/cuda/cuda_backend.hpp"
#include "uplift/backend/pme_setup.hpp"
#include "uplift/core/error.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

class DeviceBackend final : public Backend {
 public:
  DeviceBackend(const System& system, const Box& box, const DeviceOptions& options)
      : system_(system),
        precision_(options.precision),
        device_(options.device),
        link_(options.link),
        integration_(system, options.constraint_tolerance, stream_),
        levels_(system.size(), stream_) {
    if (link_) check_can_be_shared(system);
    if (system.forces.nonbonded == NonbondedMethod::pme) pme_ = resolve_pme(system.forces, box);
    box_energies_.emplace(system, pme_);
    // The longest chain of kernels goes first; it needs no halo, which comes meanwhile.
    const auto add = [&](const char* name, ForceGroup group, cudaStream_t stream, std::unique_ptr<DeviceForce> force) {
      if (force) forces_.push_back({group, stream, phases_.add(name), std::move(force)});
    };
    add("PME", ForceGroup::pme_reciprocal, mesh_stream_, make_device_mesh(system, pme_, precision_, link_, mesh_stream_));
    add("bonded", ForceGroup::bonded, side_stream_, make_device_bonded(system, precision_));
    add("boosted torsions", ForceGroup::torsions, side_stream_, make_device_torsions(system, precision_));
    add("excluded pairs", ForceGroup::nonbonded, side_stream_, make_device_excluded(system, pme_));
    add("restraints", ForceGroup::restraints, side_stream_, make_device_restraints(system));
    add("pairs", ForceGroup::nonbonded, stream_, make_device_pairs(system, pme_, precision_, link_, stream_));
    add("implicit solvent", ForceGroup::implicit_solvent, stream_, make_device_solvent(system));
    moves_phase_ = phases_.add("integrate and constrain");
    if (link_) inside_phase_ = phases_.add("pairs inside domains");
    if (link_) share_with_ranks();
  }

  std::string name() const override { return device_name; }
  std::string description() const override {
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, device_), "ask for the GPU");
    return std::string(properties.name) + (link_ ? " (device " + std::to_string(device_) + ")" : "") + ", " +
           (precision_ == Precision::double_ ? "double" : "mixed") + " precision" +
           (!link_                    ? ""
            : direct_messages(*link_) ? ", messages from device memory"
                                      : ", messages through pinned memory");
  }

  void upload(const State& state) override {
    integration_.upload(state);
    boosted_ = false;
    levels_.forget();
    repeated_.forget();  // what is queued notes on the host which levels are computed
    if (ranks_ && !ranks_->shared()) {
      ranks_->adopt(state.x, state.box, stream_);
      take_share();
    }
    if (state.list.empty()) return;
    for (const auto& [group, stream, phase, force] : forces_) force->restore_list(state.list, stream_);
  }
  void download(State& state) const override { integration_.download(state); }
  Box box() const override { return integration_.box(); }
  ListOrigin list_origin() const override {
    for (const auto& [group, stream, phase, force] : forces_)
      if (ListOrigin list = force->list_origin(stream_); !list.empty()) return list;
    return {};
  }

  void download_forces(std::vector<Vec3d>& f) const override {
    levels_.fetch_forces(stream_);
    levels_.add_up(integration_.look(), f);  // which waits
  }

  void run(std::span<const Stage> stages, const ForcePlan& plan, std::int64_t step) override {
    const auto has_stage = [&](auto kind) {
      return std::any_of(stages.begin(), stages.end(),
                         [](const Stage& s) { return std::holds_alternative<decltype(kind)>(s); });
    };
    const bool whole_step = has_stage(ComputeForces{}) && has_stage(Drift{});
    if (!whole_step) {
      queue(stages, plan, false);
      return;
    }
    integration_.set_step(step);
    queue_step(stages, plan);
    integration_.step_has_ended();
  }

  void verify() override {
    integration_.check_constraints();
    for (const auto& [group, stream, phase, force] : forces_)
      if (force->inspect(stream_)) repeated_.invalidate();
    for (const GroupForce& from : forces_)
      if (const int* order = from.force->spatial_order())
        for (const GroupForce& to : forces_) to.force->take_order(order, stream_);
  }

  std::unique_ptr<Snapshot> snapshot(const SnapshotPlan& plan) override {
    if (link_) return nullptr;  // the others have a part of it
    DeviceForce::Room room;
    for (const GroupForce& f : forces_)
      if (const DeviceForce::Room one = f.force->room(); one.used) room = one;
    const auto run = [&](std::span<const Stage> stages) { queue(stages, {}, false); };
    return snapshots_->take(
        {integration_, levels_.forces(), room, levels_.reported_tallies(), levels_.reported(), boosted_, run}, plan, stream_);
  }

  std::unique_ptr<Descent> descent() override {
    if (link_) return nullptr;  // as for snapshots
    return make_device_descent(
        *this, integration_, [this] { return levels_.forces(); }, stream_);
  }

  bool forces_restored() const override { return forces_restored_; }
  Energies energies() const override {
    levels_.fetch_energies(stream_);
    const Shared shared = integration_.look();  // waits
    Energies e = levels_.energies(shared);
    set_bias(e, shared, boosted_);
    return e;
  }
  double kinetic_energy() const override { return integration_.kinetic_energy(); }
  WorstForce worst_force() const override { return integration_.worst_force(levels_.forces()); }
  PmeParameters pme() const override { return pme_; }
  std::vector<PhaseTime> phases() const override {
    check(cudaStreamSynchronize(stream_), "wait for the device");
    std::vector<PhaseTime> all = phases_.times();
    for (const auto& [group, stream, phase, force] : forces_)
      for (PhaseTime& own : force->phases(stream_)) all.push_back(std::move(own));
    return all;
  }

 private:
  static constexpr const char* device_name = UPLIFT_DEVICE_NAME;
  void queue_step(std::span<const Stage> stages, const ForcePlan& plan) {
    const bool sample = steps_++ % DevicePhases::sample_every == 1;
    if (link_ || sample) {  // messages between ranks cannot be captured
      if (sample) phases_.begin_sample();
      queue(stages, plan, true);
      phases_.end_sample();
      return;
    }
    const Box box = integration_.box();
    const bool steady = std::all_of(forces_.begin(), forces_.end(), [&](const GroupForce& f) { return f.force->steady(box); });
    if (!repeated_.launch(stages, plan, box, steady, phases_, stream_, [&] { queue(stages, plan, true); }))
      return queue(stages, plan, true);
    for (const Stage& stage : stages)  // what queue() would note on the host
      if (const auto* forces = std::get_if<ComputeForces>(&stage)) note_report(*forces, plan);
  }

  void queue(std::span<const Stage> stages, const ForcePlan& plan, bool whole_step) {
    std::vector<ComputeForces> wanted;  // of the same positions: side by side
    for (std::size_t n = 0; n < stages.size(); ++n) {
      const auto* forces = std::get_if<ComputeForces>(&stages[n]);
      if (forces) wanted.push_back(*forces);
      const auto* bias = std::get_if<ApplyBias>(&stages[n]);
      if (!wanted.empty() && (!forces || n + 1 == stages.size())) {
        const bool beside = bias && sees_torsions_alone(*bias, plan);
        const bool ends_here = whole_step && (forces || (beside && n + 1 == stages.size()));
        if (ends_here) whole_step = false;
        compute(std::exchange(wanted, {}), plan, beside ? bias : nullptr, ends_here);
        if (beside) continue;
      }
      if (forces) continue;
      if (bias) {
        const bool ends_here = whole_step && n + 1 == stages.size();
        if (ends_here) whole_step = false;
        apply_bias(*bias, levels_.tallies(), ends_here, stream_);
      } else {
        integration_.run(stages[n], levels_.forces());
        if (std::holds_alternative<SaveConfiguration>(stages[n])) keep_forces();
        if (std::holds_alternative<RestoreConfiguration>(stages[n])) put_forces_back();
      }
    }
    flush_moves();
    if (whole_step) end_step(stream_);
  }
  void keep_forces() {
    levels_.keep(stream_);
    integration_.keep_shared();
    shares_kept_ = shares_;
    for (const GroupForce& f : forces_) f.force->mark_list(stream_);
  }
  void put_forces_back() {
    // On several ranks sums do not follow lists, but atoms may be elsewhere.
    forces_restored_ = link_ ? shares_kept_ == shares_ : std::all_of(forces_.begin(), forces_.end(), [&](const GroupForce& f) {
      return f.force->list_is_the_marked(stream_);
    });
    if (!forces_restored_) return;
    levels_.put_back(stream_);
    integration_.put_shared_back();
    for (const GroupForce& f : forces_) f.force->set_box(integration_.box(), f.stream);
  }
  void end_step(cudaStream_t stream) {
    if (Fixed* heat = ranks_ ? integration_.take_heat() : nullptr) ranks_->sum_on_root(heat, stream_);
    integration_.queue_end_of_step(stream);
  }

  void share_with_ranks() {
    double slack = std::numeric_limits<double>::infinity(), reach = 0;
    for (const GroupForce& f : forces_) {
      slack = std::min(slack, f.force->slack());
      reach = std::max(reach, f.force->reach());
    }
    ranks_.emplace(*link_, system_.size(), slack, reach);
    interactions_ = interactions();
    integration_.set_ranks(*ranks_);
  }
  std::int64_t interactions() const {
    std::int64_t all = integration_.constraints();
    for (const GroupForce& f : forces_) all += f.force->interactions();
    return all;
  }

  /// Interactions, constraints and atoms as the link shares them out now; they must be all there, each once.
  void take_share() {
    const RankShare& share = ranks_->share();
    integration_.set_share();
    for (const GroupForce& f : forces_) f.force->set_share(share, ranks_->x(), integration_.box(), stream_);
    check_shares(*link_, interactions(), interactions_, system_.size());
    ++shares_;
  }

  /// Positions of the halo, where it is wanted, are on their way afterwards (true), or domains are new, as atoms have moved too
  /// far, and they are there.
  bool meet_ranks(bool halo) {
    // Walls follow the numbers of atoms, for want of a cheap clock on the device.
    link_->note_work(1e-6 * (ranks_->home().count + ranks_->halo().count));
    if (ranks_->start_forward(integration_.mutable_positions(), integration_.box(), halo, integration_.take_heat(), stream_))
      return halo;
    std::vector<void*> carried = integration_.carried();
    for (void* forces : levels_.carried()) carried.push_back(forces);
    ranks_->migrate(carried, integration_.box(), stream_);
    take_share();
    return false;
  }

  /// Needs the boost nothing but energies of boosted torsions, which are there long before all forces are? Ranks add them up
  /// first.
  bool sees_torsions_alone(const ApplyBias& bias, const ForcePlan& plan) const {
    return !ranks_ && !plan.energies && (bias.torsions_only || (!bias.bias.total.on && !bias.gather));
  }
  void apply_bias(const ApplyBias& stage, const TalliesView& energies, bool ends_step, cudaStream_t stream) {
    flush_moves();
    if (Fixed* heat = ends_step && ranks_ ? integration_.take_heat() : nullptr) ranks_->sum_on_root(heat, stream);
    integration_.queue_bias(energies, box_energies_->of(all_force_groups, integration_.box()).potential(), stage, ends_step,
                            stream);
    boosted_ = boosted_ || stage.bias.dihedral.on || stage.bias.total.on;
  }

  /// Forces of some levels, on streams that part here and come together at the end. `bias`: of torsions alone, beside other
  /// forces.
  void compute(const std::vector<ComputeForces>& stages, const ForcePlan& plan, const ApplyBias* bias, bool ends_step) {
    flush_moves(stages, plan);
    const auto wanted = [&](const ComputeForces& stage) {
      return Tally{stage.energies || (plan.energies && stage.last), plan.virial && stage.last};
    };
    const auto for_forces = [&](auto&& f) {
      for (const GroupForce& force : forces_)
        for (const ComputeForces& stage : stages)
          if (has(stage.groups & plan.groups, force.group)) f(force, stage);
    };
    std::array<bool, most_force_levels> sees_halo{};  // the mesh alone does not
    for_forces([&](const GroupForce& g, const ComputeForces& stage) {
      sees_halo[static_cast<std::size_t>(stage.level)] |= g.force->sees_halo();
    });
    bool coming = ranks_ && meet_ranks(std::find(sees_halo.begin(), sees_halo.end(), true) != sees_halo.end());
    positions_ready_.record(stream_);  // at home
    positions_ready_.hold(side_stream_);
    std::vector<Fixed*> of_halo;
    for (const ComputeForces& stage : stages) {
      levels_.begin(stage.level, wanted(stage).any(), side_stream_);
      if (sees_halo[static_cast<std::size_t>(stage.level)]) of_halo.push_back(levels_.force(stage.level));
    }
    sums_clear_.record(side_stream_);

    bool mesh = false;
    for_forces([&](const GroupForce& g, const ComputeForces& stage) {
      if (coming && g.force->sees_halo()) {
        coming = false;
        for_forces([&](const GroupForce& early, const ComputeForces& its) {
          if (early.force->begins())
            phases_.run(inside_phase_, early.stream, [&] { early.force->begin(request(its, wanted(its)), early.stream); });
        });
        // Not behind what has just begun.
        ranks_->finish_forward(integration_.mutable_positions(), side_stream_);
        positions_ready_.record(side_stream_);
        positions_ready_.hold(stream_);
      }
      if (g.stream == mesh_stream_) {
        positions_ready_.hold(mesh_stream_);
        mesh = true;
      }
      phases_.run(g.phase, g.stream, [&] { g.force->compute(request(stage, wanted(stage)), g.stream); });
    });
    if (bias) {
      TalliesView torsions{};
      torsions.energy[bias->torsion_level] = levels_.tally(bias->torsion_level);
      apply_bias(*bias, torsions, ends_step, side_stream_);
    } else if (ends_step) {
      end_step(side_stream_);
    }
    side_done_.record(side_stream_);
    side_done_.hold(stream_);
    if (ranks_) {
      ranks_->queue_reverse(of_halo, stream_);
      for_forces([&](const GroupForce& g, const ComputeForces& stage) {
        g.force->finish(
            request(stage, wanted(stage)), [&] { ranks_->send_reverse(); }, g.stream);
      });
    }
    if (mesh) {
      mesh_done_.record(mesh_stream_);
      mesh_done_.hold(stream_);
    }
    if (ranks_) ranks_->finish_reverse(stream_);
    for (const ComputeForces& stage : stages) integration_.spread_site_forces(request(stage, {}).sums, wanted(stage).virial);
    if (ranks_)
      for (const ComputeForces& stage : stages)
        if (wanted(stage).any()) ranks_->sum(levels_.tally(stage.level), static_cast<int>(level_tallies), stream_);
    for (const ComputeForces& stage : stages)
      if (note_report(stage, plan)) levels_.queue_report(stage.level, stream_);
  }
  /// Are the energies of this evaluation wanted?
  bool note_report(const ComputeForces& stage, const ForcePlan& plan) {
    if (!(plan.energies || plan.virial) || !stage.last) return false;
    levels_.note_report(stage.level, box_energies_->of(stage.groups & plan.groups, integration_.box()));
    return true;
  }

  /// Before forces of `stages`: the pair list hears from the moves where atoms are, if it can.
  void flush_moves(std::span<const ComputeForces> stages = {}, const ForcePlan& plan = {}) {
    if (!integration_.has_moves()) return;
    std::optional<Placing<float>> placing;
    if (integration_.moves_all())
      for (const GroupForce& f : forces_)
        for (const ComputeForces& stage : stages)
          if (!placing && has(stage.groups & plan.groups, f.group)) placing = f.force->take_places(integration_.box());
    phases_.run(moves_phase_, stream_, [&] { integration_.flush(placing ? &*placing : nullptr); });
  }

  Request request(const ComputeForces& stage, Tally tally) {
    return {integration_.positions(), integration_.box(), levels_.sums(stage.level), tally, stage.energies, &sums_clear_};
  }

  const System& system_;
  Precision precision_;
  int device_;
  RankLink* link_;                 ///< null: one rank
  std::int64_t interactions_ = 0;  ///< of the whole system
  std::int64_t shares_ = 0;        ///< of it, so far
  Stream stream_, side_stream_, mesh_stream_{true};
  Event positions_ready_, sums_clear_, side_done_, mesh_done_;
  std::optional<DeviceRanks> ranks_;  ///< with a link
  std::shared_ptr<DeviceSnapshots> snapshots_ = std::make_shared<DeviceSnapshots>(device_);
  mutable DeviceIntegration integration_;  // reading the kinetic energy uses its scratch memory
  DeviceLevels levels_;
  struct GroupForce {
    ForceGroup group;
    cudaStream_t stream;
    int phase;
    std::unique_ptr<DeviceForce> force;
  };
  std::vector<GroupForce> forces_;
  mutable DevicePhases phases_;  // reading them takes in what events have
  int moves_phase_ = 0, inside_phase_ = 0;
  std::int64_t steps_ = 0;
  PmeParameters pme_;
  std::optional<BoxEnergies> box_energies_;
  bool boosted_ = false;
  std::int64_t shares_kept_ = 0;  ///< SaveConfiguration
  bool forces_restored_ = false;
  RepeatedSteps repeated_;
};

}  // namespace

std::unique_ptr<Backend> make_backend(const System& system, const Box& box, const DeviceOptions& options) {
  take_device(options.device);
  return std::make_unique<DeviceBackend>(system, box, options);
}

}  // namespace uplift::UPLIFT_DEVICE

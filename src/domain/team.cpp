#include "uplift/domain/team.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <type_traits>
#include <utility>

#include "domain/decomposition.hpp"
#include "uplift/core/assert.hpp"
#include "uplift/core/error.hpp"

namespace uplift {
namespace {

enum class Task : std::int32_t {
  make,
  release,
  dismiss,
  upload,
  download,
  forces,
  run,
  run_again,
  verify,
  kinetic,
  worst,
  traffic
};

/// One message from the root to all; what else belongs to the task follows.
struct Command {
  Task task;
  std::int32_t backend = 0;  ///< that it is for
  ForcePlan plan{};
  std::int64_t step = 0;
  TeamOrder order{};
};
static_assert(std::is_trivially_copyable_v<Command> && std::is_trivially_copyable_v<Stage>);

/// What a State has besides positions and velocities, and is the same on all ranks.
struct SharedState {
  Box box;
  double heat, time;
  std::int64_t step;
  BiasStatistics statistics;
};
static_assert(std::is_trivially_copyable_v<SharedState>);

/// The part of every rank, the root included. All functions are collective.
class Member {
 public:
  Member(const Communicator& ranks, const System& system, const TeamOrder& order, const LeafMaker& leaf)
      : ranks_(ranks), atoms_(system.size()), link_(system, ranks, order.mesh_ranks), leaf_(leaf(system, order, link_)) {}

  Backend& leaf() { return *leaf_; }
  const Backend& leaf() const { return *leaf_; }
  const Decomposition& link() const { return link_; }

  void upload(const State* given) {
    State state;
    SharedState shared{};
    if (given) {
      state = *given;
      state.list.clear();
      shared = {state.box, state.heat, state.time, state.step, state.statistics};
    }
    ranks_.broadcast(shared);
    ranks_.broadcast(state.x);
    ranks_.broadcast(state.v);
    ranks_.broadcast(state.chain);
    if (!given) {
      state.box = shared.box;
      state.heat = shared.heat;
      state.time = shared.time;
      state.step = shared.step;
      state.statistics = shared.statistics;
    }
    leaf_->upload(state);
  }

  void download(State* wanted) {
    State own;
    leaf_->download(own);
    put_together(own.x);
    put_together(own.v);
    if (!wanted) return;
    wanted->x = std::move(own.x);
    wanted->v = std::move(own.v);
    wanted->box = own.box;
    wanted->heat = own.heat;
    wanted->chain = std::move(own.chain);
    wanted->statistics = own.statistics;
  }

  void forces(std::vector<Vec3d>* wanted) {
    std::vector<Vec3d> own;
    leaf_->download_forces(own);
    put_together(own);
    if (wanted) *wanted = std::move(own);
  }

  void run(std::vector<Stage>& stages, const Command& command, bool again) {
    if (!again) ranks_.broadcast(stages);
    leaf_->run(stages, command.plan, command.step);
  }

  /// What has gone wrong, on the lowest rank where something has; on the root only.
  std::string verify() {
    std::string problem;
    try {
      leaf_->verify();
    } catch (const SimulationError& e) {
      problem = e.what();
    }
    for (const std::vector<char>& one : ranks_.gather(std::span<const char>(problem)))
      if (!one.empty()) return {one.begin(), one.end()};
    return {};
  }

  Backend::WorstForce worst() {
    const Backend::WorstForce own = leaf_->worst_force();
    Backend::WorstForce worst;
    for (const auto& one : ranks_.gather(std::span(&own, 1)))
      if (one[0].atom >= 0 && (worst.atom < 0 || one[0].magnitude > worst.magnitude ||
                               (one[0].magnitude == worst.magnitude && one[0].atom < worst.atom)))
        worst = one[0];
    return worst;
  }

  /// Over all ranks, on the root.
  std::vector<RankTraffic> traffic() {
    const RankTraffic own = link_.traffic();
    std::vector<RankTraffic> all;
    for (const auto& one : ranks_.gather(std::span(&own, 1))) all.push_back(one[0]);
    return all;
  }

 private:
  /// On the root, every atom's entry from the rank where it is at home.
  void put_together(std::vector<Vec3d>& values) const {
    std::vector<int> atoms;
    std::vector<Vec3d> own;
    if (!ranks_.root())
      link_.share().for_home([&](int i) {
        atoms.push_back(i);
        own.push_back(values[static_cast<std::size_t>(i)]);
      });
    const auto all_atoms = ranks_.gather(std::span<const int>(atoms));
    const auto all = ranks_.gather(std::span<const Vec3d>(own));
    for (std::size_t r = 0; r < all.size(); ++r)
      for (std::size_t k = 0; k < all[r].size(); ++k) values[static_cast<std::size_t>(all_atoms[r][k])] = all[r][k];
  }

  Communicator ranks_;
  int atoms_;
  Decomposition link_;
  std::unique_ptr<Backend> leaf_;
};

/// Every call goes to all ranks first, then to the root's own part.
class LeadBackend final : public Backend {
  Command command_for(Task task) const { return {.task = task, .backend = number_}; }

  template <class F>
  auto together(Command command, F&& own_part) const {
    try {
      ranks_.broadcast(command);
      return own_part();
    } catch (const AgreedError&) {
      throw;
    } catch (...) {
      ranks_.lose();
      throw;
    }
  }
  template <class F>
  auto together(Task task, F&& own_part) const {
    return together(command_for(task), std::forward<F>(own_part));
  }

 public:
  LeadBackend(const Communicator& ranks, const System& system, const TeamOrder& order, const LeafMaker& leaf)
      : ranks_(ranks), number_(++made) {
    Command command = command_for(Task::make);
    command.order = order;
    together(command, [&] { member_.emplace(ranks, system, order, leaf); });
  }
  ~LeadBackend() override {
    if (ranks_.lost()) return;
    try {
      Command command = command_for(Task::release);
      ranks_.broadcast(command);
    } catch (const std::exception&) {
      ranks_.lose();  // whoever noticed first has said so
    }
  }

  std::string name() const override { return member_->leaf().name(); }
  std::string description() const override {
    return member_->leaf().description() + ", " + std::to_string(ranks_.size()) + " ranks (" + mpi_description() + ")";
  }
  void upload(const State& state) override {
    together(Task::upload, [&] { member_->upload(&state); });
  }
  void download(State& state) const override {
    together(Task::download, [&] { member_->download(&state); });
  }
  Box box() const override { return member_->leaf().box(); }
  void download_forces(std::vector<Vec3d>& f) const override {
    together(Task::forces, [&] { member_->forces(&f); });
  }
  void run(std::span<const Stage> stages, const ForcePlan& plan, std::int64_t step) override {
    const bool again = std::equal(stages.begin(), stages.end(), stages_.begin(), stages_.end());
    if (!again) stages_.assign(stages.begin(), stages.end());
    Command command = command_for(again ? Task::run_again : Task::run);
    command.plan = plan;
    command.step = step;
    together(command, [&] { member_->run(stages_, command, again); });
  }
  void verify() override {
    together(Task::verify, [&] {
      if (const std::string problem = member_->verify(); !problem.empty()) throw AgreedError(problem);
    });
  }
  void for_each(int tasks, const std::function<void(int)>& f) const override { member_->leaf().for_each(tasks, f); }
  bool forces_restored() const override { return member_->leaf().forces_restored(); }
  Energies energies() const override { return member_->leaf().energies(); }
  double kinetic_energy() const override {
    return together(Task::kinetic, [&] { return member_->leaf().kinetic_energy(); });
  }
  WorstForce worst_force() const override {
    return together(Task::worst, [&] { return member_->worst(); });
  }
  PmeParameters pme() const override { return member_->leaf().pme(); }
  std::vector<PhaseTime> phases() const override {
    std::vector<PhaseTime> all = member_->leaf().phases();
    const std::vector<PhaseTime> between = member_->link().phases();
    all.insert(all.end(), between.begin(), between.end());
    return all;
  }

  std::vector<RankTraffic> traffic() const {
    return together(Task::traffic, [&] { return member_->traffic(); });
  }
  std::array<int, 3> domains() const { return member_->link().counts(); }

 private:
  static inline std::atomic<std::int32_t> made = 0;
  Communicator ranks_;
  std::int32_t number_;
  mutable std::optional<Member> member_;
  std::vector<Stage> stages_;  ///< of the last run
};

/// What a serving rank has of one backend of the root.
struct Served {
  std::optional<System> system;
  std::optional<Member> member;
  std::vector<Stage> stages;
};

void obey(const Command& command, Served& one) {
  switch (command.task) {
    case Task::upload:
      return one.member->upload(nullptr);
    case Task::download:
      return one.member->download(nullptr);
    case Task::forces:
      return one.member->forces(nullptr);
    case Task::run:
    case Task::run_again:
      return one.member->run(one.stages, command, command.task == Task::run_again);
    case Task::verify:
      one.member->verify();
      return;
    case Task::kinetic:
      one.member->leaf().kinetic_energy();
      return;
    case Task::worst:
      one.member->worst();
      return;
    case Task::traffic:
      one.member->traffic();
      return;
    case Task::make:
    case Task::release:
    case Task::dismiss:
      return;  // of serve()
  }
}

}  // namespace

std::unique_ptr<Backend> lead(const Communicator& ranks, const System& system, const TeamOrder& order, const LeafMaker& leaf) {
  UPLIFT_EXPECT(ranks.root());
  return std::make_unique<LeadBackend>(ranks, system, order, leaf);
}

void dismiss(const Communicator& ranks) {
  if (ranks.size() == 1) return;
  Command command{.task = Task::dismiss};
  ranks.broadcast(command);
}

void serve(const Communicator& ranks, const std::function<System(const TeamOrder&)>& load, const LeafMaker& leaf) {
  UPLIFT_EXPECT(!ranks.root());
  std::map<std::int32_t, Served> all;
  for (;;) {
    Command command{.task = Task::dismiss};
    ranks.broadcast(command);
    if (command.task == Task::dismiss) return;
    if (command.task == Task::release) {
      all.erase(command.backend);
      continue;
    }
    Served& one = all[command.backend];
    try {
      if (command.task == Task::make) {
        one.system = load(command.order);
        one.member.emplace(ranks, *one.system, command.order, leaf);
      } else {
        obey(command, one);
      }
    } catch (const AgreedError&) {
      // The root has thrown it as well, says so, and decides what comes next.
    }
  }
}

std::optional<TeamTraffic> team_traffic(const Backend& backend, std::int64_t steps) {
  const auto* lead = dynamic_cast<const LeadBackend*>(&backend);
  if (!lead || steps <= 0) return {};
  const std::vector<RankTraffic> all = lead->traffic();
  const auto mean = [&](auto member) {
    double sum = 0;
    for (const RankTraffic& t : all) sum += static_cast<double>(t.*member);
    return sum / static_cast<double>(all.size());
  };
  const auto per_step = [&](auto member) { return mean(member) / static_cast<double>(steps); };
  return TeamTraffic{lead->domains(),
                     static_cast<int>(all.front().mesh_ranks),
                     mean(&RankTraffic::home),
                     mean(&RankTraffic::halo),
                     mean(&RankTraffic::ideal_halo),
                     per_step(&RankTraffic::position_bytes),
                     per_step(&RankTraffic::force_bytes),
                     per_step(&RankTraffic::mesh_bytes),
                     per_step(&RankTraffic::migration_bytes),
                     per_step(&RankTraffic::messages)};
}

}  // namespace uplift

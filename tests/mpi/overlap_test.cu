// What is on its way while the mesh is solved, seen by a link that takes down what a backend asks of it; and ranks that come
// late, each at other places.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "domain/decomposition.hpp"
#include "mpi/ranks.hpp"
#include "simt/runtime.hpp"
#include "support/samples.hpp"
#include "uplift/backend/cpu/cpu_backend.hpp"
#include "uplift/backend/cuda/cuda_backend.hpp"
#include "uplift/core/at.hpp"

namespace uplift {
namespace {

using Strings = std::vector<std::string>;

bool several() { return all->size() > 1; }

/// A link that takes down calls, a letter each, and may come late to any of them.
class Recorder final : public RankLink {
 public:
  Recorder(const System& system, const Communicator& ranks) : link_(system, ranks) {}

  std::string calls;                   ///< since somebody cleared it
  std::vector<std::uint64_t> kernels;  ///< that had run on the device when each of them was made
  int arrays = 0;                      ///< of the last reverse
  std::chrono::microseconds latest{0};
  std::mt19937 random;
  int mesh_ranks = 0;  ///< that transform the mesh, when somebody asks; 0: as the link has it

  Decomposition& decomposition() { return link_; }

  int rank() const override { return link_.rank(); }
  int size() const override { return link_.size(); }
  const RankShare& share() const override { return link_.share(); }
  void adopt(std::span<Vec3d> x, const Box& box, double reach) override { link_.adopt(x, box, reach); }
  void migrate(std::span<Vec3d> x, std::span<std::byte* const> carried, const Box& box, double reach) override {
    call('M', [&] { link_.migrate(x, carried, box, reach); });
  }
  void start_forward(std::span<Vec3d> x) override {
    call('f', [&] { link_.start_forward(x); });
  }
  void finish_forward(std::span<Vec3d> x) override {
    call('F', [&] { link_.finish_forward(x); });
  }
  void start_reverse(std::span<Fixed> force) override {
    call('r', [&] { link_.start_reverse(force); });
  }
  void finish_reverse(std::span<Fixed> force) override {
    call('R', [&] { link_.finish_reverse(force); });
  }
  void sum(std::span<std::int64_t> values) override {
    call('s', [&] { link_.sum(values); });
  }
  const std::vector<int>& sent() const override { return link_.sent(); }
  void start_forward_packed(std::span<const std::byte> sent, std::span<std::byte> halo) override {
    forward_ = true;
    call('f', [&] { link_.start_forward_packed(sent, halo); });
  }
  void start_reverse_packed(std::span<const std::byte> halo, std::span<std::byte> sent, int count) override {
    forward_ = false;
    arrays = count;
    call('r', [&] { link_.start_reverse_packed(halo, sent, count); });
  }
  void finish_packed() override {
    call(forward_ ? 'F' : 'R', [&] { link_.finish_packed(); });
  }
  bool any(bool here) override {
    bool found = false;
    call('s', [&] { found = link_.any(here); });
    return found;
  }
  std::vector<std::vector<std::byte>> exchange(const std::vector<std::vector<std::byte>>& send,
                                               std::span<const std::int64_t> coming) override {
    std::vector<std::vector<std::byte>> got;
    call('m', [&] { got = link_.exchange(send, coming); });
    return got;
  }
  void exchange_packed(std::span<const std::span<const std::byte>> send,
                       std::span<const std::span<std::byte>> receive) override {
    call('m', [&] { link_.exchange_packed(send, receive); });
  }
  MeshShare mesh(int most) override { return mesh_ranks > 0 ? MeshShare{size(), mesh_ranks} : link_.mesh(most); }
  bool takes_device_memory() const override { return link_.takes_device_memory(); }
  double waited() const override { return link_.waited(); }
  void note_work(double seconds) override { link_.note_work(seconds); }

 private:
  template <class F>
  void call(char letter, F&& f) {
    calls += letter;
    kernels.push_back(simt::counters().kernels);
    be_late();
    f();
    be_late();
  }
  void be_late() {
    if (latest.count() == 0) return;
    std::this_thread::sleep_for(std::chrono::microseconds(random() % static_cast<std::uint64_t>(latest.count())));
    if (random() % 4 == 0) cudaDeviceSynchronize();  // the device has gone on meanwhile, and not only when it was waited for
  }

  Decomposition link_;
  bool forward_ = false;
};

/// Alanine dipeptide in water, shared by all ranks.
struct Shared {
  test::Sample sample = test::sample("dipeptide");
  Recorder link;
  std::unique_ptr<Backend> backend;

  explicit Shared(bool device) : link(sample.system, *all) {
    backend = device ? simt_device::make_backend(sample.system, sample.state.box, {Precision::mixed, 1e-8, 0, &link})
                     : cpu::make_cpu_backend(sample.system, sample.state.box, {Precision::mixed, 1, 1e-8, &link});
    backend->upload(sample.state);
  }
  std::string run(const std::vector<Stage>& stages, const ForcePlan& plan = {}) {
    link.calls.clear();
    link.kernels.clear();
    backend->run(stages, plan, step_++);
    return link.calls;
  }
  /// Of atoms at home; zero elsewhere.
  std::vector<Vec3d> at_home(std::vector<Vec3d> values) const {
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!link.share().at_home(static_cast<int>(i))) values[i] = {0, 0, 0};
    return values;
  }
  std::vector<Vec3d> forces() const {
    std::vector<Vec3d> f;
    backend->download_forces(f);
    return at_home(f);
  }

 private:
  std::int64_t step_ = 0;
};

constexpr auto mesh = static_cast<ForceGroups>(ForceGroup::pme_reciprocal);
constexpr auto pairs = static_cast<ForceGroups>(ForceGroup::nonbonded);

class Overlap : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!several()) GTEST_SKIP() << "needs two ranks";
    simt::restore_order();
    simt::set_lazy_streams(false);
  }
  void TearDown() override { simt::restore_order(); }
};

TEST_P(Overlap, ForcesOfTheHaloAreOnTheirWayWhileTheMeshIsSolved) {
  Shared s(GetParam());
  s.run({ComputeForces{}});  // the CPU's first list
  EXPECT_EQ(s.run({ComputeForces{}}), "fsFrmmmmR");
}

/// Kernels that run between the messages are those that spread charges, and those of pairs inside domains: their places, and
/// forces. No others do.
TEST_P(Overlap, PositionsOfTheHaloAreOnTheirWayWhileChargesAreSpreadAndPairsInsideMeet) {
  if (!GetParam()) GTEST_SKIP() << "counts kernels";
  Shared s(true);
  s.run({ComputeForces{}});  // the first list
  const auto kernels = [&](ForceGroups groups) {
    EXPECT_EQ(s.run({ComputeForces{groups}}).substr(0, 3), "fsF");
    return s.link.kernels[2] - s.link.kernels[1];
  };
  const std::uint64_t none = kernels(static_cast<ForceGroups>(ForceGroup::bonded)), inside = kernels(pairs);
  EXPECT_EQ(inside, none + 2);
  EXPECT_EQ(kernels(all_force_groups), inside + 1);
}

TEST_P(Overlap, TheMeshAloneHasNothingToDoWithTheHalo) {
  Shared s(GetParam());
  s.run({ComputeForces{}});
  const std::vector<Vec3d> whole = s.forces();
  s.backend->upload(s.sample.state);
  EXPECT_EQ(s.run({ComputeForces{mesh, 0}}), "smmmm");
  EXPECT_EQ(s.run({ComputeForces{all_force_groups & ~mesh, 1}}), "fsFrR");
  EXPECT_EQ(s.forces(), whole);
}

/// As trials of the link have it, which may want fewer ranks or more whenever atoms are shared out.
TEST_P(Overlap, TheMeshGoesToOtherRanksWithTheSameBits) {
  std::vector<std::vector<Vec3d>> found;
  std::vector<std::int64_t> bytes;
  for (int ranks : {all->size(), 1}) {
    Shared s(GetParam());
    s.run({ScaleBox{{1.5, 1.5, 1.5}}, ComputeForces{}});
    s.link.mesh_ranks = ranks;
    EXPECT_NE(s.run({ScaleBox{{0.88, 0.88, 0.88}}, ComputeForces{}}).find('M'), std::string::npos);
    const std::int64_t before = s.link.decomposition().traffic().mesh_bytes;
    s.run({ScaleBox{{1.001, 1.001, 1.001}}, ComputeForces{all_force_groups}});
    bytes.push_back(s.link.decomposition().traffic().mesh_bytes - before);
    all->sum(std::span(&bytes.back(), 1));
    found.push_back(s.forces());
  }
  EXPECT_EQ(found[0], found[1]);
  EXPECT_LT(bytes[1], bytes[0]) << "nothing is transposed";
}

TEST_P(Overlap, ForcesOfSeveralLevelsGoTogether) {
  if (!GetParam()) GTEST_SKIP() << "on a device levels are computed side by side";
  Shared s(true);
  s.run({ComputeForces{}});
  const std::vector<Vec3d> whole = s.forces();
  const std::int64_t bytes = s.link.decomposition().traffic().force_bytes;
  s.backend->upload(s.sample.state);
  EXPECT_EQ(s.run({ComputeForces{mesh, 0}, ComputeForces{pairs, 1}, ComputeForces{all_force_groups & ~mesh & ~pairs, 2}}),
            "fsFrmmmmR");
  EXPECT_EQ(s.link.arrays, 2);
  EXPECT_EQ(s.link.decomposition().traffic().force_bytes, 3 * bytes);
  EXPECT_EQ(s.forces(), whole);
}

/// [atoms] from where they are at home.
std::vector<Vec3d> everywhere(const std::vector<Vec3d>& at_home) {
  std::vector<std::int64_t> bits;
  for (const Vec3d& r : at_home)
    for (double c : {r.x, r.y, r.z}) bits.push_back(std::bit_cast<std::int64_t>(c + 0.0));  // no -0
  all->sum(std::span(bits));
  std::vector<Vec3d> whole;
  for (std::size_t i = 0; i < bits.size(); i += 3)
    whole.push_back({std::bit_cast<double>(bits[i]), std::bit_cast<double>(bits[i + 1]), std::bit_cast<double>(bits[i + 2])});
  return whole;
}

/// Lists of pairs inside domains and of those with the halo are pruned each for itself: none may be missed when atoms of one
/// rank have gone as far as they may, and those of others have not moved.
TEST_P(Overlap, NoPairIsMissedWhoeverHasMoved) {
  constexpr double far = 0.095;  // [nm] lists are good for 0.1, pruned ones for half of that
  const auto moves = [](int how, int rank) { return how == 0 ? rank == 0 : how == 1 ? rank != 0 : true; };
  for (int how : {0, 1, 2}) {
    Shared s(GetParam()), fresh(GetParam());
    State state = s.sample.state;
    std::mt19937 random(static_cast<unsigned>(how));
    std::normal_distribution<double> gauss;
    state.v.clear();
    for (std::size_t i = 0; i < state.x.size(); ++i) {
      const Vec3d r{gauss(random), gauss(random), gauss(random)};
      state.v.push_back((far / std::sqrt(dot(r, r))) * r);
      if (s.link.share().at_home(static_cast<int>(i)) && !moves(how, all->rank())) state.v[i] = {0, 0, 0};
    }
    s.backend->upload(state);
    s.run({ComputeForces{pairs}});
    for (double part : {0.5, 0.5}) {  // after the first, pruned lists are still good
      const std::string calls = s.run({Drift{part}, ComputeForces{pairs}});
      EXPECT_EQ(calls.find('M'), std::string::npos) << "of lists that are made anew nothing can be seen";
      s.backend->download(state);
      State moved = s.sample.state;
      moved.x = everywhere(s.at_home(state.x));
      fresh.backend->upload(moved);
      fresh.run({ComputeForces{pairs}});
      EXPECT_EQ(everywhere(s.forces()), everywhere(fresh.forces())) << "movers " << how << ", part " << part;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(On, Overlap, ::testing::Bool(), [](const auto& one) { return one.param ? "device" : "cpu"; });

/// Steps with heat, and atoms shared out anew on their way.
std::vector<Stage> step_of(double scale) {
  constexpr double dt = 0.002;
  std::vector<Stage> stages{Kick{dt},
                            ConstrainVelocities{},
                            SavePositions{},
                            Drift{dt / 2},
                            CountHeat{-1},
                            OrnsteinUhlenbeck{dt, 5, 300, 7},
                            ConstrainVelocities{true},
                            CountHeat{1},
                            Drift{dt / 2},
                            ConstrainPositions{dt},
                            PlaceVirtualSites{},
                            ComputeForces{}};
  if (scale != 1) stages.insert(stages.begin(), ScaleBox{{scale, scale, scale}});
  return stages;
}

struct Course {
  std::vector<Vec3d> x, v, f;
  Energies energies;
  bool operator==(const Course& o) const {
    return x == o.x && v == o.v && f == o.f && energies.term == o.energies.term && energies.virial == o.energies.virial;
  }
};

/// How many rounds of the mesh were over when each rank's forces of the halo left.
std::vector<std::int64_t> moments(const std::string& calls) {
  std::vector<std::int64_t> of(at(all->size()), 0);
  const std::string after = calls.substr(std::min(calls.find('r'), calls.size()));
  of[at(all->rank())] = 4 - std::count(after.begin(), after.end(), 'm');
  all->sum(std::span<std::int64_t>(of));
  return of;
}

class LateRanks : public ::testing::Test {
 protected:
  Course course(int trial, bool disturbed) {
    Shared s(true);
    simt::set_lazy_streams(disturbed);
    const auto seed = static_cast<unsigned>(100 * trial + all->rank());
    simt::set_stream_seed(seed);
    s.link.random.seed(seed);
    s.run({ComputeForces{}});
    // As a barostat does it, and so far that atoms of the dipeptide, which keeps its shape, are elsewhere in the box.
    const double scales[] = {0.998, 1.5, 1};
    for (int step = 0; step < 3; ++step) {
      if (disturbed)  // one is far behind the others, another each time
        s.link.latest = std::chrono::microseconds((step + trial) % all->size() == all->rank() ? 20000 : 1000);
      std::string calls = s.run(step_of(scales[step]), {.energies = step == 2, .virial = step == 2});
      const std::vector<std::int64_t> left = moments(calls);
      const auto [first, last] = std::minmax_element(left.begin(), left.end());
      apart_ += *first != *last;
      for (std::int64_t m : left) seen_[at(static_cast<int>(m))] = true;
      EXPECT_EQ(std::count(calls.begin(), calls.end(), 'M'), scales[step] > 1.1) << step;
      const std::size_t halo = calls.rfind('F', calls.find('r')), start = calls.find('r'), end = calls.find('R');
      EXPECT_TRUE(halo < start && start < end) << calls;
      std::erase(calls, 'r');
      EXPECT_TRUE(calls.find("mmmmR") != std::string::npos) << calls;
    }
    Course c;
    State state;
    s.backend->download(state);
    c.x = s.at_home(state.x);
    c.v = s.at_home(state.v);
    c.f = s.forces();
    c.energies = s.backend->energies();
    s.backend->verify();
    return c;
  }
  void TearDown() override { simt::restore_order(); }

  int apart_ = 0;               ///< evaluations in which forces left at other moments on other ranks
  std::array<bool, 5> seen_{};  ///< of these moments
};

TEST_F(LateRanks, WaitForEachOtherAndHaveTheSameBits) {
  if (!several()) GTEST_SKIP() << "needs two ranks";
  const Course undisturbed = course(0, false);
  EXPECT_EQ(apart_, 0);
  for (int trial = 0; trial < 4; ++trial) EXPECT_TRUE(course(trial, true) == undisturbed) << "trial " << trial;
  EXPECT_GT(apart_, 0);
  EXPECT_GT(std::count(seen_.begin(), seen_.end(), true), 2);
}

}  // namespace
}  // namespace uplift

#pragma once
// RankLink over MPI: who owns which atoms, and the messages that follow from it.
#include <functional>
#include <memory>
#include <vector>

#include "domain/grid.hpp"
#include "domain/mesh_tuner.hpp"
#include "uplift/backend/backend.hpp"
#include "uplift/backend/rank_link.hpp"
#include "uplift/domain/communicator.hpp"
#include "uplift/model/system.hpp"

namespace uplift {

class Decomposition final : public RankLink {
 public:
  using Clock = std::function<std::int64_t()>;  ///< [ns]

  /// `mesh_ranks`: how many transform the mesh; 0: as many as are quickest, by `clock` (empty: that of the machine).
  Decomposition(const System& system, Communicator ranks, int mesh_ranks = 0, Clock clock = {});

  int rank() const override { return ranks_.rank(); }
  int size() const override { return ranks_.size(); }
  const RankShare& share() const override { return share_; }
  void adopt(std::span<Vec3d> x, const Box& box, double reach) override;
  void migrate(std::span<Vec3d> x, std::span<std::byte* const> carried, const Box& box, double reach) override;
  void start_forward(std::span<Vec3d> x) override;
  void finish_forward(std::span<Vec3d> x) override;
  void start_reverse(std::span<Fixed> force) override;
  void finish_reverse(std::span<Fixed> force) override;
  void sum(std::span<std::int64_t> values) override;
  const std::vector<int>& sent() const override { return sent_; }
  void start_forward_packed(std::span<const std::byte> sent, std::span<std::byte> halo) override;
  void start_reverse_packed(std::span<const std::byte> halo, std::span<std::byte> sent, int arrays) override;
  void finish_packed() override;
  bool any(bool here) override;
  std::vector<std::vector<std::byte>> exchange(const std::vector<std::vector<std::byte>>& send,
                                               std::span<const std::int64_t> coming = {}) override;
  void exchange_packed(std::span<const std::span<const std::byte>> send,
                       std::span<const std::span<std::byte>> receive) override;
  MeshShare mesh(int most) override;
  bool takes_device_memory() const override;
  double waited() const override;
  void note_work(double seconds) override { work_ += seconds; }

  std::vector<PhaseTime> phases() const { return {migrate_time_, forward_time_, reverse_time_, sum_time_, exchange_time_}; }
  RankTraffic traffic() const { return traffic_; }
  const std::array<int, 3>& counts() const { return grid_->counts(); }

 private:
  /// The neighbour at one of the seven upper corners of the own domain, and the one to which the own domain is that.
  struct Neighbour {
    std::uint8_t zone;
    int upper, lower;
    std::vector<int> halo;  ///< atoms that come from `upper`
    std::vector<int> sent;  ///< home atoms that go to `lower`
  };
  struct Packets {
    std::vector<Vec3d> x;
    std::vector<std::array<Fixed, 3>> f;
  };

  class Timer;

  /// Of the mesh, since atoms were last divided.
  struct Rounds {
    int count = 0;           ///< of messages
    std::int64_t start = 0;  ///< of those that are timed
  };
  void begin_round();
  void tune_mesh();
  void swap_messages(std::span<const std::span<const std::byte>> send, std::span<const std::span<std::byte>> receive);

  void find_groups(const System& system);
  void set_home(std::vector<int> atoms);
  void set_halo(std::span<Vec3d> x, const Box& box, double reach);
  void balance(const Box& box, double reach);
  void start(std::span<const std::byte> packets, std::span<std::byte> coming, bool upwards, int arrays = 1);
  void wait();

  Communicator ranks_;
  std::vector<Communicator::Request> pending_;  ///< of the halo
  bool under_way_ = false, upwards_ = false;    ///< there is a message of the halo, and which
  RankShare share_;
  std::unique_ptr<DomainGrid> grid_;
  double overhang_ = 0;              ///< of groups, on both sides together [nm]
  std::vector<int> first_of_group_;  ///< [atoms] lowest atom of the group that stays on one rank
  std::vector<int> next_in_group_;   ///< [atoms] -1 after the last
  std::vector<Neighbour> neighbours_;
  std::vector<int> sent_;  ///< to one neighbour after the other
  Packets halo_packets_, sent_packets_;
  MeshTuner tuner_;
  Clock clock_;
  Rounds rounds_;
  double work_ = 0;
  int migrations_ = 0;
  int timers_ = 0;  ///< that run now: a call within a call is part of that
  RankTraffic traffic_;
  PhaseTime migrate_time_{"migration", 0, 0}, forward_time_{"halo positions", 0, 0}, reverse_time_{"halo forces", 0, 0},
      sum_time_{"sums over ranks", 0, 0}, exchange_time_{"mesh exchange", 0, 0};
};

}  // namespace uplift

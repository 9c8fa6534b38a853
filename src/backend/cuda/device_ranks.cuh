#pragma once
// Where several ranks share a system: what comes from them and goes to them, between this rank's device and the RankLink.
// All ranks make the same calls, and wait for each other, but where something else is said.
#include <cuda/device_buffer.cuh>
#include <cuda/halo.cuh>

#include <span>
#include <vector>

#include "backend/cuda/device_streams.cuh"
#include "uplift/backend/rank_link.hpp"

namespace uplift::UPLIFT_DEVICE {

/// Messages go from device memory to device memory, past the host.
bool direct_messages(const RankLink& link);

class DeviceRanks {
 public:
  /// `slack` [nm]: how far atoms may move before they are shared out anew; `reach`: how far interactions go beyond the
  /// positions that they were shared out for.
  DeviceRanks(RankLink& link, int atoms, double slack, double reach);

  RankLink& link() { return link_; }
  const RankShare& share() const { return link_.share(); }
  bool shared() const { return shared_; }          ///< there is a share
  std::span<const Vec3d> x() const { return x_; }  ///< [atoms] on the host, good for atoms here, as of the last share
  AtomList home() const { return {home_count_, home_.data()}; }
  AtomList halo() const { return {static_cast<int>(share().halo.size()), halo_.data()}; }

  /// When every rank has all positions.
  void adopt(std::span<const Vec3d> x, const Box& box, cudaStream_t stream);
  /// Positions of the halo (where `halo` asks for them) are on their way afterwards, until finish_forward(); adds up `heat` on
  /// rank 0 (null: there is none). False, and no positions, when some rank has atoms that have moved too far, against a box
  /// that may have been scaled, or the box has another shape: then migrate().
  bool start_forward(Vec3d* x, const Box& box, bool halo, Fixed* heat, cudaStream_t stream);
  void finish_forward(Vec3d* x, cudaStream_t stream);
  /// Shares atoms out anew. `carried`: arrays [atoms] of 24 bytes in device memory, of which x is the first; afterwards they
  /// are good at home, and x in the halo.
  void migrate(std::span<void* const> carried, const Box& box, cudaStream_t stream);
  /// Forces on atoms of the halo are to go to where these are at home, as soon as what is queued on `stream` is done; waits for
  /// nothing. No arrays: nothing is to go.
  void queue_reverse(std::span<Fixed* const> forces, cudaStream_t stream);
  /// Lets them go if they are there, without waiting. Ranks call this when they like.
  void send_reverse();
  /// Lets them go at latest, and adds those that come.
  void finish_reverse(cudaStream_t stream);
  /// Sums over ranks, in place, on all of them.
  void sum(Fixed* values, int count, cudaStream_t stream);
  /// On rank 0; the others have zero.
  void sum_on_root(Fixed* value, cudaStream_t stream);

 private:
  enum class Reverse { none, queued, under_way };
  void take_lists(cudaStream_t stream);
  void start_reverse();
  double slack_in_box(const Vec3d& by) const;

  RankLink& link_;
  double slack_, reach_;
  bool shared_ = false;
  Box box_;  ///< of the share
  int home_count_ = 0;
  std::vector<int> home_atoms_;
  std::vector<Vec3d> x_;
  std::vector<std::vector<AtomRecord>> carried_;  ///< on the host, without x
  DeviceBuffer<int> home_, halo_, sent_;
  DeviceBuffer<Vec3d> since_;         ///< positions of the share
  DeviceBuffer<AtomRecord> packets_;  ///< of atoms at home, of the halo or sent: one at a time
  Reverse reverse_ = Reverse::none;
  std::vector<Fixed*> reversed_;  ///< arrays whose forces go together
  Event forces_packed_;
  DeviceBuffer<unsigned> moved_;
  MessageBuffer<AtomRecord> sent_packets_, halo_packets_;
  PinnedBuffer<AtomRecord> moving_packets_;  ///< between the host and the device when atoms are shared out anew
  PinnedBuffer<unsigned> moved_word_;
  PinnedBuffer<Fixed> words_;
};

}  // namespace uplift::UPLIFT_DEVICE

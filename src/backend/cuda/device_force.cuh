#pragma once
// Forces on the device, one class a kind of work: what the backend asks of each.
#include <cuda/device_buffer.cuh>
#include <cuda/placing.cuh>
#include <cuda/sums.cuh>

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backend/cuda/device_streams.cuh"
#include "uplift/backend/backend.hpp"
#include "uplift/backend/rank_link.hpp"

namespace uplift::UPLIFT_DEVICE {

/// What this thread does from now on is done on that device. Throws InputError when this build has no code for it.
void take_device(int device);

/// What one evaluation works on.
struct Request {
  const Vec3d* x;  ///< [atoms] nm, in device memory
  Box box;
  SumsView sums;  ///< forces and tallies are added, once they are `clear`
  Tally tally;
  bool every_step;  ///< energies are wanted at every step
  const Event* clear;

  /// Before anything on `stream` is added to the sums.
  void wait_for_sums(cudaStream_t stream) const { clear->hold(stream); }
};

class DeviceForce {
 public:
  virtual ~DeviceForce() = default;
  /// What depends on the box alone, for evaluations to come; compute() sees to it, too.
  virtual void set_box(const Box& /*box*/, cudaStream_t /*stream*/) {}
  /// Queues the work; waits for nothing.
  virtual void compute(const Request& request, cudaStream_t stream) = 0;

  /// All atoms in an order in which neighbours lie close together, in device memory; null: unknown. On one rank.
  virtual const int* spatial_order() const { return nullptr; }
  /// A copy of it for whom such an order makes quicker. No bit of a result may depend on it.
  virtual void take_order(const int* /*atoms*/, cudaStream_t /*stream*/) {}

  /// What the kernel that moves atoms needs to tell a pair list where they are, so that compute() need not; none: there is none
  /// that could hear it. Whoever asks does it, for all atoms, before the next compute() in this box.
  virtual std::optional<Placing<float>> take_places(const Box& /*box*/) { return std::nullopt; }

  // Where several ranks share a system.
  /// What compute() has left until every force has queued its work, because it waits for the other ranks. `meanwhile`: to be
  /// called wherever this rank is about to wait, or has waited.
  virtual void finish(const Request& /*request*/, const std::function<void()>& /*meanwhile*/, cudaStream_t /*stream*/) {}
  /// Queues what needs atoms at home alone, while positions of the halo are on their way; compute() for the same request does
  /// the rest.
  virtual void begin(const Request& /*request*/, cudaStream_t /*stream*/) {}
  virtual bool begins() const { return false; }  ///< Is there any such work?
  /// Does it look at atoms of the halo, or put forces on them?
  virtual bool sees_halo() const { return true; }
  /// From now on the interactions that `share` takes, no others. `x` [atoms] on the host, good for atoms that are here.
  virtual void set_share(const RankShare& share, std::span<const Vec3d> x, const Box& box, cudaStream_t stream) = 0;
  /// Interactions that are worked out here. Over all ranks they must come to as many as one rank alone has.
  virtual std::int64_t interactions() const { return 0; }
  /// How far interactions reach beyond the positions that a share was made for, and how far atoms may move from there [nm].
  virtual double reach() const { return 0; }
  virtual double slack() const { return std::numeric_limits<double>::infinity(); }

  /// Will the next evaluation in this box queue the same as the last one did?
  virtual bool steady(const Box& /*box*/) const { return true; }

  /// What State::list says; only the force with a pair list has any.
  virtual ListOrigin list_origin(cudaStream_t /*stream*/) const { return {}; }
  virtual void restore_list(const ListOrigin& /*list*/, cudaStream_t /*stream*/) {}
  /// From now on: has another list been made since? Looking waits.
  virtual void mark_list(cudaStream_t /*stream*/) {}
  virtual bool list_is_the_marked(cudaStream_t /*stream*/) const { return true; }
  /// Throws SimulationError when something was found out on the device that makes forces wrong. The stream must have come to
  /// rest. Returns whether memory has been moved, so that what was captured is void.
  virtual bool inspect(cudaStream_t /*stream*/) { return false; }
  /// Room for lists, and what the device knows of its use: what inspect() looks at, for a look at a copy later on.
  struct Room {
    const ListState* used = nullptr;  ///< null: there are no lists
    int entries = 0, rows = 0;
  };
  virtual Room room() const { return {}; }
  /// What the device counts of itself.
  virtual std::vector<PhaseTime> phases(cudaStream_t /*stream*/) const { return {}; }
};

/// What is wrong when lists have outgrown their room; empty: nothing.
std::string overflow(const DeviceForce::Room& room, const ListState& used);

/// nullptr where the system has none of the kind. `link`: to the ranks that share the system, null: one rank.
std::unique_ptr<DeviceForce> make_device_pairs(const System& system, const PmeParameters& pme, Precision precision,
                                               RankLink* link, cudaStream_t stream);
std::unique_ptr<DeviceForce> make_device_all_pairs(const System& system);  ///< without a cutoff
std::unique_ptr<DeviceForce> make_device_excluded(const System& system, const PmeParameters& pme);
std::unique_ptr<DeviceForce> make_device_mesh(const System& system, const PmeParameters& pme, Precision precision,
                                              RankLink* link, cudaStream_t stream);
std::unique_ptr<DeviceForce> make_device_bonded(const System& system, Precision precision);
/// System::torsions_apart, which the former lacks.
std::unique_ptr<DeviceForce> make_device_torsions(const System& system, Precision precision);
std::unique_ptr<DeviceForce> make_device_restraints(const System& system);
std::unique_ptr<DeviceForce> make_device_solvent(const System& system);

}  // namespace uplift::UPLIFT_DEVICE

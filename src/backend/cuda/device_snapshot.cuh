#pragma once
// Snapshots: put aside on the device in the stream of the steps, from there to pinned memory on a stream of their own.
#include <cuda/device_buffer.cuh>
#include <cuda/pair_list.cuh>

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "backend/cuda/device_energies.cuh"
#include "backend/cuda/device_force.cuh"
#include "backend/cuda/device_integration.cuh"
#include "backend/cuda/device_levels.cuh"
#include "backend/cuda/device_streams.cuh"
#include "uplift/backend/snapshot.hpp"

namespace uplift::UPLIFT_DEVICE {

/// All of a snapshot that is no array of atoms: one small copy brings it.
struct SnapshotRecord {
  Fixed moments[4], full_step[4];  ///< kinetic energy and momentum
  Fixed molecular[3];              ///< launch_molecular_sums()
  Fixed tallies[all_tallies];
  unsigned long long worst;
  Shared shared;
  ListState lists;
};

/// Memory of one snapshot on both sides.
struct SnapshotBuffers {
  DeviceBuffer<Vec3d> x, v;
  DeviceBuffer<Fixed> f;  ///< [levels that are computed][3 * atoms]
  DeviceBuffer<SnapshotRecord> record{1};
  PinnedBuffer<Vec3d> host_x, host_v;
  PinnedBuffer<Fixed> host_f;
  PinnedBuffer<SnapshotRecord> host_record;
  Event aside, arrived{true};
  bool used = false;
};

/// Where a snapshot comes from.
struct SnapshotSource {
  DeviceIntegration& integration;
  LevelForces forces;
  DeviceForce::Room room;
  const Fixed* tallies;  ///< [all_tallies] of device memory
  Reported reported;
  bool boosted;
  std::function<void(std::span<const Stage>)> run;  ///< queues stages
};

/// Buffers go round among snapshots; there are as many as there ever were snapshots at once.
class DeviceSnapshots : public std::enable_shared_from_this<DeviceSnapshots> {
 public:
  explicit DeviceSnapshots(int device) : device_(device) {}
  ~DeviceSnapshots() { cudaStreamSynchronize(copies_); }  // of snapshots that nobody read
  DeviceSnapshots(const DeviceSnapshots&) = delete;
  DeviceSnapshots& operator=(const DeviceSnapshots&) = delete;

  /// What `stream` has come to by then; does not wait.
  std::unique_ptr<Snapshot> take(const SnapshotSource& source, const SnapshotPlan& plan, cudaStream_t stream);

 private:
  class One;
  using Buffers = std::unique_ptr<SnapshotBuffers>;
  /// Those of rows need no room for atoms.
  std::vector<Buffers>& free_buffers(bool of_atoms) { return of_atoms ? free_of_atoms_ : free_of_rows_; }
  Buffers buffers(bool of_atoms);

  int device_;
  Stream copies_;
  std::mutex mutex_;
  std::vector<Buffers> free_of_atoms_, free_of_rows_;
};

}  // namespace uplift::UPLIFT_DEVICE

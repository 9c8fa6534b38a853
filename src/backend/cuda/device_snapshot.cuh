#pragma once
// Snapshots: copied aside on the device in the stream of the steps, from there to pinned memory on a stream of their own.
#include <cuda/device_buffer.cuh>
#include <cuda/pair_list.cuh>

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "backend/cuda/device_force.cuh"
#include "backend/cuda/device_integration.cuh"
#include "backend/cuda/device_streams.cuh"
#include "uplift/backend/snapshot.hpp"

namespace uplift::UPLIFT_DEVICE {

/// Memory of one snapshot on both sides.
struct SnapshotBuffers {
  DeviceBuffer<Vec3d> x, v;
  DeviceBuffer<Fixed> sums{4};  ///< kinetic energy, momentum
  DeviceBuffer<unsigned long long> worst{1};
  DeviceBuffer<Shared> shared{1};
  DeviceBuffer<ListState> lists{1};
  PinnedBuffer<Vec3d> host_x, host_v;
  PinnedBuffer<Fixed> host_sums;
  PinnedBuffer<unsigned long long> host_worst;
  PinnedBuffer<Shared> host_shared;
  PinnedBuffer<ListState> host_lists;
  Event aside, arrived{true};
  bool used = false;
};

/// Buffers go round among snapshots; there are as many as there ever were snapshots at once.
class DeviceSnapshots : public std::enable_shared_from_this<DeviceSnapshots> {
 public:
  explicit DeviceSnapshots(int device) : device_(device) {}

  /// What `stream` has come to by then; does not wait.
  std::unique_ptr<Snapshot> take(DeviceIntegration& integration, const std::array<const Fixed*, most_force_levels>& forces,
                                 const DeviceForce::Room& room, bool velocities, cudaStream_t stream);

 private:
  class One;
  int device_;
  Stream copies_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<SnapshotBuffers>> free_;
};

}  // namespace uplift::UPLIFT_DEVICE

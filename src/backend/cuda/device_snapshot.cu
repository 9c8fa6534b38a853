#include "backend/cuda/device_snapshot.cuh"

namespace uplift::UPLIFT_DEVICE {
namespace {

template <class T>
void set_aside(DeviceBuffer<T>& aside, const T* from, std::size_t count, cudaStream_t stream) {
  aside.resize(count);
  if (count > 0)
    check(cudaMemcpyAsync(aside.data(), from, count * sizeof(T), cudaMemcpyDeviceToDevice, stream), "copy on the device");
}
template <class T>
void send(PinnedBuffer<T>& host, const DeviceBuffer<T>& aside, cudaStream_t stream) {
  host.reserve(aside.size());
  host.copy_from(aside.data(), aside.size(), stream);
}

}  // namespace

class DeviceSnapshots::One final : public Snapshot {
 public:
  One(std::shared_ptr<DeviceSnapshots> home, std::unique_ptr<SnapshotBuffers> buffers, const DeviceIntegration& integration,
      const DeviceForce::Room& room, bool velocities)
      : home_(std::move(home)),
        buffers_(std::move(buffers)),
        integration_(integration),
        room_(room),
        box_(integration.box()),
        velocities_(velocities) {}
  ~One() override {
    const std::lock_guard lock(home_->mutex_);
    home_->free_.push_back(std::move(buffers_));
  }
  One(const One&) = delete;
  One& operator=(const One&) = delete;

  bool ready() const override { return known_ || buffers_->arrived.done(); }
  const SnapshotContents& get() override {
    if (known_) return contents_;
    check(cudaSetDevice(home_->device_), "choose the GPU");  // a thread begins with the first one
    if (!buffers_->arrived.done()) buffers_->arrived.wait();
    SnapshotBuffers& b = *buffers_;
    contents_.box = box_;
    contents_.x = {b.host_x.data(), b.x.size()};
    if (velocities_) contents_.v = {b.host_v.data(), b.v.size()};
    contents_.worst = worst_force_of(*b.host_worst.data());
    contents_.kinetic = from_fixed(*b.host_sums.data());
    contents_.failure = integration_.constraint_failure(*b.host_shared.data());
    if (room_.used && contents_.failure.empty()) contents_.failure = overflow(room_, *b.host_lists.data());
    known_ = true;
    return contents_;
  }

 private:
  std::shared_ptr<DeviceSnapshots> home_;
  std::unique_ptr<SnapshotBuffers> buffers_;
  const DeviceIntegration& integration_;
  DeviceForce::Room room_;
  Box box_;
  bool velocities_, known_ = false;
  SnapshotContents contents_;
};

std::unique_ptr<Snapshot> DeviceSnapshots::take(DeviceIntegration& integration,
                                                const std::array<const Fixed*, most_force_levels>& forces,
                                                const DeviceForce::Room& room, bool velocities, cudaStream_t stream) {
  std::unique_ptr<SnapshotBuffers> b;
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      b = std::move(free_.back());
      free_.pop_back();
    }
  }
  if (!b) b = std::make_unique<SnapshotBuffers>();
  if (b->used) b->arrived.hold(stream);  // somebody may have given it back unread
  b->used = true;
  set_aside(b->x, integration.positions(), integration.size(), stream);
  if (velocities) set_aside(b->v, integration.velocities(), integration.size(), stream);
  set_aside(b->shared, integration.shared(), 1, stream);
  if (room.used) set_aside(b->lists, room.used, 1, stream);
  integration.queue_kinetic_energy(b->sums);
  integration.queue_worst_force(forces, b->worst);
  b->aside.record(stream);
  b->aside.hold(copies_);
  send(b->host_x, b->x, copies_);
  if (velocities) send(b->host_v, b->v, copies_);
  send(b->host_shared, b->shared, copies_);
  if (room.used) send(b->host_lists, b->lists, copies_);
  send(b->host_sums, b->sums, copies_);
  send(b->host_worst, b->worst, copies_);
  b->arrived.record(copies_);
  return std::make_unique<One>(shared_from_this(), std::move(b), integration, room, velocities);
}

}  // namespace uplift::UPLIFT_DEVICE

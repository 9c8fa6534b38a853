#include "backend/cuda/device_snapshot.cuh"

#include <algorithm>
#include <utility>

namespace uplift::UPLIFT_DEVICE {
namespace {

template <class T>
void put_aside(T* aside, const T* from, std::size_t count, cudaStream_t stream) {
  if (count > 0) check(cudaMemcpyAsync(aside, from, count * sizeof(T), cudaMemcpyDeviceToDevice, stream), "copy on the device");
}
template <class T>
void send(PinnedBuffer<T>& host, const DeviceBuffer<T>& aside, cudaStream_t stream) {
  host.reserve(aside.size());
  host.copy_from(aside.data(), aside.size(), stream);
}

std::size_t computed(const LevelForces& levels) {
  return levels.size() - static_cast<std::size_t>(std::ranges::count(levels, nullptr));
}
bool of_atoms(const SnapshotPlan& plan) { return plan.positions || plan.velocities || plan.forces; }

void put_atoms_aside(SnapshotBuffers& b, const SnapshotSource& source, const SnapshotPlan& plan, cudaStream_t stream) {
  const DeviceIntegration& integration = source.integration;
  const std::size_t count = integration.size();
  if (plan.positions) {
    b.x.resize(count);
    put_aside(b.x.data(), integration.positions(), count, stream);
  }
  if (plan.velocities) {
    b.v.resize(count);
    put_aside(b.v.data(), integration.velocities(), count, stream);
  }
  if (plan.forces) {
    std::size_t end = 0;
    b.f.resize(3 * count * computed(source.forces));
    for (const Fixed* level : source.forces)
      if (level) put_aside(b.f.data() + std::exchange(end, end + 3 * count), level, 3 * count, stream);
  }
}

/// What a row needs besides what every snapshot has. The velocities come back to what they were.
void put_energies_aside(SnapshotRecord* r, const SnapshotSource& source, const SnapshotPlan& plan, cudaStream_t stream) {
  put_aside(r->tallies, source.tallies, all_tallies, stream);
  if (source.integration.box().periodic()) source.integration.queue_molecular_sums(source.forces, r->molecular);
  if (plan.to_full_step.empty()) return;
  std::vector<Stage> stages{SaveVelocities{}};
  stages.insert(stages.end(), plan.to_full_step.begin(), plan.to_full_step.end());
  source.run(stages);
  source.integration.queue_kinetic_energy(r->full_step);
  const Stage back[] = {RestoreVelocities{}};
  source.run(back);
}

}  // namespace

class DeviceSnapshots::One final : public Snapshot {
 public:
  One(std::shared_ptr<DeviceSnapshots> home, Buffers buffers, const SnapshotSource& source, const SnapshotPlan& plan)
      : home_(std::move(home)),
        buffers_(std::move(buffers)),
        integration_(source.integration),
        room_(source.room),
        levels_(source.forces),
        reported_(source.reported),
        box_(source.integration.box()),
        positions_(plan.positions),
        velocities_(plan.velocities),
        forces_(plan.forces),
        energies_(plan.energies),
        full_step_(!plan.to_full_step.empty()),
        boosted_(source.boosted) {}
  ~One() override {
    const std::lock_guard lock(home_->mutex_);
    home_->free_buffers(positions_ || velocities_ || forces_).push_back(std::move(buffers_));
  }
  One(const One&) = delete;
  One& operator=(const One&) = delete;

  bool ready() const override { return known_ || buffers_->arrived.done(); }
  const SnapshotContents& get() override {
    if (known_) return contents_;
    check(cudaSetDevice(home_->device_), "choose the GPU");  // a thread begins with the first one
    if (!buffers_->arrived.done()) buffers_->arrived.wait();
    SnapshotBuffers& b = *buffers_;
    const SnapshotRecord& r = *b.host_record.data();
    contents_.box = box_;
    if (positions_) contents_.x = {b.host_x.data(), b.x.size()};
    if (velocities_) contents_.v = {b.host_v.data(), b.v.size()};
    if (forces_) contents_.f = add_up_forces(r.shared);
    contents_.worst = worst_force_of(r.worst);
    contents_.kinetic = from_fixed(r.moments[0]);
    contents_.failure = integration_.constraint_failure(r.shared);
    if (room_.used && contents_.failure.empty()) contents_.failure = overflow(room_, r.lists);
    if (energies_) contents_.energies = energies_of(r);
    known_ = true;
    return contents_;
  }

 private:
  std::span<const Vec3d> add_up_forces(const Shared& shared) {
    const std::size_t atoms = integration_.size();
    f_.resize(atoms);
    add_up(copies_of(levels_, buffers_->host_f.data(), 3 * atoms), shared, f_);
    return f_;
  }
  SnapshotEnergies energies_of(const SnapshotRecord& r) const {
    SnapshotEnergies e;
    e.energies = reported_.sum(r.tallies, r.shared);
    set_bias(e.energies, r.shared, boosted_);
    if (box_.periodic()) {
      const auto& w = e.energies.virial;
      e.pressure_volume =
          Vec3d{w[0], w[4], w[8]} + Vec3d{from_fixed(r.molecular[0]), from_fixed(r.molecular[1]), from_fixed(r.molecular[2])};
    }
    e.full_step_kinetic = from_fixed(full_step_ ? r.full_step[0] : r.moments[0]);
    e.heat = r.shared.heat;
    return e;
  }

  std::shared_ptr<DeviceSnapshots> home_;
  Buffers buffers_;
  const DeviceIntegration& integration_;
  DeviceForce::Room room_;
  LevelForces levels_;  ///< which are computed
  Reported reported_;
  Box box_;
  bool positions_, velocities_, forces_, energies_, full_step_, boosted_, known_ = false;
  std::vector<Vec3d> f_;
  SnapshotContents contents_;
};

DeviceSnapshots::Buffers DeviceSnapshots::buffers(bool of_atoms) {
  const std::lock_guard lock(mutex_);
  std::vector<Buffers>& free = free_buffers(of_atoms);
  if (free.empty()) return std::make_unique<SnapshotBuffers>();
  Buffers b = std::move(free.back());
  free.pop_back();
  return b;
}

std::unique_ptr<Snapshot> DeviceSnapshots::take(const SnapshotSource& source, const SnapshotPlan& plan, cudaStream_t stream) {
  Buffers b = buffers(of_atoms(plan));
  if (b->used) b->arrived.hold(stream);  // somebody may have given it back unread
  b->used = true;
  DeviceIntegration& integration = source.integration;
  SnapshotRecord* r = b->record.data();
  b->record.clear(stream);
  put_atoms_aside(*b, source, plan, stream);
  put_aside(&r->shared, integration.shared(), 1, stream);
  if (source.room.used) put_aside(&r->lists, source.room.used, 1, stream);
  integration.queue_kinetic_energy(r->moments);
  integration.queue_worst_force(source.forces, &r->worst);
  if (plan.energies) put_energies_aside(r, source, plan, stream);
  b->aside.record(stream);
  b->aside.hold(copies_);
  if (plan.positions) send(b->host_x, b->x, copies_);
  if (plan.velocities) send(b->host_v, b->v, copies_);
  if (plan.forces) send(b->host_f, b->f, copies_);
  send(b->host_record, b->record, copies_);
  b->arrived.record(copies_);
  return std::make_unique<One>(shared_from_this(), std::move(b), source, plan);
}

}  // namespace uplift::UPLIFT_DEVICE

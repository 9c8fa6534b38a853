#include "backend/cuda/device_descent.cuh"

#include <cuda/descent.cuh>

#include <bit>
#include <cmath>
#include <utility>

namespace uplift::UPLIFT_DEVICE {
namespace {

double value_of(unsigned long long bits) { return std::bit_cast<double>(bits); }

class DeviceDescent final : public Descent {
 public:
  DeviceDescent(Backend& backend, DeviceIntegration& integration, std::function<LevelForces()> level_forces,
                cudaStream_t stream)
      : backend_(backend), integration_(integration), level_forces_(std::move(level_forces)), stream_(stream) {
    const std::size_t atoms = integration.size();
    for (DeviceBuffer<Vec3d>* one : {&best_, &force_, &direction_, &next_force_}) {
      one->resize(atoms);
      one->clear(stream);
    }
    for (DeviceBuffer<float>* all : {&step_, &change_}) {
      all->resize(slots * numbers());
      all->clear(stream);
    }
    products_.clear(stream);  // only those of slots in use are worked out
    fetched_maxima_.reserve(1);
    fetched_products_.reserve(most_descent_products);
    put(best_, integration.positions());
  }

  Attempt attempt(double factor, int slot, std::span<const int> known) override {
    launch_set_out(integration_.atoms(), view(), factor, stream_);  // as a drift for unit time: velocity = displacement
    const Stage stages[] = {SavePositions{}, Drift{1.0}, ConstrainPositions{1.0}, PlaceVirtualSites{}, ComputeForces{}};
    backend_.run(stages, ForcePlan{.energies = true}, 0);
    // With v = f/m the velocity constraint subtracts exactly the constraint forces, as Lagrange multipliers do.
    maxima_.clear(stream_);
    integration_.queue_accelerations(level_forces_(), maxima_.data());
    const Stage project[] = {ConstrainVelocities{}};
    backend_.run(project, {}, 0);
    launch_note_attempt(integration_.atoms(), view(), slot, maxima_.data(), stream_);
    DescentSlots wanted{};
    for (int k : known) wanted.slot[wanted.count++] = k;
    wanted.slot[wanted.count++] = slot;
    launch_products(static_cast<int>(integration_.size()), view(), wanted, parts_.data(), products_.data(), stream_);
    fetched_maxima_.copy_from(maxima_.data(), 1, stream_);
    fetched_products_.copy_from(products_.data(), most_descent_products, stream_);
    try {
      backend_.verify();  // waits
    } catch (const SimulationError&) {
      integration_.forget_failures();
      throw;
    }
    Attempt a;
    a.energy = backend_.energies().potential();
    a.largest = value_of(fetched_maxima_.data()->force);
    a.worst = std::sqrt(value_of(fetched_maxima_.data()->worst));
    const double* from = fetched_products_.data();
    for (Row* row : {&a.step, &a.change, &a.force}) {
      for (int n = 0; n < wanted.count; ++n) (*row)[step_of(wanted.slot[n])] = *from++;
      for (int n = 0; n < wanted.count; ++n) (*row)[change_of(wanted.slot[n])] = *from++;
      (*row)[force_vector] = *from++;
    }
    return a;
  }

  void take() override {
    put(best_, integration_.positions());
    std::swap(force_, next_force_);
  }

  double aim(const Row& weights) override {
    maxima_.clear(stream_);
    launch_aim(static_cast<int>(integration_.size()), view(), weights, maxima_.data(), stream_);
    fetched_maxima_.copy_from(maxima_.data(), 1, stream_);
    check(cudaStreamSynchronize(stream_), "wait for the device");
    return std::sqrt(value_of(fetched_maxima_.data()->direction));
  }

  void download_positions(State& state) const override {
    best_.download(state.x, stream_);
    state.box = integration_.box();
  }
  void download_force(std::vector<Vec3d>& force) const override { force_.download(force, stream_); }

  void save(DescentMemory& memory) const override {
    download_force(memory.force);
    std::vector<float> all;
    const auto split = [&](const DeviceBuffer<float>& from, std::vector<std::vector<float>>& to) {
      from.download(all, stream_);
      for (int slot : memory.slots) to.emplace_back(all.begin() + place(slot), all.begin() + place(slot + 1));
    };
    split(step_, memory.step);
    split(change_, memory.change);
  }
  void restore(const DescentMemory& memory) override {
    force_.upload(memory.force, stream_);
    for (std::size_t n = 0; n < memory.slots.size(); ++n) {
      upload(step_, memory.slots[n], memory.step[n]);
      upload(change_, memory.slots[n], memory.change[n]);
    }
    check(cudaStreamSynchronize(stream_), "wait for the device");
  }

 private:
  std::size_t numbers() const { return 3 * integration_.size(); }
  std::ptrdiff_t place(int slot) const { return slot * static_cast<std::ptrdiff_t>(numbers()); }
  DescentView view() {
    return {best_.data(), force_.data(), direction_.data(), next_force_.data(), step_.data(), change_.data()};
  }
  void put(DeviceBuffer<Vec3d>& to, const Vec3d* from) {
    check(cudaMemcpyAsync(to.data(), from, to.size() * sizeof(Vec3d), cudaMemcpyDeviceToDevice, stream_), "copy on the device");
  }
  void upload(DeviceBuffer<float>& to, int slot, const std::vector<float>& values) {
    check(
        cudaMemcpyAsync(to.data() + place(slot), values.data(), values.size() * sizeof(float), cudaMemcpyHostToDevice, stream_),
        "copy to the device");
  }

  Backend& backend_;
  DeviceIntegration& integration_;
  std::function<LevelForces()> level_forces_;
  cudaStream_t stream_;
  DeviceBuffer<Vec3d> best_, force_, direction_, next_force_;
  DeviceBuffer<float> step_, change_;  ///< [slots][3 atoms]
  DeviceBuffer<DescentMaxima> maxima_{1};
  DeviceBuffer<double> parts_{descent_parts * most_descent_products}, products_{most_descent_products};
  PinnedBuffer<DescentMaxima> fetched_maxima_;
  PinnedBuffer<double> fetched_products_;
};

}  // namespace

std::unique_ptr<Descent> make_device_descent(Backend& backend, DeviceIntegration& integration,
                                             std::function<LevelForces()> level_forces, cudaStream_t stream) {
  return std::make_unique<DeviceDescent>(backend, integration, std::move(level_forces), stream);
}

}  // namespace uplift::UPLIFT_DEVICE

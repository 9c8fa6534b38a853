// Pairs that need no list: all of them, where there is no cutoff, and those that are excluded.
#include <cuda/pairs.cuh>

#include "backend/cuda/device_force.cuh"
#include "backend/cuda/pair_tables.cuh"
#include "uplift/backend/box_numbers.hpp"
#include "uplift/backend/row_index.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

/// In double whatever the precision: such systems are small, and their sums are long.
class AllPairs final : public DeviceForce {
 public:
  /// Without a cutoff nothing is shared.
  void set_share(const RankShare&, std::span<const Vec3d>, const Box&, cudaStream_t) override {}
  explicit AllPairs(const System& system) : tables_(system), lj_(system.force_field) { lj_.put(p_); }
  void compute(const Request& r, cudaStream_t stream) override {
    r.wait_for_sums(stream);
    launch_all_pairs(tables_.view(), p_, r.x, r.sums, r.tally, stream);
  }

 private:
  PairTables tables_;
  LjTables<double> lj_;
  PairParameters<double> p_{};
};

/// What the mesh has of excluded pairs.
class ExcludedPairs final : public DeviceForce {
 public:
  ExcludedPairs(const System& system, double alpha)
      : alpha_(alpha), charge_(system.force_field.charges), all_(system.force_field.exclusions) {
    by_atom_ = RowIndex(system.size(), all_.size(), [&](std::size_t r) { return all_[r][0]; });
    std::vector<int> pairs;
    for (const auto& [i, j] : all_) pairs.insert(pairs.end(), {i, j});
    put(pairs, nullptr);
  }
  void set_share(const RankShare& share, std::span<const Vec3d> x, const Box& box, cudaStream_t stream) override {
    std::vector<int> pairs;
    for (std::size_t r : by_atom_.taken(share, x, box, [&](std::size_t k) { return std::span<const int>(all_[k]); }))
      pairs.insert(pairs.end(), all_[r].begin(), all_[r].end());
    put(pairs, stream);
  }
  std::int64_t interactions() const override { return count_; }
  void compute(const Request& r, cudaStream_t stream) override {
    r.wait_for_sums(stream);
    launch_excluded(pairs_.data(), count_, r.x, charge_.data(), image_cell(r.box), alpha_, r.sums, r.tally, stream);
  }

 private:
  void put(const std::vector<int>& pairs, cudaStream_t stream) {
    pairs_.upload_to_front(pairs, stream);
    check(cudaStreamSynchronize(stream), "wait for the device");
    count_ = static_cast<int>(pairs.size() / 2);
  }
  double alpha_;
  DeviceBuffer<double> charge_;
  std::vector<std::array<int, 2>> all_;
  RowIndex by_atom_;
  DeviceBuffer<int> pairs_;
  int count_ = 0;
};

}  // namespace

std::unique_ptr<DeviceForce> make_device_all_pairs(const System& system) { return std::make_unique<AllPairs>(system); }
std::unique_ptr<DeviceForce> make_device_excluded(const System& system, const PmeParameters& pme) {
  return system.forces.nonbonded == NonbondedMethod::pme ? std::make_unique<ExcludedPairs>(system, pme.alpha) : nullptr;
}

}  // namespace uplift::UPLIFT_DEVICE

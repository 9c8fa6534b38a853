#include "backend/cuda/device_levels.cuh"

#include <algorithm>

namespace uplift::UPLIFT_DEVICE {

void add_up(const LevelForces& levels, const Shared& shared, std::span<Vec3d> f) {
  const auto vector = [](const Fixed* of, std::size_t i) {
    return Vec3d{from_fixed(of[3 * i]), from_fixed(of[3 * i + 1]), from_fixed(of[3 * i + 2])};
  };
  std::vector<Fixed> sum(3 * f.size(), 0);  // exact, where there is no bias
  std::fill(f.begin(), f.end(), Vec3d{0, 0, 0});
  for (std::size_t l = 0; l < levels.size(); ++l) {
    if (!levels[l]) continue;
    if (const double factor = shared.factors[l].all(); factor != 1)
      for (std::size_t i = 0; i < f.size(); ++i) f[i] += factor * vector(levels[l], i);
    else
      for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += levels[l][k];
  }
  for (std::size_t i = 0; i < f.size(); ++i) f[i] += vector(sum.data(), i);
}

void DeviceLevels::forget() {
  for (Level& level : levels_) level.computed = false;
  reported_ = {};
}

void DeviceLevels::begin(int level, bool tally, cudaStream_t stream) {
  Level& l = at(level);
  l.sums.resize(words_ + level_tallies);
  l.computed = true;
  l.sums.clear(stream, tally ? l.sums.size() : words_);
}

LevelForces DeviceLevels::forces() const {
  LevelForces forces{};
  for (std::size_t l = 0; l < forces.size(); ++l) forces[l] = levels_[l].computed ? levels_[l].sums.data() : nullptr;
  return forces;
}

TalliesView DeviceLevels::tallies() {
  TalliesView view{};
  for (std::size_t l = 0; l < levels_.size(); ++l)
    view.energy[l] = levels_[l].computed ? levels_[l].sums.data() + words_ : nullptr;
  return view;
}

std::vector<void*> DeviceLevels::carried() {
  std::vector<void*> arrays;
  for (Level& level : levels_)
    if (level.computed) arrays.push_back(level.sums.data());
  return arrays;
}

void DeviceLevels::note_report(int level, const Energies& constants) {
  reported_.level[static_cast<std::size_t>(level)] = true;
  reported_.constants[static_cast<std::size_t>(level)] = constants;
}

void DeviceLevels::queue_report(int level, cudaStream_t stream) {
  check(cudaMemcpyAsync(reported_tallies_.data() + static_cast<std::size_t>(level) * level_tallies, tally(level),
                        level_tallies * sizeof(Fixed), cudaMemcpyDeviceToDevice, stream),
        "copy on the device");
}

void DeviceLevels::fetch_forces(cudaStream_t stream) const {
  const auto computed = std::count_if(levels_.begin(), levels_.end(), [](const Level& level) { return level.computed; });
  fetched_forces_.reserve(words_ * static_cast<std::size_t>(computed));
  std::size_t place = 0;
  for (const Level& level : levels_)
    if (level.computed) fetched_forces_.copy_from(level.sums.data(), words_, stream, words_ * place++);
}

void DeviceLevels::fetch_energies(cudaStream_t stream) const {
  fetched_tallies_.reserve(all_tallies);
  fetched_tallies_.copy_from(reported_tallies_.data(), all_tallies, stream);
}

void DeviceLevels::add_up(const Shared& shared, std::vector<Vec3d>& f) const {
  f.resize(words_ / 3);
  UPLIFT_DEVICE::add_up(copies_of(forces(), fetched_forces_.data(), words_), shared, f);
}

void DeviceLevels::keep(cudaStream_t stream) {
  for (Level& level : levels_)
    if (level.computed) level.kept.copy_from(level.sums, stream);
  kept_tallies_.copy_from(reported_tallies_, stream);
  kept_reported_ = reported_;
}

void DeviceLevels::put_back(cudaStream_t stream) {
  for (Level& level : levels_)
    if (level.computed) level.sums.copy_from(level.kept, stream);
  reported_tallies_.copy_from(kept_tallies_, stream);
  reported_ = kept_reported_;
}

}  // namespace uplift::UPLIFT_DEVICE

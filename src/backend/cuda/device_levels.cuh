#pragma once
// Forces and energies of all levels of multiple time steps, in device memory.
#include <cuda/device_buffer.cuh>
#include <cuda/sums.cuh>

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "backend/cuda/device_energies.cuh"

namespace uplift::UPLIFT_DEVICE {

/// All levels on the host, with the parts that they have. `f`: [atoms] kJ/mol/nm.
void add_up(const LevelForces& levels, const Shared& shared, std::span<Vec3d> f);

/// Queues work on the stream that it is given, and waits for nothing.
class DeviceLevels {
 public:
  DeviceLevels(int atoms, cudaStream_t stream) : words_(3 * static_cast<std::size_t>(atoms)), reported_tallies_(all_tallies) {
    reported_tallies_.clear(stream);
  }

  /// None is computed, and nothing reported.
  void forget();
  /// Sums of this level begin at zero; with energies and virial if they are wanted.
  void begin(int level, bool tally, cudaStream_t stream);
  SumsView sums(int level) { return {force(level), tally(level), tally(level) + energy_term_count}; }
  Fixed* force(int level) { return at(level).sums.data(); }
  Fixed* tally(int level) { return at(level).sums.data() + words_; }  ///< [level_tallies]
  LevelForces forces() const;
  TalliesView tallies();
  std::vector<void*> carried();  ///< arrays that move with atoms

  /// Energies of this level are those to report from now on. What no force has of them, on the host, where a graph does the
  /// rest; and what the device does.
  void note_report(int level, const Energies& constants);
  void queue_report(int level, cudaStream_t stream);
  const Fixed* reported_tallies() const { return reported_tallies_.data(); }  ///< [all_tallies]
  const Reported& reported() const { return reported_; }

  /// On their way to the host; good for what comes below once the stream has come to rest.
  void fetch_forces(cudaStream_t stream) const;
  void fetch_energies(cudaStream_t stream) const;
  /// All levels, with the parts that they have.
  void add_up(const Shared& shared, std::vector<Vec3d>& f) const;
  Energies energies(const Shared& shared) const { return reported_.sum(fetched_tallies_.data(), shared); }

  /// A copy of all of it, and back.
  void keep(cudaStream_t stream);
  void put_back(cudaStream_t stream);

 private:
  struct Level {
    DeviceBuffer<Fixed> sums;  ///< [3 * atoms] forces, then [level_tallies]: one kernel clears both
    DeviceBuffer<Fixed> kept;
    bool computed = false;
  };
  Level& at(int level) { return levels_[static_cast<std::size_t>(level)]; }

  std::size_t words_;
  std::array<Level, most_force_levels> levels_;
  DeviceBuffer<Fixed> reported_tallies_, kept_tallies_;
  Reported reported_, kept_reported_;
  mutable PinnedBuffer<Fixed> fetched_forces_;  ///< [levels that are computed][3 * atoms]
  mutable PinnedBuffer<Fixed> fetched_tallies_;
};

}  // namespace uplift::UPLIFT_DEVICE

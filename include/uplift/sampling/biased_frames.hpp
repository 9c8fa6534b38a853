#pragma once
// The frames of biased runs, from their directories.
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "uplift/model/bias.hpp"
#include "uplift/sampling/collective_variable.hpp"

namespace uplift {

inline constexpr std::size_t most_variables = 3;

/// A bias at a temperature that frames were sampled with.
struct SampledState {
  Bias bias;
  bool boosted = false;
  double temperature = 0;  ///< [K]
  bool updating = false;   ///< parameters changed while it was sampled
  bool operator==(const SampledState&) const = default;
};

struct FrameRequest {
  std::vector<std::string> runs;  ///< directories, of all replicas too, or trajectories in them
  /// Names; empty: every stage with a bias that does not change, else every one that exchanged replicas, else all.
  std::vector<std::string> stages;
  std::vector<std::string> variables;  ///< as make_collective_variable reads them
  double discard = 0;                  ///< [ps] from the beginning of each stage
};

struct BiasedFrames {
  struct Axis {
    std::string name, definition, unit;
    bool periodic = false;
  };
  std::vector<Axis> axes;
  std::vector<std::array<double, most_variables>> value;  ///< [frames]
  std::vector<double> boost, potential, dihedral;         ///< [frames] kJ/mol; the latter two 0 in a run without a bias
  std::vector<std::int64_t> step;                         ///< [frames]
  std::vector<int> state;                                 ///< [frames] index into `states`
  std::vector<SampledState> states;
  std::vector<std::size_t> series;  ///< first frame of each run's stage, and of what comes after the last
  std::size_t size() const { return boost.size(); }
};

/// Throws InputError naming the file when there is none, when stages or atoms are not there, or when frames of a bias lack
/// their boost.
BiasedFrames read_biased_frames(const FrameRequest& request);

}  // namespace uplift

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
  double temperature = 0;  ///< [K]; 0: not known, or at constant energy
  bool updating = false;   ///< parameters changed while it was sampled
  bool operator==(const SampledState&) const = default;
};

struct FrameRequest {
  std::vector<std::string> runs;  ///< directories, of all replicas too, or trajectories in them
  /// Names; empty: every stage with a bias that does not change, else every one that exchanged replicas, else all; of those
  /// the ones without restraints and at one temperature, where there are such.
  std::vector<std::string> stages;
  std::vector<std::string> variables;  ///< as make_collective_variable reads them
  double discard = 0;                  ///< [ps] from the beginning of each stage
  std::string beside;                  ///< folder of the input, where variables look for files; empty: none
};

struct BiasedFrames {
  struct Axis {
    std::string name, definition, unit;
    bool periodic = false;
  };
  std::vector<Axis> axes;
  std::vector<std::array<double, most_variables>> value;  ///< [frames]
  std::vector<double> boost;                              ///< [frames] kJ/mol
  /// [frames] kJ/mol, not numbers where a run has not stored them. Dihedrals and CMAP apart, or together as `dihedral` where
  /// all boosts see both.
  std::vector<double> potential, dihedral, cmap;
  std::vector<double> work;        ///< [frames] pressure times volume [kJ/mol]; 0 at constant volume
  std::vector<std::int64_t> step;  ///< [frames]
  std::vector<int> state;          ///< [frames] index into `states`
  std::vector<SampledState> states;
  double temperature = 0;           ///< [K] of the last stage of the first run: what comes before goes towards it; 0: not known
  std::vector<std::size_t> series;  ///< first frame of each run's stage, and of what comes after the last
  std::vector<int> ensembles;       ///< [series] the same for replicas that exchanged, -1 for runs alone; empty: all alone
  std::vector<std::string> stages;  ///< their names
  std::vector<std::string> doubts;  ///< whether they are of one distribution, as sentences
  std::string without_energies;     ///< the first frame that has no energies; empty when all have
  std::size_t size() const { return boost.size(); }
};

/// Throws InputError naming the file when there is none, when it is damaged or named twice, when stages or atoms are not
/// there, when pressures differ, when frames of a bias lack their boost, or when a value is no number.
BiasedFrames read_biased_frames(const FrameRequest& request);

}  // namespace uplift

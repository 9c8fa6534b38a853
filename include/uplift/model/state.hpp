#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "uplift/core/box.hpp"
#include "uplift/model/bias.hpp"

namespace uplift {

/// Where atoms were, and in which box, when a pair list was made; empty: there is none.
struct ListOrigin {
  std::vector<Vec3d> x;  ///< [atoms] nm
  Box box;
  bool empty() const { return x.empty(); }
  void clear() { x.clear(); }
};

/// The moving part, in host memory and in the input's atom order. Backends keep their own copy and hand this one out on
/// request.
struct State {
  std::vector<Vec3d> x;  ///< [atoms] nm, unwrapped
  std::vector<Vec3d> v;  ///< [atoms] nm/ps
  Box box;
  std::int64_t step = 0;
  double time = 0;  ///< [ps]
  /// What has come in from outside so far [kJ/mol]: by thermostats, scaled boxes, centre-of-mass motion that was stopped, new
  /// parameters of a boost, exchanges of replicas. Total energy with boosts, less heat, is conserved.
  double heat = 0;
  std::vector<double> chain;  ///< positions [1] and velocities [1/ps] of a Nose-Hoover chain, empty before its first step

  BiasStatistics statistics;     ///< gathered in this stage, and in those that it follows on from
  std::optional<Bias> bias;      ///< that acts, where parameters follow the statistics
  std::vector<double> barostat;  ///< Barostat::memory
  /// Of the pair list in use; empty: a new list. Sums in floating point depend on the list, so that an exact continuation needs
  /// it.
  ListOrigin list;

  int size() const { return static_cast<int>(x.size()); }
};

}  // namespace uplift

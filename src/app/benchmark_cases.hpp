#pragma once
// What `uplift benchmark` can measure: inputs of the user, and systems made from what the project ships.
#include <optional>
#include <string>
#include <vector>

#include "uplift/model/settings.hpp"

namespace uplift::app {

struct BenchmarkCase {
  std::string name;  ///< as it was asked for
  RunInput input;    ///< resolved
  ForceSettings forces;
  DynamicsSettings dynamics;
  std::optional<RestraintSettings> restraints;
  std::optional<BiasSettings> bias;
  std::string stage;  ///< whose settings these are; empty: those of the whole input

  /// Parameters that come from a stage are not known without a run.
  bool biased() const { return bias && bias->from.empty(); }
};

/// One with a boost of explicit parameters has it here, too. `system`: the path of a YAML input, whose last stage of dynamics
/// is taken (or, without stages, its top level); the name of a periodic system of inputs/; or water-N, N atoms or nearly so
/// ("water-24k", "water-1M"), copies of a small box. The latter two have the settings of inputs/benchmark.yaml. Throws
/// InputError.
BenchmarkCase benchmark_case(const std::string& system, const std::vector<std::string>& overrides);

/// The names that are always there.
std::vector<std::string> builtin_benchmarks();

}  // namespace uplift::app

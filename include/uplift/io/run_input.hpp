#pragma once
// The input YAML: strict, every problem reported at once with its line.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "uplift/io/units.hpp"
#include "uplift/model/settings.hpp"

namespace uplift {

enum class KeyKind { quantity, count, number, flag, choice, text, integers, quantities, map };

/// One key of the input. The table is the whole truth: reader, defaults, the resolved echo and documentation come from it.
struct KeySpec {
  std::string_view path;           ///< "forces.pme.tolerance"
  KeyKind kind;
  Dimension dimension;             ///< of quantities
  std::string_view fallback;       ///< default as it would be written; empty: none
  std::string_view choices;        ///< "pme reaction-field no-cutoff"
  std::string_view doc;            ///< one line
  std::string_view missing;        ///< not empty: accepted by the contract but not by this version, and what to do instead
};

/// Every key below the top level and of a stage ("stages.*.time").
std::span<const KeySpec> input_schema();

struct Problem {
  std::string file;
  int line = 0;                    ///< from 1; 0: of the command line
  std::string message;
  std::string text() const { return file + (line > 0 ? ":" + std::to_string(line) : "") + ": " + message; }
};

/// Reads and checks an input file. `overrides` are "dynamics.seed=7", "stages.production.time=1 ns" or "stages.0.time=1 ns"; they
/// are applied first. Throws InputError with every problem, one a line.
RunInput load_run_input(const std::string& path, std::span<const std::string> overrides = {});

/// The problems alone; empty when there are none.
std::vector<Problem> check_run_input(const std::string& path, std::span<const std::string> overrides = {});

}  // namespace uplift

#pragma once
// The input YAML: strict, every problem reported at once with its line. What may stand in it is data (input_schema); the
// reader, the defaults, the resolved echo and the documentation all come from there.
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "uplift/io/units.hpp"
#include "uplift/model/settings.hpp"

namespace uplift {

enum class KeyKind {
  quantity,  ///< number with a unit
  count,     ///< whole number from 0
  number,    ///< pure number
  flag,      ///< true or false
  choice,    ///< one word of `choices`
  text,
  counts,      ///< list of counts
  texts,       ///< list of texts
  words,       ///< list of words of `choices`
  quantities,  ///< list of numbers with a unit
  box,         ///< list of three lengths, or of three lengths and three angles
  map,         ///< block of keys
  maps         ///< list of blocks
};

/// Bounds of a value in canonical units.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool open_low = false, open_high = false;  ///< the bound itself is outside
};

struct KeySpec {
  std::string_view path{};  ///< "forces.pme.tolerance"; in a list of blocks "stages.*.time"
  KeyKind kind = KeyKind::map;
  Dimension dimension{};        ///< of a quantity
  std::string_view fallback{};  ///< default as one would write it; empty: none
  std::string_view choices{};   ///< "pme reaction-field no-cutoff"; of a count: words that may stand for it ("auto")
  std::string_view doc{};       ///< one line
  std::string_view example{};   ///< where the default shows no typical value
  Range range{};                ///< of a quantity, a number, a count, and each of several counts
  int length = 0;               ///< of a list; 0: any
  bool required = false;        ///< in every block of its kind that is given
  std::string_view unit{};      ///< that messages show for it; empty: the usual one of its dimension
};

/// Every key. A stage also takes the keys of `forces` and `dynamics`, in their block or directly ("timestep: 1 fs").
std::span<const KeySpec> input_schema();

/// A value as one would write it: the example, the default, or the first that is possible.
std::string example_value(const KeySpec& key);
/// The schema as Markdown: docs/yaml-reference.md.
std::string input_reference();
/// A block of it, with those in it, or one key: "forces.pme" or "stages.time". Throws InputError when there is none.
std::string input_reference(const std::string& where);

struct Problem {
  std::string file;  ///< or the argument of the command line that is wrong: "--set dynamics.seed=x"
  int line = 0;      ///< from 1; 0: the file as a whole, or the command line
  int column = 0;
  std::string message;
  std::string section;  ///< of docs/yaml-reference.md, "stages.*.bias"; empty: none
  /// "FILE:LINE: MESSAGE"
  std::string text() const;
};

/// What an input is read for: a single point writes nothing into the run's folder, and may take coordinates from there.
enum class InputUse { run, single_point };

/// Reads and checks an input file. Keys of the file are given as "dynamics.seed=7", "stages.production.time=1 ns" or
/// "stages.0.time=1 ns" in `overrides`, which are applied first. `stages` may be empty: a single point needs none.
/// Throws InputError with every problem, one a line.
RunInput load_run_input(const std::string& path, std::span<const std::string> overrides = {}, InputUse use = InputUse::run);

/// As much of it as can be read, and what is wrong, by line; what is wrong has its default.
RunInput read_run_input(const std::string& path, std::span<const std::string> overrides, std::vector<Problem>& problems);

/// Where what the problems are about is described; one line.
std::string reference_hint(std::span<const Problem> problems);

/// `message` after the place of the key that it begins with ("forces.cutoff: ..."), in `stage` or above it; as it is when it
/// begins with none.
std::string with_place(const RunInput& input, const std::string& stage, const std::string& message);

/// Of an input as a run stores it: the times [ps] of its stages (0: a minimisation), and the variables of its surfaces.
struct StoredInput {
  struct Stage {
    std::string name;
    double time;
  };
  std::vector<Stage> stages;
  std::vector<std::string> variables;  ///< "phi=phi(2)"
};
/// Empty where the text is none that is understood.
StoredInput read_stored_input(const std::string& resolved);

/// The problems alone, by line; empty when there are none.
std::vector<Problem> check_run_input(const std::string& path, std::span<const std::string> overrides = {});

}  // namespace uplift

#pragma once
// The YAML as a flat, checked list of keys with their lines; private to the reader of the input.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "uplift/io/run_input.hpp"

namespace YAML {
class Node;
}

namespace uplift {

/// A value of the file: scalar text or a list of scalars.
struct InputValue {
  std::vector<std::string> items;
  bool list = false;
  int line = 0;
};

/// One mapping of the file (the whole file, or one stage), flattened: "forces.pme.order" -> value.
struct InputMap {
  std::map<std::string, InputValue> values;
  std::map<std::string, int> maps;      ///< mappings that are there, with their lines
  int line = 0;
};

struct InputTree {
  InputMap top;
  std::vector<InputMap> stages;         ///< keys of a stage are relative: "time", "minimize.max_steps", "forces.cutoff"
};

/// Reads the file, applies the overrides and reports every key that the schema does not know.
InputTree read_input_tree(const std::string& path, std::span<const std::string> overrides, std::vector<Problem>& problems);

/// The schema's entry for a path of the file or of a stage; nullptr when there is none. A stage may override any key of `forces` and
/// `dynamics`, in their block or directly.
const KeySpec* find_key(const std::string& path, bool in_stage);
/// Where a key of a stage belongs: "timestep" -> "dynamics.timestep".
std::string stage_path(const std::string& key);

}  // namespace uplift

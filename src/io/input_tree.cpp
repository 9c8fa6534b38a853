#include "input_tree.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <sstream>

#include "uplift/core/error.hpp"

namespace uplift {
namespace {

constexpr std::uintmax_t largest_file = 1 << 20;
constexpr int deepest = 16;

int line_of(const YAML::Node& node) { return node.Mark().is_null() ? 0 : node.Mark().line + 1; }

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

/// Keys that may stand in the mapping `parent` ("" is the top).
std::vector<std::string> keys_below(const std::string& parent, bool in_stage) {
  std::vector<std::string> keys;
  const auto add = [&](const std::string& prefix) {
    for (const KeySpec& spec : input_schema()) {
      const std::string path(spec.path);
      if (path.size() > prefix.size() && path.compare(0, prefix.size(), prefix) == 0 && path.find('.', prefix.size()) == std::string::npos)
        keys.push_back(path.substr(prefix.size()));
    }
  };
  if (!in_stage) {
    add(parent.empty() ? "" : parent + ".");
    if (parent.empty()) keys.push_back("stages");
    return keys;
  }
  if (parent.empty()) {
    add("stages.*.");
    for (const char* block : {"forces", "dynamics"}) {
      keys.push_back(block);
      add(std::string(block) + ".");
    }
  } else if (parent.rfind("minimize", 0) == 0 || parent.rfind("restraints", 0) == 0) {
    add("stages.*." + parent + ".");
  } else {
    add(stage_path(parent) + ".");
  }
  return keys;
}

class Reader {
 public:
  Reader(std::string file, std::vector<Problem>& problems) : file_(std::move(file)), problems_(problems) {}

  void problem(int line, const std::string& message) { problems_.push_back({file_, line, message}); }

  void flatten(const YAML::Node& node, const std::string& prefix, bool in_stage, InputMap& out, int depth = 0) {
    if (depth > deepest) return problem(line_of(node), "nested too deeply (" + std::to_string(deepest) + " levels are allowed)");
    std::set<std::string> seen;
    for (const auto& item : node) {
      const int line = line_of(item.first);
      if (!item.first.IsScalar()) {
        problem(line, "a key must be plain text");
        continue;
      }
      const std::string key = item.first.Scalar(), path = prefix.empty() ? key : prefix + "." + key;
      if (!seen.insert(key).second) {
        problem(line, "key '" + key + "' is given twice (one of the two would be lost); keep one");
        continue;
      }
      if (!in_stage && path == "stages") continue;
      const KeySpec* spec = find_key(path, in_stage);
      if (!spec) {
        unknown(path, key, prefix, in_stage, line);
        continue;
      }
      if (!spec->missing.empty()) {
        problem(line, "'" + path + "' " + std::string(spec->missing) + " (it would be ignored, and that could spoil a study); remove it");
        continue;
      }
      value(item.second, *spec, path, in_stage, line, out, depth);
    }
  }

 private:
  void unknown(const std::string& path, const std::string& key, const std::string& prefix, bool in_stage, int line) {
    std::string best;
    std::size_t distance = std::max<std::size_t>(2, key.size() / 2) + 1;
    for (const std::string& candidate : keys_below(prefix, in_stage)) {
      const std::size_t found = edit_distance(key, candidate);
      if (found < distance) { distance = found; best = candidate; }
    }
    std::string message = "unknown key '" + path + "'";
    if (!best.empty()) {
      message += "; did you mean '" + best + "'?";
    } else {
      message += "; known here:";
      for (const std::string& candidate : keys_below(prefix, in_stage)) message += " " + candidate;
    }
    problem(line, message);
  }

  void value(const YAML::Node& node, const KeySpec& spec, const std::string& path, bool in_stage, int line, InputMap& out, int depth) {
    if (spec.kind == KeyKind::map) {
      if (!node.IsMap()) return problem(line, "'" + path + "' must hold keys, as in " + path + ": {key: value}");
      out.maps[path] = line;
      return flatten(node, path, in_stage, out, depth + 1);
    }
    InputValue v;
    v.line = line;
    if (node.IsNull()) return problem(line, "'" + path + "' has no value; give one or remove the key");
    if (node.IsScalar()) {
      v.items = {node.Scalar()};
    } else if (node.IsSequence() && (spec.kind == KeyKind::integers || spec.kind == KeyKind::quantities)) {
      v.list = true;
      for (const auto& item : node) {
        if (!item.IsScalar() || v.items.size() > 16) return problem(line, "'" + path + "' must be a short list of plain values");
        v.items.push_back(item.Scalar());
      }
    } else {
      return problem(line, "'" + path + "' must be a single value");
    }
    out.values[path] = std::move(v);
  }

  std::string file_;
  std::vector<Problem>& problems_;
};

/// "stages.production.time" or "stages.0.time" in the tree of nodes; other paths as they are.
void apply_override(YAML::Node root, const std::string& text, std::vector<Problem>& problems) {
  const std::size_t equals = text.find('=');
  const auto fail = [&](const std::string& why) { problems.push_back({"--set " + text, 0, why}); };
  if (equals == std::string::npos || equals == 0) return fail("write it as --set key=value");
  YAML::Node node = root;
  std::istringstream path(text.substr(0, equals));
  std::vector<std::string> parts;
  for (std::string part; std::getline(path, part, '.');) parts.push_back(part);
  YAML::Node fresh;
  try {
    fresh = YAML::Load(text.substr(equals + 1));
  } catch (const YAML::Exception&) {
    return fail("the value is not YAML");
  }
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const bool last = k + 1 == parts.size();
    if (node.IsSequence()) {
      std::size_t index = node.size();
      for (std::size_t i = 0; i < node.size(); ++i)
        if (std::to_string(i) == parts[k] || (node[i].IsMap() && node[i]["name"] && node[i]["name"].IsScalar() && node[i]["name"].Scalar() == parts[k])) index = i;
      if (index == node.size()) return fail("there is no stage '" + parts[k] + "'");
      if (last) return fail("name a key of the stage, as in stages." + parts[k] + ".time");
      node.reset(node[index]);
      continue;
    }
    if (!node.IsMap()) return fail("'" + parts[k] + "' has no place here");
    if (last) {
      node[parts[k]] = fresh;
    } else {
      if (!node[parts[k]] || node[parts[k]].IsNull()) node[parts[k]] = YAML::Node(YAML::NodeType::Map);
      node.reset(node[parts[k]]);
    }
  }
}

std::string file_text(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) throw InputError(path + ": there is no such file");
  if (std::filesystem::file_size(path, error) > largest_file)
    throw InputError(path + ": larger than 1 MiB (an input is a page of YAML; is this another kind of file?)");
  std::ifstream in(path, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  const std::string text = all.str();
  if (text.find('\0') != std::string::npos) throw InputError(path + ": a binary file, not YAML");
  // An alias may stand for a large block, and aliases of aliases for more than fits in memory.
  if (std::count(text.begin(), text.end(), '*') > 200) throw InputError(path + ": more than 200 aliases; write the values out");
  int depth = 0;
  for (char c : text) {
    depth += (c == '[' || c == '{') - (c == ']' || c == '}');
    if (depth > 4 * deepest) throw InputError(path + ": brackets nested too deeply");
  }
  return text;
}

}  // namespace

std::string stage_path(const std::string& key) {
  const std::string head = key.substr(0, key.find('.'));
  if (head == "forces" || head == "dynamics") return key;
  for (const char* block : {"forces.", "dynamics."})
    for (const KeySpec& spec : input_schema())
      if (spec.path == block + head) return block + key;
  return "stages.*." + key;
}

const KeySpec* find_key(const std::string& path, bool in_stage) {
  const std::string full = in_stage ? stage_path(path) : path;
  if (!in_stage && full.rfind("stages", 0) == 0) return nullptr;
  for (const KeySpec& spec : input_schema())
    if (spec.path == full) return &spec;
  return nullptr;
}

InputTree read_input_tree(const std::string& path, std::span<const std::string> overrides, std::vector<Problem>& problems) {
  InputTree tree;
  YAML::Node root;
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(file_text(path));
    if (documents.size() > 1) problems.push_back({path, line_of(documents[1]), "a second document ('---'); put everything into one"});
    if (!documents.empty()) root = documents[0];
  } catch (const YAML::Exception& e) {
    problems.push_back({path, e.mark.is_null() ? 0 : e.mark.line + 1, "not valid YAML: " + e.msg});
    return tree;
  }
  if (!root || root.IsNull()) {
    problems.push_back({path, 0, "the file is empty"});
    return tree;
  }
  if (!root.IsMap()) {
    problems.push_back({path, line_of(root), "an input is a mapping: version, system, forces ..."});
    return tree;
  }
  for (const std::string& text : overrides) apply_override(root, text, problems);
  Reader reader(path, problems);
  reader.flatten(root, "", false, tree.top);
  const YAML::Node stages = root["stages"];
  if (stages && !stages.IsSequence()) reader.problem(line_of(stages), "'stages' must be a list: - {name: ..., time: ...}");
  if (stages && stages.IsSequence())
    for (const auto& stage : stages) {
      if (!stage.IsMap()) {
        reader.problem(line_of(stage), "a stage is a mapping: {name: ..., time: ...}");
        continue;
      }
      InputMap map;
      map.line = line_of(stage);
      reader.flatten(stage, "", true, map);
      // Keys given directly belong to their block: "timestep" is "dynamics.timestep".
      InputMap placed;
      placed.line = map.line;
      const auto place = [](const std::string& key) {
        const std::string full = stage_path(key);
        return full.rfind("stages.*.", 0) == 0 ? full.substr(9) : full;
      };
      for (auto& [key, v] : map.values) {
        if (placed.values.count(place(key))) reader.problem(v.line, "'" + key + "' is given twice; keep one");
        placed.values[place(key)] = std::move(v);
      }
      for (const auto& [key, line] : map.maps) placed.maps[place(key)] = line;
      tree.stages.push_back(std::move(placed));
    }
  return tree;
}

}  // namespace uplift

// The resolved input as YAML. Values stay as they were written, so that reading the echo gives the same bits.
#include <algorithm>
#include <filesystem>

#include "run_input_parts.hpp"

namespace uplift::yaml {
namespace {

/// Double-quoted, which every text survives.
std::string quote(std::string_view text) {
  std::string all = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') all += '\\';
    if (c == '\n')
      all += "\\n";
    else if (c == '\t')
      all += "\\t";
    else
      all += c;
  }
  return all + "\"";
}

/// Numbers, units and words stand as they are; anything else is quoted.
std::string value_text(const KeySpec& key, std::string_view text) {
  if (text.empty() || key.kind == KeyKind::text || key.kind == KeyKind::texts) return text.empty() ? "" : quote(text);
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(" ./^*()+-_").find(c) != std::string_view::npos;
  });
  return plain && text.find_first_of("*( ") != 0 && !text.ends_with(' ') ? std::string(text) : quote(text);
}

class Echo {
 public:
  Echo(const CheckedInput& input, const RunInput& resolved) : input_(input), resolved_(resolved) {}

  std::string text() {
    map("", input_.top, "", 0, true);
    if (!input_.stages.empty()) out_ += "stages:\n";
    for (std::size_t k = 0; k < input_.stages.size(); ++k) {
      const Block& stage = input_.stages[k];
      const std::size_t begin = out_.size();
      stage_ = &resolved_.stages[k];
      map("stages.*", stage, "", 4, true);
      for (const char* block : {"forces", "dynamics"})
        if (stage.given.count(block)) {
          out_ += std::string("    ") + block + ":";
          children(block, stage, block, 4, false);
        }
      out_[begin + 2] = '-';
    }
    return out_;
  }

 private:
  /// `complete`: with defaults. What a stage overrides stays as it is given; the rest it inherits.
  void map(std::string_view schema_path, const Block& block, const std::string& path, int indent, bool complete) {
    for (const KeySpec* key : keys_below(schema_path)) {
      const std::string name(key->path.substr(key->path.rfind('.') + 1));
      const std::string full = path.empty() ? name : path + "." + name;
      if (key->path == "stages" || left_out(full)) continue;
      const auto found = block.given.find(full);
      const std::string start = std::string(static_cast<std::size_t>(indent), ' ') + name + ":";
      if (block.none.count(full)) {
        out_ += start + " none\n";
        continue;
      }
      if (key->kind == KeyKind::maps) {
        const auto blocks = block.lists.find(full);
        if (blocks != block.lists.end())
          list(*key, blocks->second, start, indent);
        else if (found != block.given.end())
          out_ += start + " []\n";
      } else if (key->kind == KeyKind::map) {
        if (found == block.given.end() && (optional(key->path) || !complete)) continue;
        out_ += start;
        children(key->path, block, full, indent, complete);
      } else if (const std::string value = written(*key, found == block.given.end() ? nullptr : found->second.node, complete);
                 !value.empty()) {
        out_ += start + " " + value + "\n";
      }
    }
  }

  void list(const KeySpec& key, const std::vector<Block>& blocks, const std::string& start, int indent) {
    out_ += start + "\n";
    for (const Block& block : blocks) {
      const std::size_t begin = out_.size();
      map(std::string(key.path) + ".*", block, "", indent + 4, true);
      out_[begin + static_cast<std::size_t>(indent) + 2] = '-';
    }
  }

  void children(std::string_view schema_path, const Block& block, const std::string& path, int indent, bool complete) {
    const std::size_t before = out_.size();
    out_ += "\n";
    map(schema_path, block, path, indent + 2, complete);
    if (out_.size() == before + 1) out_.insert(before, " {}");
  }

  std::string written(const KeySpec& key, const Node* node, bool complete) const {
    if (key.path == "system.topology") return quote(resolved_.system.topology);
    if (key.path == "system.coordinates") return quote(resolved_.system.coordinates);
    if (key.path == "system.forcefield" && node) return forcefields(*node);
    if (key.path == "system.parameters") return paths(resolved_.system.parameters);
    if (key.path == "system.include") return paths(resolved_.system.include);
    if (key.path == "output.directory") return quote(resolved_.output.directory);
    if (key.path == "compute.replicas") return std::to_string(resolved_.compute.replicas);
    if (!node) return complete ? value_text(key, key.fallback) : "";
    if (node->kind == Node::Kind::scalar) return value_text(key, node->text);
    std::string all = "[";
    for (const Node& item : node->items) all += (all.size() > 1 ? ", " : "") + value_text(key, item.text);
    return all + "]";
  }

  static std::string paths(const std::vector<std::string>& all) {
    std::string out;
    for (const std::string& path : all) out += (out.empty() ? "[" : ", ") + quote(path);
    return out.empty() ? out : out + "]";
  }

  /// Names of shipped ones stay; files beside the input need their whole path elsewhere.
  std::string forcefields(const Node& given) const {
    namespace fs = std::filesystem;
    std::vector<std::string> all;
    for (std::size_t k = 0; k < given.items.size() && k < resolved_.system.forcefield.size(); ++k) {
      const fs::path beside = fs::path(resolved_.file).parent_path() / given.items[k].text,
                     found = resolved_.system.forcefield[k];
      all.push_back(beside.lexically_normal() == found ? fs::absolute(found).string() : given.items[k].text);
    }
    return paths(all);
  }

  /// Blocks that change what is computed by being there.
  static bool optional(std::string_view path) {
    return path == "forces.implicit_solvent" || path == "dynamics.pressure" || path.starts_with("stages.*.");
  }

  /// What has no say, and would be refused for that: a tolerance when alpha and grid are given, what another method has, what
  /// this bias does not use.
  bool left_out(const std::string& path) const {
    if (stage_ && stage_->bias && path.starts_with("bias.parameters."))
      return !idle_bias_key(*stage_->bias, std::string_view(path).substr(16)).empty();
    if (path == "forces.pme.tolerance") return resolved_.forces.pme.alpha.has_value();
    if (stage_) return is_idle(stage_->forces, stage_->dynamics, path);
    // Stages with methods of their own inherit from the top.
    return is_idle(resolved_.forces, resolved_.dynamics, path) &&
           std::all_of(resolved_.stages.begin(), resolved_.stages.end(),
                       [&](const StageSettings& s) { return is_idle(s.forces, s.dynamics, path); });
  }

  const CheckedInput& input_;
  const RunInput& resolved_;
  const StageSettings* stage_ = nullptr;  ///< at hand; none: the top
  std::string out_;
};

}  // namespace

std::string echo(const CheckedInput& input, const RunInput& resolved) { return Echo(input, resolved).text(); }

}  // namespace uplift::yaml

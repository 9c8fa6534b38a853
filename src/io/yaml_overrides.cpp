// Overrides of the command line, and the short form in which a stage may give keys of a block.
#include "uplift/io/text_file.hpp"
#include "yaml_input.hpp"

namespace uplift::yaml {
namespace {

/// "dynamics" for a key of a stage that belongs into that block; empty for others.
std::string_view block_of(std::string_view key) {
  if (key.find('.') != std::string_view::npos) return {};
  for (const std::string_view block : {"forces", "dynamics"})
    if (find_key(std::string(block) + "." + std::string(key))) return block;
  return {};
}

Node empty_map(const Mark& mark) {
  Node node;
  node.kind = Node::Kind::map;
  node.mark = mark;
  return node;
}

void place(Node& stage, Problems& problems) {
  std::vector<Entry> direct;
  for (std::size_t k = 0; k < stage.entries.size();) {
    if (block_of(stage.entries[k].key).empty()) {
      ++k;
      continue;
    }
    direct.push_back(std::move(stage.entries[k]));
    stage.entries.erase(stage.entries.begin() + static_cast<std::ptrdiff_t>(k));
  }
  for (Entry& entry : direct) {
    const std::string name(block_of(entry.key));
    if (!stage.find(name)) stage.entries.push_back({name, entry.mark, empty_map(entry.mark)});
    Entry& block = *stage.find(name);
    if (block.value.kind != Node::Kind::map) continue;  // reported as such later
    if (const Entry* other = block.value.find(entry.key))
      problems.add(entry.mark, "key " + in_quotes(entry.key) + " is given twice, here and in " + name + " (line " +
                                   std::to_string(other->mark.line) + "); keep one");
    else
      block.value.entries.push_back(std::move(entry));
  }
}

void set_marks(Node& node, const Mark& mark) {
  node.mark = mark;
  for (Node& item : node.items) set_marks(item, mark);
  for (Entry& entry : node.entries) {
    entry.mark = mark;
    set_marks(entry.value, mark);
  }
}

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t dot = 0; dot != std::string::npos; begin = dot + 1) {
    dot = path.find('.', begin);
    parts.push_back(path.substr(begin, dot == std::string::npos ? dot : dot - begin));
  }
  return parts;
}

class Override {
 public:
  Override(const std::string& text, int index, Problems& problems) : text_(text), mark_{0, 0, index}, problems_(problems) {}

  void apply(Node& root) {
    const std::size_t equals = text_.find('=');
    if (equals == std::string::npos || equals == 0) return fail("write it as KEY=VALUE, as in dynamics.seed=7");
    std::optional<Node> value = value_of(text_.substr(equals + 1));
    if (!value) return;
    set_marks(*value, mark_);
    std::vector<std::string> parts = split(text_.substr(0, equals));
    for (std::string& part : parts) part = std::string(trim(part));
    if (parts[0] == "stages" && parts.size() > 2 && !block_of(parts[2]).empty())
      parts.insert(parts.begin() + 2, std::string(block_of(parts[2])));
    Node* node = &root;
    std::string done;
    for (std::size_t k = 0; node && k < parts.size(); ++k) {
      node = node->kind == Node::Kind::list ? item(*node, parts[k], done) : child(*node, parts[k], done, k + 1 == parts.size());
      done += (k ? "." : "") + parts[k];
    }
    if (node) *node = std::move(*value);
  }

 private:
  void fail(const std::string& message) { problems_.add(mark_, message); }

  /// Plain text as it is: there are no comments on a command line.
  std::optional<Node> value_of(const std::string& text) {
    const std::string_view plain = trim(text);
    if (plain.starts_with('#')) return scalar(plain);
    std::optional<Node> value = parse(text, [&](const Mark&, const std::string& message) { fail(message); });
    const bool quotes = plain.starts_with('"') || plain.starts_with('\'');
    const bool cut = plain.find(" #") != plain.npos && plain.find('\n') == plain.npos;
    if (value && value->kind == Node::Kind::scalar && cut && !quotes) return scalar(plain);
    return value;
  }
  static Node scalar(std::string_view text) {
    Node node;
    node.kind = Node::Kind::scalar;
    node.text = text;
    return node;
  }

  /// `last`: the key whose value is given.
  Node* child(Node& parent, const std::string& key, const std::string& path, bool last) {
    if (parent.kind == Node::Kind::null) parent = empty_map(mark_);
    if (parent.kind != Node::Kind::map) {
      fail(in_quotes(path) + " holds a value, not a block with keys");
      return nullptr;
    }
    if (key.empty()) {
      fail("a part of the key is empty; write it as in dynamics.seed=7");
      return nullptr;
    }
    if (!parent.find(key)) parent.entries.push_back({key, mark_, {}});
    Entry& entry = *parent.find(key);
    if (last || entry.value.kind == Node::Kind::null) entry.mark = mark_;
    return &entry.value;
  }

  Node* item(Node& list, const std::string& part, const std::string& path) {
    for (Node& node : list.items)
      if (const Entry* name = node.find("name"); name && name->value.text == part) return &node;
    for (std::size_t k = 0; k < list.items.size(); ++k)
      if (std::to_string(k) == part) return &list.items[k];
    std::string known;
    for (const Node& node : list.items)
      if (const Entry* name = node.find("name"); name && known.size() < 200)
        known += (known.empty() ? "" : ", ") + printable(name->value.text);
    fail("there is no " + in_quotes(path + "." + part) + "; give a number from 0 to " +
         std::to_string(static_cast<int>(list.items.size()) - 1) + (known.empty() ? "" : " or a name: " + known));
    return nullptr;
  }

  const std::string& text_;
  Mark mark_;
  Problems& problems_;
};

}  // namespace

void place_stage_keys(Node& root, Problems& problems) {
  Entry* stages = root.find("stages");
  if (!stages) return;
  for (Node& stage : stages->value.items)
    if (stage.kind == Node::Kind::map) place(stage, problems);
}

void apply_overrides(Node& root, std::span<const std::string> overrides, Problems& problems) {
  for (std::size_t k = 0; k < overrides.size(); ++k) Override(overrides[k], static_cast<int>(k), problems).apply(root);
}

}  // namespace uplift::yaml

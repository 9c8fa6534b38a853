#include "yaml_document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "uplift/io/text_file.hpp"

namespace uplift::yaml {
namespace {

constexpr int deepest = 24;
constexpr int most_nodes = 20000;

Mark mark_of(const YAML::Mark& m) { return m.is_null() ? Mark{} : Mark{m.line + 1, m.column + 1, -1}; }

/// Ends the parse from within yaml-cpp's callbacks; already reported.
struct Abandoned {};

std::string too_deep() { return "nested more than " + std::to_string(deepest) + " levels deep; no input needs that"; }

int depth_of(const Node& node) {
  int below = 0;
  for (const Node& item : node.items) below = std::max(below, depth_of(item));
  for (const Entry& entry : node.entries) below = std::max(below, depth_of(entry.value));
  return below + (node.kind == Node::Kind::list || node.kind == Node::Kind::map);
}

int size_of(const Node& node) {
  int n = 1;
  for (const Node& item : node.items) n += size_of(item);
  for (const Entry& entry : node.entries) n += 1 + size_of(entry.value);
  return n;
}

/// Builds the tree from yaml-cpp's events. Its own tree is no use here: it resolves aliases by sharing (an override of one
/// stage would change another), does not merge, and loses the marks of keys.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const Report& report) : report_(report) {}

  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { complete(make(Node::Kind::null, mark), anchor); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
    check_tag(mark, tag);
    Node node = make(Node::Kind::scalar, mark);
    node.text = value;
    plain_merge_ = tag == "?" && value == "<<";
    complete(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) abandon(mark, "an alias (*) stands inside the block that it names; write the values out");
    if (depth_of(found->second) + static_cast<int>(frames_.size()) > deepest) abandon(mark, too_deep());
    Node copy = found->second;
    spend(mark, size_of(copy));
    plain_merge_ = false;
    complete(std::move(copy), 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(make(Node::Kind::list, mark), anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(make(Node::Kind::map, mark), anchor);
  }
  void OnMapEnd() override {
    Frame& top = frames_.back();
    for (const Node& source : top.merged) merge(top.node, source);
    close();
  }

 private:
  struct Frame {
    Node node;
    YAML::anchor_t anchor = 0;
    bool has_key = false, skip = false, merge_key = false;
    std::string key;
    Mark key_mark;
    std::vector<Node> merged;
  };

  [[noreturn]] void abandon(const YAML::Mark& mark, const std::string& message) {
    report_(mark_of(mark), message);
    throw Abandoned{};
  }
  void spend(const YAML::Mark& mark, int nodes) {
    nodes_ += nodes;
    if (nodes_ > most_nodes)
      abandon(mark, "more than " + std::to_string(most_nodes) +
                        " values, aliases written out (an input is a page of YAML; is this another kind of file?)");
  }
  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    report_(mark_of(mark), "tag " + in_quotes(tag) + " has no meaning here; remove it");
  }
  Node make(Node::Kind kind, const YAML::Mark& mark) {
    spend(mark, 1);
    Node node;
    node.kind = kind;
    node.mark = mark_of(mark);
    plain_merge_ = false;
    return node;
  }
  void open(Node node, YAML::anchor_t anchor) {
    if (frames_.size() >= static_cast<std::size_t>(deepest)) {
      report_(node.mark, too_deep());
      throw Abandoned{};
    }
    Frame frame;
    frame.node = std::move(node);
    frame.anchor = anchor;
    frames_.push_back(std::move(frame));
  }
  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    plain_merge_ = false;
    complete(std::move(frame.node), frame.anchor);
  }

  /// A finished value goes to where it belongs: the root, a list, or a map as key or value.
  void complete(Node node, YAML::anchor_t anchor) {
    if (anchor) anchors_[anchor] = node;
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& top = frames_.back();
    if (top.node.kind == Node::Kind::list) {
      top.node.items.push_back(std::move(node));
    } else if (!top.has_key) {
      take_key(top, node);
    } else {
      top.has_key = false;
      if (top.skip) return;
      if (top.merge_key)
        take_merge(top, std::move(node));
      else
        top.node.entries.push_back({std::move(top.key), top.key_mark, std::move(node)});
    }
  }
  void take_key(Frame& top, const Node& node) {
    top.has_key = true;
    top.merge_key = plain_merge_;
    top.skip = node.kind != Node::Kind::scalar || node.text.empty();
    top.key = node.text;
    top.key_mark = node.mark;
    if (top.skip) return report_(node.mark, "a key must be a word");
    if (!top.merge_key && top.node.find(node.text)) {
      top.skip = true;
      report_(node.mark, "key " + in_quotes(node.text) + " is given twice (first on line " +
                             std::to_string(top.node.find(node.text)->mark.line) +
                             "), so one of the two would be lost; keep one");
    }
  }
  void take_merge(Frame& top, Node node) {
    if (node.kind == Node::Kind::map) {
      top.merged.push_back(std::move(node));
      return;
    }
    const bool maps = node.kind == Node::Kind::list && std::all_of(node.items.begin(), node.items.end(),
                                                                   [](const Node& n) { return n.kind == Node::Kind::map; });
    if (!maps) return report_(top.key_mark, "'<<' merges blocks, as in <<: *name; this is none");
    for (Node& item : node.items) top.merged.push_back(std::move(item));
  }
  /// Keys that are already there win.
  static void merge(Node& into, const Node& from) {
    for (const Entry& entry : from.entries)
      if (!into.find(entry.key)) into.entries.push_back(entry);
  }

  const Report& report_;
  Node root_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Node> anchors_;
  int nodes_ = 0;
  bool plain_merge_ = false;
};

/// What yaml-cpp would read as something else, or not mention: other encodings, control characters, tabs as indentation.
bool is_text(const std::string& text, const Report& report) {
  int line = 1, column = 1;
  bool indentation = true;
  for (std::size_t k = 0; k < text.size();) {
    const std::size_t n = utf8_length(std::string_view(text).substr(k));
    const char c = text[k];
    const bool control = n == 1 && ((static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f);
    if (n == 0 || control) {
      report({line, column, -1},
             control && c != 0 ? "a control character; remove it" : "not UTF-8 text (a binary file, or another encoding?)");
      return false;
    }
    if (c == '\t' && indentation && text.find_first_not_of(" \t", k) != text.find_first_of("\r\n#", k)) {
      report({line, column, -1}, "a tab as indentation, which YAML forbids; use spaces");
      return false;
    }
    indentation = c == '\n' || (indentation && c == ' ');
    ++column;
    if (c == '\n') {
      ++line;
      column = 1;
    }
    k += n;
  }
  return true;
}

}  // namespace

Entry* Node::find(std::string_view key) {
  for (Entry& entry : entries)
    if (entry.key == key) return &entry;
  return nullptr;
}
const Entry* Node::find(std::string_view key) const {
  for (const Entry& entry : entries)
    if (entry.key == key) return &entry;
  return nullptr;
}

std::optional<Node> parse(const std::string& text, const Report& report) {
  if (!is_text(text, report)) return std::nullopt;
  TreeBuilder builder(report);
  try {
    // Of a quote that is never closed, yaml-cpp notices only when the text ends within a line.
    std::istringstream in(text.substr(0, text.find_last_not_of(" \t\r\n") + 1));
    YAML::Parser parser(in);
    if (!parser.HandleNextDocument(builder)) return Node{};
    Node root = builder.take();
    const Report nowhere = [](const Mark&, const std::string&) {};
    TreeBuilder second(nowhere);
    if (parser.HandleNextDocument(second))
      report(second.take().mark, "a second document starts here ('---'); an input is one document");
    return root;
  } catch (const Abandoned&) {
    return std::nullopt;
  } catch (const YAML::Exception& e) {
    report(mark_of(e.mark), "not valid YAML: " + e.msg);
    return std::nullopt;
  }
}

}  // namespace uplift::yaml

#pragma once
// YAML text as a tree in which every key and value knows where it stands. Knows nothing of inputs.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace uplift::yaml {

/// Where something stands: in the file, or in one of the overrides.
struct Mark {
  int line = 0, column = 0;  ///< from 1
  int override_index = -1;   ///< -1: in the file
};

struct Entry;

struct Node {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  std::string text;  ///< of a scalar
  Mark mark;
  std::vector<Node> items;     ///< of a list
  std::vector<Entry> entries;  ///< of a map, in the order of the file

  Entry* find(std::string_view key);
  const Entry* find(std::string_view key) const;
};

struct Entry {
  std::string key;
  Mark mark;
  Node value;
};

using Report = std::function<void(const Mark&, const std::string&)>;

/// The document in `text`, with aliases and merge keys (<<) written out; an empty text is a null. What is wrong goes to
/// `report`: nothing comes back when the text is not YAML or is hostile (nested too deeply, aliases that multiply, more than
/// 20000 values); duplicate keys, keys that are not plain text, tags and further documents are reported and left out.
std::optional<Node> parse(const std::string& text, const Report& report);

}  // namespace uplift::yaml

#pragma once
// The steps between YAML text and RunInput; private to the reader of the input. In order: overrides are put into the tree, the
// tree is checked against the schema, Values reads what passed, and the echo writes it out again.
#include <map>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "uplift/io/run_input.hpp"
#include "yaml_document.hpp"

namespace uplift::yaml {

/// Collects problems, each once, and knows what an override was called. Those beyond `most` are dropped: nobody reads them.
class Problems {
 public:
  static constexpr std::size_t most = 200;
  Problems(std::string file, std::span<const std::string> overrides)
      : file_(std::move(file)), overrides_(overrides.begin(), overrides.end()) {}

  /// `section`: the block of the schema where the key is described, "forces.pme"; empty for the top or for none. `whose`: goes
  /// behind the message, which is the same problem without it.
  void add(const Mark& mark, const std::string& message, const std::string& section = "", const std::string& whose = "");
  bool empty() const { return all_.empty(); }
  /// By line; those of the command line first.
  std::vector<Problem> sorted() const;

 private:
  std::string file_;
  std::vector<std::string> overrides_;
  std::vector<Problem> all_;
  std::set<std::tuple<std::string, int, std::string>> seen_;  ///< file, line and message
};

/// Moves keys that a stage gives directly into their block: "timestep" into "dynamics".
void place_stage_keys(Node& root, Problems& problems);
/// Puts "dynamics.seed=7" or "stages.production.time=1 ns" into the tree, where all marks then name the override.
void apply_overrides(Node& root, std::span<const std::string> overrides, Problems& problems);

/// The top of the file, or one stage: what is given and in order, by path ("forces.pme.order", "minimize.max_steps").
struct Block {
  struct Given {
    const Node* node;
    Mark key;
    /// Where a message should point: a block starts at its key, not at its first line.
    const Mark& mark() const { return node->kind == Node::Kind::scalar ? node->mark : key; }
  };
  std::map<std::string, Given> given;
  std::set<std::string> bad;                        ///< there, but reported already
  std::set<std::string> none;                       ///< what a stage takes back of what it would inherit: "dynamics.pressure"
  std::map<std::string, std::vector<Block>> lists;  ///< of blocks ("dynamics.multiple_time_step"), but for `stages`
  std::string label;                                ///< "" or "stages.production."
  Mark mark;
};

struct CheckedInput {
  Block top;
  std::vector<Block> stages;
};

/// Unknown keys, values of the wrong kind or out of range, missing keys, and what this version cannot do. The blocks point into
/// `root`.
CheckedInput check_schema(const Node& root, Problems& problems);

/// Where every given key stands, for RunInput::places.
void note_places(const CheckedInput& input, const std::string& file, std::span<const std::string> overrides,
                 std::map<std::string, std::string>& places);

/// Whether a stage may write `none` for it: what computes something else by being there.
bool can_be_taken_back(const KeySpec& key);
const KeySpec* find_key(std::string_view path);
/// Keys directly below a path ("" is the top), in the schema's order.
std::vector<const KeySpec*> keys_below(std::string_view path);
std::string_view last_part(std::string_view path);
/// The block that describes a key: itself, or the one it is in, without a last ".*". Empty for a key of the top.
std::string section_of(const KeySpec& key);
/// "between 4 and 6", "greater than 0 nm"
std::string describe(const Range& range, const Dimension& dimension);
/// "a b c" -> {"a", "b", "c"}
std::vector<std::string_view> words(std::string_view text);
/// The entry of `words` nearest to `word`, if any is near; else empty.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

/// Values of a block, then of the block it inherits from, then of the schema. Everything it returns is valid: what was not has
/// been reported, and its default is returned in its place.
class Values {
 public:
  /// `schema_path`: of the block, for one in a list: "dynamics.multiple_time_step.*".
  Values(const Block& own, const Block* outer, Problems& problems, std::string schema_path = "")
      : own_(own), outer_(outer), problems_(problems), schema_path_(std::move(schema_path)) {}

  bool given(const std::string& path) const { return find(path) != nullptr; }
  bool own(const std::string& path) const { return own_.given.count(path) > 0; }
  /// False when the value was reported already, so that nothing should be concluded from it.
  bool good(const std::string& path) const;
  const Block& block() const { return own_; }

  std::string text(const std::string& path) const;
  double quantity(const std::string& path) const;
  double number(const std::string& path) const;
  std::int64_t count(const std::string& path) const;
  bool flag(const std::string& path) const;
  template <class Enum>
  Enum choice(const std::string& path) const {
    return static_cast<Enum>(choice_index(path));
  }
  std::vector<std::string> list(const std::string& path) const;
  /// The blocks of a list of blocks.
  std::vector<Values> blocks(const std::string& path) const;

  /// "stage production, line 12"
  std::string block_name() const;
  /// A problem of the value at `path`, or of the block when it is not given.
  void problem(const std::string& path, const std::string& message) const;

  const KeySpec& spec(const std::string& path) const;

 private:
  bool taken_back(const std::string& path) const;
  const Block::Given* find(const std::string& path) const;
  const KeySpec* find_spec(const std::string& path) const;
  int choice_index(const std::string& path) const;

  const Block& own_;
  const Block* outer_;
  Problems& problems_;
  std::string schema_path_;
};

/// The resolved input as YAML: every key that has a value, given or default.
std::string echo(const CheckedInput& input, const RunInput& resolved);

}  // namespace uplift::yaml

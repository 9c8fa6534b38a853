// A document against the schema.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "uplift/core/constants.hpp"
#include "uplift/io/text_file.hpp"
#include "yaml_input.hpp"

namespace uplift::yaml {
namespace {

std::string join(std::string_view prefix, std::string_view key) {
  return prefix.empty() ? std::string(key) : std::string(prefix) + "." + std::string(key);
}

/// Keys of a stage: its own, and the blocks it inherits.
std::vector<const KeySpec*> keys_here(std::string_view schema_path) {
  std::vector<const KeySpec*> keys = keys_below(schema_path);
  if (schema_path == "stages.*")
    for (const char* block : {"forces", "dynamics"}) keys.push_back(find_key(block));
  return keys;
}

void check_range(double x, const KeySpec& spec, const std::string& text) {
  const Range& r = spec.range;
  if ((r.open_low ? x > r.low : x >= r.low) && (r.open_high ? x < r.high : x <= r.high)) return;
  throw std::invalid_argument(in_quotes(text) + " is out of range; it must be " + describe(r, spec.dimension));
}

[[noreturn]] void not_a_word(const std::string& text, std::string_view choices) {
  const std::string_view best = nearest(text, words(choices));
  std::string all;
  for (const std::string_view word : words(choices)) all += (all.empty() ? "" : ", ") + std::string(word);
  throw std::invalid_argument(in_quotes(text) + " is none of: " + all +
                              (best.empty() ? "" : " (did you mean '" + std::string(best) + "'?)"));
}

bool is_word(const std::string& text, std::string_view choices) {
  const auto all = words(choices);
  return std::find(all.begin(), all.end(), text) != all.end();
}

void check_count(const std::string& text, const KeySpec& spec) {
  if (is_word(text, spec.choices)) return;
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  const std::string or_word = spec.choices.empty() ? "" : " or " + std::string(spec.choices);
  if (error == std::errc::result_out_of_range) throw std::invalid_argument(in_quotes(text) + " is out of range");
  double real = 0;
  if (error != std::errc() || end != text.data() + text.size()) {
    std::string fixed;
    if (parse_real(text, real) && real == std::floor(real) && real >= 0 && real < 1e15)
      fixed = "; write " + std::to_string(static_cast<std::int64_t>(real));
    throw std::invalid_argument(in_quotes(text) + " is not a whole number" + or_word + fixed);
  }
  if (n < 0) throw std::invalid_argument(in_quotes(text) + " is negative; a whole number from 0" + or_word + " is needed");
  check_range(static_cast<double>(n), spec, text);
}

void check_number(const std::string& text, const KeySpec& spec) {
  double x = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (error != std::errc()) throw std::invalid_argument(in_quotes(text) + " is not a number");
  if (end != text.data() + text.size())
    throw std::invalid_argument(in_quotes(text) + " is not a pure number; it has no unit here");
  if (!std::isfinite(x)) throw std::invalid_argument(in_quotes(text) + " is not a finite number");
  check_range(x, spec, text);
}

void check_scalar(const std::string& text, const KeySpec& spec) {
  switch (spec.kind) {
    case KeyKind::quantity:
    case KeyKind::quantities:
      return check_range(parse_quantity(text, spec.dimension, spec.unit), spec, text);
    case KeyKind::count:
    case KeyKind::counts:
      return check_count(text, spec);
    case KeyKind::number:
      return check_number(text, spec);
    case KeyKind::flag:
      if (text != "true" && text != "false") throw std::invalid_argument(in_quotes(text) + " is neither true nor false");
      return;
    case KeyKind::choice:
    case KeyKind::words:
      if (!is_word(text, spec.choices)) not_a_word(text, spec.choices);
      return;
    case KeyKind::text:
    case KeyKind::texts:
      if (trim(text).empty()) throw std::invalid_argument("empty; give a value or remove the key");
      for (const char c : text)
        if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t')
          throw std::invalid_argument("it holds a control character");
      return;
    case KeyKind::box:
    case KeyKind::map:
    case KeyKind::maps:
      break;
  }
  throw std::logic_error("a value of this kind is no scalar");
}

std::string example_of(const KeySpec& spec) {
  const std::string_view shown = spec.example.empty() ? spec.fallback : spec.example;
  return shown.empty() ? "" : ", as in " + std::string(last_part(spec.path)) + ": " + std::string(shown);
}

}  // namespace

bool can_be_taken_back(const KeySpec& key) {
  for (const char* path : {"dynamics.pressure", "dynamics.multiple_time_step", "forces.switch_distance", "forces.hydrogen_mass",
                           "forces.implicit_solvent"})
    if (key.path == path) return true;
  return false;
}

namespace {

class Checker {
 public:
  explicit Checker(Problems& problems) : problems_(problems) {}

  CheckedInput check(const Node& root) {
    const Mark start{1, 1, -1};
    input_.top.mark = start;
    check_map(root, "", "", start, input_.top);
    return std::move(input_);
  }

 private:
  void check_map(const Node& node, const std::string& schema_path, const std::string& path, const Mark& mark, Block& block) {
    for (const Entry& entry : node.entries) {
      const KeySpec* spec = nullptr;
      for (const KeySpec* key : keys_here(schema_path))
        if (last_part(key->path) == entry.key) spec = key;
      if (spec)
        check_value(entry, *spec, join(path, entry.key), block);
      else
        unknown(entry, schema_path, block.label + join(path, entry.key));
    }
    for (const KeySpec* key : keys_here(schema_path)) {
      const std::string name(last_part(key->path));
      if (!key->required || node.find(name)) continue;
      block.bad.insert(join(path, name));
      problems_.add(mark,
                    "'" + block.label + join(path, name) + "' is missing (" + std::string(key->doc) + ")" +
                        (key->kind == KeyKind::map ? "" : "; add it" + example_of(*key)),
                    section_of(*key));
    }
  }

  void check_value(const Entry& entry, const KeySpec& spec, const std::string& path, Block& block) {
    const Node& node = entry.value;
    const std::string name = block.label + path;
    const auto fail = [&](const Mark& mark, const std::string& message) {
      block.bad.insert(path);
      problems_.add(mark, name + ": " + message, section_of(spec));
    };
    if (block.label.starts_with("stages.") && node.kind == Node::Kind::scalar && node.text == "none" &&
        can_be_taken_back(spec)) {
      block.none.insert(path);
      return;
    }
    if (node.kind == Node::Kind::null) return fail(entry.mark, "no value; give one" + example_of(spec) + ", or remove the key");
    switch (spec.kind) {
      case KeyKind::map:
        if (node.kind != Node::Kind::map) return fail(entry.mark, "a block of keys is needed here" + keys_text(spec.path));
        block.given[path] = {&node, entry.mark};
        return check_map(node, std::string(spec.path), path, entry.mark, block);
      case KeyKind::maps:
        if (node.kind != Node::Kind::list) return fail(entry.mark, "a list of blocks is needed here, each starting with '-'");
        block.given[path] = {&node, entry.mark};
        return check_maps(node, spec, path, block);
      case KeyKind::counts:
      case KeyKind::texts:
      case KeyKind::words:
      case KeyKind::quantities:
      case KeyKind::box:
        if (node.kind == Node::Kind::scalar && is_word(node.text, spec.choices) && spec.kind == KeyKind::counts) break;
        if (node.kind != Node::Kind::list) return fail(entry.mark, "a list is needed here" + example_of(spec));
        if (!check_list(node, spec, fail, entry.mark)) return;
        break;
      default:
        if (node.kind != Node::Kind::scalar) return fail(entry.mark, "a single value is needed here" + example_of(spec));
        try {
          check_scalar(node.text, spec);
        } catch (const std::invalid_argument& e) {
          return fail(node.mark, e.what());
        }
    }
    block.given[path] = {&node, entry.mark};
  }

  template <class Fail>
  static bool check_list(const Node& node, const KeySpec& spec, const Fail& fail, const Mark& mark) {
    const std::size_t n = node.items.size();
    if (spec.kind == KeyKind::box && n != 3 && n != 6)
      return fail(mark, "three lengths are needed, or three lengths and three angles"), false;
    if (n == 0 || (spec.length && n != static_cast<std::size_t>(spec.length)))
      return fail(mark,
                  (spec.length ? std::to_string(spec.length) + " values are needed" : "the list is empty") + example_of(spec)),
             false;
    bool good = true;
    for (std::size_t k = 0; k < n; ++k) {
      const Node& item = node.items[k];
      try {
        if (item.kind != Node::Kind::scalar)
          throw std::invalid_argument("plain values are needed in the list" + example_of(spec));
        if (spec.kind == KeyKind::box)
          check_edge(item.text, k);
        else
          check_scalar(item.text, spec);
      } catch (const std::invalid_argument& e) {
        fail(item.mark.line || item.mark.override_index >= 0 ? item.mark : mark, e.what());
        good = false;
      }
    }
    return good;
  }
  static void check_edge(const std::string& text, std::size_t k) {
    const double x = parse_quantity(text, k < 3 ? dimension::length : dimension::angle);
    if (k < 3 && !(x > 0)) throw std::invalid_argument(in_quotes(text) + ": an edge length must be greater than zero");
    // Nearly flat cells cannot hold a cutoff, and most often they are angles in the wrong unit.
    constexpr double degree = constants::pi / 180;
    if (k >= 3 && !(x >= 20 * degree && x <= 160 * degree))
      throw std::invalid_argument(in_quotes(text) + ": a box angle must be between 20 and 160 deg");
  }

  void check_maps(const Node& node, const KeySpec& spec, const std::string& path, Block& block) {
    const std::string below = std::string(spec.path) + ".*";
    for (std::size_t k = 0; k < node.items.size(); ++k) {
      const Node& item = node.items[k];
      Block inner;
      inner.mark = item.mark;
      const Entry* name = path == "stages" ? item.find("name") : nullptr;
      inner.label = block.label + path + "." +
                    (name && !name->value.text.empty() ? printable(name->value.text) : std::to_string(k)) + ".";
      if (item.kind != Node::Kind::map)
        problems_.add(item.mark,
                      inner.label.substr(0, inner.label.size() - 1) + ": a block of keys is needed here" + keys_text(below));
      else
        check_map(item, below, "", item.mark, inner);
      if (item.kind != Node::Kind::map || !inner.bad.empty()) block.bad.insert(path);
      if (item.kind != Node::Kind::map) continue;
      (path == "stages" ? input_.stages : block.lists[path]).push_back(std::move(inner));
    }
  }

  static std::string keys_text(std::string_view schema_path) {
    std::string all;
    for (const KeySpec* key : keys_here(schema_path))
      all += (all.empty() ? "; it takes: " : ", ") + std::string(last_part(key->path));
    return all;
  }

  void unknown(const Entry& entry, const std::string& schema_path, const std::string& name) {
    std::string message = "unknown key '" + printable(name) + "'";
    std::vector<std::string_view> here;
    for (const KeySpec* key : keys_here(schema_path)) here.push_back(last_part(key->path));
    if (schema_path == "stages.*")
      for (const char* block : {"forces", "dynamics"})
        for (const KeySpec* key : keys_below(block)) here.push_back(last_part(key->path));
    if (const KeySpec* exact = find_key(entry.key); exact && entry.key.find('.') != std::string::npos) {
      message += " (keys are nested, not dotted); put '" + std::string(last_part(entry.key)) + "' into the block '" +
                 entry.key.substr(0, entry.key.rfind('.')) + "'";
    } else if (const std::string_view best = nearest(entry.key, here); !best.empty()) {
      message += "; did you mean '" + std::string(best) + "'?";
    } else if (const std::string elsewhere = place_elsewhere(entry.key); !elsewhere.empty()) {
      message += "; it belongs " + elsewhere;
    } else {
      message += keys_text(schema_path);
    }
    problems_.add(entry.mark, message,
                  schema_path.ends_with(".*") ? schema_path.substr(0, schema_path.size() - 2) : schema_path);
  }

  static std::string place_elsewhere(const std::string& key) {
    for (const KeySpec& spec : input_schema()) {
      const std::size_t dot = spec.path.rfind('.');
      if (dot == std::string_view::npos ? spec.path != key : spec.path.substr(dot + 1) != key) continue;
      if (dot == std::string_view::npos) return "at the top level";
      const std::string block(spec.path.substr(0, dot));
      if (block.ends_with(".*")) return "into an entry of '" + block.substr(0, block.size() - 2) + "'";
      return "into '" + block + "'";
    }
    return {};
  }

  Problems& problems_;
  CheckedInput input_;
};

}  // namespace

std::string section_of(const KeySpec& key) {
  std::string path(key.path);
  if (key.kind != KeyKind::map && key.kind != KeyKind::maps) path.erase(std::min(path.size(), path.rfind('.')));
  if (path == key.path && key.kind != KeyKind::map && key.kind != KeyKind::maps) return {};
  if (path.ends_with(".*")) path.erase(path.size() - 2);
  return path;
}

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('.') + 1); }

const KeySpec* find_key(std::string_view path) {
  for (const KeySpec& spec : input_schema())
    if (spec.path == path) return &spec;
  return nullptr;
}

std::vector<const KeySpec*> keys_below(std::string_view path) {
  std::vector<const KeySpec*> keys;
  const std::string prefix = path.empty() ? "" : std::string(path) + ".";
  for (const KeySpec& spec : input_schema())
    if (spec.path.size() > prefix.size() && spec.path.starts_with(prefix) &&
        spec.path.find('.', prefix.size()) == std::string_view::npos)
      keys.push_back(&spec);
  return keys;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> all;
  while (!(text = trim(text)).empty()) {
    const std::size_t n = std::min(text.find(' '), text.size());
    all.push_back(text.substr(0, n));
    text.remove_prefix(n);
  }
  return all;
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (word.size() > 64) return {};
  std::string_view best;
  std::size_t distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates)
    if (const std::size_t found = edit_distance(word, candidate); found < distance && found < candidate.size()) {
      distance = found;
      best = candidate;
    }
  return best;
}

std::string describe(const Range& range, const Dimension& dimension) {
  const std::string unit = canonical_unit(dimension);
  const auto value = [&](double x) { return format_number(x) + (unit.empty() ? "" : " " + unit); };
  if (range.low == range.high) return value(range.low);
  if (std::isfinite(range.low) && std::isfinite(range.high) && !range.open_low && !range.open_high)
    return "between " + value(range.low) + " and " + value(range.high);
  std::string low, high;
  if (std::isfinite(range.low)) low = (range.open_low ? "greater than " : "at least ") + value(range.low);
  if (std::isfinite(range.high)) high = (range.open_high ? "less than " : "at most ") + value(range.high);
  return low + (low.empty() || high.empty() ? "" : " and ") + high;
}

CheckedInput check_schema(const Node& root, Problems& problems) { return Checker(problems).check(root); }

}  // namespace uplift::yaml

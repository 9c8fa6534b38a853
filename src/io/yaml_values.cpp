#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <tuple>

#include "uplift/io/text_file.hpp"
#include "yaml_input.hpp"

namespace uplift {

std::string Problem::text() const { return file + (line > 0 ? ":" + std::to_string(line) : "") + ": " + message; }

}  // namespace uplift

namespace uplift::yaml {

void Problems::add(const Mark& mark, const std::string& message, const std::string& section, const std::string& whose) {
  if (all_.size() >= most) return;
  const bool from_file = mark.override_index < 0;
  const std::string file = from_file ? file_ : "--set " + printable(overrides_[static_cast<std::size_t>(mark.override_index)]);
  const int line = from_file ? mark.line : 0;
  if (!seen_.emplace(file, line, message).second) return;
  all_.push_back({file, line, from_file ? mark.column : 0, message + whose, section});
}

std::vector<Problem> Problems::sorted() const {
  std::vector<Problem> all = all_;
  std::stable_sort(all.begin(), all.end(),
                   [](const Problem& a, const Problem& b) { return std::tie(a.line, a.column) < std::tie(b.line, b.column); });
  return all;
}

/// It, or a block that it is in.
bool Values::taken_back(const std::string& path) const {
  return std::any_of(own_.none.begin(), own_.none.end(),
                     [&](const std::string& none) { return path == none || path.starts_with(none + "."); });
}

const Block::Given* Values::find(const std::string& path) const {
  if (taken_back(path)) return nullptr;
  for (const Block* block : {&own_, outer_}) {
    if (!block) continue;
    if (const auto found = block->given.find(path); found != block->given.end()) return &found->second;
    if (block->bad.count(path)) return nullptr;  // an outer value would not be what was meant
  }
  return nullptr;
}

bool Values::good(const std::string& path) const {
  if (own_.bad.count(path)) return false;
  return own_.given.count(path) || !outer_ || !outer_->bad.count(path);
}

const KeySpec* Values::find_spec(const std::string& path) const {
  const KeySpec* found = find_key(schema_path_.empty() ? path : schema_path_ + "." + path);
  return found ? found : find_key("stages.*." + path);
}

const KeySpec& Values::spec(const std::string& path) const {
  if (const KeySpec* found = find_spec(path)) return *found;
  throw std::logic_error("the schema has no key " + path);
}

std::string Values::text(const std::string& path) const {
  const Block::Given* found = find(path);
  return found ? found->node->text : std::string(spec(path).fallback);
}

double Values::quantity(const std::string& path) const {
  const std::string t = text(path);
  return t.empty() ? 0 : parse_quantity(t, spec(path).dimension);
}

double Values::number(const std::string& path) const {
  const std::string t = text(path);
  double x = 0;
  std::from_chars(t.data(), t.data() + t.size(), x);
  return x;
}

std::int64_t Values::count(const std::string& path) const {
  const std::string t = text(path);
  std::int64_t n = 0;
  std::from_chars(t.data(), t.data() + t.size(), n);
  return n;
}

bool Values::flag(const std::string& path) const { return text(path) == "true"; }

int Values::choice_index(const std::string& path) const {
  const auto all = words(spec(path).choices);
  const auto found = std::find(all.begin(), all.end(), text(path));
  return found == all.end() ? 0 : static_cast<int>(found - all.begin());
}

std::vector<std::string> Values::list(const std::string& path) const {
  std::vector<std::string> all;
  if (const Block::Given* found = find(path))
    for (const Node& item : found->node->items) all.push_back(item.text);
  return all;
}

std::vector<Values> Values::blocks(const std::string& path) const {
  std::vector<Values> all;
  if (taken_back(path)) return all;
  for (const Block* block : {&own_, outer_}) {
    if (!block || !block->given.count(path)) continue;
    if (const auto found = block->lists.find(path); found != block->lists.end())
      for (const Block& inner : found->second) all.emplace_back(inner, nullptr, problems_, path + ".*");
    break;
  }
  return all;
}

void Values::problem(const std::string& path, const std::string& message) const {
  const Block::Given* found = find(path);
  const KeySpec* key = find_spec(path);
  const std::string section = key ? section_of(*key) : "", text = path + ": " + message;
  if (!found || own(path)) return problems_.add(found ? found->mark() : own_.mark, own_.label + text, section);
  problems_.add(found->mark(), text, section, " (inherited by " + block_name() + ")");
}

std::string Values::block_name() const {
  std::string name = own_.label;
  if (name.starts_with("stages.")) name = "stage " + name.substr(7);
  if (name.ends_with('.')) name.pop_back();
  return name + (own_.mark.override_index < 0 && own_.mark.line > 0 ? ", line " + std::to_string(own_.mark.line) : "");
}

}  // namespace uplift::yaml

// The schema as a page for users: docs/yaml-reference.md, and what `uplift schema` prints.
#include <algorithm>
#include <cctype>
#include <cmath>

#include "uplift/core/error.hpp"
#include "yaml_input.hpp"

namespace uplift {
namespace {

using yaml::last_part;

constexpr std::string_view introduction =
    R"(# Input reference

Every key of the input YAML. This page is printed by `uplift schema` from the table that the program checks inputs with.

Quantities are a number and a unit (`0.9 nm`, `4 fs`, `1000 kJ/mol/nm^2`). The column *type* names the kind of quantity and the unit that
the program computes in; any unit of that kind can be written:

)";

constexpr std::string_view advice =
    R"(
Units can be multiplied, divided and raised to powers: `kcal/mol/A^2`, `1 /ps`. Names may be written out (`picoseconds`, `hours`). A missing or wrong unit is an error.

Any key can be set on the command line, too: `--set dynamics.seed=7`, `--set stages.production.time='1 ns'`, `--set stages.0.time='1 ns'`.

Relative paths start at the folder of the input, those that `--set` gives, too (`--set output.directory=second` beside the input, wherever the command is given); `~/` is the home folder.

Blocks are nested: `forces.pme.order` is the key `order` in the block `pme` in the block `forces`. `[]` stands for each entry of a list of
blocks. A key without a default can be left out unless it is marked as required.
)";

bool is_block(const KeySpec& key) { return key.kind == KeyKind::map || key.kind == KeyKind::maps; }

/// "stages.*.bias" -> "stages[].bias"
std::string shown_path(std::string_view path) {
  std::string all(path);
  for (std::size_t at; (at = all.find(".*")) != std::string::npos;) all.replace(at, 2, "[]");
  return all;
}

/// "stages.*.bias" and "stages[].bias" -> "stages.bias": nothing in it that a shell would expand.
std::string plain_path(std::string_view path) {
  std::string all = shown_path(path);
  for (std::size_t at; (at = all.find("[]")) != std::string::npos;) all.erase(at, 2);
  return all;
}

std::string choices_of(std::string_view choices) {
  std::string all;
  for (const std::string_view word : yaml::words(choices)) all += (all.empty() ? "`" : ", `") + std::string(word) + "`";
  return all;
}

std::string quantity_type(const Dimension& dimension) {
  return dimension_name(dimension) + " (" + canonical_unit(dimension) + ")";
}

std::string type_of(const KeySpec& key) {
  switch (key.kind) {
    case KeyKind::quantity:
      return quantity_type(key.dimension);
    case KeyKind::quantities:
      return "list of: " + quantity_type(key.dimension);
    case KeyKind::count:
      return "whole number" + (key.choices.empty() ? "" : ", or " + choices_of(key.choices));
    case KeyKind::number:
      return "number";
    case KeyKind::flag:
      return "`true` or `false`";
    case KeyKind::choice:
      return choices_of(key.choices);
    case KeyKind::words:
      return "list of: " + choices_of(key.choices);
    case KeyKind::text:
      return "text";
    case KeyKind::texts:
      return "list of texts";
    case KeyKind::counts:
      return (key.length ? std::to_string(key.length) + " whole numbers" : "list of whole numbers") +
             (key.choices.empty() ? "" : ", or " + choices_of(key.choices));
    case KeyKind::box:
      return "3 lengths (nm), or those and 3 angles (deg or rad)";
    case KeyKind::map:
      return "block";
    case KeyKind::maps:
      return "list of blocks";
  }
  return "";
}

std::string meaning_of(const KeySpec& key) {
  std::string range;
  if (key.kind != KeyKind::quantities && (std::isfinite(key.range.low) || std::isfinite(key.range.high)))
    range = yaml::describe(key.range, key.dimension);
  // A bound that is only there so that a number fits its type tells nothing.
  if (const std::size_t at = range.find(" and 2147483647"); at != std::string::npos)
    range = "at least " + range.substr(8, at - 8);
  if (key.range.low == key.range.high) range.clear();
  return std::string(key.doc) + (range.empty() ? "" : "; " + range);
}

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.replace(at, 1, "\\|");
  return text;
}

std::string key_row(const KeySpec& key) {
  const std::string name(last_part(key.path));
  if (is_block(key))
    return "| `" + name + "` | " + type_of(key) + " | " + (key.required ? "required" : "") + " | " +
           cell(std::string(key.doc)) + " | see `" + shown_path(key.path) + "` below |\n";
  const std::string fallback = key.required ? "required" : (key.fallback.empty() ? "" : "`" + std::string(key.fallback) + "`");
  return "| `" + name + "` | " + cell(type_of(key)) + " | " + fallback + " | " + cell(meaning_of(key)) + " | `" + name + ": " +
         example_value(key) + "` |\n";
}

std::string table_of(std::string_view path) {
  std::string all = "| key | type | default | meaning | example |\n|---|---|---|---|---|\n";
  for (const KeySpec* key : yaml::keys_below(path)) all += key_row(*key);
  return all;
}

/// With a capital, unless it begins with the name of a file or a key.
std::string sentence(std::string_view doc) {
  std::string all(doc);
  if (all.substr(0, all.find(' ')).find_first_of(".:") == std::string::npos && all[1] != '-')
    all[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(all[0])));
  return all + ".";
}

/// A block, and those in it.
std::string section(const KeySpec& block) {
  const bool many = block.kind == KeyKind::maps;
  std::string all = "\n## " + shown_path(block.path) + (many ? "[]" : "") + "\n\n" + sentence(block.doc) + "\n\n";
  if (block.path == "stages") all += "A stage also takes every key of `forces` and `dynamics`, in their block or directly.\n\n";
  const std::string below = std::string(block.path) + (many ? ".*" : "");
  all += table_of(below);
  for (const KeySpec* key : yaml::keys_below(below))
    if (is_block(*key)) all += section(*key);
  return all;
}

std::string known_sections() {
  std::string all;
  for (const KeySpec& key : input_schema())
    if (is_block(key)) all += (all.empty() ? "" : ", ") + plain_path(key.path);
  return all;
}

}  // namespace

std::string reference_hint(std::span<const Problem> problems) {
  constexpr std::size_t most = 3;  // several mistakes in one input: a line that names every block helps nobody
  std::vector<std::string> sections;
  for (const Problem& p : problems)
    if (!p.section.empty() && std::find(sections.begin(), sections.end(), plain_path(p.section)) == sections.end())
      sections.push_back(plain_path(p.section));
  std::string all = "keys, units and defaults: docs/yaml-reference.md";
  for (std::size_t k = 0; k < std::min(most, sections.size()); ++k)
    all += (k ? ", `" : "; `") + ("uplift schema " + sections[k]) + "`";
  return all;
}

std::string example_value(const KeySpec& key) {
  if (!key.example.empty()) return std::string(key.example);
  if (!key.fallback.empty()) return std::string(key.fallback);
  if (!key.choices.empty()) return std::string(yaml::words(key.choices).front());
  return std::isfinite(key.range.low) ? format_number(key.range.low) : "";
}

std::string input_reference() {
  std::string all(introduction);
  all += "| kind | units |\n|---|---|\n" + units_table() + std::string(advice);
  all += "\n## Top level\n\n" + table_of("");
  for (const KeySpec* key : yaml::keys_below(""))
    if (is_block(*key)) all += section(*key);
  return all;
}

std::string input_reference(const std::string& where) {
  const KeySpec* key = nullptr;
  for (const KeySpec& one : input_schema())
    if (plain_path(one.path) == plain_path(where)) key = &one;
  if (!key) {
    std::vector<std::string> all;
    for (const KeySpec& one : input_schema()) all.push_back(plain_path(one.path));
    const std::string near(yaml::nearest(plain_path(where), {all.begin(), all.end()}));
    throw InputError("'" + where + "' is no key of the input; " + (near.empty() ? "" : "did you mean " + near + "? ") +
                     "Blocks are: " + known_sections());
  }
  if (is_block(*key)) return section(*key).substr(1);
  return "| key | type | default | meaning | example |\n|---|---|---|---|---|\n" + key_row(*key);
}

}  // namespace uplift

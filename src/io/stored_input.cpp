// What the input that a run stored (/parameters/input) says, without the files that it names.
#include "uplift/core/error.hpp"
#include "uplift/io/run_input.hpp"
#include "uplift/io/units.hpp"
#include "yaml_document.hpp"

namespace uplift {
namespace {

std::string text_of(const yaml::Node& block, std::string_view key) {
  const yaml::Entry* entry = block.find(key);
  return entry ? entry->value.text : "";
}

}  // namespace

StoredInput read_stored_input(const std::string& resolved) {
  StoredInput out;
  const std::optional<yaml::Node> root = yaml::parse(resolved, [](const yaml::Mark&, const std::string&) {});
  if (!root) return out;
  if (const yaml::Entry* stages = root->find("stages"))
    for (const yaml::Node& stage : stages->value.items) {
      double time = 0;
      try {
        if (const std::string text = text_of(stage, "time"); !text.empty()) time = parse_quantity(text, dimension::time);
      } catch (const std::exception&) {  // of another version: not known
      }
      out.stages.push_back({text_of(stage, "name"), time});
    }
  if (const yaml::Entry* surfaces = root->find("free_energy"))
    for (const yaml::Node& surface : surfaces->value.items)
      if (const yaml::Entry* variables = surface.find("variables"))
        for (const yaml::Node& one : variables->value.items) out.variables.push_back(one.text);
  return out;
}

}  // namespace uplift

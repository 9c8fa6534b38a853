// Where keys of an input stand: for what is found wrong after it has been read.
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"
#include "yaml_input.hpp"

namespace uplift {
namespace {

void note_block(const yaml::Block& block, const std::string& prefix, const std::string& file,
                std::span<const std::string> overrides, std::map<std::string, std::string>& places) {
  for (const auto& [path, given] : block.given) {
    const yaml::Mark& mark = given.mark();
    places[prefix + path] = mark.override_index >= 0
                                ? "--set " + printable(overrides[static_cast<std::size_t>(mark.override_index)])
                                : file + ":" + std::to_string(mark.line);
  }
  for (const auto& [path, blocks] : block.lists)
    for (const yaml::Block& one : blocks)
      if (const auto name = one.given.find("name"); name != one.given.end())
        note_block(one, prefix + path + "." + name->second.node->text + ".", file, overrides, places);
}

}  // namespace

void yaml::note_places(const CheckedInput& input, const std::string& file, std::span<const std::string> overrides,
                       std::map<std::string, std::string>& places) {
  note_block(input.top, "", file, overrides, places);
  for (const Block& stage : input.stages)
    if (const auto name = stage.given.find("name"); name != stage.given.end())
      note_block(stage, "stages." + name->second.node->text + ".", file, overrides, places);
}

std::string with_place(const RunInput& input, const std::string& stage, const std::string& message) {
  const std::string key = message.substr(0, message.find(": "));
  const bool known = yaml::find_key(key) || yaml::find_key("stages.*." + key) || key.starts_with("free_energy.");
  if (!known) return message;
  const std::string own = "stages." + stage + ".";
  // A block stands for its keys where they have their defaults.
  for (std::string path = key; !path.empty();) {
    for (const std::string& full : {own + path, path})
      if (const auto found = input.places.find(full); found != input.places.end())
        return found->second + ": " + message + (full == path || stage.empty() ? "" : " (stage " + stage + ")");
    const std::size_t dot = path.rfind('.');
    path.resize(dot == std::string::npos ? 0 : dot);
  }
  return input.file + ": " + message;
}

}  // namespace uplift

// Files: where they are, what they include, where their elements stand.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "forcefield_xml_parts.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/resources.hpp"
#include "uplift/io/text_file.hpp"

namespace fs = std::filesystem;

namespace uplift {
namespace {

std::vector<fs::path> folders() {
  std::vector<fs::path> all;
  if (const char* given = std::getenv("UPLIFT_FORCEFIELDS")) {
    const std::string list(given);
    for (std::size_t from = 0; from <= list.size();) {
      const std::size_t to = std::min(list.find(':', from), list.size());
      if (to > from) all.emplace_back(list.substr(from, to - from));
      from = to + 1;
    }
  }
  for (const fs::path& share : share_folders()) all.push_back(share / "forcefields");
  return all;
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

}  // namespace

std::vector<std::string> shipped_forcefields() {
  std::set<std::string> names;
  for (const fs::path& folder : folders()) {
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
      if (at->path().extension() == ".xml") names.insert(at->path().stem().string());
  }
  return {names.begin(), names.end()};
}

std::string find_forcefield(const std::string& name, const std::string& folder) {
  const fs::path given = fs::path(name).is_relative() ? fs::path(folder) / name : fs::path(name);
  if (is_file(given)) return given.lexically_normal().string();
  if (fs::path(name).is_relative())
    for (const fs::path& f : folders())
      for (const fs::path& file : {f / name, f / (name + ".xml")})
        if (is_file(file)) return file.string();
  std::string known;
  for (const std::string& n : shipped_forcefields()) known += (known.empty() ? "" : ", ") + n;
  throw InputError("there is no force field " + in_quotes(name) +
                   ", neither as a file nor among those that come with uplift (" +
                   (known.empty() ? "none were found; set UPLIFT_FORCEFIELDS to their folder" : known) + ")");
}

namespace xml {

File::File(const std::string& path) : path_(path), text_(read_file(path, std::size_t{256} << 20)) {
  const pugi::xml_parse_result result = document_.load_buffer(text_.data(), text_.size());
  const auto line_of = [&](std::ptrdiff_t offset) {
    const auto end = text_.begin() + std::clamp<std::ptrdiff_t>(offset, 0, static_cast<std::ptrdiff_t>(text_.size()));
    return 1 + std::count(text_.begin(), end, '\n');
  };
  if (!result)
    throw InputError(fmt::format("{}:{}: {}; the file is damaged or is not XML", path_, line_of(result.offset),
                                 printable(result.description())));
  root_ = document_.child("ForceField");
  if (!root_) throw InputError(path_ + ": has no <ForceField> element, so it is not a force field in OpenMM's XML format");
}

std::string File::place(const pugi::xml_node& node) const {
  const auto offset = std::clamp<std::ptrdiff_t>(node.offset_debug(), 0, static_cast<std::ptrdiff_t>(text_.size()));
  return fmt::format("{}:{}", path_, 1 + std::count(text_.begin(), text_.begin() + offset, '\n'));
}

void File::fail(const pugi::xml_node& node, const std::string& message) const {
  throw InputError(place(node) + ": <" + printable(node.name()) + ">: " + message);
}

std::string File::text(const pugi::xml_node& node, const char* name) const {
  const pugi::xml_attribute a = node.attribute(name);
  if (!a) fail(node, fmt::format("has no attribute {}, which it needs", name));
  return a.value();
}

double File::number(const pugi::xml_node& node, const char* name) const {
  double value = 0;
  const std::string given = text(node, name);
  if (!parse_real(given, value)) fail(node, fmt::format("{} is {}, which is no number", name, in_quotes(given)));
  return value;
}

int File::integer(const pugi::xml_node& node, const char* name) const {
  int value = 0;
  const std::string given = text(node, name);
  if (!parse_int(given, value)) fail(node, fmt::format("{} is {}, which is no whole number", name, in_quotes(given)));
  return value;
}

Definitions read_definitions(const std::vector<std::string>& given) {
  Definitions out;
  std::vector<std::string> files = given;
  std::set<std::string> seen;
  for (std::size_t n = 0; n < files.size(); ++n) {
    std::error_code error;
    const fs::path canonical = fs::weakly_canonical(files[n], error);
    if (!seen.insert(error ? files[n] : canonical.string()).second) continue;
    out.files.push_back(std::make_unique<File>(files[n]));
    const File& file = *out.files.back();
    for (const pugi::xml_node& include : file.root().children("Include")) {
      const std::string name = file.text(include, "file");
      try {
        files.push_back(find_forcefield(name, fs::path(file.path()).parent_path().string()));
      } catch (const InputError& e) {
        file.fail(include, e.what());
      }
    }
  }
  for (const auto& file : out.files) read_types(*file, out);
  for (const auto& file : out.files) read_residues(*file, out);
  for (const auto& file : out.files) read_patches(*file, out);
  for (const auto& file : out.files)
    for (const pugi::xml_node& node : file->root().children())
      if (node.type() == pugi::node_element) read_force(*file, node, out);
  return out;
}

}  // namespace xml
}  // namespace uplift

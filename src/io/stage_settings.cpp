// Settings of stages as they are compared: a run that had begun with "2fs" goes on with "0.002 ps".
#include "uplift/io/stage_settings.hpp"

#include <charconv>
#include <set>
#include <sstream>
#include <stdexcept>

#include "uplift/io/units.hpp"
#include "yaml_input.hpp"

namespace uplift {
namespace {

std::string canonical_number(const std::string& value) {
  double x = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, x);
  return error == std::errc() && stop == end ? format_number(x) : value;
}

std::string canonical_quantity(const std::string& value, const Dimension& dimension) {
  try {
    return format_quantity(parse_quantity(value, dimension), dimension);
  } catch (const std::invalid_argument&) {  // not given, or a word of choice
    return value;
  }
}

/// "[300K, 310 K]" -> "[300 K, 310 K]"; a box ends with angles.
std::string canonical_list(const std::string& value, const KeySpec& key) {
  if (!value.starts_with('[') || !value.ends_with(']')) return value;
  std::istringstream items(value.substr(1, value.size() - 2));
  std::string all;
  int n = 0;
  for (std::string item; std::getline(items, item, ','); ++n) {
    item.erase(0, item.find_first_not_of(' '));
    const bool angle = key.kind == KeyKind::box && n >= 3;
    all += (n ? ", " : "[") + canonical_quantity(item, angle ? dimension::angle : key.dimension);
  }
  return all + "]";
}

std::string canonical_line(const std::string& line) {
  const std::size_t colon = line.find(": ");
  if (colon == std::string::npos) return line;
  const std::string path = line.substr(0, colon);
  std::string value = line.substr(colon + 2), rest;
  const KeySpec* key = yaml::find_key(path);
  if (!key) key = yaml::find_key("stages.*." + path);
  if (!key) return line;
  if (const std::size_t of = value.find(" of the "); of != value.npos) {  // "1 ns of the ramp"
    rest = value.substr(of);
    value.erase(of);
  }
  switch (key->kind) {
    case KeyKind::quantity:
      value = canonical_quantity(value, key->dimension);
      break;
    case KeyKind::number:
      value = canonical_number(value);
      break;
    case KeyKind::quantities:
    case KeyKind::box:
      value = canonical_list(value, *key);
      break;
    default:
      break;
  }
  return path + ": " + value + rest;
}

}  // namespace

std::string canonical_settings(const std::string& settings) {
  std::istringstream in(settings);
  std::string all;
  for (std::string line; std::getline(in, line);) all += canonical_line(line) + '\n';
  return all;
}

std::vector<std::string> settings_missing(const std::string& settings, const std::string& other) {
  std::set<std::string> there;
  std::istringstream others(canonical_settings(other)), in(settings);
  std::string line;
  while (std::getline(others, line)) there.insert(line);
  std::vector<std::string> missing;
  while (std::getline(in, line))
    if (!there.count(canonical_line(line))) missing.push_back(line);
  return missing;
}

}  // namespace uplift

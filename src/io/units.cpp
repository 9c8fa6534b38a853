#include "uplift/io/units.hpp"

#include <charconv>
#include <cmath>
#include <map>
#include <stdexcept>
#include <string_view>

#include "uplift/core/constants.hpp"

namespace uplift {
namespace {

struct Unit {
  Dimension dimension;
  double factor;  // to canonical units
};

// "mol" alone has no meaning here: an energy is always per mole and a concentration always mol/L, so those are read as one word.
const std::map<std::string, Unit, std::less<>>& units() {
  namespace d = dimension;
  static const std::map<std::string, Unit, std::less<>> table = {
      {"nm", {d::length, 1}}, {"A", {d::length, 0.1}}, {"angstrom", {d::length, 0.1}}, {"Angstrom", {d::length, 0.1}}, {"pm", {d::length, 1e-3}},
      {"fs", {d::time, 1e-3}}, {"ps", {d::time, 1}}, {"ns", {d::time, 1e3}}, {"us", {d::time, 1e6}}, {"ms", {d::time, 1e9}}, {"s", {d::time, 1e12}},
      {"min", {d::time, 60e12}}, {"h", {d::time, 3600e12}},
      {"amu", {d::mass, 1}}, {"Da", {d::mass, 1}}, {"K", {d::temperature, 1}},
      {"mol/L", {d::concentration, 1}}, {"M", {d::concentration, 1}}, {"mM", {d::concentration, 1e-3}},
      {"rad", {d::angle, 1}}, {"deg", {d::angle, constants::pi / 180}}, {"degrees", {d::angle, constants::pi / 180}},
      {"kJ/mol", {d::energy, 1}}, {"kcal/mol", {d::energy, constants::kilojoule_per_kilocalorie}}, {"J/mol", {d::energy, 1e-3}},
      {"bar", {d::pressure, 1}}, {"atm", {d::pressure, 1.01325}}, {"Pa", {d::pressure, 1e-5}}, {"kPa", {d::pressure, 1e-2}}, {"MPa", {d::pressure, 10}}};
  return table;
}

void multiply(Dimension& total, const Dimension& by, int power) {
  for (std::size_t k = 0; k < total.exponent.size(); ++k) total.exponent[k] += power * by.exponent[k];
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

/// "kJ/mol/nm^2", "/ps", "1/ps": factors separated by "/", "*" or blanks, each with an optional power.
Unit parse_unit(std::string_view text) {
  Unit total{{}, 1};
  int sign = 1;
  while (!(text = trimmed(text)).empty()) {
    if (text.front() == '/') { sign = -1; text.remove_prefix(1); continue; }
    if (text.front() == '*') { sign = 1; text.remove_prefix(1); continue; }
    if (text.front() == '1' && text.size() > 1 && (text[1] == '/' || text[1] == ' ')) { text.remove_prefix(1); continue; }
    std::size_t length = 0;  // longest unit that is a prefix and ends at a separator: "kJ/mol" before "kJ"
    const Unit* unit = nullptr;
    for (const auto& [name, u] : units()) {
      const bool ends = text.size() == name.size() || (text.size() > name.size() && std::string_view("/* ^").find(text[name.size()]) != std::string_view::npos);
      if (name.size() > length && text.substr(0, name.size()) == name && ends) { length = name.size(); unit = &u; }
    }
    if (!unit) throw std::invalid_argument("unknown unit '" + std::string(text.substr(0, text.find_first_of("/* ^"))) + "'");
    text.remove_prefix(length);
    int power = 1;
    if (!text.empty() && text.front() == '^') {
      const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), power);
      if (error != std::errc() || power < -9 || power > 9) throw std::invalid_argument("no power after '^'");
      text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    }
    multiply(total.dimension, unit->dimension, sign * power);
    total.factor *= std::pow(unit->factor, sign * power);
    sign = 1;
  }
  return total;
}

}  // namespace

std::string canonical_unit(const Dimension& wanted) {
  if (wanted == dimension::none) return "";
  for (const char* name : {"nm", "ps", "amu", "K", "mol/L", "rad", "kJ/mol", "bar", "/nm", "/ps", "kJ/mol/nm", "kJ/mol/nm^2"})
    if (parse_unit(name).dimension == wanted) return name;
  return "?";
}

double parse_quantity(const std::string& text, const Dimension& wanted) {
  const std::string_view all = trimmed(text);
  double value = 0;
  const auto [end, error] = std::from_chars(all.data(), all.data() + all.size(), value);
  const std::string example = "for example \"" + std::string(wanted == dimension::time ? "2" : "1") + " " + canonical_unit(wanted) + "\"";
  if (error != std::errc() || !std::isfinite(value)) throw std::invalid_argument("'" + text + "' is not a number with a unit; write it as " + example);
  const std::string_view rest = trimmed(all.substr(static_cast<std::size_t>(end - all.data())));
  if (rest.empty()) throw std::invalid_argument("'" + text + "' has no unit; write \"" + text + " " + canonical_unit(wanted) + "\" if that is what is meant");
  Unit unit;
  try {
    unit = parse_unit(rest);
  } catch (const std::invalid_argument& e) {
    throw std::invalid_argument(std::string(e.what()) + " in '" + text + "'; write it as " + example);
  }
  if (unit.dimension != wanted)
    throw std::invalid_argument("'" + text + "' has a unit of the wrong kind ('" + std::string(rest) + "'); a unit like '" + canonical_unit(wanted) + "' is needed here");
  return value * unit.factor;
}

std::string format_number(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return error == std::errc() ? std::string(buffer, end) : "nan";
}

std::string format_quantity(double value, const Dimension& dimension) { return format_number(value) + " " + canonical_unit(dimension); }

}  // namespace uplift

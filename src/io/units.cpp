#include "uplift/io/units.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "uplift/core/constants.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

/// A unit is up / down canonical ones. Two factors instead of one keep decimal prefixes exact: 4 fs = 4 / 1000 ps is rounded
/// once.
struct Unit {
  Dimension dimension;
  double up = 1, down = 1;
};

struct NamedUnit {
  std::string_view name;
  Unit unit;
};

namespace d = dimension;
constexpr Dimension amount{{0, 0, 0, 0, 1}};
constexpr Dimension plain_energy{{0, 0, 0, 0, 0, 0, 1}};
constexpr Dimension volume{{0, 0, 0, 0, 0, 0, 0, 0, 1}};
constexpr double kilocalorie = constants::kilojoule_per_kilocalorie;

constexpr NamedUnit known_units[] = {
    {"nm", {d::length}},
    {"A", {d::length, 1, 10}},
    {"angstrom", {d::length, 1, 10}},
    {"Angstrom", {d::length, 1, 10}},
    {"\u00c5", {d::length, 1, 10}},
    {"pm", {d::length, 1, 1000}},
    {"um", {d::length, 1000, 1}},
    {"fs", {d::time, 1, 1000}},
    {"ps", {d::time}},
    {"ns", {d::time, 1e3, 1}},
    {"us", {d::time, 1e6, 1}},
    {"\u00b5s", {d::time, 1e6, 1}},
    {"\u03bcs", {d::time, 1e6, 1}},
    {"ms", {d::time, 1e9, 1}},
    {"s", {d::time, 1e12, 1}},
    {"min", {d::time, 60e12, 1}},
    {"h", {d::time, 3600e12, 1}},
    {"day", {d::time, 86400e12, 1}},
    {"amu", {d::mass}},
    {"Da", {d::mass}},
    {"u", {d::mass}},
    {"K", {d::temperature}},
    {"mol", {amount}},
    {"mmol", {amount, 1, 1000}},
    {"L", {volume}},
    {"M", {d::concentration}},
    {"mM", {d::concentration, 1, 1000}},
    {"rad", {d::angle}},
    {"deg", {d::angle, constants::pi, 180}},
    {"degree", {d::angle, constants::pi, 180}},
    {"degrees", {d::angle, constants::pi, 180}},
    {"J", {plain_energy, 1, 1000}},
    {"kJ", {plain_energy}},
    {"cal", {plain_energy, kilocalorie, 1000}},
    {"kcal", {plain_energy, kilocalorie, 1}},
    {"bar", {d::pressure}},
    {"mbar", {d::pressure, 1, 1000}},
    {"atm", {d::pressure, 101325, 100000}},
    {"Pa", {d::pressure, 1, 100000}},
    {"kPa", {d::pressure, 1, 100}},
    {"MPa", {d::pressure, 10, 1}},
};

/// Names as they are said, also with an s behind them: "hours".
constexpr struct {
  std::string_view name, unit;
} spoken_units[] = {
    {"nanometer", "nm"},   {"nanometre", "nm"},   {"angstrom", "A"},    {"Angstrom", "A"},    {"picometer", "pm"},
    {"picometre", "pm"},   {"femtosecond", "fs"}, {"picosecond", "ps"}, {"nanosecond", "ns"}, {"microsecond", "us"},
    {"millisecond", "ms"}, {"second", "s"},       {"minute", "min"},    {"hour", "h"},        {"hr", "h"},
    {"day", "day"},        {"dalton", "Da"},      {"Dalton", "Da"},     {"kelvin", "K"},      {"Kelvin", "K"},
    {"radian", "rad"},
};

const Unit* find_unit(std::string_view name) {
  for (const auto& [spoken, unit] : spoken_units)
    if (name == spoken || (name.ends_with('s') && name.substr(0, name.size() - 1) == spoken)) name = unit;
  for (const NamedUnit& k : known_units)
    if (k.name == name) return &k.unit;
  return nullptr;
}

struct NamedDimension {
  Dimension dimension;
  const char *name, *unit;
};
constexpr NamedDimension known_dimensions[] = {
    {d::none, "pure number", ""},
    {d::length, "length", "nm"},
    {d::time, "time", "ps"},
    {d::mass, "mass", "amu"},
    {d::temperature, "temperature", "K"},
    {d::concentration, "concentration", "mol/L"},
    {d::angle, "angle", "deg"},  // radians inside, but nobody writes them
    {d::pressure, "pressure", "bar"},
    {d::compressibility, "compressibility", "/bar"},
    {d::energy, "energy per mole", "kJ/mol"},
    {d::inverse_energy, "inverse energy per mole", "mol/kJ"},
    {d::inverse_length, "inverse length", "/nm"},
    {d::inverse_time, "rate", "/ps"},
    {d::force, "force", "kJ/mol/nm"},
    {d::force_constant, "force constant", "kJ/mol/nm^2"},
};

const NamedDimension* find_dimension(const Dimension& wanted) {
  for (const NamedDimension& k : known_dimensions)
    if (k.dimension == wanted) return &k;
  return nullptr;
}

/// How users write the dimension; angles in degrees.
std::string usual_unit(const Dimension& wanted) {
  const NamedDimension* k = find_dimension(wanted);
  return k ? k->unit : "?";
}

/// "a length", "an angle".
std::string with_article(const std::string& noun) {
  return (std::string_view("aeiou").find(noun.front()) == std::string_view::npos ? "a " : "an ") + noun;
}

void multiply(Unit& total, const Unit& by, int power) {
  for (std::size_t k = 0; k < total.dimension.exponent.size(); ++k)
    total.dimension.exponent[k] += power * by.dimension.exponent[k];
  const double up = power > 0 ? by.up : by.down, down = power > 0 ? by.down : by.up;
  for (int n = std::abs(power); n > 0; --n) {
    total.up *= up;
    total.down *= down;
  }
}

/// unit := ['1'] factor { ['*' | '/'] factor }; factor := (name | '(' unit ')') ['^' integer]. Left to right, so that a/b c is
/// (a/b) c.
class UnitParser {
 public:
  /// `wanted`: what the unit should be of, for advice.
  UnitParser(std::string_view text, const Dimension& wanted) : wanted_(wanted), rest_(text) {}

  Unit parse() {
    const Unit all = product(0);
    if (!rest_.empty()) fail();
    return all;
  }

 private:
  [[noreturn]] void fail() const { throw std::invalid_argument("unexpected " + in_quotes(rest_)); }

  bool take(char c) {
    rest_ = trim(rest_);
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  Unit product(int depth) {
    Unit total;
    bool first = true;
    while (true) {
      rest_ = trim(rest_);
      if (first && rest_.starts_with('1')) {  // "1/ps"
        rest_.remove_prefix(1);
        if (!trim(rest_).starts_with('/')) fail();
        continue;
      }
      const bool over = take('/'), times = !over && !first && take('*');
      const int sign = over ? -1 : 1;
      rest_ = trim(rest_);
      if (rest_.empty() || rest_.front() == ')') {
        if (over || times) throw std::invalid_argument(std::string("nothing after '") + (over ? '/' : '*') + "'");
        return total;
      }
      const Unit one = factor(depth);
      multiply(total, one, sign * power());
      first = false;
    }
  }

  Unit factor(int depth) {
    if (take('(')) {
      if (depth > 3) fail();
      const Unit inner = product(depth + 1);
      if (!take(')')) throw std::invalid_argument("a '(' is not closed");
      return inner;
    }
    const std::size_t length = std::min(rest_.find_first_of("/*^() \t0123456789.,-+"), rest_.size());
    if (length == 0) fail();
    const std::string_view name = rest_.substr(0, length);
    const Unit* unit = find_unit(name);
    if (!unit) throw std::invalid_argument(unknown(name));
    rest_.remove_prefix(length);
    return *unit;
  }

  int power() {
    if (!take('^')) return 1;
    rest_ = trim(rest_);
    int n = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), n);
    if (error != std::errc() || n == 0 || n < -6 || n > 6) throw std::invalid_argument("no whole power after '^'");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return n;
  }

  /// Whether a unit of this name can be a part of what is wanted: "kcal" of an energy per mole, "A" not of a time.
  bool fits(std::string_view name) const {
    const Dimension& part = find_unit(name)->dimension;
    for (std::size_t k = 0; k < part.exponent.size(); ++k)
      if (part.exponent[k] != 0 && wanted_.exponent[k] == 0) return false;
    return true;
  }

  std::string unknown(std::string_view name) const {
    std::string message = "unknown unit " + in_quotes(name);
    if (name == "C" || name == "degC" || name == "F" || name == "degF") return message + " (temperatures are in K)";
    if (name.find("\u00b2") != name.npos || name.find("\u00b3") != name.npos)
      return message + " (powers are written with ^, as in nm^2)";
    // Of short names no more than capitals may be wrong: a letter alone is one edit away from all others.
    std::size_t most = name.size() < 3 ? 0 : name.size() < 6 ? 1 : 2;
    std::string_view best;
    const auto look_at = [&](std::string_view known) {
      const std::size_t found = edit_distance(name, known);
      if (!fits(known) || found > most || (found == most && !best.empty())) return;
      most = found;
      best = known;
    };
    for (const NamedUnit& k : known_units) look_at(k.name);
    for (const auto& k : spoken_units) look_at(k.name);
    if (!best.empty()) message += " (did you mean '" + std::string(best) + "'?)";
    return message;
  }

  const Dimension& wanted_;
  std::string_view rest_;
};

}  // namespace

std::string canonical_unit(const Dimension& wanted) { return wanted == d::angle ? "rad" : usual_unit(wanted); }

std::string dimension_name(const Dimension& wanted) {
  const NamedDimension* k = find_dimension(wanted);
  return k ? k->name : "quantity";
}

std::string units_table() {
  std::string all;
  std::vector<Dimension> seen;
  for (const NamedUnit& first : known_units) {
    if (std::find(seen.begin(), seen.end(), first.unit.dimension) != seen.end()) continue;
    seen.push_back(first.unit.dimension);
    const Dimension& of = first.unit.dimension;
    all += "| " +
           (of == amount         ? "amount"
            : of == plain_energy ? "energy, with `/mol`"
            : of == volume       ? "volume"
                                 : dimension_name(of)) +
           " | ";
    std::string names;
    for (const NamedUnit& u : known_units)
      if (u.unit.dimension == of) names += (names.empty() ? "`" : ", `") + std::string(u.name) + "`";
    all += names + " |\n";
  }
  return all;
}

double parse_quantity(std::string_view text, const Dimension& wanted, std::string_view unit_shown) {
  std::string_view all = trim(text);
  const std::string unit_wanted = unit_shown.empty() ? usual_unit(wanted) : std::string(unit_shown),
                    kind = with_article(dimension_name(wanted));
  if (all.size() > 64) throw std::invalid_argument(in_quotes(text) + " is too long for a quantity");
  if (all.starts_with('+') && !all.starts_with("+-")) all.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(all.data(), all.data() + all.size(), value);
  if (error == std::errc::result_out_of_range) throw std::invalid_argument(in_quotes(text) + " is out of range");
  if (error != std::errc() || !std::isfinite(value))
    throw std::invalid_argument(in_quotes(text) + " is not a number with a unit; write " + kind + ", as in \"1 " + unit_wanted +
                                "\"");
  const std::string number(all.data(), end);
  const std::string_view rest = trim(all.substr(number.size()));
  const std::string fixed = "\"" + number + " " + unit_wanted + "\"";
  if (rest.empty()) throw std::invalid_argument(in_quotes(text) + " has no unit; write " + fixed + " if that is what you mean");
  Unit unit;
  try {
    unit = UnitParser(rest, wanted).parse();
  } catch (const std::invalid_argument& e) {
    // Not the user's number, which is one of another unit.
    throw std::invalid_argument(std::string(e.what()) + " in " + in_quotes(text) + "; " + kind + " is needed, as in \"1 " +
                                unit_wanted + "\"");
  }
  if (unit.dimension != wanted)
    throw std::invalid_argument(in_quotes(text) + " is not " + kind + " (its unit is of another kind); " + kind +
                                " is written as " + fixed);
  const double canonical = value * unit.up / unit.down;
  if (!std::isfinite(canonical)) throw std::invalid_argument(in_quotes(text) + " is out of range");
  return canonical;
}

std::string format_number(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return error == std::errc() ? std::string(buffer, end) : "nan";
}

std::string format_quantity(double value, const Dimension& dimension) {
  return format_number(value) + " " + canonical_unit(dimension);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  const auto folded = [](char c) { return c == '-' ? '_' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (folded(a[i - 1]) != folded(b[j - 1]))});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace uplift

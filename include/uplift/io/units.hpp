#pragma once
// Quantities as users write them: "0.9 nm", "4 kcal/mol", "1000 kJ/mol/nm^2", "3.1 /nm". A number and a unit; a unit is a
// product, quotient or power of the names of units.cpp.
#include <array>
#include <string>
#include <string_view>

namespace uplift {

/// Exponents of length, time, mass, temperature, amount, angle, energy, pressure and volume. Energy, pressure and volume are
/// bases of their own: nothing in an input mixes them with mass, length and time, and "kJ" for "amu nm^2/ps^2" would only hide
/// mistakes.
struct Dimension {
  std::array<int, 9> exponent{};
  bool operator==(const Dimension&) const = default;
};

namespace dimension {
inline constexpr Dimension none{};
inline constexpr Dimension length{{1}};
inline constexpr Dimension time{{0, 1}};
inline constexpr Dimension mass{{0, 0, 1}};
inline constexpr Dimension temperature{{0, 0, 0, 1}};
inline constexpr Dimension angle{{0, 0, 0, 0, 0, 1}};
inline constexpr Dimension pressure{{0, 0, 0, 0, 0, 0, 0, 1}};
inline constexpr Dimension compressibility{{0, 0, 0, 0, 0, 0, 0, -1}};
inline constexpr Dimension concentration{{0, 0, 0, 0, 1, 0, 0, 0, -1}};
inline constexpr Dimension energy{{0, 0, 0, 0, -1, 0, 1}};  ///< per mole, like force and force_constant
inline constexpr Dimension inverse_energy{{0, 0, 0, 0, 1, 0, -1}};
inline constexpr Dimension inverse_length{{-1}};
inline constexpr Dimension inverse_time{{0, -1}};
inline constexpr Dimension force{{-1, 0, 0, 0, -1, 0, 1}};
inline constexpr Dimension force_constant{{-2, 0, 0, 0, -1, 0, 1}};
}  // namespace dimension

/// A unit that the engine itself uses for the dimension: "nm", "ps", "amu", "K", "mol/L", "rad", "kJ/mol", "bar", "kJ/mol/nm"
/// ...;
/// "" for a pure number.
std::string canonical_unit(const Dimension& dimension);

/// What messages call it: "length", "force constant".
std::string dimension_name(const Dimension& dimension);

/// The names of units by what they measure, as rows of a Markdown table.
std::string units_table();

/// The value of a quantity in canonical units, e.g. "9 angstrom" as a length: 0.9. Decimal prefixes cost no rounding: "4 fs" is
/// the double nearest to 0.004. Throws std::invalid_argument saying what is wrong with the text and what would be right: not a
/// number, no unit, unknown unit (with the nearest known one of that dimension), unit of another dimension. `unit`: which one
/// it shows for that, where it is not the usual one.
double parse_quantity(std::string_view text, const Dimension& wanted, std::string_view unit = {});

/// Text that reads back as the same value: "0.9 nm".
std::string format_quantity(double value, const Dimension& dimension);
/// The shortest text of a number that reads back as the same value.
std::string format_number(double value);

/// Number of single-character edits between two words; capitals do not count, and "-" is "_".
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace uplift

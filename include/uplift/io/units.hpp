#pragma once
// Quantities as users write them: "0.9 nm", "4 kcal/mol", "1000 kJ/mol/nm^2", "3.1 /nm".
#include <array>
#include <string>

namespace uplift {

/// What kind of quantity: exponents of length, time, mass, temperature, amount per volume, angle, energy per mole, pressure.
/// Energy per mole is a base of its own, since nothing here mixes it with mass and time.
struct Dimension {
  std::array<int, 8> exponent{};
  bool operator==(const Dimension&) const = default;
};

namespace dimension {
inline constexpr Dimension none{};
inline constexpr Dimension length{{1}};
inline constexpr Dimension time{{0, 1}};
inline constexpr Dimension mass{{0, 0, 1}};
inline constexpr Dimension temperature{{0, 0, 0, 1}};
inline constexpr Dimension concentration{{0, 0, 0, 0, 1}};
inline constexpr Dimension angle{{0, 0, 0, 0, 0, 1}};
inline constexpr Dimension energy{{0, 0, 0, 0, 0, 0, 1}};
inline constexpr Dimension pressure{{0, 0, 0, 0, 0, 0, 0, 1}};
inline constexpr Dimension inverse_length{{-1}};
inline constexpr Dimension inverse_time{{0, -1}};
inline constexpr Dimension force{{-1, 0, 0, 0, 0, 0, 1}};
inline constexpr Dimension force_constant{{-2, 0, 0, 0, 0, 0, 1}};
}  // namespace dimension

/// A unit that the engine itself uses for the dimension: "nm", "ps", "amu", "K", "mol/L", "rad", "kJ/mol", "bar", "kJ/mol/nm" ...
std::string canonical_unit(const Dimension& dimension);

/// The value of a quantity in canonical units. Throws std::invalid_argument saying what is wrong with the text and what would be
/// right: not a number, no unit, unknown unit, unit of another dimension.
double parse_quantity(const std::string& text, const Dimension& wanted);

/// Shortest text that reads back the same value in canonical units.
std::string format_quantity(double value, const Dimension& dimension);
std::string format_number(double value);

}  // namespace uplift

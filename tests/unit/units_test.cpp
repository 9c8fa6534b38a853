#include "uplift/io/units.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <stdexcept>

#include "uplift/core/constants.hpp"

namespace uplift {
namespace {

namespace d = dimension;
using ::testing::HasSubstr;

std::string complaint(const std::string& text, const Dimension& wanted) {
  try {
    const double value = parse_quantity(text, wanted);
    return "(accepted as " + std::to_string(value) + ")";
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
}

struct Case {
  const char* text;
  Dimension dimension;
  double value;
};

// Exact: decimal prefixes are quotients of exact numbers, so each value is the double nearest to the decimal that is written
// here.
TEST(Units, DecimalUnitsAreExact) {
  const Case cases[] = {
      {"0.9 nm", d::length, 0.9},
      {"9 angstrom", d::length, 0.9},
      {"9 A", d::length, 0.9},
      {"3 Angstrom", d::length, 0.3},
      {"7 \u00c5", d::length, 0.7},
      {"900 pm", d::length, 0.9},
      {"1 um", d::length, 1000},
      {"4 fs", d::time, 0.004},
      {"0.5 fs", d::time, 0.0005},
      {"3 fs", d::time, 0.003},
      {"2 ps", d::time, 2},
      {"10 ns", d::time, 1e4},
      {"1 us", d::time, 1e6},
      {"1 \u00b5s", d::time, 1e6},
      {"1 ms", d::time, 1e9},
      {"1 s", d::time, 1e12},
      {"15 min", d::time, 900e12},
      {"23.5 h", d::time, 84600e12},
      {"300 K", d::temperature, 300},
      {"3.024 amu", d::mass, 3.024},
      {"12.011 Da", d::mass, 12.011},
      {"12.011 u", d::mass, 12.011},
      {"9 angstroms", d::length, 0.9},
      {"3 nanometers", d::length, 3},
      {"3 nanometre", d::length, 3},
      {"2 femtosecond", d::time, 0.002},
      {"2 femtoseconds", d::time, 0.002},
      {"2 picoseconds", d::time, 2},
      {"1 nanosecond", d::time, 1e3},
      {"1 microsecond", d::time, 1e6},
      {"90 seconds", d::time, 90e12},
      {"15 minutes", d::time, 900e12},
      {"1 hour", d::time, 3600e12},
      {"23.5 hours", d::time, 84600e12},
      {"2 hr", d::time, 7200e12},
      {"2 days", d::time, 172800e12},
      {"1 bar", d::pressure, 1},
      {"1 atm", d::pressure, 1.01325},
      {"100 kPa", d::pressure, 1},
      {"0.1 MPa", d::pressure, 1},
      {"101325 Pa", d::pressure, 1.01325},
      {"0.15 mol/L", d::concentration, 0.15},
      {"150 mM", d::concentration, 0.15},
      {"0.15 M", d::concentration, 0.15},
      {"150 mmol/L", d::concentration, 0.15},
      {"60 kJ/mol", d::energy, 60},
      {"250 J/mol", d::energy, 0.25},
      {"1 kcal/mol", d::energy, 4.184},
      {"4 kcal/mol", d::energy, 16.736},
      {"500 cal/mol", d::energy, 2.092},
      {"1 rad", d::angle, 1},
  };
  for (const Case& c : cases) EXPECT_EQ(parse_quantity(c.text, c.dimension), c.value) << c.text;
}

TEST(Units, DegreesBecomeRadians) {
  EXPECT_DOUBLE_EQ(parse_quantity("90 deg", d::angle), constants::pi / 2);
  EXPECT_DOUBLE_EQ(parse_quantity("109.4712190 degrees", d::angle), 109.4712190 * constants::pi / 180);
  EXPECT_DOUBLE_EQ(parse_quantity("-1 degree", d::angle), -constants::pi / 180);
}

TEST(Units, ProductsQuotientsAndPowers) {
  EXPECT_EQ(parse_quantity("3.1 /nm", d::inverse_length), 3.1);
  EXPECT_EQ(parse_quantity("3.1 1/nm", d::inverse_length), 3.1);
  EXPECT_EQ(parse_quantity("3.1 nm^-1", d::inverse_length), 3.1);
  EXPECT_EQ(parse_quantity("0.31 /A", d::inverse_length), 3.1);
  EXPECT_EQ(parse_quantity("1 /ps", d::inverse_time), 1);
  EXPECT_EQ(parse_quantity("0.001 /fs", d::inverse_time), 1);
  EXPECT_EQ(parse_quantity("1000 kJ/mol/nm^2", d::force_constant), 1000);
  EXPECT_EQ(parse_quantity("1000 kJ mol^-1 nm^-2", d::force_constant), 1000);
  EXPECT_EQ(parse_quantity("1000 kJ/(mol nm^2)", d::force_constant), 1000);
  EXPECT_EQ(parse_quantity("1000 kJ/(mol*nm*nm)", d::force_constant), 1000);
  EXPECT_EQ(parse_quantity("1000 kJ / mol / nm ^ 2", d::force_constant), 1000);
  EXPECT_DOUBLE_EQ(parse_quantity("2 kcal/mol/A^2", d::force_constant), 836.8);
  EXPECT_DOUBLE_EQ(parse_quantity("1 kcal/mol/angstrom", d::force), 41.84);
  EXPECT_EQ(parse_quantity("10 kJ/mol/nm", d::force), 10);
  EXPECT_EQ(parse_quantity("1 kJ/nm^2/mol", d::force_constant), 1);
}

TEST(Units, NumbersInAnyForm) {
  for (const char* text : {"2ps", "2 ps", "  2   ps ", "+2 ps", "2.0 ps", "2. ps", "2e0 ps", "0.2e1 ps", "20e-1ps", "2\tps"})
    EXPECT_EQ(parse_quantity(text, d::time), 2) << text;
  EXPECT_EQ(parse_quantity("-5 K", d::temperature), -5);  // bounds are the caller's
  EXPECT_EQ(parse_quantity("1e-4 nm", d::length), 1e-4);
}

TEST(Units, MissingUnitNamesTheFix) {
  EXPECT_THAT(complaint("0.9", d::length), HasSubstr("has no unit; write \"0.9 nm\""));
  EXPECT_THAT(complaint("4", d::time), HasSubstr("\"4 ps\""));
  EXPECT_THAT(complaint("1000", d::force_constant), HasSubstr("\"1000 kJ/mol/nm^2\""));
  EXPECT_THAT(complaint("90", d::angle), HasSubstr("\"90 deg\""));
}

TEST(Units, WrongDimensionNamesTheRightOne) {
  EXPECT_THAT(complaint("4 fs", d::length), HasSubstr("is not a length"));
  EXPECT_THAT(complaint("1000 kJ/mol/nm", d::force_constant), HasSubstr("is not a force constant"));
  EXPECT_THAT(complaint("1000 kJ/nm^2", d::force_constant), HasSubstr("kJ/mol/nm^2"));
  EXPECT_THAT(complaint("1 ps", d::inverse_time), HasSubstr("\"1 /ps\""));
  EXPECT_THAT(complaint("60 kJ", d::energy), HasSubstr("\"60 kJ/mol\""));
  EXPECT_THAT(complaint("60 mol/kJ", d::energy), HasSubstr("is not an energy per mole"));
  EXPECT_THAT(complaint("1 nm/nm", d::length), HasSubstr("is not a length"));
}

TEST(Units, UnknownUnitNamesTheNearest) {
  EXPECT_THAT(complaint("1 Nm", d::length), HasSubstr("did you mean 'nm'?"));
  EXPECT_THAT(complaint("9 angstrms", d::length), HasSubstr("did you mean 'angstrom'?"));
  EXPECT_THAT(complaint("4 kcall/mol", d::energy), HasSubstr("did you mean 'kcal'?"));
  EXPECT_THAT(complaint("1 parsecs", d::length), HasSubstr("unknown unit 'parsecs'"));
  EXPECT_THAT(complaint("25 degC", d::temperature), HasSubstr("temperatures are in K"));
  EXPECT_THAT(complaint("25 C", d::temperature), HasSubstr("temperatures are in K"));
}

// A letter is one edit away from every other, and what is offered must be of the dimension that is wanted.
TEST(Units, UnknownUnitsAreNotTakenForOthers) {
  for (const auto& [text, wanted] :
       {std::pair{"12 g", d::mass}, std::pair{"5 Hz", d::inverse_time}, std::pair{"23:30:00", d::time},
        std::pair{"3 psi", d::pressure}, std::pair{"2 nm2s", d::time}})
    EXPECT_THAT(complaint(text, wanted), ::testing::Not(HasSubstr("did you mean"))) << text;
  EXPECT_THAT(complaint("2 femtosecnd", d::time), HasSubstr("did you mean 'femtosecond'?"));
  EXPECT_THAT(complaint("9 angstrms", d::length), HasSubstr("as in \"1 nm\""));
  EXPECT_THAT(complaint("1 nm\u00b2", d::length), HasSubstr("'nm\u00b2' (powers are written with ^, as in nm^2)"));
  for (const char* text : {"1 hourss", "1 ss", "1 hrminutes"})
    EXPECT_THROW(parse_quantity(text, d::time), std::invalid_argument) << text;
}

TEST(Units, ShowTheUnitThatFitsTheKey) {
  try {
    parse_quantity("900", d::time, "s");
    FAIL() << "accepted";
  } catch (const std::invalid_argument& e) {
    EXPECT_THAT(e.what(), HasSubstr("write \"900 s\""));
  }
}

TEST(Units, NonsenseIsRefused) {
  for (const char* text : {"",
                           " ",
                           "nm",
                           "nm 1",
                           "0x10 nm",
                           "1,5 nm",
                           "1 2 nm",
                           "nan nm",
                           "inf nm",
                           "1e999 nm",
                           "1e308 um",
                           "1 nm^",
                           "1 nm^0",
                           "1 nm^x",
                           "1 nm^99999999999",
                           "1 nm^1.5",
                           "1 nm2",
                           "1 /",
                           "1 nm/",
                           "1 nm*",
                           "1 *nm",
                           "1 //nm",
                           "1 (nm",
                           "1 nm)",
                           "1 ()",
                           "1 ((((((((nm))))))))",
                           "1 1 nm",
                           "1 nm nm",
                           "1 nm/1",
                           "1 nm^2^2",
                           "--1 nm",
                           "+-1 nm",
                           "1 nm\x01",
                           "1 \xff"})
    EXPECT_THROW(parse_quantity(text, d::length), std::invalid_argument) << text;
  EXPECT_THAT(complaint(std::string(100000, '1') + " nm", d::length), HasSubstr("too long"));
  EXPECT_THAT(complaint("1 " + std::string(100000, '('), d::length), HasSubstr("too long"));
}

TEST(Units, FormattedQuantitiesReadBackBitwise) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> exponent(-12, 12), mantissa(-10, 10);
  for (const Dimension& dim : {d::length, d::time, d::mass, d::temperature, d::concentration, d::angle, d::pressure, d::energy,
                               d::inverse_length, d::inverse_time, d::force, d::force_constant})
    for (int n = 0; n < 200; ++n) {
      const double value = mantissa(random) * std::pow(10, exponent(random));
      EXPECT_EQ(parse_quantity(format_quantity(value, dim), dim), value) << format_quantity(value, dim);
    }
}

TEST(Units, EditDistance) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("cutoff", ""), 6u);
  EXPECT_EQ(edit_distance("cutof", "cutoff"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("H-Bonds", "h_bonds"), 0u);
}

}  // namespace
}  // namespace uplift

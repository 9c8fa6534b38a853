#include "uplift/io/stage_averages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace uplift {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(StageAverages, AreThoseOfTheRows) {
  StageAverages averages;
  EXPECT_EQ(averages.text(), "");
  for (int k = 0; k < 4; ++k) {
    EnergyRow row;
    row.time = 100 + 0.5 * k;
    row.energies[EnergyTerm::lj] = -1000 + k;  // mean -998.5, deviation sqrt(5/3)
    row.temperature = k % 2 ? 310 : 290;       // 300, sqrt(400/3)
    row.pressure = 7;
    row.volume = 25;
    row.conserved_quantity = 50 + 0.6 * k + (k == 1 || k == 2 ? 0.1 : -0.1);  // 1.2 kJ/mol/ps, and 0.1 about it
    averages.add(row);
  }
  const std::string text = averages.text();
  EXPECT_THAT(text, HasSubstr("averages of 4 rows"));
  EXPECT_THAT(text, ::testing::ContainsRegex("potential \\[kJ/mol\\] +-998.5 +1.291"));
  EXPECT_THAT(text, ::testing::ContainsRegex("temperature \\[K\\] +300 +11.55"));
  EXPECT_THAT(text, ::testing::ContainsRegex("pressure \\[bar\\] +7 +0\n"));
  EXPECT_THAT(text, ::testing::ContainsRegex("volume \\[nm\\^3\\] +25 +0\n"));
  EXPECT_THAT(text, HasSubstr("changes by 1.2 kJ/mol/ps, rms about that 0.115 kJ/mol"));
}

TEST(StageAverages, WithoutABoxThereIsNoPressure) {
  StageAverages averages;
  averages.add({});
  averages.add({});
  EXPECT_THAT(averages.text(), Not(HasSubstr("pressure")));
}

}  // namespace
}  // namespace uplift

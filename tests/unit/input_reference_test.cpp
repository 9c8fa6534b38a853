// The page of keys: every example on it is a value that the reader takes, and every message's section is on it.
#include <gmock/gmock.h>

#include <regex>

#include "support/input_folder.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/run_input.hpp"

namespace uplift {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class InputReference : public test::InputFolder {};

bool is_block(const KeySpec& key) { return key.kind == KeyKind::map || key.kind == KeyKind::maps; }

/// What the schema alone finds wrong: other keys that an example needs, files that are not there, and settings that only make
/// sense together with others are not its business.
bool is_about_the_value(const std::string& message) {
  return std::regex_search(
      message, std::regex("out of range|is none of|is not a |has no unit|unknown|is needed here|are needed|neither true"));
}

TEST_F(InputReference, ExamplesAreAccepted) {
  const std::string text = "stages: [{name: a, time: 1 ps}]\nfree_energy: [{name: pmf, variables: [\"phi=phi(2)\"]}]\n";
  const std::string levels = "dynamics: {multiple_time_step: [{forces: [bonded, nonbonded, pme-reciprocal], every: 1}]}\n";
  for (const KeySpec& key : input_schema()) {
    if (is_block(key)) continue;
    std::string path(key.path);
    if (const std::size_t at = path.find(".*"); at != std::string::npos) path.replace(at, 2, ".0");
    const std::string example = example_value(key);
    SCOPED_TRACE(path + "=" + example);
    EXPECT_FALSE(example.empty());
    for (const Problem& p : problems(text + levels, {path + "=" + example}))
      EXPECT_FALSE(is_about_the_value(p.message)) << p.text();
  }
  // The check itself can fail.
  const auto wrong = problems(text + levels, {"forces.cutoff=0.9"});
  ASSERT_FALSE(wrong.empty());
  EXPECT_TRUE(is_about_the_value(wrong[0].message)) << wrong[0].text();
}

TEST(InputReferencePage, HasEveryKeyOnce) {
  const std::string page = input_reference();
  for (const KeySpec& key : input_schema()) {
    const std::string name(key.path.substr(key.path.rfind('.') + 1));
    EXPECT_THAT(page, HasSubstr("| `" + name + "` |"));
    if (is_block(key)) continue;
    EXPECT_THAT(input_reference(std::string(key.path)), HasSubstr("`" + name + ": " + example_value(key) + "`"));
  }
  EXPECT_THAT(page, HasSubstr("\n## stages[].bias.parameters\n"));
  EXPECT_EQ(input_reference("stages.bias"), input_reference("stages[].bias"));
  EXPECT_THAT(page, HasSubstr(input_reference("stages.bias")));
  EXPECT_THROW(input_reference("stages.bais"), InputError);
  EXPECT_THAT(page, Not(HasSubstr("2147483647")));
}

TEST_F(InputReference, ErrorsNameTheirSections) {
  const auto found =
      problems("forces: {pme: {order: 9}, switch_distance: 1 nm}\nstages: [{name: a, time: 1 ps, exchange: {to: 3 K}}]\n", {});
  const std::string hint = reference_hint(found);
  EXPECT_THAT(hint, HasSubstr("`uplift schema forces`"));
  EXPECT_THAT(hint, HasSubstr("`uplift schema forces.pme`"));
  EXPECT_THAT(hint, HasSubstr("`uplift schema stages.exchange`"));
}

}  // namespace
}  // namespace uplift

// Files that are no inputs, or are made to hurt: each ends with a problem, soon and without much memory.
#include <gmock/gmock.h>

#include <random>

#include "support/input_folder.hpp"

namespace uplift {
namespace {

using ::testing::HasSubstr;

class YamlHostile : public test::InputFolder {
 protected:
  std::vector<Problem> raw(const std::string& bytes, const std::vector<std::string>& overrides = {}) {
    write(bytes);
    return check_run_input(path(), overrides);
  }
  static std::string repeated(const std::string& piece, std::size_t size) {
    std::string all;
    while (all.size() < size) all += piece;
    all.resize(size);
    return all;
  }
};

TEST_F(YamlHostile, NoFile) {
  const auto expect = [&](const std::string& file, const char* message) {
    const std::vector<Problem> found = check_run_input(file);
    ASSERT_EQ(found.size(), 1u) << list(found);
    EXPECT_EQ(found[0].file, file);
    EXPECT_EQ(found[0].line, 0);
    EXPECT_THAT(found[0].message, HasSubstr(message));
    EXPECT_THROW(load_run_input(file), InputError);
  };
  expect(path("none.yaml"), "there is no such file");
  expect(folder_.string(), "is a folder");
  expect("/dev/zero", "");
  expect("", "");
}

TEST_F(YamlHostile, EmptyFiles) {
  for (const char* text : {"", "\n\n", "# only a comment\n", "---\n", "~\n", "\xef\xbb\xbf"})
    EXPECT_THAT(list(raw(text)), HasSubstr("holds no keys")) << text;
}

TEST_F(YamlHostile, OtherThings) {
  EXPECT_THAT(list(raw("just words\n")), HasSubstr(":1: an input is a block of keys"));
  EXPECT_THAT(list(raw("- a\n- b\n")), HasSubstr(":1: an input is a block of keys"));
  EXPECT_THAT(list(raw(std::string("version: 1\nsys\0tem: x\n", 22))), HasSubstr(":2: not UTF-8 text"));
  EXPECT_THAT(list(raw("version: 1\ntitle: \xff\xfe\n")), HasSubstr(":2: not UTF-8 text"));
  EXPECT_THAT(list(raw("version: 1\ntitle: caf\xe9\n")), HasSubstr(":2: not UTF-8 text"));
  EXPECT_THAT(list(raw("title: \xc0\xaf\n")), HasSubstr(":1: not UTF-8 text"));      // overlong
  EXPECT_THAT(list(raw("title: \xed\xa0\x80\n")), HasSubstr(":1: not UTF-8 text"));  // half a surrogate pair
  EXPECT_THAT(list(raw("title: \xe2\x82")), HasSubstr(":1: not UTF-8 text"));        // cut off
  EXPECT_THAT(list(raw("version: 1\n\ntitle: a\x1b[31mb\n")), HasSubstr(":3: a control character"));
  EXPECT_THAT(list(raw("%VERSION  VERSION_STAMP = V0001.000  DATE = 01/01/24\n%FLAG TITLE\n%FORMAT(20a4)\n")),
              HasSubstr("input.yaml"));
}

TEST_F(YamlHostile, ByteOrderMarkAndWindowsLineEndsAreFine) {
  write("\xef\xbb\xbfversion: 1\r\nsystem:\r\n  topology: a.prmtop\r\n  coordinates: a.rst7\r\nforces:\r\n  cutoff: 1 nm\r\n");
  EXPECT_EQ(load_run_input(path()).forces.cutoff, 1);
}

TEST_F(YamlHostile, SyntaxErrorsHaveALine) {
  expect_problem("forces:\n\tcutoff: 1 nm\n", 5, {"a tab as indentation"});
  expect_problem("forces:\n  \tcutoff: 1 nm\n", 5, {"a tab as indentation"});
  expect_problem("forces: {cutoff: 1 nm\ndynamics: 3\n", 5, {"not valid YAML"});
  expect_problem("forces:\n  cutoff: 1 nm\n   rigid_water: true\n", 6, {"not valid YAML"});
  expect_problem("forces:\n  cutoff: 1 nm\n rigid_water: true\n", 6, {"not valid YAML"});
  expect_problem("forces: }\n", 4, {"not valid YAML"});
  expect_problem("forces: *nowhere\n", 4, {"not valid YAML"});
  expect_problem("title: @x\n", 4, {"not valid YAML"});
  expect_problem("title: a: b\n", 4, {"not valid YAML"});
  expect_problem("title: 'never closed\ndynamics: {}\n\n", 5, {"not valid YAML"});
  EXPECT_EQ(list(problems("title: tabs\t are\tfine inside\t# here too\n\t\n\t# and here\n")), "(no problems)");
}

TEST_F(YamlHostile, OddYaml) {
  expect_problem("---\nversion: 1\n", 5, {"a second document"});
  expect_problem("? [a, b]\n: 3\n", 4, {"a key must be a word"});
  expect_problem("? {a: b}\n: 3\n", 4, {"a key must be a word"});
  expect_problem("~: 3\n", 4, {"a key must be a word"});
  expect_problem("'': 3\n", 4, {"a key must be a word"});
  expect_problem("title: !!python/object/apply:os.system ls\n", 4, {"tag", "no meaning"});
  expect_problem("title: !!str x\n", 4, {"tag", "no meaning"});
  expect_problem("dynamics:\n  <<: 3\n", 5, {"'<<' merges blocks"});
  expect_problem("dynamics:\n  <<: [1, 2]\n", 5, {"'<<' merges blocks"});
  expect_problem("stages.*.name: x\n", 4, {"unknown key"});
  expect_problem("'*': x\n", 4, {"unknown key '*'"});
}

TEST_F(YamlHostile, AliasBombs) {
  std::string laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    const std::string before = std::string("*") + static_cast<char>(c - 1);
    laughs += std::string(1, c) + ": &" + c + " [" + before;
    for (int n = 1; n < 10; ++n) laughs += ", " + before;
    laughs += "]\n";
  }
  EXPECT_THAT(list(raw(laughs)), HasSubstr("more than 20000 values"));
  std::string merges = "s0: &s0 {a: 1, b: 2}\n";
  for (int n = 1; n < 2000; ++n)
    merges += "s" + std::to_string(n) + ": &s" + std::to_string(n) + " {<<: *s" + std::to_string(n - 1) + ", k" +
              std::to_string(n) + ": 1}\n";
  EXPECT_THAT(list(raw(merges)), HasSubstr("more than 20000 values"));
  std::string chain = "s0: &s0 [x]\n";
  for (int n = 1; n < 200; ++n)
    chain += "s" + std::to_string(n) + ": &s" + std::to_string(n) + " [*s" + std::to_string(n - 1) + "]\n";
  EXPECT_THAT(list(raw(chain)), HasSubstr("nested more than"));
  EXPECT_THAT(list(raw("forces: &f\n  pme: *f\n")), HasSubstr(":2: an alias (*) stands inside the block that it names"));
  EXPECT_THAT(list(raw("&f [*f]\n")), HasSubstr(":1: an alias"));
}

TEST_F(YamlHostile, DeepNesting) {
  for (const char* piece : {"[", "{", "- ", "? ", "[[],", "{a: ", "- - ", "[{"})
    EXPECT_FALSE(raw(repeated(piece, 1000000)).empty()) << piece;
  std::string steps;
  for (int n = 0; n < 1000; ++n) steps += std::string(static_cast<std::size_t>(n), ' ') + "a:\n";
  EXPECT_THAT(list(raw(steps)), HasSubstr("nested more than 24 levels deep"));
}

TEST_F(YamlHostile, HugeFiles) {
  EXPECT_THAT(list(raw("title: " + repeated("x", 1 << 20))), HasSubstr("larger than 1 MiB"));
  for (const char* piece : {"a\n", "? a\n", "- a\n", "&a ",    "*a ",     "!",  "|",  "'", "\"", "#",
                            "%",   ",",     "a,",    "a: b\n", "a: &a\n", ": ", "\n", " ", "''", "\xc3\xa9"})
    EXPECT_FALSE(raw(repeated(piece, 1000000)).empty()) << piece;
  // The longest that may be: one key of a mebibyte, and as many different ones as fit.
  const std::vector<Problem> one = raw(repeated("k", (1 << 20) - 3) + ": 1");
  for (const Problem& p : one) EXPECT_LT(p.message.size(), 1000u);
  EXPECT_FALSE(one.empty());
  std::string many;
  for (int n = 0; n < 9000; ++n) many += "key" + std::to_string(n) + ": 1\n";
  EXPECT_EQ(raw(many).size(), 200u);
}

TEST_F(YamlHostile, MessagesAreFitForATerminal) {
  const std::string text = list(problems("forces:\n  \"cut\\eoff\": 1\n  constraints: \"\\e[2J\"\n  cutoff: \"\\e[2J\"\n",
                                         {"\x1b[2J=3", "dynamics.seed=\x1b"}));
  for (const char c : text) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n') << text;
}

TEST_F(YamlHostile, HostileOverrides) {
  for (const std::string& argument :
       {std::string(100000, '.') + "=1", std::string(100000, 'a') + "=1", "title=" + std::string(100000, '['),
        std::string("stages=3"), std::string("version.x.y.z=1"), std::string("stages.0=3"), std::string("<<=3"),
        std::string("stages.99999999999999999999.time=1 ps"), std::string("title=---\n---\n")})
    EXPECT_FALSE(problems("stages: [{name: a, time: 1 ps}]\n", {argument}).empty()) << argument.substr(0, 40);
  std::string deep = "a";
  for (int n = 0; n < 50000; ++n) deep += ".a";
  EXPECT_FALSE(problems("", {deep + "=1"}).empty());
}

// Whatever happens to a good file, the outcome is an input or a list of problems.
TEST_F(YamlHostile, DamagedFiles) {
  const std::string good = with_system(
      "title: &t a title\n"
      "forces: {nonbonded: pme, cutoff: 0.9 nm, pme: {alpha: 3.1 /nm, grid: [32, 32, 32], order: 5}}\n"
      "dynamics:\n  integrator: langevin\n  timestep: 2 fs\n  temperature: 300 K\n"
      "stages:\n  - &s {name: a, time: 200 ps, restraints: {positions: protein-heavy, k: 1000 kJ/mol/nm^2}}\n  - {<<: *s, "
      "name: b}\n"
      "output:\n  trajectory: {every: 2 ps}\n");
  std::mt19937 random(2026);
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const std::string marks = "{}[]:,&*!|>'\"%@`#-? \n\t0a\x01\xff";
  int refused = 0;
  constexpr int times = 1000;
  for (int n = 0; n < times; ++n) {
    std::string text = good;
    for (std::size_t changes = 1 + pick(3); changes > 0; --changes) {
      const std::size_t at = pick(text.size()), length = 1 + pick(20);
      switch (pick(4)) {
        case 0:
          text[at] = marks[pick(marks.size())];
          break;
        case 1:
          text.insert(at, 1, marks[pick(marks.size())]);
          break;
        case 2:
          text.erase(at, length);
          break;
        default:
          text.insert(pick(text.size()), text.substr(at, length));
          break;
      }
    }
    write(text);
    try {
      load_run_input(path());
    } catch (const InputError& e) {
      ++refused;
      EXPECT_GT(std::string(e.what()).size(), 20u);
    }
  }
  EXPECT_GT(refused, times / 2);
  EXPECT_LT(refused, times);
}

}  // namespace
}  // namespace uplift

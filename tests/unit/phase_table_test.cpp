#include "uplift/io/phase_table.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/samples.hpp"
#include "uplift/backend/cpu/cpu_backend.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/info.hpp"
#include "uplift/io/progress.hpp"
#include "uplift/io/run_log.hpp"

namespace {

using namespace uplift;
using testing::HasSubstr;
using testing::Not;

std::string content(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

/// A log in a scratch folder whose terminal is a file.
struct Logged : testing::Test {
  std::string base = (std::filesystem::temp_directory_path() / ("uplift-log-" + std::to_string(::getpid()))).string();
  std::FILE* terminal = std::fopen((base + ".terminal").c_str(), "w+");
  ~Logged() override {
    std::fclose(terminal);
    std::filesystem::remove(base + ".terminal");
    std::filesystem::remove(base + ".log");
  }
  std::string shown() const { return content(base + ".terminal"); }
  std::string logged() const { return content(base + ".log"); }
};

TEST(PhaseTable, AddsUp) {
  const RunTiming timing{{{"bonded", 1, 1000}, {"pairs", 6, 1000}, {"PME", 2, 1000}}, 10, 1000, 2};
  const std::string text = phase_table(timing);
  EXPECT_LT(text.find("pairs"), text.find("PME"));
  EXPECT_LT(text.find("PME"), text.find("bonded"));
  EXPECT_THAT(text, HasSubstr("60.0"));
  EXPECT_THAT(text, HasSubstr("6.00 ms"));
  std::istringstream lines(text.substr(text.find("everything else") + 15));
  double rest = 0, percent = 0;
  lines >> rest >> percent;
  EXPECT_DOUBLE_EQ(rest, 1);
  EXPECT_DOUBLE_EQ(percent, 10);
  EXPECT_THAT(text, HasSubstr("17.28 ns/day"));  // 2 ps in 10 s
  EXPECT_THAT(text, Not(HasSubstr("hint")));
}

TEST(PhaseTable, AdvisesOnlyWhenSomethingStandsOut) {
  EXPECT_THAT(phase_advice({{{"output", 3, 10}, {"pairs", 7, 100}}, 10, 100, 1}),
              testing::ElementsAre(HasSubstr("trajectory.every")));
  // On a device; phases that only sound like these are none of them.
  EXPECT_THAT(phase_advice({{{"PME", 8, 10}, {"pairs", 2, 100}}, 10, 100, 1}),
              testing::ElementsAre(HasSubstr("longer cutoff")));
  EXPECT_TRUE(phase_advice({{{"PME mesh between ranks", 8, 10}, {"pairs", 2, 100}}, 10, 100, 1}).empty());
  EXPECT_TRUE(phase_advice({{{"PME", 2, 10}, {"excluded pairs", 4, 10}, {"GB pairs", 4, 10}}, 10, 100, 1}).empty());
  EXPECT_THAT(phase_advice({{{"PME", 1, 10}, {"pairs", 9, 100}}, 10, 100, 1}),
              testing::ElementsAre(HasSubstr("shorter cutoff")));
  EXPECT_THAT(phase_advice({{{"pairs", 5, 100}}, 10, 100, 1}), testing::ElementsAre(HasSubstr("outside all phases")));
  EXPECT_TRUE(phase_advice({{{"output", 0.5, 100}}, 0.6, 100, 1}).empty()) << "too short to learn from";
  EXPECT_NO_THROW(phase_table({}));
}

/// The phases of a backend, of which some take most of ten seconds.
RunTiming with_time(std::vector<PhaseTime> phases, const std::vector<std::pair<std::string, double>>& seconds) {
  for (PhaseTime& p : phases) p.seconds = 0;
  for (const auto& [name, time] : seconds) {
    const auto found = std::find_if(phases.begin(), phases.end(), [&, n = name](const PhaseTime& p) { return p.name == n; });
    if (found == phases.end())
      ADD_FAILURE() << "no phase is called " << name;
    else
      found->seconds = time;
  }
  return {phases, 10, 100, 1};
}

TEST(PhaseTable, AdviceGoesByTheNamesOfRealPhases) {
  const test::Sample s = test::sample("dipeptide");
  const std::vector<PhaseTime> real = cpu::make_cpu_backend(s.system, s.state.box, {Precision::mixed, 1, 1e-6})->phases();
  for (const char* part : {"PME spread", "PME FFT and solve", "PME gather"}) {
    EXPECT_THAT(phase_advice(with_time(real, {{part, 8}, {"pairs", 2}})), testing::ElementsAre(HasSubstr("longer cutoff")))
        << part;
    EXPECT_THAT(phase_advice(with_time(real, {{part, 1}, {"pairs", 9}})), testing::ElementsAre(HasSubstr("shorter cutoff")))
        << part;
  }
  EXPECT_THAT(phase_advice(with_time(real, {{"pair list", 10}})), testing::ElementsAre(HasSubstr("the pair list takes 100 %")));
}

TEST(Duration, ReadsNaturally) {
  EXPECT_EQ(duration_text(0), "0.0 s");
  EXPECT_EQ(duration_text(59.94), "59.9 s");
  EXPECT_EQ(duration_text(59.96), "1 min 00 s");
  EXPECT_EQ(duration_text(3725), "1 h 02 min");
  EXPECT_EQ(duration_text(2 * 86400 + 4 * 3600), "2 d 04 h");
  EXPECT_EQ(duration_text(-1), "?");
}

TEST_F(Logged, QuietSilencesTheTerminalNotTheLog) {
  {
    RunLog log(base + ".log", Echo::none, false, terminal);
    log.info("one\ntwo");
    log.warn("careful");
    log.live("live");
    EXPECT_EQ(log.warnings(), std::vector<std::string>{"careful"});
  }
  EXPECT_EQ(shown(), "");
  EXPECT_THAT(logged(), testing::AllOf(HasSubstr("  one\n"), HasSubstr("  two\n"), HasSubstr("  warning: careful\n"),
                                       Not(HasSubstr("live"))));
}

TEST_F(Logged, AppendsWhenAsked) {
  RunLog(base + ".log", Echo::none, false, terminal).note("first");
  RunLog(base + ".log", Echo::none, true, terminal).note("second");
  EXPECT_THAT(logged(), testing::AllOf(HasSubstr("first"), HasSubstr("second")));
  RunLog(base + ".log", Echo::none, false, terminal).note("third");
  EXPECT_THAT(logged(), Not(HasSubstr("first")));
  EXPECT_THROW(RunLog("/dev/null/run.log", Echo::none), SimulationError);
}

TEST_F(Logged, LiveLineGivesWayToText) {
  {
    RunLog log(base + ".log", Echo::live, false, terminal);
    log.live("10 %");
    log.live("20 %");
    log.info("a line");
    log.live("30 %");
  }
  EXPECT_EQ(shown(), "\r\x1b[K10 %\r\x1b[K20 %\r\x1b[Ka line\n\r\x1b[K30 %\r\x1b[K");
  EXPECT_THAT(logged(), Not(HasSubstr("%")));
}

TEST_F(Logged, LiveLineFitsTheTerminal) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0) GTEST_SKIP() << "no pseudo-terminals here";
  std::FILE* narrow = std::fopen(::ptsname(master), "w");
  ASSERT_NE(narrow, nullptr);
  const winsize size{24, 10, 0, 0};
  ASSERT_EQ(::ioctl(::fileno(narrow), TIOCSWINSZ, &size), 0);
  std::string seen;
  {
    RunLog log(base + ".log", Echo::live, false, narrow);
    log.live("0123456789");
    log.live("\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4");
    log.live("012345678");
    log.info("a line that is long");
    pollfd there{master, POLLIN, 0};  // what is written arrives by and by
    while (!seen.ends_with("long\r\n") && ::poll(&there, 1, 5000) > 0) {
      std::array<char, 400> part{};
      const ssize_t n = ::read(master, part.data(), part.size());
      if (n <= 0) break;
      seen.append(part.data(), static_cast<std::size_t>(n));
    }
  }
  std::fclose(narrow);
  ::close(master);
  EXPECT_EQ(seen,
            "\r\x1b[K"
            "012345678\r\x1b[K"
            "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\r\x1b[K"
            "012345678\r\x1b[K"
            "a line that is long\r\n");
}

TEST_F(Logged, PlainProgressComesAtIncreasingIntervals) {
  double now = 1000;
  RunLog log(base + ".log", Echo::plain, false, terminal);
  Progress progress(log, [&] { return now; });
  progress.start("production", 0, 1000000, 0.004);
  std::vector<double> reported;
  for (int half_seconds = 0; half_seconds <= 2 * 4000; ++half_seconds) {
    now = 1000 + 0.5 * half_seconds;
    if (!progress.due()) continue;
    reported.push_back(now - 1000);
    progress.update({half_seconds * 100, 300.0, 27.0, {}, {}});
  }
  EXPECT_EQ(reported, (std::vector<double>{1, 2, 5, 10, 20, 50, 100, 200, 500, 600, 1200, 1800, 2400, 3000, 3600}));
  EXPECT_EQ(count_of(shown(), "\n"), reported.size());
  EXPECT_THAT(shown(),
              HasSubstr("production: step 200 of 1000000 (0.0 %), 69.12 ns/day, T 300.0 K, V 27.000 nm^3, 1 h 23 min left\n"));
}

TEST_F(Logged, LiveProgressIsThrottledAndLoggedInPlain) {
  double now = 0;
  {
    RunLog log(base + ".log", Echo::live, false, terminal);
    Progress progress(log, [&] { return now; });
    progress.start("production", 500, 1500, 0.002);
    for (int i = 0; i <= 1000; ++i) {
      now = 0.01 * i;  // ten seconds
      if (progress.due()) progress.update({500 + i, 310.0, {}, {}, {}});
    }
    progress.finish({1500, 310.0, {}, {}, {}});
  }
  const std::size_t updates = count_of(shown(), "\r\x1b[Kproduction");
  EXPECT_EQ(updates, 42u);                                // every quarter of a second from 0 to 10 s, and the last line
  EXPECT_EQ(count_of(logged(), "production: step"), 5u);  // 1, 2, 5, 10 s and the end
  EXPECT_THAT(logged(), HasSubstr("step 1500 of 1500 (100.0 %)"));
  EXPECT_THAT(logged(), HasSubstr("finished after 10.0 s"));
}

TEST(PhaseTable, TimesAreThoseSinceTheBeginning) {
  const std::vector<PhaseTime> before{{"pairs", 1.0, 10}, {"prune", 2.0, 3}};
  const std::vector<PhaseTime> since = phases_since(before, {{"prune", 2.0, 3}, {"pairs", 1.5, 14}, {"mesh", 0.25, 2}});
  ASSERT_EQ(since.size(), 2u);  // nothing was pruned since
  EXPECT_EQ(since[0].name, "pairs");
  EXPECT_EQ(since[0].seconds, 0.5);
  EXPECT_EQ(since[0].calls, 4);
  EXPECT_EQ(since[1].calls, 2);
}

TEST(Machine, IsDescribed) {
  const std::string text = describe_machine();
  EXPECT_THAT(text, testing::AllOf(HasSubstr("processor: "), HasSubstr("cores: "), HasSubstr("GiB")));
  EXPECT_THAT(text, Not(HasSubstr("memory: 0.0 GiB")));
}

}  // namespace

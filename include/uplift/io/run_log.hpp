#pragma once
// run.log, and what of it the terminal shows.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace spdlog {
class logger;
}

namespace uplift {

/// Where lines go besides the log.
enum class Echo {
  none,      ///< the log only: one of several replicas, whose warnings the log of all repeats
  warnings,  ///< --quiet: warnings on stderr, and nothing else
  plain,     ///< stdout is a file or a pipe: lines
  live,      ///< stdout is a terminal: lines and one live line at the bottom
};

/// live on a terminal, else plain, and for ranks of a launcher, too; warnings when `quiet`.
Echo choose_echo(bool quiet);

class RunLog {
 public:
  /// `append`: goes on in the log of an earlier part of the run. Throws SimulationError when the file cannot be written.
  RunLog(const std::string& path, Echo echo, bool append = false, std::FILE* terminal = stdout);
  ~RunLog();
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  void info(const std::string& text);  ///< log and terminal; text may have several lines
  void note(const std::string& text);  ///< log only: resolved input, versions, hardware
  void warn(const std::string& text);  ///< log and terminal, kept for warnings()
  /// Replaces the live line, cut to the width of the terminal; nothing unless the echo is live.
  void live(const std::string& text);
  void clear_live();
  Echo echo() const { return echo_; }
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  void show(const std::string& text);
  std::unique_ptr<spdlog::logger> log_;
  std::vector<std::string> warnings_;
  std::FILE* terminal_;
  Echo echo_;
  bool live_shown_ = false;
};

/// What is written at the head of every log: title, version, build, machine, backend, and the resolved input.
struct LogHeader {
  std::string title, version, backend, input;
};
void write_log_header(RunLog& log, const LogHeader& header);

}  // namespace uplift

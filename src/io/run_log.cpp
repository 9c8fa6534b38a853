#include "uplift/io/run_log.hpp"

#include <H5public.h>
#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <sstream>

#include "uplift/core/launcher.hpp"
#include "uplift/io/info.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

template <class F>
void for_each_line(const std::string& text, F&& f) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) f(line);
  if (text.empty()) f(text);
}

/// Columns of a terminal; 0: it does not say.
int width_of(std::FILE* terminal) {
  winsize size{};
  return ::ioctl(::fileno(terminal), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/// A line that wraps would not go back to where it began. The last column stays free: some terminals wrap when it is written.
std::string fitting(const std::string& text, int width) {
  int columns = 0;
  for (std::size_t k = 0; width > 0 && k < text.size(); ++k)
    if ((text[k] & 0xc0) != 0x80 && ++columns == width) return text.substr(0, k);  // not within a letter of UTF-8
  return text;
}

}  // namespace

Echo choose_echo(bool quiet) {
  if (quiet) return Echo::warnings;
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal && std::string(terminal) == "dumb";
  // A launcher gives its ranks a terminal, wherever its own output goes.
  return ::isatty(STDOUT_FILENO) && !dumb && launched_ranks() == 1 ? Echo::live : Echo::plain;
}

RunLog::RunLog(const std::string& path, Echo echo, bool append, std::FILE* terminal) : terminal_(terminal), echo_(echo) {
  try {
    log_ = std::make_unique<spdlog::logger>("run", std::make_shared<spdlog::sinks::basic_file_sink_st>(path, !append));
  } catch (const spdlog::spdlog_ex& failure) {
    fail_to_write(path, 0, failure.what());
  }
  log_->set_pattern("%Y-%m-%d %H:%M:%S  %v");
  log_->flush_on(spdlog::level::info);  // few lines, and the last one is the one that matters after a crash
}

RunLog::~RunLog() { clear_live(); }

void RunLog::show(const std::string& text) {
  if (echo_ == Echo::none || echo_ == Echo::warnings) return;
  clear_live();
  std::fputs((text + "\n").c_str(), terminal_);
  std::fflush(terminal_);
}

void RunLog::info(const std::string& text) {
  note(text);
  show(text);
}

void RunLog::note(const std::string& text) {
  for_each_line(text, [&](const std::string& line) { log_->log(spdlog::level::info, line); });
}

void RunLog::warn(const std::string& text) {
  for_each_line("warning: " + text, [&](const std::string& line) { log_->log(spdlog::level::warn, line); });
  warnings_.push_back(text);
  if (echo_ == Echo::warnings)
    std::cerr << "warning: " + text + '\n' << std::flush;
  else
    show("warning: " + text);
}

void RunLog::live(const std::string& text) {
  if (echo_ != Echo::live) return;
  const std::string line = fitting(text, width_of(terminal_));
  std::fputs(("\r\x1b[K" + line).c_str(), terminal_);  // back to the margin, clear to the end of the line
  std::fflush(terminal_);
  live_shown_ = true;
}

void RunLog::clear_live() {
  if (!live_shown_) return;
  std::fputs("\r\x1b[K", terminal_);
  std::fflush(terminal_);
  live_shown_ = false;
}

namespace {

std::string built_with() {
  utsname os{};
  ::uname(&os);
#if defined(__clang__)
  const char* compiler = "Clang " __clang_version__;
#else
  const char* compiler = "GCC " __VERSION__;
#endif
  // That of the headers, which the library insists on; to ask it would begin its work before ours with it (io/h5).
  return fmt::format("built by {}; HDF5 {}.{}.{}; on {}", compiler, H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE, os.nodename);
}

}  // namespace

void write_log_header(RunLog& log, const LogHeader& header) {
  log.info(fmt::format("uplift {}: {}", header.version, header.title.empty() ? "untitled" : header.title));
  log.note(built_with());
  log.note(describe_machine());
  log.info("backend: " + header.backend);
  log.note("resolved input:");
  log.note(header.input);
}

}  // namespace uplift

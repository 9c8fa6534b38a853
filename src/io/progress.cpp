#include "uplift/io/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace uplift {
namespace {

constexpr double live_interval = 0.25;  // [s]
constexpr double first_plain = 1, longest_plain = 600;

// 1, 2, 5, 10, 20, 50 ... seconds after the start, then every ten minutes.
double plain_after(double elapsed) {
  double next = first_plain;
  for (int n = 0; next <= elapsed && next < longest_plain; ++n) next *= n % 3 == 1 ? 2.5 : 2;
  return next <= elapsed || next > longest_plain ? (std::floor(elapsed / longest_plain) + 1) * longest_plain : next;
}

}  // namespace

std::string duration_text(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "?";
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long>(std::lround(seconds));
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
  return fmt::format("{} d {:02} h", whole / 86400, whole % 86400 / 3600);
}

Progress::Progress(RunLog& log, Clock clock) : log_(log), clock_(std::move(clock)) {
  if (!clock_)
    clock_ = [] { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); };
}

void Progress::start(const std::string& stage, std::int64_t first, std::int64_t last, double timestep) {
  stage_ = stage;
  first_ = first;
  last_ = last;
  timestep_ = timestep;
  began_ = clock_();
  next_live_ = began_;
  next_plain_ = began_ + first_plain;
}

bool Progress::due() const {
  const double now = clock_();
  return now >= next_plain_ || (log_.echo() == Echo::live && now >= next_live_);
}

double Progress::nanoseconds_per_day(std::int64_t step) const {
  const double elapsed = clock_() - began_;
  return elapsed > 0 ? static_cast<double>(step - first_) * timestep_ * 1e-3 / elapsed * 86400 : 0;
}

std::string Progress::line(const Report& report, bool finished) const {
  const double elapsed = clock_() - began_;
  const auto done = static_cast<double>(report.step - first_),
             whole = static_cast<double>(std::max<std::int64_t>(1, last_ - first_));
  std::string text = fmt::format("{}: step {}", stage_, report.step);
  if (timestep_ > 0 || !finished) text += fmt::format(" of {} ({:.1f} %)", last_, 100 * done / whole);
  if (timestep_ > 0) text += fmt::format(", {:.4g} ns/day", nanoseconds_per_day(report.step));
  if (report.temperature) text += fmt::format(", T {:.1f} K", *report.temperature);
  if (report.volume) text += fmt::format(", V {:.3f} nm^3", *report.volume);
  if (report.boost) text += fmt::format(", boost {:.2f} kJ/mol", *report.boost);
  if (report.energy) text += fmt::format(", E {:.4f} kJ/mol", *report.energy);
  if (report.largest_force) text += fmt::format(", largest force {:.4g} kJ/mol/nm", *report.largest_force);
  if (finished)
    text += fmt::format(", finished after {}", duration_text(elapsed));
  else if (timestep_ > 0 && done > 0)
    text += fmt::format(", {} left", duration_text(elapsed / done * (whole - done)));
  return text;
}

void Progress::update(const Report& report) {
  const double now = clock_();
  if (log_.echo() == Echo::live && now >= next_live_) {
    log_.live(line(report, false));
    next_live_ = now + live_interval;
  }
  if (now < next_plain_) return;
  next_plain_ = began_ + plain_after(now - began_);
  if (log_.echo() == Echo::plain)
    log_.info(line(report, false));
  else
    log_.note(line(report, false));  // the live line says it on a terminal
}

void Progress::finish(const Report& report) {
  log_.clear_live();
  log_.info(line(report, true));
}

}  // namespace uplift

#pragma once
// How far a stage has come: a live line on a terminal; elsewhere, and in the log, plain lines at increasing intervals.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "uplift/io/run_log.hpp"

namespace uplift {

/// "23.4 s", "12 min 05 s", "3 h 07 min", "2 d 04 h".
std::string duration_text(double seconds);

class Progress {
 public:
  using Clock = std::function<double()>;  ///< [s], steady
  explicit Progress(RunLog& log, Clock clock = {});

  /// A stage that goes from step `first` to step `last`. `timestep` [ps]; 0: a minimisation, which has no ns/day.
  void start(const std::string& stage, std::int64_t first, std::int64_t last, double timestep);
  /// Whether update() would show anything now: cheap, so that energies need not be fetched for nothing.
  bool due() const;
  struct Report {
    std::int64_t step = 0;
    std::optional<double> temperature;    ///< [K]
    std::optional<double> volume;         ///< [nm^3]
    std::optional<double> energy;         ///< [kJ/mol], shown for a minimisation
    std::optional<double> largest_force;  ///< [kJ/mol/nm], shown for a minimisation
    std::optional<double> boost{};        ///< [kJ/mol], shown for a stage with a bias
  };
  void update(const Report& report);
  /// The stage's last line; always shown and logged.
  void finish(const Report& report);
  double nanoseconds_per_day(std::int64_t step) const;

 private:
  std::string line(const Report& report, bool finished) const;
  RunLog& log_;
  Clock clock_;
  std::string stage_;
  std::int64_t first_ = 0, last_ = 0;
  double timestep_ = 0, began_ = 0, next_live_ = 0, next_plain_ = 0;
};

}  // namespace uplift

#pragma once
// `uplift convert`: what was asked for, and its two halves.
#include <cmath>
#include <string>
#include <vector>

namespace uplift::app {

struct ConvertOptions {
  std::vector<std::string> inputs;  ///< several trajectories are one after the other
  std::string output;
  std::string topology, coordinates;
  std::vector<std::string> parameters, define, include, forcefield;  ///< what topologies need besides
  int stride = 1;
  bool last = false;       ///< only the last frame
  std::string begin, end;  ///< times; empty: all
  std::string atoms;       ///< selection; empty: all
  bool whole = false, unwrap = false;
  std::string centre;     ///< selection; empty: not centred
  std::string precision;  ///< of XTC; empty: 1e-3 nm
  std::string group, length_unit, time_unit;
  bool consecutive = false, drop_times = false, force = false;
};

/// How far a time [ps] in a file may be from the one that is meant: XTC and Amber NetCDF hold float32, and 7 x 0.2 is not 1.4.
inline double time_slack(double time) { return 1e-6 + 0x1p-24 * std::abs(time); }

int convert_trajectory(const ConvertOptions& options);
int convert_topology(const ConvertOptions& options);
/// The output is a table of numbers: .csv or .xvg.
bool is_energy_table(const std::string& path);
int convert_energies(const ConvertOptions& options);

}  // namespace uplift::app

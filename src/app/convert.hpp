#pragma once
// `uplift convert`: what was asked for, and its two halves.
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
  std::string centre;  ///< selection; empty: not centred
  std::string precision = "1e-3 nm";
  std::string group, length_unit, time_unit;
  bool consecutive = false, drop_times = false, force = false;
};

int convert_trajectory(const ConvertOptions& options);
int convert_topology(const ConvertOptions& options);
/// The output is a table of numbers: .csv or .xvg.
bool is_energy_table(const std::string& path);
int convert_energies(const ConvertOptions& options);

}  // namespace uplift::app

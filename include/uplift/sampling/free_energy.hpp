#pragma once
// Free-energy surfaces of collective variables from biased runs, with errors and a verdict on whether they can be trusted.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "uplift/sampling/biased_frames.hpp"
#include "uplift/sampling/estimators.hpp"
#include "uplift/sampling/series.hpp"

namespace uplift {

struct FreeEnergyRequest {
  FrameRequest frames;
  std::optional<ReweightMethod> method;       ///< none: cumulant, mbar for several biases, none without any
  int order = 0;                              ///< of maclaurin and cumulant; 0: 10 and 2
  std::vector<int> bins{60};                  ///< one for all variables, or one each
  std::vector<std::array<double, 2>> ranges;  ///< empty, or one each
  std::optional<double> temperature;          ///< [K]; none: that of the stages
  int bootstrap = 100;                        ///< replicates; 0: no errors
  std::uint64_t seed = 1;
  int cutoff = 10;     ///< a bin with fewer frames has no free energy
  bool force = false;  ///< give even what cannot be trusted
};

struct FreeEnergySurface {
  struct Axis {
    BiasedFrames::Axis variable;
    std::vector<double> edges, centers;
    /// The last bin is a neighbour of the first: a whole turn of an angle.
    bool closed() const { return variable.periodic && edges.back() - edges.front() > 360 - 1e-9; }
  };
  std::vector<Axis> axes;
  /// [bins of axis 0][axis 1][axis 2]. pmf: -kT ln p, the lowest 0 [kJ/mol]; error: one standard error of -kT ln p; not a
  /// number where there are too few frames.
  std::vector<double> pmf, error, probability;
  std::vector<std::int64_t> counts;
  ReweightMethod method = ReweightMethod::none;
  int order = 0;
  double temperature = 0;               ///< [K]
  std::size_t frames = 0, outside = 0;  ///< all, and those of them that are in no bin
  std::vector<std::string> stages;      ///< that the frames are of
  double inefficiency = 1;              ///< frames that make an independent one, of the slowest variable or the boost
  /// Independent frames that correlation and weights leave: 1/(g/N + g_w/K), with N frames, g the inefficiency, K Kish's
  /// effective number and g_w the inefficiency of the weights themselves.
  double effective = 0;
  /// What decides whether the estimate can be trusted: the same, but for cumulants, which are no sums of weights.
  double independent() const {
    return method == ReweightMethod::cumulant ? static_cast<double>(frames) / inefficiency : effective;
  }
  double largest_share = 0;                    ///< of a single frame in the sum of weights
  double boost_mean = 0, boost_deviation = 0;  ///< [kJ/mol]
  double anharmonicity = 0;                    ///< of the boost; not a number without
  Histogram boost;                             ///< [kJ/mol]; empty without
  std::vector<double> state_free_energies;     ///< mbar: of each bias against the first [kJ/mol]
  std::vector<std::string> warnings;
};

/// Throws InputError when the request does not fit the frames, and when the estimate cannot be trusted at all, unless `force`.
FreeEnergySurface free_energy_surface(const BiasedFrames& frames, const FreeEnergyRequest& request);

/// STEM.h5 and STEM.csv (docs/reweighting.md). Throws SimulationError when they cannot be written.
void write_surface(const std::string& stem, const FreeEnergySurface& surface, const std::string& version);
/// PyReweighting's three columns: dV/kT, step, dV [kcal/mol].
void write_weights(const std::string& path, const BiasedFrames& frames, double temperature);
/// PyReweighting's .xvg of a surface of one variable: left edge of each bin and free energy [kcal/mol].
void write_xvg(const std::string& path, const FreeEnergySurface& surface);
/// A table for the terminal.
std::string surface_text(const FreeEnergySurface& surface);

}  // namespace uplift

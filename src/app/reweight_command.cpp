// `uplift reweight`: free-energy surfaces from the frames of runs.
#include <fmt/format.h>

#include <iostream>

#include "commands.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"
#include "uplift/io/units.hpp"
#include "uplift/sampling/free_energy.hpp"

namespace uplift::app {
namespace {

double quantity(const char* option, const std::string& text, const Dimension& dimension) {
  try {
    return parse_quantity(text, dimension);
  } catch (const std::exception& e) {
    throw InputError(std::string(option) + " " + text + ": " + e.what());
  }
}

ReweightMethod method_of(const std::string& name) {
  for (int k = 0; k <= static_cast<int>(ReweightMethod::mbar); ++k)
    if (name == method_name(static_cast<ReweightMethod>(k))) return static_cast<ReweightMethod>(k);
  throw InputError("--method " + name + ": is none of exponential, maclaurin, cumulant, pooled, mbar, none");
}

/// "-180:180".
std::array<double, 2> range_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  std::array<double, 2> r{};
  if (colon == std::string::npos || !parse_real(text.substr(0, colon), r[0]) || !parse_real(text.substr(colon + 1), r[1]))
    throw InputError("--range " + text + ": write it as LOW:HIGH, in degrees or nm, one for each collective variable");
  return r;
}

}  // namespace

int reweight_command(const ReweightOptions& options) {
  FreeEnergyRequest request;
  request.frames.runs = options.runs;
  request.frames.stages = options.stages;
  request.frames.variables = options.variables;
  if (!options.discard.empty()) request.frames.discard = quantity("--discard", options.discard, dimension::time);
  if (!options.method.empty()) request.method = method_of(options.method);
  request.order = options.order;
  request.bins = options.bins;
  for (const std::string& range : options.ranges) request.ranges.push_back(range_of(range));
  if (!options.temperature.empty()) request.temperature = quantity("--temperature", options.temperature, dimension::temperature);
  request.bootstrap = options.bootstrap;
  request.seed = options.seed;
  request.cutoff = options.cutoff;
  request.force = options.force;

  const BiasedFrames frames = read_biased_frames(request.frames);
  const FreeEnergySurface surface = free_energy_surface(frames, request);
  write_surface(options.output, surface, version);
  std::cout << surface_text(surface);
  if (!options.weights.empty()) write_weights(options.weights, frames, surface.temperature);
  if (options.xvg) write_xvg(options.output + ".xvg", surface);
  for (const std::string& w : surface.warnings) std::cerr << "warning: " << w << '\n';
  std::cout << "written: " << options.output << ".h5, " << options.output << ".csv" << (options.xvg ? ", " + options.output + ".xvg" : "")
            << (options.weights.empty() ? "" : ", " + options.weights) << '\n';
  return finished;
}

}  // namespace uplift::app

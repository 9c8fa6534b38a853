// `uplift reweight`: free-energy surfaces from the frames of runs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>

#include "commands.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/check_output.hpp"
#include "uplift/io/text_file.hpp"
#include "uplift/io/units.hpp"
#include "uplift/pictures/pictures.hpp"
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

/// "-180:180".
std::array<double, 2> range_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  std::array<double, 2> r{};
  if (colon == std::string::npos || !parse_real(text.substr(0, colon), r[0]) || !parse_real(text.substr(colon + 1), r[1]))
    throw InputError("--range " + text + ": write it as LOW:HIGH, in degrees or nm, one for each collective variable");
  return r;
}

/// What is read: files of the runs, and those that variables name, which are looked for in the runs and here.
std::vector<std::string> inputs_of(const ReweightOptions& options) {
  namespace fs = std::filesystem;
  std::vector<std::string> inputs, named;
  for (const std::string& variable : options.variables)
    for (std::size_t at = variable.find('('); at < variable.size();) {
      const std::size_t end = std::min(variable.find_first_of(",)", at + 1), variable.size());
      named.emplace_back(trim(std::string_view(variable).substr(at + 1, end - at - 1)));
      at = end;
    }
  const auto add = [&](const fs::path& file) {
    std::error_code error;
    if (fs::is_regular_file(file, error)) inputs.push_back(file.string());
  };
  for (const std::string& name : named) add(name);
  for (const fs::path run : options.runs) {
    for (const char* name : {"trajectory.h5md", "energies.h5", "stages.json"}) add(run / name);
    for (const std::string& name : named) add(run / name);
  }
  return inputs;
}

/// `-o RUN/energies` would write RUN/energies.h5.
void check_outputs(const ReweightOptions& options) {
  const std::vector<std::string> inputs = inputs_of(options);
  for (const char* suffix : {".h5", ".csv", ".png", ".svg", ".xvg"})
    check_output(options.output + suffix, inputs, "choose another stem with -o, as in -o pmf");
  if (!options.weights.empty()) check_output(options.weights, inputs, "choose another name with --weights");
}

}  // namespace

int reweight_command(const ReweightOptions& options) {
  FreeEnergyRequest request;
  request.frames.runs = options.runs;
  request.frames.stages = options.stages;
  request.frames.variables = options.variables;
  if (!options.discard.empty()) request.frames.discard = quantity("--discard", options.discard, dimension::time);
  if (request.frames.discard < 0) throw InputError("--discard " + options.discard + ": is less than nothing");
  if (!options.method.empty()) request.method = method_named(options.method);
  request.order = options.order;
  request.bins = options.bins;
  for (const std::string& range : options.ranges) request.ranges.push_back(range_of(range));
  if (!options.temperature.empty())
    request.temperature = quantity("--temperature", options.temperature, dimension::temperature);
  request.bootstrap = options.bootstrap;
  request.seed = options.seed;
  request.cutoff = options.cutoff;
  request.force = options.force;

  if (options.output.empty() || options.output.ends_with('/') || std::filesystem::path(options.output).filename() == "." ||
      std::filesystem::path(options.output).filename() == "..")
    throw InputError("--output " + options.output + ": is the name of a folder; give the stem of the files, as in " +
                     (std::filesystem::path(options.output) / "pmf").string());
  check_outputs(options);
  const BiasedFrames frames = read_biased_frames(request.frames);
  if (!options.weights.empty() && frames.states.size() > 1)
    throw InputError(
        "--weights: the frames are of several biases or temperatures, and the file is for one bias; use --stage to choose");
  const double sampled = frames.states.front().temperature;
  if (!options.weights.empty() && sampled > 0 && std::abs(request.temperature.value_or(sampled) - sampled) > 1e-6 * sampled)
    throw InputError(fmt::format(
        "--weights: the file has boosts alone, which do not take frames from {:g} K to another temperature; leave out "
        "--temperature, or --weights",
        sampled));
  const FreeEnergySurface surface = free_energy_surface(frames, request);
  write_surface(options.output, surface, version);
  std::cout << surface_text(surface);
  if (!options.weights.empty()) write_weights(options.weights, frames, surface.temperature);
  if (options.xvg) write_xvg(options.output + ".xvg", surface);
  for (const std::string& w : surface.warnings) std::cerr << "warning: " << w << '\n';
  const std::string problem = draw_free_energy(options.output);
  if (!problem.empty()) std::cerr << "warning: no picture: " << problem << '\n';
  std::cout << "written: " << options.output << ".h5, " << options.output << ".csv"
            << (problem.empty() ? ", " + options.output + ".png, " + options.output + ".svg" : "")
            << (options.xvg ? ", " + options.output + ".xvg" : "") << (options.weights.empty() ? "" : ", " + options.weights)
            << '\n';
  return finished;
}

}  // namespace uplift::app

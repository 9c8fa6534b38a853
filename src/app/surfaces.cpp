#include "surfaces.hpp"

#include "commands.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/run_input.hpp"
#include "uplift/model/selection.hpp"
#include "uplift/pictures/pictures.hpp"
#include "uplift/sampling/collective_variable.hpp"
#include "uplift/sampling/free_energy.hpp"

namespace uplift::app {
namespace {

std::string folder_of(const RunInput& input) { return std::filesystem::absolute(input.file).parent_path().string(); }

void make_surface(const RunInput& input, const FreeEnergySettings& f, const std::vector<std::string>& runs,
                  const std::filesystem::path& directory, RunLog& log) {
  const std::string stem = (directory / f.name).string();
  FreeEnergyRequest request;
  request.frames = {runs, f.stages, f.variables, f.discard, folder_of(input)};
  if (!f.method.empty()) request.method = method_named(f.method);
  request.order = f.order;
  request.bins = f.bins;
  request.bootstrap = f.bootstrap;
  request.cutoff = f.cutoff;
  try {
    const FreeEnergySurface surface = free_energy_surface(read_biased_frames(request.frames), request);
    write_surface(stem, surface, version);
    log.info(surface_text(surface));
    for (const std::string& w : surface.warnings) log.warn(f.name + ": " + w);
    if (const std::string problem = draw_free_energy(stem); !problem.empty())
      log.warn("no picture of " + f.name + ": " + problem);
  } catch (const InputError& e) {  // the run itself is whole, and uplift reweight can try again
    log.warn("no free energy " + f.name + ": " + e.what());
  }
}

}  // namespace

void check_surfaces(const RunInput& input, const Loaded& loaded) {
  if (input.free_energies.empty()) return;
  StoredSystem stored = part_to_be_stored(loaded.system, stored_atoms(input, loaded.system.topology), loaded.state.x);
  stored.directory = input.output.directory;
  stored.beside = folder_of(input);
  for (const FreeEnergySettings& f : input.free_energies)
    for (const std::string& variable : f.variables) {
      // A column is written after the run.
      if (variable.find("column(") != std::string::npos) continue;
      try {
        make_collective_variable(variable, stored);
      } catch (const InputError& e) {
        throw InputError(with_place(input, "", "free_energy." + f.name + ".variables: " + e.what()));
      }
    }
}

void finish_directory(const RunInput& input, const std::vector<std::string>& runs, const std::filesystem::path& directory,
                      RunLog& log) {
  for (const FreeEnergySettings& f : input.free_energies) make_surface(input, f, runs, directory, log);
  if (!input.output.report) return;
  if (const std::string problem = write_report(directory.string()); !problem.empty()) log.warn("no report.html: " + problem);
}

}  // namespace uplift::app

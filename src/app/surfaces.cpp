#include "surfaces.hpp"

#include "commands.hpp"
#include "uplift/core/error.hpp"
#include "uplift/pictures/pictures.hpp"
#include "uplift/sampling/free_energy.hpp"

namespace uplift::app {
namespace {

void make_surface(const FreeEnergySettings& f, const std::vector<std::string>& runs, const std::filesystem::path& directory,
                  RunLog& log) {
  const std::string stem = (directory / f.name).string();
  FreeEnergyRequest request;
  request.frames = {runs, f.stages, f.variables, f.discard};
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

void finish_directory(const RunInput& input, const std::vector<std::string>& runs, const std::filesystem::path& directory,
                      RunLog& log) {
  for (const FreeEnergySettings& f : input.free_energies) make_surface(f, runs, directory, log);
  if (!input.output.report) return;
  if (const std::string problem = write_report(directory.string()); !problem.empty()) log.warn("no report.html: " + problem);
}

}  // namespace uplift::app

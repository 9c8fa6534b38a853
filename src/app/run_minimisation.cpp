// A stage that minimises: checkpoints, progress and what came out.
#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "commands.hpp"
#include "continuation.hpp"
#include "run.hpp"
#include "uplift/engine/minimization.hpp"
#include "uplift/io/progress.hpp"
#include "uplift/io/units.hpp"

namespace uplift::app {

int Run::minimisation(const StageSettings& settings, const System& system, Backend& backend) {
  std::optional<DescentMemory> memory = checkpoint_ ? std::move(checkpoint_->descent) : std::nullopt;
  if (memory)
    if (const std::string changed = changed_minimisation(*checkpoint_, settings); !changed.empty()) {
      log_->warn("stage " + settings.name +
                 ": its minimisation begins anew from the positions that it has reached, for it had " + changed);
      memory.reset();
    }
  if (!memory) state_.list.clear();
  checkpoint_.reset();
  const auto began = std::chrono::steady_clock::now();
  Minimization minimization(system, backend, state_, *settings.minimize, memory ? &*memory : nullptr);
  const auto save_now = [&] { save(minimization.checkpoint_state(), false, minimization.memory()); };
  Progress progress(*log_);
  progress.start(settings.name, 0, settings.minimize->max_steps, 0);
  std::string why;
  while (!minimization.finished() && (why = options_.stop_reason()).empty()) {
    minimization.advance();
    if (progress.due())
      progress.update({minimization.steps(), {}, {}, minimization.energy(), minimization.largest_force(), {}});
    if (checkpoint_due()) save_now();
  }
  log_->clear_live();
  if (!why.empty()) {
    save_now();
    return stopped(why + ", after " + std::to_string(minimization.steps()) + " steps of a minimisation");
  }
  const MinimizeResult r = minimization.result();
  state_ = minimization.state();
  std::string worst;
  for (const Backend::WorstForce& w : r.worst)
    worst += (worst.empty() ? "" : ", ") + format_number(std::round(w.magnitude * 100) / 100) + " on " +
             describe_atom(system.topology, w.atom);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  log_->info(fmt::format("{} after {} steps in {}: energy {:.4f} kJ/mol, largest force components [kJ/mol/nm]: {}",
                         r.converged ? "converged" : "not converged", r.steps, duration_text(seconds), r.energy, worst));
  save(state_, true);
  return finished;
}

}  // namespace uplift::app
